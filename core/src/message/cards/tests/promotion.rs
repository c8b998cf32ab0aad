//! What is read of a commit on its way to the next environment.

use super::*;
use crate::environment::Live;
use crate::message::Message;
use crate::promotion::{Hindrance, Promotion, Standing, Stop};
use expect_test::expect;

fn key() -> EnvironmentKey {
    EnvironmentKey { service: "goals".into(), environment: "production".into() }
}

fn on_staging() -> Live {
    Live {
        release: "01JD7Q4NXXXXXXXXXXXXXXXXXX".into(),
        commit: sha("4c1f9e2"),
        image: plan().image.digest,
        by: "ana".into(),
        since: at(0),
        verified: true,
    }
}

fn suggested(plan: &Plan, reasons: &[Reason], unrelated: Option<&CommitSha>) -> Message {
    let (key, live) = (key(), on_staging());
    suggestion(&SuggestionView {
        key: &key,
        before: &"staging".into(),
        live: &live,
        soaked_s: 31 * 60,
        plan,
        reasons,
        unrelated,
        migrates: true,
    })
}

#[test]
fn a_suggestion_says_what_ships_what_it_costs_and_who_could_approve() {
    let reasons = [two_slots()];
    let plan = Plan { migrations: vec![migration("20251104120000_likes", false)], ..plan() };
    expect![[r#"
        ○ goals → production · 4c1f9e2 is ready to deploy · 31 min on staging · 3 commits, 1 migration
        on staging since Tue 15:00 · asked by ana · release 01JD7Q4N
        ▲ No way back: 20251104120000_likes has no down migration.

        What ships      3 commits since 9a77d01 (running since Sun 15:00)
                        4c1f9e2  Show profile links (#44) · ana
                        b02a6c8  Add likes to aspiration updates (#41) · eve
                        77e3f10  Fix nested comment order · ana
        Migrations      20251104120000_likes  creates likes, no way back
                        as planned for staging; what is pending on production, and who has to approve that, is known when it is asked for
        Approvals       1 of release: bob or chen can, 1 of dba: dora can
        [Deploy to production] [Not now]
    "#]]
    .assert_eq(&text(&suggested(&plan, &reasons, None)));
}

#[test]
fn what_may_replace_a_hotfix_warns_and_what_needs_nobody_says_so() {
    let plan = Plan { migrations: vec![], ..plan() };
    let hotfix = sha("9a77d01");
    expect![[r#"
        ○ goals → production · 4c1f9e2 is ready to deploy · 31 min on staging · at least 3 commits
        on staging since Tue 15:00 · asked by ana · release 01JD7Q4N
        ▲ 9a77d01 runs on production and has not been on staging, as far as is known: look whether 4c1f9e2 contains it.

        What ships      3 commits since 9a77d01 (running since Sun 15:00)
                        4c1f9e2  Show profile links (#44) · ana
                        b02a6c8  Add likes to aspiration updates (#41) · eve
                        77e3f10  Fix nested comment order · ana
        Migrations      none pending
        Approvals       none is needed as far as it is known
                        not looked at: what the migrations ask for, which is only known once it is planned
        [Deploy to production] [Not now]
    "#]]
    .assert_eq(&text(&suggested(&plan, &[], Some(&hotfix))));
}

#[test]
fn whatever_became_of_it_the_first_line_says_it() {
    let release = || ReleaseId::new("01JD9A1BXXXXXXXXXXXXXXXXXX");
    let standings = [
        Standing::Held { by: "eve".into() },
        Standing::Left { live: sha("9a77d01"), newer: true },
        Standing::Left { live: sha("77e3f10"), newer: false },
        Standing::Taken { release: release(), by: "bob".into() },
        Standing::Declined { by: "bob".into() },
        Standing::Begun { release: release() },
        Standing::Stopped { release: release(), how: Stop::Failed },
        Standing::Stopped { release: release(), how: Stop::Cancelled },
        Standing::Stopped { release: release(), how: Stop::Expired },
        Standing::Stopped { release: release(), how: Stop::RolledBack },
    ];
    let all = standings.map(|standing| {
        let now = Promotion { commit: sha("4c1f9e2"), brought_by: on_staging().release, standing, at: at(0) };
        let page = Some("https://slipway.acme.dev/releases/01JD9A1BXXXXXXXXXXXXXXXXXX");
        let message = promotion(&key(), &now, &"staging".into(), page);
        assert!(message.actions.is_empty(), "{now:?}");
        text(&message)
    });
    expect![[r#"
        – goals → production · 4c1f9e2 is held: known bad, marked by eve

        – goals → production · 4c1f9e2 superseded by 9a77d01 on staging

        – goals → production · 4c1f9e2 is no longer on staging: back to 77e3f10

        – goals → production · 4c1f9e2 asked for by bob: release 01JD9A1B
        Release 01JD9A1B <https://slipway.acme.dev/releases/01JD9A1BXXXXXXXXXXXXXXXXXX>

        – goals → production · 4c1f9e2 not now, says bob
        To ask for it all the same: /deploy production 4c1f9e2 goals

        – goals → production · 4c1f9e2 started by itself: release 01JD9A1B
        Release 01JD9A1B <https://slipway.acme.dev/releases/01JD9A1BXXXXXXXXXXXXXXXXXX>

        ✖ goals → production · 4c1f9e2 failed · does not start by itself again
        A newer commit on staging does. To ask for this one all the same: /deploy production 4c1f9e2 goals
        Release 01JD9A1B <https://slipway.acme.dev/releases/01JD9A1BXXXXXXXXXXXXXXXXXX>

        ✖ goals → production · 4c1f9e2 was cancelled · does not start by itself again
        A newer commit on staging does. To ask for this one all the same: /deploy production 4c1f9e2 goals
        Release 01JD9A1B <https://slipway.acme.dev/releases/01JD9A1BXXXXXXXXXXXXXXXXXX>

        ✖ goals → production · 4c1f9e2 expired · does not start by itself again
        A newer commit on staging does. To ask for this one all the same: /deploy production 4c1f9e2 goals
        Release 01JD9A1B <https://slipway.acme.dev/releases/01JD9A1BXXXXXXXXXXXXXXXXXX>

        ✖ goals → production · 4c1f9e2 was rolled back · does not start by itself again
        A newer commit on staging does. To ask for this one all the same: /deploy production 4c1f9e2 goals
        Release 01JD9A1B <https://slipway.acme.dev/releases/01JD9A1BXXXXXXXXXXXXXXXXXX>
    "#]]
    .assert_eq(&all.join("\n"));
}

#[test]
fn what_is_in_its_way_is_said_first_and_how_it_comes_back_after_it() {
    let what = || "Production is frozen from Friday 15:00 to Monday 8:00.".to_owned();
    let hindrances = [
        Hindrance::Locked { owner: "dora".into(), reason: "schema work".into(), until: None },
        Hindrance::Locked { owner: "dora".into(), reason: "schema work".into(), until: Some(at(3_600)) },
        Hindrance::Policy { what: what(), until: Some(at(3_600)) },
        Hindrance::Policy { what: what(), until: None },
        Hindrance::Policy { what: "The shop is closed.".into(), until: Some(at(3_600)) },
        Hindrance::Refused { what: Some("Nobody deploys this week.".into()) },
        Hindrance::Refused { what: None },
        Hindrance::PastSlipway { environment: "production".into() },
        Hindrance::Unverified,
        Hindrance::Newer { live: sha("9a77d01") },
        Hindrance::Off,
    ];
    let all = hindrances.map(|why| {
        let standing = Standing::Closed { why };
        let now = Promotion { commit: sha("4c1f9e2"), brought_by: on_staging().release, standing, at: at(0) };
        let message = promotion(&key(), &now, &"staging".into(), None);
        assert!(message.actions.is_empty(), "{now:?}");
        text(&message)
    });
    expect![[r#"
        ○ goals → production · 4c1f9e2 not now: locked by dora "schema work"
        Suggested again here, by itself, when it is unlocked: /release unlock production goals

        ○ goals → production · 4c1f9e2 not now: locked by dora "schema work" until Tue 16:00
        Suggested again here, by itself, when it is unlocked: /release unlock production goals

        ○ goals → production · 4c1f9e2 not now: policy allows it from Tue 16:00
        Production is frozen from Friday 15:00 to Monday 8:00 (until Tue 16:00)
        Suggested again here, by itself, when policy allows it.

        ○ goals → production · 4c1f9e2 not now: Production is frozen from Friday 15:00 to Monday 8:00
        Suggested again here, by itself, when policy allows it.

        ○ goals → production · 4c1f9e2 not now: The shop is closed (until Tue 16:00)
        Suggested again here, by itself, when policy allows it.

        ○ goals → production · 4c1f9e2 not now: Nobody deploys this week
        Suggested again here, by itself, when somebody may ask for it.

        ○ goals → production · 4c1f9e2 not now: nobody may ask for it
        Suggested again here, by itself, when somebody may ask for it.

        ○ goals → production · 4c1f9e2 not now: production runs what was deployed past Slipway
        Suggested again here, by itself, when production runs what Slipway has brought there.

        ○ goals → production · 4c1f9e2 not now: its health on staging is not confirmed
        Suggested again here, by itself, when it is.

        ○ goals → production · 4c1f9e2 not now: 9a77d01 on production is newer
        Suggested again here, by itself, if production goes back.

        ○ goals → production · 4c1f9e2 not now: suggestions are switched off
        Suggested again here, by itself, when suggest of production in slipway.toml is true.
    "#]]
    .assert_eq(&all.join("\n"));
}

#[test]
fn a_release_that_began_by_itself_says_why() {
    let mut release = Release::new(
        "01JD9A1BXXXXXXXXXXXXXXXXXX".into(),
        Request {
            key: key(),
            kind: RequestKind::Deploy,
            reference: Some(sha("4c1f9e2").to_string()),
            requester: PersonId::slipway(),
            reason: Some(soaked_for(&sha("4c1f9e2"), &"staging".into(), 31 * 60)),
            dry_run: false,
            together: None,
            origin: Origin { channel: "terminal:releases".into() },
            at: at(0),
            expires_at: at(3_600),
        },
    );
    let first = card(&release, 0);
    assert!(first.contains("started by itself: 4c1f9e2 has run on staging for 31 min · release 01JD9A1B"), "{first}");
    assert!(!first.contains("reason:"), "{first}");
    release.request.requester = "ana".into();
    assert!(card(&release, 0).contains("asked by ana"));
}
