//! sqlx's own migrator, from its library.

use crate::place::{Ended, Kind, Place, version};
use sqlx::migrate::{MigrateError, Migrator};

async fn migrator(place: &Place) -> Migrator {
    Migrator::new(place.migrations()).await.unwrap()
}

fn ended(outcome: Result<(), MigrateError>) -> Ended {
    let said = outcome.as_ref().err().map(ToString::to_string).unwrap_or_default();
    Ended { is_done: outcome.is_ok(), said }
}

pub(crate) async fn up(place: &Place) -> Ended {
    let migrator = migrator(place).await;
    ended(match place.kind {
        Kind::Postgres => migrator.run(&mut place.postgres().await).await,
        Kind::Sqlite => migrator.run(&mut place.sqlite().await).await,
    })
}

/// Takes back what is newer than `newest`.
pub(crate) async fn down_to(place: &Place, newest: u32) -> Ended {
    let migrator = migrator(place).await;
    let target = i64::try_from(version(newest)).unwrap();
    ended(match place.kind {
        Kind::Postgres => migrator.undo(&mut place.postgres().await, target).await,
        Kind::Sqlite => migrator.undo(&mut place.sqlite().await, target).await,
    })
}
