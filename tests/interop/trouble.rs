//! What one leaves half done, the other does not run over.

use crate::place::{Kind, Place, Tool};

const FAILS: &str = "INSERT INTO deeds (what) VALUES ('2');\nSELECT nonsense;\n";

/// sqlx refuses on a row that says a migration did not come to its end, and so does Slipway, each on the other's.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_in_a_transaction_leaves_nothing_for_the_other() {
    for (tool, kind) in crate::place::ALL {
        for by_slipway in [false, true] {
            let place = Place::new(tool, kind).await;
            place.migration(1);
            place.migration_of(2, false, FAILS, "");
            if by_slipway { place.slipway(&["up"]) } else { place.tool_up().await }.refused();
            assert_eq!(place.deeds().await, ["1"], "{tool:?} {kind:?} {by_slipway}");
            assert_eq!(place.history().await, ["1"], "{tool:?} {kind:?} {by_slipway}");
            place.migration(2);
            if by_slipway { place.tool_up().await } else { place.slipway(&["up"]) }.done();
            assert_eq!(place.deeds().await, ["1", "2"], "{tool:?} {kind:?} {by_slipway}");
        }
    }
}

/// A file that was edited after it was applied: sqlx refuses by its checksum, Slipway warns by the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_edited_file_is_noticed_whoever_applied_it() {
    for kind in [Kind::Postgres, Kind::Sqlite] {
        for by_slipway in [false, true] {
            let place = Place::new(Tool::Sqlx, kind).await;
            place.migration(1);
            if by_slipway { place.slipway(&["up"]) } else { place.tool_up().await }.done();
            place.migration_of(1, false, "SELECT 1;\n", "");
            place.tool_up().await.refused();
            let said = place.slipway(&["status"]).done();
            assert!(said.contains("edited"), "{kind:?} {by_slipway}: {said}");
        }
    }
}

/// sqlx's own dirty row, as its migrator leaves it.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_says_it_did_not_come_to_its_end_stops_both() {
    for kind in [Kind::Postgres, Kind::Sqlite] {
        let place = Place::new(Tool::Sqlx, kind).await;
        place.migration(1);
        place.tool_up().await.done();
        place.sql("UPDATE _sqlx_migrations SET success = false").await;
        place.migration(2);
        place.tool_up().await.refused();
        let said = place.slipway(&["up"]).refused();
        assert!(said.contains("did not see it end"), "{kind:?}: {said}");
        assert_eq!(place.deeds().await, ["1"], "{kind:?}");
    }
}
