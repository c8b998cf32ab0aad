//! What is applied is taken back on a copy before anybody relies on it.

use super::rig::{File, Rig, column, goose, open, run};
use slipway_core::migration::{DownTrial, Migration};
use slipway_deploy::database::{
    DatabaseUrl, RehearsalError, RehearsalOptions, Run, RunOptions, connect, rehearse_back,
};

/// Applied in this order: one whose way back is whole, one that leaves something behind, one that fails.
const FILES: [File<'_>; 3] = [
    (1, "CREATE TABLE likes (id int)", "DROP TABLE likes"),
    (2, "CREATE TABLE IF NOT EXISTS bios (id int);\nCREATE INDEX IF NOT EXISTS bio ON bios (id)", "DROP INDEX bio"),
    (3, "CREATE TABLE themes (id int)", "DROP TABLE thems"),
];

/// The newest first.
fn back(files: &[File<'_>]) -> Vec<Migration> {
    goose(files).migrations().into_iter().rev().collect()
}

async fn tried(rig: &Rig, files: &[File<'_>]) -> Result<Vec<DownTrial>, RehearsalError> {
    let options = RehearsalOptions { same_server: true };
    let trials = rehearse_back(&rig.real_url(), &rig.on_url(), &back(files), &options).await?;
    assert!(trials.iter().all(|trial| trial.partial && trial.touched.is_empty()), "what is read must count too");
    Ok(trials.into_iter().map(|trial| trial.down).collect())
}

#[tokio::test]
async fn what_is_applied_is_taken_back_on_a_copy() {
    let schema: String = FILES.iter().map(|(_, up, _)| format!("{up};\n")).collect();
    let rig = Rig::new(&schema).await;
    assert_eq!(tried(&rig, &FILES[..2]).await.unwrap(), [DownTrial::Restores, DownTrial::Restores]);
    let fails = tried(&rig, &FILES).await.unwrap();
    assert!(matches!(&fails[0], DownTrial::Fails { message } if message.contains("thems")), "{fails:?}");
    for other in &fails[1..] {
        assert!(matches!(other, DownTrial::NotTried { why } if why.contains("00003_x.sql")), "{fails:?}");
    }
    let litters = [(1, "CREATE TABLE likes (id int)", "DROP TABLE likes;\nCREATE TABLE IF NOT EXISTS relics (id int)")];
    let left = tried(&rig, &litters).await.unwrap();
    let is_named = |differences: &[String]| differences.iter().any(|line| line.contains("relics"));
    assert!(matches!(&left[0], DownTrial::Leaves { differences } if is_named(differences)), "{left:?}");
    let not_again = [(1, "CREATE TABLE likes (id int)", "SELECT 1")];
    let not = tried(&rig, &not_again).await.unwrap();
    assert!(matches!(&not[0], DownTrial::Fails { message } if message.contains("cannot be applied again")), "{not:?}");
    assert_eq!(tried(&rig, &[(1, "CREATE TABLE likes (id int)", "")]).await.unwrap(), [DownTrial::None]);
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    assert_eq!(column(&mut open(&rig.real).await, tables).await, ["bios", "likes", "themes"], "nothing was done there");
    rig.nothing_is_left().await;
}

#[tokio::test]
async fn what_needs_rows_is_not_tried_and_sqlite_has_its_own_copy() {
    let rig = Rig::new("CREATE TABLE users (id int)").await;
    let needs = "DO $$ BEGIN IF NOT EXISTS (SELECT FROM users) THEN RAISE 'no users'; END IF; END $$";
    let needs = format!("-- +goose StatementBegin\n{needs};\n-- +goose StatementEnd\nSELECT 1");
    let not = tried(&rig, &[(1, "SELECT 1", &needs)]).await.unwrap();
    assert!(matches!(&not[0], DownTrial::NotTried { why } if why.contains("needs rows")), "{not:?}");
    rig.nothing_is_left().await;

    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("real.db").display());
    let files = [FILES[0]];
    connect(&url)
        .await
        .unwrap()
        .up(&goose(&files), &goose(&files).migrations(), &Run::quiet(&RunOptions::default()))
        .await
        .unwrap();
    let url = DatabaseUrl::parse(&url).unwrap();
    let trials = rehearse_back(&url, &url, &back(&files), &RehearsalOptions::default()).await.unwrap();
    assert_eq!(trials[0].down, DownTrial::Restores);
    let out = [(1, "CREATE TABLE likes (id int)", "ATTACH 'other.db' AS other")];
    let refused = rehearse_back(&url, &url, &back(&out), &RehearsalOptions::default()).await.unwrap_err();
    assert!(refused.to_string().contains("opens other files"), "{refused}");
    run(&mut open(&rig.real).await, "DROP TABLE users").await;
}
