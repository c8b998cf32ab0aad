use super::*;
use crate::person::Person;

const DAY_S: i64 = 86_400;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_767_600_000 + seconds).unwrap()
}

fn group() -> Source {
    Source::SlackGroup { id: "S0614TZR7".into() }
}

fn team() -> Source {
    Source::GithubTeam { organisation: "acme".into(), slug: "release-managers".into() }
}

fn ids(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn people() -> Directory {
    let person = |id: &str, teams: &[&str], identities: Vec<Identity>| Person {
        id: id.into(),
        teams: teams.iter().map(|team| (*team).into()).collect(),
        identities,
    };
    Directory::new([
        person("ana", &["developers"], vec![Identity::Slack("U0ANA".into()), Identity::Github("ana-dev".into())]),
        person("bob", &[], vec![Identity::Slack("U0BOB".into())]),
        person("twin", &[], vec![Identity::Slack("U0TWIN".into())]),
        person("double", &[], vec![Identity::Slack("U0TWIN".into())]),
    ])
}

fn teams(muster: &Muster, person: &str) -> Vec<String> {
    muster.people.get(&person.into()).unwrap().teams.iter().map(ToString::to_string).collect()
}

fn roster(team: &str, source: Source) -> Roster {
    Roster { team: team.into(), source }
}

#[test]
fn members_of_a_role_are_known_by_their_accounts_there() {
    let role = Source::DiscordRole { guild: "290926798626357999".into(), id: "1032011029".into() };
    assert_eq!(role.key(), "discord:290926798626357999/1032011029");
    let account = "80351110224678912";
    let ana = Person { id: "ana".into(), teams: [].into(), identities: vec![Identity::Discord(account.into())] };
    let members = [account, "845027738276462632", "ana"].map(str::to_owned);
    assert_eq!(role.known(&members, &Directory::new([ana])), ["ana".into()].into());
    let kept: Source = serde_json::from_str(&serde_json::to_string(&role).unwrap()).unwrap();
    assert_eq!(kept, role);
}

#[test]
fn members_are_added_to_the_teams_of_the_configuration() {
    let rosters = [roster("release", group()), roster("release", team()), roster("sre", team())];
    let seen = |members| Roll::default().read(ids(members), at(0)).unwrap();
    // A display name, a bot, and an account that two people claim are nobody.
    let rolls = [(group(), seen(&["U0BOB", "bob", "U0BOT", "U0TWIN"])), (team(), seen(&["ANA-dev", "U0BOB"]))];
    let muster = muster(&people(), &rosters, &rolls.into(), at(DAY_S), DAY_S);
    assert_eq!(teams(&muster, "ana"), ["developers", "release", "sre"]);
    assert_eq!(teams(&muster, "bob"), ["release"]);
    assert_eq!(teams(&muster, "twin"), [""; 0]);
    assert_eq!(teams(&muster, "double"), [""; 0]);
    assert!(muster.sources.iter().all(|source| source.counts && source.seen_at == Some(at(0))));
    assert_eq!(muster.people.by_identity(&Identity::Slack("U0BOB".into())).unwrap().teams.len(), 1);
}

#[test]
fn what_was_seen_too_long_ago_or_never_makes_nobody_a_member() {
    let rosters = [roster("release", group()), roster("sre", team())];
    let rolls = [(group(), Roll::default().read(ids(&["U0BOB"]), at(0)).unwrap())].into();
    let late = muster(&people(), &rosters, &rolls, at(DAY_S + 1), DAY_S);
    assert_eq!(teams(&late, "bob"), [""; 0]);
    let counts: Vec<_> = late.sources.iter().map(|source| (source.counts, source.seen_at)).collect();
    assert_eq!(counts, [(false, Some(at(0))), (false, None)]);
}

#[test]
fn what_may_be_asked_by_may_be_too_old_to_start_anything() {
    let rolls = [(group(), Roll::default().read(ids(&["U0BOB"]), at(0)).unwrap())].into();
    let stale = |seconds, age_max_s| {
        let muster = muster(&people(), &[roster("release", group())], &rolls, at(seconds), age_max_s);
        (muster.sources[0].counts, muster.sources[0].is_stale(at(seconds), 60))
    };
    assert_eq!(stale(60, DAY_S), (true, false));
    assert_eq!(stale(61, DAY_S), (true, true));
    assert_eq!(stale(30, 20), (false, true), "what does not count for asking never counts");
}

#[test]
fn trouble_keeps_what_was_seen_and_its_own_beginning() {
    let roll = Roll::default().read(ids(&["U0BOB"]), at(0)).unwrap();
    let first = roll.failed("Slack is down.".into(), at(10), at(11)).unwrap();
    let second = first.failed("Slack is slow.".into(), at(20), at(22)).unwrap();
    assert_eq!(second.seen, roll.seen);
    let trouble = Trouble { what: "Slack is slow.".into(), since: at(10), tries: 2, again_at: at(22) };
    assert_eq!(second.trouble, Some(trouble));
    let back = second.read(ids(&[]), at(30)).unwrap();
    assert_eq!((back.seen.unwrap().value, back.trouble), (ids(&[]), None));
}

#[test]
fn an_older_answer_changes_nothing() {
    let roll = Roll::default().read(ids(&["U0BOB"]), at(10)).unwrap();
    assert_eq!(roll.read(ids(&["U0ANA"]), at(9)), None);
    assert_eq!(roll.failed("Slack is down.".into(), at(9), at(12)), None);
}

#[test]
fn sources_are_named_for_people_and_for_the_store() {
    let named = [team(), group()].map(|source| format!("{source} {}", source.key()));
    let expected = [
        "GitHub team acme/release-managers github:acme/release-managers",
        "Slack user group S0614TZR7 slack:S0614TZR7",
    ];
    assert_eq!(named, expected);
}

#[test]
fn what_was_seen_by_a_clock_that_was_ahead_was_never_seen() {
    let roll = Roll::default().read(ids(&["U0ANA"]), at(DAY_S)).unwrap();
    let mustered =
        |now| muster(&people(), &[roster("release", group())], &[(group(), roll.clone())].into(), now, DAY_S);
    assert_eq!(teams(&mustered(at(DAY_S)), "ana"), ["developers", "release"]);
    let early = mustered(at(0));
    assert_eq!(teams(&early, "ana"), ["developers"]);
    assert!(early.sources[0].is_stale(at(0), DAY_S) && early.sources[0].seen_at.is_none());
    // The next look is taken although it is older, and clocks that differ by seconds do no harm.
    assert!(roll.clone().as_of(at(0)).read(ids(&[]), at(0)).is_some());
    assert_eq!(roll.clone().as_of(at(DAY_S - 3)), roll);
    let failed = Roll::default().failed("Down.".into(), at(DAY_S), at(DAY_S + 60)).unwrap();
    assert_eq!(failed.as_of(at(0)).trouble.unwrap().again_at, at(0), "nor does it rest for a day");
}
