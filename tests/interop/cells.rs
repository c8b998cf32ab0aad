//! A history that Slipway wrote is the one that the tool writes, but for times.

use crate::place::{ALL, Kind, Place, Tool};

/// What differs from run to run.
const TIMES: [&str; 2] = ["installed_on", "execution_time"];

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_the_same_cell_by_cell() {
    for (tool, kind) in ALL {
        let (by_tool, by_slipway) = (Place::new(tool, kind).await, Place::new(tool, kind).await);
        for place in [&by_tool, &by_slipway] {
            (1..=3).for_each(|n| place.migration(n));
            place.migration_of(4, false, "CREATE TABLE t (x int);\r\n-- naïve 'quotes' and $$\r\n", "DROP TABLE t;\n");
            place.migration_of(5, true, "CREATE INDEX by_what ON deeds (what);\n", "DROP INDEX by_what;\n");
        }
        by_tool.tool_up().await.done();
        by_slipway.slipway(&["up"]).done();
        let (expected, found) = (table(&by_tool).await, table(&by_slipway).await);
        assert!(expected.len() > 6, "{expected:?}");
        assert_eq!(found, expected, "{tool:?} {kind:?}");
        by_tool.tool_down(3).await.done();
        by_slipway.slipway(&["down"]).done();
        if tool == Tool::Dbmate {
            // dbmate takes back one at a time, sqlx all that are newer.
            by_tool.tool_down(3).await.done();
        }
        by_slipway.slipway(&["down"]).done();
        assert_eq!(table(&by_slipway).await, table(&by_tool).await, "{tool:?} {kind:?}, taken back");
    }
}

/// The columns, constraints and indexes of the history table, and its rows.
async fn table(place: &Place) -> Vec<String> {
    let table = place.table();
    let mut all = place.column(&structure(place.kind, table)).await;
    let columns = match place.kind {
        Kind::Postgres => {
            format!("SELECT attname::text FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0")
        }
        Kind::Sqlite => format!("SELECT name FROM pragma_table_info('{table}')"),
    };
    let cells: Vec<_> = place
        .column(&columns)
        .await
        .into_iter()
        .map(|column| match (place.kind, TIMES.contains(&column.as_str())) {
            (Kind::Postgres, true) => format!("({column} IS NOT NULL)::text"),
            (Kind::Postgres, false) => format!("quote_nullable({column}::text)"),
            // SQLite's columns hold what they are given.
            (Kind::Sqlite, true) => format!("typeof({column})"),
            (Kind::Sqlite, false) => format!("typeof({column}) || quote({column})"),
        })
        .collect();
    let rows = format!("SELECT {} FROM {table} ORDER BY version", cells.join(" || ' | ' || "));
    all.extend(place.column(&rows).await);
    all
}

fn structure(kind: Kind, table: &str) -> String {
    match kind {
        Kind::Postgres => format!(
            "SELECT * FROM (SELECT concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull, attidentity, \
             pg_get_expr(adbin, adrelid)) AS line FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum \
             = attnum WHERE attrelid = '{table}'::regclass AND attnum > 0 ORDER BY attnum) columns UNION ALL SELECT \
             concat_ws(' ', conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE conrelid = '{table}'::regclass \
             UNION ALL SELECT indexdef FROM pg_indexes WHERE tablename = '{table}'"
        ),
        Kind::Sqlite => format!(
            "SELECT name || ' ' || type || ' ' || \"notnull\" || ' ' || coalesce(dflt_value, '-') || ' ' || pk FROM \
             pragma_table_info('{table}') UNION ALL SELECT name || ' ' || origin || ' ' || \"unique\" FROM \
             pragma_index_list('{table}')"
        ),
    }
}
