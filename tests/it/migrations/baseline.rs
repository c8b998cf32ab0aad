//! Adopting a database whose schema somebody pasted by hand.

use super::support::*;
use super::tools::{STEPS, folder_for};
use slipway_core::migration::Folder;
use slipway_deploy::database::{Database, MigrateError, NoJournal, Run, RunOptions, connect};

/// Records the first `count` migrations of a folder.
async fn baseline(database: &dyn Database, folder: &Folder<'_>, count: usize) -> Result<(usize, usize), MigrateError> {
    let options = RunOptions::default();
    let report = database.baseline(folder, &folder.migrations()[..count], &Run::quiet(&options)).await?;
    Ok((report.done.len(), report.found_applied.len()))
}

#[tokio::test]
async fn what_is_there_is_recorded_and_not_run() {
    for tool in ["goose", "dbmate", "golang-migrate", "sqlx"] {
        let url = fresh().await;
        let (database, mut look) = (connect(&url).await.unwrap(), sql(&url).await);
        send(&mut look, "CREATE TABLE likes (id int); CREATE INDEX likes_id ON likes (id)").await;
        let all = folder_for(tool, &STEPS);
        assert_eq!(baseline(&*database, &all, 2).await.unwrap(), (2, 0), "{tool}");
        assert_eq!(column(&mut look, "SELECT count(*)::text FROM likes").await, ["0"], "{tool}: nothing was run");
        let states = "SELECT state FROM slipway_migrations ORDER BY file";
        assert_eq!(column(&mut look, states).await, ["found", "found"], "{tool}");
        assert_eq!(baseline(&*database, &all, 2).await.unwrap(), (0, 2), "{tool}");
        let report = run_up(&*database, &all, &RunOptions::default(), &NoJournal).await.unwrap();
        assert_eq!((report.done.len(), report.found_applied.len()), (1, 2), "{tool}");
        assert_eq!(baseline(&*database, &all, 2).await.unwrap(), (0, 2), "{tool}: what is newer stays");
        assert_eq!(baseline(&*database, &all, 3).await.unwrap(), (0, 3), "{tool}");
    }
}

#[tokio::test]
async fn what_the_history_contradicts_is_not_recorded() {
    for tool in ["dbmate", "sqlx"] {
        let url = fresh().await;
        let (database, mut look) = (connect(&url).await.unwrap(), sql(&url).await);
        run_up(&*database, &folder_for(tool, &STEPS[..1]), &RunOptions::default(), &NoJournal).await.unwrap();
        let mut edited = STEPS;
        edited[0].2 = "CREATE TABLE likes (id bigint);\n";
        let refused = baseline(&*database, &folder_for(tool, &edited), 3).await.unwrap_err();
        assert!(matches!(refused, MigrateError::Contradiction { .. }), "{refused}");
        assert_eq!(column(&mut look, "SELECT count(*)::text FROM slipway_migrations").await, ["1"], "{tool}");
    }
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    let broken = folder_for("golang-migrate", &[STEPS[0], (2, "broken", "VACUUM wrong;", "", true)]);
    run_up(&*database, &broken, &RunOptions::default(), &NoJournal).await.unwrap_err();
    assert!(matches!(baseline(&*database, &broken, 2).await.unwrap_err(), MigrateError::HalfDone(_)));
}
