//! What is read of a commit on its way to the next environment.

use super::*;
use crate::environment::Live;
use crate::promotion::{Promotion, Standing, Stop};
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
    })
}

#[test]
fn a_suggestion_says_what_ships_what_it_costs_and_who_could_approve() {
    let reasons = [two_slots()];
    let plan = Plan { migrations: vec![migration("20251104120000_likes", false)], ..plan() };
    expect![[r#""#]].assert_eq(&text(&suggested(&plan, &reasons, None)));
}

#[test]
fn what_may_replace_a_hotfix_warns_and_what_needs_nobody_says_so() {
    let plan = Plan { migrations: vec![], ..plan() };
    let hotfix = sha("9a77d01");
    expect![[r#""#]].assert_eq(&text(&suggested(&plan, &[], Some(&hotfix))));
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
        let message = super::super::promotion(&key(), &now, &"staging".into(), page);
        assert!(message.actions.is_empty(), "{now:?}");
        text(&message)
    });
    expect![[r#""#]].assert_eq(&all.join("\n"));
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
            origin: Origin { channel: "terminal:releases".into() },
            at: at(0),
            expires_at: at(3_600),
        },
    );
    let first = super::card(&release, 0);
    assert!(first.contains("started by itself: 4c1f9e2 has run on staging for 31 min · release 01JD9A1B"), "{first}");
    assert!(!first.contains("reason:"), "{first}");
    release.request.requester = "ana".into();
    assert!(super::card(&release, 0).contains("asked by ana"));
}
