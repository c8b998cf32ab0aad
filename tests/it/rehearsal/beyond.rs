//! What a rehearsal must not reach, and what it says when it may not have seen everything.

use super::rig::{Rig, open, run};
use super::{BASE, touched};
use slipway_deploy::database::RehearsalError;

#[tokio::test]
async fn what_leads_to_other_databases_is_not_copied() {
    for (what, made) in [
        (
            "foreign servers",
            "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; \
             CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (password 'hunter22')",
        ),
        ("foreign servers", "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w"),
    ] {
        let rig = Rig::new(BASE).await;
        run(&mut open(&rig.real).await, made).await;
        let error = rig.rehearse(&[(1, "SELECT 1", "")]).await.unwrap_err();
        let told = format!("the database has {what}, and their copies would lead to real data");
        assert_eq!(error, RehearsalError::Unavailable(told));
        rig.nothing_is_left().await;
    }
}

#[tokio::test]
async fn a_trial_says_when_it_may_not_have_seen_everything() {
    let rig = Rig::new(BASE).await;
    let block = "-- +goose StatementBegin\nTRUNCATE posts; ALTER TABLE users ALTER COLUMN age TYPE bigint;\n\
                 -- +goose StatementEnd\nSELECT 1";
    for (up, partial) in [
        ("ALTER TABLE users ADD COLUMN bio text", false),
        ("-- +goose StatementBegin\nDO $$ BEGIN NULL; END $$;\n-- +goose StatementEnd\nSELECT 1", true),
        ("PREPARE p AS SELECT 1;\nEXECUTE p", true),
        (block, false),
        ("-- +goose NO TRANSACTION\nCREATE INDEX CONCURRENTLY i ON users (age)", false),
        ("-- +goose NO TRANSACTION\nVACUUM FULL users", true),
        ("-- +goose NO TRANSACTION\nBEGIN;\nLOCK users;\nCOMMIT", true),
    ] {
        let trials = rig.rehearse(&[(1, up, "")]).await.unwrap();
        assert_eq!(trials[0].partial, partial, "{up}");
    }
    let trials = rig.rehearse(&[(1, block, "")]).await.unwrap();
    assert!(touched(&trials[0]).contains(&"users ACCESS EXCLUSIVE rewritten scanned".to_owned()), "{trials:?}");
}
