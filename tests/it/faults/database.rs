//! The database that is to be migrated goes wrong in the middle of it.

use crate::support::{Player, history_versions, text};
use expect_test::expect;
use slipway_core::release::{Outcome, Phase, Release};
use slipway_sandbox::world::{Options, Pace, World};
use sqlx::{AssertSqlSafe, Connection as _};

/// What the server does when the migration makes its index, and under which name.
const TROUBLE: [(&str, &str); 4] = [
    ("lost in the middle", "PERFORM pg_terminate_backend(pg_backend_pid())"),
    ("permission denied", "RAISE EXCEPTION 'permission denied for schema public' USING ERRCODE = '42501'"),
    ("disk full", "RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'"),
    ("out of connections", "RAISE EXCEPTION 'sorry, too many clients already' USING ERRCODE = '53300'"),
];

/// Somebody else holds a lock, twice. What a sequence has given is not taken back with the transaction.
const LOCKED: &str = "IF nextval('public.tries') <= 2 THEN \
    RAISE EXCEPTION 'canceling statement due to lock timeout' USING ERRCODE = '55P03'; END IF";

/// Lets the server do something whenever an index is made.
async fn when_an_index_is_made(url: &str, act: &str) {
    let trigger = format!(
        "CREATE FUNCTION trouble() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN {act}; END $$; \
         CREATE EVENT TRIGGER trouble ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION trouble()"
    );
    sql(url, trigger).await;
}

async fn sql(url: &str, statement: String) {
    let mut session = sqlx::PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut session).await.unwrap();
}

/// How it ended, as a person reads it.
fn said(release: &Release) -> String {
    let Some(Outcome::Failed { failure, .. }) = &release.outcome else { return release.phase.name().to_owned() };
    let details = failure.details.iter().map(|detail| format!("\n  {detail}"));
    format!("{}{}", failure.what, details.collect::<String>())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_in_trouble_is_told_truly_and_nothing_is_deployed() {
    let mut world = World::new(Options { pace: Pace::Fast, own_server: true, ..Options::default() }).await.unwrap();
    world.bot.kill().unwrap();
    let config = std::fs::read_to_string(&world.config).unwrap();
    std::fs::write(&world.config, config.replacen("[pace]\n", "[pace]\nretry_ms = 10\n", 1)).unwrap();
    world.bot.start().await.unwrap();
    let url = world.staging_database.clone();
    let mut player = Player::new(&world, "database");
    let (mut cards, mut told) = (Vec::new(), String::new());
    let before = history_versions(&url).await;
    for (name, act) in TROUBLE {
        when_an_index_is_made(&url, act).await;
        player.say("ana", "/deploy staging").await;
        let card = player.until_end_of_another(&cards.iter().collect::<Vec<_>>()).await;
        let release = player.release(&world, &card).await;
        assert_eq!(release.phase, Phase::Failed, "{name}: {}\n{}", text(&card), world.bot.log());
        assert_eq!(history_versions(&url).await, before, "{name}: nothing of it stays");
        told.push_str(&format!("{name}: {}\n", said(&release)));
        cards.push(card);
        sql(&url, "DROP EVENT TRIGGER trouble; DROP FUNCTION trouble()".to_owned()).await;
    }
    // The server here does not wait for its disk: what is to survive is written now.
    sql(&url, "CHECKPOINT".to_owned()).await;
    let server = world.postgres().expect("PostgreSQL");
    server.stop_immediately().await.unwrap();
    player.say("ana", "/deploy staging").await;
    let card = player.until_end_of_another(&cards.iter().collect::<Vec<_>>()).await;
    told.push_str(&format!("connection refused: {}\n", said(&player.release(&world, &card).await)));
    cards.push(card);
    let port = url.split(':').next_back().and_then(|rest| rest.split('/').next()).unwrap_or_default().to_owned();
    world.postgres().expect("PostgreSQL").start_again().await.unwrap();
    assert_eq!(world.aws.deployment_operations(&world.staging_arn).len(), 0, "nothing was deployed");
    sql(&url, "CREATE SEQUENCE public.tries".to_owned()).await;
    when_an_index_is_made(&url, LOCKED).await;
    // A lock is waited for. When the trouble is over the same is asked for again, and is done once.
    player.say("ana", "/deploy staging").await;
    let card = player.until_end_of_another(&cards.iter().collect::<Vec<_>>()).await;
    let release = player.release(&world, &card).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&card), world.bot.log());
    let mut expected = before;
    expected.extend(release.plan.unwrap().migrations.into_iter().map(|migration| migration.version));
    assert_eq!(history_versions(&url).await, expected);
    let verified = world.bot.run(&["audit", "verify"]).unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    expect![[r#"
        lost in the middle: 20251104120000_likes.sql: statement 2 of 2 failed: terminating connection due to administrator command (57P01). Nothing of this file is left in the database. The server ended the session: see whether it is restarting, then run again.
          No migration of this release was applied.
        permission denied: 20251104120000_likes.sql: statement 2 of 2 failed: permission denied for schema public (42501). Nothing of this file is left in the database. The user lacks a right: GRANT it, or give Slipway a user that owns the schema.
          No migration of this release was applied.
        disk full: 20251104120000_likes.sql: statement 2 of 2 failed: could not extend file: No space left on device (53100). Nothing of this file is left in the database. The server's disk is full: make room, then run again.
          No migration of this release was applied.
        out of connections: 20251104120000_likes.sql: statement 2 of 2 failed: sorry, too many clients already (53300). Nothing of this file is left in the database. Close connections or raise the limit of the server or the user, then run again.
          No migration of this release was applied.
        connection refused: postgres://127.0.0.1:PORT/goals_staging cannot be reached: error communicating with database: Connection refused (os error 111). Nothing listens there: see whether the server runs, and look at host and port in the address.
          Tried 8 times.
    "#]].assert_eq(&told.replace(&port, "PORT"));
}
