//! What migrations cost, on the card.

use super::*;
use crate::migration::{
    Danger, DangerKind, DownTrial, HalfDoneMigration, IgnoredComment, LockMode, MigrationTrial, Outlook, Rehearsal,
    TableSize, Touched,
};
use expect_test::expect;

const BIG: TableSize = TableSize { rows: Some(12_000_000), bytes: 9 << 30 };

/// The lines of the warnings and of the migrations.
fn lines(plan: &Plan) -> String {
    let waiting = after(planned(asked(), plan), [verdict("wait", plan, &[two_slots()])]);
    let card = card(&waiting, 60);
    let from = card.find("Image").unwrap();
    let warnings = card.lines().filter(|line| line.starts_with('▲'));
    let migrations = card[from..].lines().skip(1).take_while(|line| !line.starts_with('✔'));
    warnings.chain(migrations).map(|line| format!("{}\n", line.trim_end())).collect()
}

fn users_bio() -> Plan {
    let mut plan = plan();
    let mut users = migration("20251104130000_users_bio", true);
    users.summary = "alters users".into();
    users.down_loses_data = true;
    let danger = |kind, lock| Danger { size: Some(BIG), lock: Some(lock), ..Danger::new(kind, Some("users".into())) };
    users.dangers = vec![
        danger(DangerKind::ChangeType, LockMode::AccessExclusive),
        danger(DangerKind::DropColumn, LockMode::AccessExclusive),
    ];
    plan.migrations.push(users);
    plan
}

fn tried(plan: &mut Plan, touched: Vec<Touched>, down: DownTrial) {
    let trial = |version: &Version| MigrationTrial {
        version: version.clone(),
        touched: vec![],
        down: DownTrial::Restores,
        partial: false,
    };
    let mut trials: Vec<_> = plan.migrations.iter().map(|migration| trial(&migration.version)).collect();
    trials[1].touched = touched;
    trials[1].down = down;
    plan.rehearsal = Some(Rehearsal::Done { trials });
}

#[test]
fn what_the_statements_say() {
    let mut plan = users_bio();
    plan.rehearsal = Some(Rehearsal::Not { why: "no server for it is configured".into() });
    expect![[r#"
        ▲ A rollback past this point cannot bring the data back: 20251104130000_users_bio.
        ▲ 20251104130000_users_bio changes the type of a column of users: nobody can use it meanwhile. ACCESS EXCLUSIVE on users, rewrites about 12.0 M rows (9.0 GB). Safer: add a column of the new type, fill it in batches, switch over, then drop the old one.
        ▲ 20251104130000_users_bio loses the data of a column of users. ACCESS EXCLUSIVE on users. Safer: ship a version that does not use the column, and drop it one release later.
        Migrations      20251104120000_likes  creates likes, reversible
                        20251104130000_users_bio  alters users, reversible, but its way back drops data
                        not rehearsed: no server for it is configured
    "#]].assert_eq(&lines(&plan));
}

#[test]
fn what_the_trial_showed() {
    let mut plan = users_bio();
    let users = Touched {
        table: "users".into(),
        lock: LockMode::AccessExclusive,
        rewritten: true,
        scanned: true,
        size: Some(BIG),
    };
    let orders = Touched { table: "app.orders".into(), lock: LockMode::Share, rewritten: false, ..users.clone() };
    tried(&mut plan, vec![users, orders], DownTrial::Restores);
    expect![[r#"
        ▲ A rollback past this point cannot bring the data back: 20251104130000_users_bio.
        ▲ 20251104130000_users_bio changes the type of a column of users: nobody can use it meanwhile. ACCESS EXCLUSIVE on users, rewrites about 12.0 M rows (9.0 GB). Safer: add a column of the new type, fill it in batches, switch over, then drop the old one.
        ▲ 20251104130000_users_bio SHARE on app.orders, reads about 12.0 M rows (9.0 GB): nobody can write to it meanwhile.
        ▲ 20251104130000_users_bio loses the data of a column of users. ACCESS EXCLUSIVE on users. Safer: ship a version that does not use the column, and drop it one release later.
        Migrations      20251104120000_likes  creates likes, reversible
                        20251104130000_users_bio  alters users, reversible, but its way back drops data
                        rehearsed on an empty copy: up, down and up again
    "#]].assert_eq(&lines(&plan));
}

#[test]
fn a_trial_takes_back_what_statements_only_seem_to_cost() {
    let mut plan = users_bio();
    plan.migrations[1].dangers.truncate(1);
    let moment = Touched {
        table: "users".into(),
        lock: LockMode::AccessExclusive,
        rewritten: false,
        scanned: false,
        size: Some(BIG),
    };
    tried(&mut plan, vec![moment], DownTrial::Fails { message: "column \"x\" does not exist\nDETAIL".into() });
    expect![[r#"
        ▲ 20251104130000_users_bio: its way back was rehearsed, and failed: column "x" does not exist
        Migrations      20251104120000_likes  creates likes, reversible
                        20251104130000_users_bio  alters users, reversible, but its way back drops data
                        rehearsed on an empty copy: up works, a way back does not
    "#]]
    .assert_eq(&lines(&plan));
    tried(&mut plan, vec![], DownTrial::Leaves { differences: vec!["index i".into()] });
    expect![[r#"
        ▲ 20251104130000_users_bio: its way back was rehearsed, and left another schema behind: index i
        Migrations      20251104120000_likes  creates likes, reversible
                        20251104130000_users_bio  alters users, reversible, but its way back drops data
                        rehearsed on an empty copy: up, down and up again
    "#]]
    .assert_eq(&lines(&plan));
}

#[test]
fn late_and_edited_files_are_named() {
    let mut plan = plan();
    plan.migrations[0].late = true;
    plan.migrations[0].transactional = false;
    plan.edited = vec!["20251001_a.sql".into(), "20251002_b.sql".into()];
    expect![[r#"
        ▲ Edited after being applied: 20251001_a.sql, 20251002_b.sql. The database has what they said before.
        Migrations      20251104120000_likes  creates likes, reversible, outside a transaction, older than what is applied, runs all the same
    "#]].assert_eq(&lines(&plan));
}

#[test]
fn what_an_earlier_run_left_half_done_is_told() {
    let mut plan = plan();
    let file = "20251104120000_likes.sql".to_owned();
    plan.half_done = vec![HalfDoneMigration {
        version: 20_251_104_120_000.into(),
        file,
        done: 1,
        total: 3,
        error: None,
        outlook: None,
    }];
    expect![[r#"
        ▲ 20251104120000_likes.sql was left half done by an earlier run: 1 of 3 statements is done; the run looks what became of statement 2, and stops without having run anything if that cannot be seen.
        Migrations      20251104120000_likes  creates likes, reversible
    "#]].assert_eq(&lines(&plan));
    plan.half_done[0].error = Some("could not create unique index".to_owned());
    plan.half_done[0].outlook = Some(Outlook::Rebuilds { index: "public.one".to_owned() });
    expect![[r#"
        ▲ 20251104120000_likes.sql was left half done by an earlier run: 1 of 3 statements is done; the run drops the invalid index public.one and builds it anew.
        Migrations      20251104120000_likes  creates likes, reversible
    "#]].assert_eq(&lines(&plan));
    (plan.half_done[0].error, plan.half_done[0].outlook) = (None, None);
    plan.goes_on = true;
    expect![[r#"
        ▲ 20251104120000_likes.sql was left half done by an earlier run: 1 of 3 statements is done; the run goes on with statement 2.
        Migrations      20251104120000_likes  creates likes, reversible
    "#]].assert_eq(&lines(&plan));
}

#[test]
fn a_comment_that_allows_nothing_is_told_beside_the_danger() {
    let mut plan = plan();
    let message = "there is no rule \"drop-colum\", so this allows nothing. Did you mean drop-column?".to_owned();
    plan.migrations[0].ignored = vec![IgnoredComment { line: 2, message }];
    expect![[r#"
        ▲ 20251104120000_likes line 2: there is no rule "drop-colum", so this allows nothing. Did you mean drop-column?
        Migrations      20251104120000_likes  creates likes, reversible
    "#]]
    .assert_eq(&lines(&plan));
}
