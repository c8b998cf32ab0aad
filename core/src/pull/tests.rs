use super::*;
use expect_test::expect;

fn sha(digit: char) -> CommitSha {
    CommitSha::parse(&digit.to_string().repeat(40)).unwrap()
}

fn review(who: &str, approves: bool, of: char) -> Review {
    let commit = Some(sha(of));
    Review { who: who.to_owned(), approves, commit, human: true, belongs: true, access: Access::Writes }
}

fn checks(state: CiState, passed: u32, total: u32) -> CiFact {
    CiFact { state, total, passed, failing: vec![], missing: vec![] }
}

/// #123 of eve, approved by bob, green.
fn ready() -> Looked {
    Looked {
        pull: Pull {
            number: 123,
            title: "Show profile links".to_owned(),
            author: Some("eve".to_owned()),
            url: "https://github.com/acme/goals/pull/123".to_owned(),
            state: PullState::Open,
            draft: false,
            head: sha('a'),
            base: "main".to_owned(),
            mergeable: Mergeable::Free,
        },
        reviews: vec![review("bob", true, 'a')],
        checks: checks(CiState::Green, 3, 3),
        rules: BranchRules::default(),
        methods: Some(vec!["squash".to_owned()]),
        branch: "main".to_owned(),
        repository: "acme/goals".to_owned(),
        made_by: vec!["eve".to_owned()],
    }
}

fn said(change: impl FnOnce(&mut Looked)) -> String {
    let mut looked = ready();
    change(&mut looked);
    match looked.standing() {
        Standing::Merged(merge) => format!("merged as {} by {:?}", merge.commit.short(), merge.by),
        Standing::Ready => format!("ready: {}", looked.shipped(0).counted.join("; ")),
        Standing::Waits(missing) => {
            let but: String = looked.shipped(0).not_counted.iter().map(|phrase| format!("; {phrase}")).collect();
            format!("waits: {}{but}", missing.join(", "))
        }
        Standing::Never(failure) => format!("never: {} → {}", failure.what, failure.next.join(", ")),
    }
}

#[test]
fn what_is_missing_is_said() {
    let all = [
        said(|_| {}),
        said(|l| l.reviews.clear()),
        said(|l| l.reviews = vec![review("eve", true, 'a'), review("EVE", true, 'a')]),
        said(|l| l.reviews[0].access = Access::Reads),
        said(|l| l.reviews[0].access = Access::NotTold),
        said(|l| l.reviews[0].human = false),
        said(|l| l.made_by = vec!["Bob".to_owned()]),
        said(|l| l.reviews[0].belongs = false),
        said(|l| l.reviews[0].commit = Some(sha('b'))),
        said(|l| l.reviews[0].commit = None),
        said(|l| l.reviews.push(review("chen", false, 'b'))),
        said(|l| l.reviews.push(Review { belongs: false, ..review("chen", false, 'b') })),
        said(|l| l.reviews.push(Review { belongs: false, access: Access::Reads, ..review("chen", false, 'b') })),
        said(|l| l.reviews.push(Review { belongs: false, access: Access::NotTold, ..review("chen", false, 'b') })),
        said(|l| l.reviews.push(Review { human: false, ..review("scan[bot]", false, 'a') })),
        said(|l| {
            let strangers = ["a", "b", "c", "d", "e"].map(|who| Review { belongs: false, ..review(who, true, 'a') });
            l.reviews.splice(0..0, strangers);
            l.reviews.iter_mut().for_each(|review| review.access = Access::Reads);
        }),
        said(|l| l.rules.approvals = 3),
        said(|l| l.pull.author = None),
        said(|l| l.checks = checks(CiState::Pending, 1, 3)),
        said(|l| l.checks = CiFact { failing: vec!["test".into()], ..checks(CiState::Red, 2, 3) }),
        said(|l| {
            let failing = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
            l.checks = CiFact { failing, ..checks(CiState::Red, 0, 5) };
        }),
        said(|l| l.checks = CiFact { missing: vec!["test".into()], ..checks(CiState::Missing, 1, 2) }),
        said(|l| l.checks = checks(CiState::Missing, 0, 0)),
        said(|l| l.pull.mergeable = Mergeable::Unknown),
        said(|l| l.pull.mergeable = Mergeable::Behind),
        said(|l| l.pull.mergeable = Mergeable::Conflicts),
        said(|l| l.pull.mergeable = Mergeable::Blocked),
        said(|l| {
            l.pull.mergeable = Mergeable::Blocked;
            l.reviews.clear();
        }),
    ];
    expect![[r#"
        ready: approved by bob; checks: 3 of 3 passed
        waits: 1 approval of aaaaaaa missing
        waits: 1 approval of aaaaaaa missing; eve's approval does not count: eve opened #123; EVE's approval does not count: EVE opened #123
        waits: 1 approval of aaaaaaa missing; bob's approval does not count: bob cannot push to acme/goals
        waits: 1 approval of aaaaaaa missing; bob's approval does not count: it is not known whether bob can push to acme/goals: GitHub does not tell
        waits: 1 approval of aaaaaaa missing; bob's approval does not count: it is not a human's
        waits: 1 approval of aaaaaaa missing; bob's approval does not count: aaaaaaa is bob's own commit
        ready: approved by bob; checks: 3 of 3 passed
        waits: 1 approval of aaaaaaa missing; bob approved an older commit
        waits: 1 approval of aaaaaaa missing; bob approved an older commit
        waits: chen asks for changes
        waits: chen asks for changes
        ready: approved by bob; checks: 3 of 3 passed
        waits: chen asks for changes
        ready: approved by bob; checks: 3 of 3 passed
        waits: 1 approval of aaaaaaa missing; bob's approval does not count: bob cannot push to acme/goals; a's approval does not count: a cannot push to acme/goals; b's approval does not count: b cannot push to acme/goals
        waits: 2 approvals of aaaaaaa missing
        ready: approved by bob; checks: 3 of 3 passed
        waits: checks: 1 of 3 passed
        waits: check test failed
        waits: checks a, b, c and 2 more failed
        waits: required check "test" has not run
        waits: no check has reported yet
        waits: GitHub is still finding out whether it can be merged
        waits: it is behind main: update its branch
        waits: it conflicts with main: resolve that
        waits: GitHub's rules for main are not met yet
        waits: 1 approval of aaaaaaa missing"#]]
    .assert_eq(&all.join("\n"));
}

#[test]
fn what_waiting_does_not_help_is_refused_with_the_way_out() {
    let merged = || PullState::Merged(Merge { commit: sha('c'), by: Some("chen".into()) });
    let all = [
        said(|l| l.pull.state = PullState::Closed),
        said(|l| l.pull.draft = true),
        said(|l| l.pull.base = "release".to_owned()),
        said(|l| l.rules.merge_queue = true),
        said(|l| l.methods = Some(vec!["merge".into(), "rebase".into()])),
        said(|l| l.methods = Some(vec![])),
        said(|l| l.rules.methods = Some(vec!["merge".into()])),
        said(|l| l.methods = None),
        said(|l| l.pull.state = merged()),
        said(|l| {
            l.pull.state = merged();
            l.pull.base = "release".to_owned();
        }),
    ];
    expect![[r#"
        never: #123 is closed and was not merged. → reopen it on GitHub, then ask again
        never: #123 is a draft. → mark it as ready for review, then ask again
        never: #123 is to be merged into release, and what is deployed comes from main. → change the base of #123 to main
        never: Pull requests into main go through GitHub's merge queue, which Slipway does not go around. → put #123 into the queue on GitHub; deploy once it is merged
        never: The repository does not allow squash merges: it allows merge and rebase. → allow squash merging in the repository's settings, or merge it on GitHub
        never: The repository does not allow squash merges: it allows nothing. → allow squash merging in the repository's settings, or merge it on GitHub
        never: A rule for main does not allow squash merges: it allows merge. → allow squash merging in the repository's settings, or merge it on GitHub
        ready: approved by bob; checks: 3 of 3 passed
        merged as ccccccc by Some("chen")
        never: #123 is to be merged into release, and what is deployed comes from main. → change the base of #123 to main"#]]
    .assert_eq(&all.join("\n"));
}

#[test]
fn a_pull_request_is_named_by_its_number_or_its_address() {
    let here = |number| Some((number, Some("acme/goals".to_owned())));
    for (word, meant) in [
        ("123", Some((123, None))),
        ("#123", Some((123, None))),
        ("https://github.com/acme/goals/pull/123", here(123)),
        ("https://github.com/acme/goals/pull/123/files?w=1#diff-a", here(123)),
        ("<https://github.com/acme/goals/pull/123|acme/goals#123>", here(123)),
        ("0", None),
        ("##1", None),
        ("+1", None),
        ("", None),
        ("v1.2", None),
        ("99999999999999999999999", None),
        ("https://github.com/acme/goals/issues/123", None),
        ("https://github.com/acme/goals/pull/x", None),
        ("https://github.com/acme", None),
    ] {
        assert_eq!(named(word), meant, "{word}");
    }
}

#[test]
fn after_the_merge_there_is_as_much_time_as_before() {
    let at = |s| Timestamp::from_second(s).unwrap();
    assert_eq!(expires_after_merge(at(100), at(500), at(450)), at(850));
}

#[test]
fn only_those_whose_word_could_matter_are_asked_about_and_not_too_many() {
    let stranger = |who: &str, approves| Review { belongs: false, ..review(who, approves, 'a') };
    let mut reviews: Vec<_> = (0..30).map(|number| stranger(&format!("stranger-{number}"), true)).collect();
    reviews.extend([
        stranger("against", false),
        review("bob", true, 'a'),
        review("chen", false, 'a'),
        review("dora", true, 'b'),
        review("Eve", true, 'a'),
        Review { human: false, ..review("scan[bot]", true, 'a') },
    ]);
    let looked = ready();
    let asked = looked.pull.reviewers_to_ask(&reviews);
    assert_eq!((asked.len(), &asked[..3]), (REVIEWERS_ASKED_LIMIT, &["bob", "against", "stranger-0"][..]));
    assert!(looked.pull.reviewers_to_ask(&[review("dora", true, 'b'), review("chen", false, 'a')]).is_empty());
}
