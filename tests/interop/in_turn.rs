//! The tool and Slipway in turn.

use crate::dbmate;
use crate::place::{ALL, Kind, Place, Tool};

#[tokio::test(flavor = "multi_thread")]
async fn each_goes_on_where_the_other_stopped() {
    for (tool, kind) in ALL {
        let place = Place::new(tool, kind).await;
        for first_is_slipway in [false, true] {
            let done = u32::from(first_is_slipway) * 6;
            for n in done + 1..=done + 6 {
                place.migration(n);
                let is_slipways = (n % 2 == 0) != first_is_slipway;
                let (own, other) = if is_slipways {
                    (place.slipway(&["up"]), place.tool_up().await)
                } else {
                    (place.tool_up().await, place.slipway(&["up"]))
                };
                own.done();
                other.done();
                let all: Vec<_> = (1..=n).map(|n| n.to_string()).collect();
                assert_eq!(place.deeds().await, all, "{tool:?} {kind:?}: {n}, by Slipway: {is_slipways}");
                assert_eq!(place.history().await, all, "{tool:?} {kind:?}");
            }
        }
        status(&place, 12, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_takes_back_what_the_other_applied() {
    for (tool, kind) in ALL {
        let place = Place::new(tool, kind).await;
        (1..=3).for_each(|n| place.migration(n));
        place.slipway(&["up"]).done();
        place.tool_down(2).await.done();
        assert_eq!(place.history().await, ["1", "2"], "{tool:?} {kind:?}");
        status(&place, 2, 1);
        place.tool_up().await.done();
        place.slipway(&["down"]).done();
        assert_eq!(place.history().await, ["1", "2"], "{tool:?} {kind:?}");
        status(&place, 2, 1);
        place.slipway(&["down"]).done();
        place.tool_down(0).await.done();
        assert_eq!(place.history().await, Vec::<String>::new(), "{tool:?} {kind:?}");
        status(&place, 0, 3);
        place.tool_up().await.done();
        place.slipway(&["up"]).done();
        let deeds = ["1", "2", "3", "-3", "3", "-3", "-2", "-1", "1", "2", "3"];
        assert_eq!(place.deeds().await, deeds, "{tool:?} {kind:?}");
        status(&place, 3, 0);
    }
}

/// Both tools apply a file that is older than what is applied, so Slipway does as well.
#[tokio::test(flavor = "multi_thread")]
async fn late_files_are_applied_by_both() {
    for (tool, kind) in ALL {
        let place = Place::new(tool, kind).await;
        place.migration(5);
        place.tool_up().await.done();
        place.migration(3);
        place.slipway(&["up"]).done();
        place.migration(4);
        place.tool_up().await.done();
        place.migration(2);
        place.slipway(&["up"]).done();
        place.tool_up().await.done();
        assert_eq!(place.deeds().await, ["5", "3", "4", "2"], "{tool:?} {kind:?}");
        status(&place, 4, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_without_a_transaction_are_passed_on() {
    for (tool, kind) in ALL {
        let place = Place::new(tool, kind).await;
        // Each tool sends a file as one message, in which PostgreSQL has no concurrent build beside another statement.
        let up = match kind {
            Kind::Postgres => "CREATE INDEX CONCURRENTLY by_what_# ON deeds (what);",
            Kind::Sqlite => "CREATE INDEX by_what_# ON deeds (what);",
        };
        for n in 1..=4 {
            let down = format!("DROP INDEX by_what_{n};");
            place.migration_of(n, true, &up.replace('#', &n.to_string()), &down);
            if n % 2 == 0 { place.slipway(&["up"]) } else { place.tool_up().await }.done();
        }
        assert_eq!(place.history().await, ["1", "2", "3", "4"], "{tool:?} {kind:?}");
        status(&place, 4, 0);
        place.tool_down(3).await.done();
        place.slipway(&["down"]).done();
        assert_eq!(place.history().await, ["1", "2"], "{tool:?} {kind:?}");
        status(&place, 2, 2);
    }
}

/// What both say of the same database.
fn status(place: &Place, applied: usize, pending: usize) {
    let document = place.slipway(&["status", "--json"]).done();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let states =
        document["migrations"].as_array().unwrap().iter().map(|migration| migration["state"].as_str().unwrap());
    let (mut are_applied, mut are_pending) = (0, 0);
    for state in states {
        match state {
            "applied" => are_applied += 1,
            "pending" => are_pending += 1,
            other => panic!("{other}: {document}"),
        }
    }
    assert_eq!((are_applied, are_pending), (applied, pending), "{:?} {:?}: {document}", place.tool, place.kind);
    if place.tool == Tool::Dbmate {
        let said = dbmate::run(place, &["status"]).done();
        assert!(said.contains(&format!("Applied: {applied}")), "{said}");
        assert!(said.contains(&format!("Pending: {pending}")), "{said}");
    }
}
