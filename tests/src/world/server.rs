//! The PostgreSQL server that a world's databases are on.

use crate::postgres::{Postgres, PostgresError, shared};
use sqlx::Connection as _;
use std::sync::atomic::{AtomicU32, Ordering};

/// A server with databases on it.
#[derive(Debug)]
pub(super) enum Server {
    /// Nobody else's: it can be stopped. Its databases go with it.
    Own(Postgres),
    /// The one of this process, which takes no time to start. What is on it for this world is removed with the world.
    Shared {
        server: &'static Postgres,
        /// Distinguishes this world's databases.
        number: u32,
        databases: Vec<String>,
    },
}

impl Server {
    /// Blocks the thread until it runs.
    pub(super) fn start(own: bool) -> Result<Self, PostgresError> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        if own {
            return Postgres::start().map(Self::Own);
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Ok(Self::Shared { server: shared()?, number, databases: vec![] })
    }

    /// The server itself.
    pub(super) fn server(&self) -> &Postgres {
        match self {
            Self::Own(server) => server,
            Self::Shared { server, .. } => server,
        }
    }

    /// A new database; gives its address.
    pub(super) async fn create_database(&mut self, name: &str) -> Result<String, PostgresError> {
        match self {
            Self::Own(server) => server.create_database(name).await,
            Self::Shared { server, number, databases } => {
                let name = format!("{name}_{number}");
                let url = server.create_database(&name).await?;
                databases.push(name);
                Ok(url)
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Self::Shared { server, databases, .. } = self else { return };
        let (url, databases) = (server.url("postgres"), std::mem::take(databases));
        // A runtime of its own: this one may be inside another, and may be the last thing that it does.
        let removal = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            runtime.block_on(remove(&url, &databases)).ok()
        });
        // What is left over goes with the server.
        let _ = removal.join();
    }
}

async fn remove(url: &str, databases: &[String]) -> Result<(), sqlx::Error> {
    let mut connection = sqlx::PgConnection::connect(url).await?;
    for name in databases {
        let drop = format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)");
        sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(&mut connection).await?;
    }
    connection.close().await
}
