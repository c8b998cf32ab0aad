//! Whether the members of teams can be looked up where they are kept, and who of them is known.

use super::asked::within_limit;
use super::{PROBE_CONCURRENCY_LIMIT, ProbeResult};
use crate::clock::Clock;
use crate::outside::{MembersError, Outside};
use crate::setup::Setup;
use futures::StreamExt as _;
use slipway_core::membership::{Roll, Source, muster};
use slipway_core::person::Directory;
use std::collections::{BTreeMap, BTreeSet};

/// How many members who are no known person are named.
const STRANGERS_SHOWN_LIMIT: usize = 10;

/// What each source answers, by its name. Everybody with all their teams as well, when each could be read.
pub async fn members(setup: &Setup, outside: &Outside) -> (Vec<(String, ProbeResult)>, Option<Directory>) {
    let now = Clock::System.now();
    let (mut answers, mut rolls) = (Vec::new(), BTreeMap::new());
    let looks: Vec<_> = setup.sources().into_iter().map(|source| look(outside, source)).collect();
    let mut looks = futures::stream::iter(looks).buffered(PROBE_CONCURRENCY_LIMIT);
    while let Some((source, members)) = looks.next().await {
        let answer = match members {
            Ok(members) => {
                let says = found(source, &members, &setup.people);
                rolls.extend(Roll::default().read(members, now).map(|roll| (source.clone(), roll)));
                ProbeResult::ok(says)
            }
            Err(failed) => failed,
        };
        answers.push((source.to_string(), answer));
    }
    let all = answers.iter().all(|(_, answer)| answer.ok);
    let people = all.then(|| muster(&setup.people, &setup.rosters, &rolls, now, 0).people);
    (answers, people)
}

async fn look<'a>(outside: &Outside, source: &'a Source) -> (&'a Source, Result<BTreeSet<String>, ProbeResult>) {
    let failed = |error: MembersError| ProbeResult::fail(error.to_string(), error.mend());
    (source, within_limit("it", failed, outside.members(source)).await)
}

fn found(source: &Source, members: &BTreeSet<String>, people: &Directory) -> String {
    let strangers: Vec<_> =
        members.iter().filter(|id| people.by_identity(&source.identity(id)).is_none()).map(String::as_str).collect();
    let count = match members.len() {
        1 => "1 member".to_owned(),
        n => format!("{n} members"),
    };
    if strangers.is_empty() {
        return format!("{count}, all known");
    }
    let shown = strangers.len().min(STRANGERS_SHOWN_LIMIT);
    let more = if strangers.len() > shown { format!(" and {} more", strangers.len() - shown) } else { String::new() };
    format!("{count}; no [person.…] has {}{more}, so they count for nothing", strangers[..shown].join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_core::person::{Identity, Person};

    #[test]
    fn members_who_are_no_known_person_are_named() {
        let ana = Person { id: "ana".into(), teams: [].into(), identities: vec![Identity::Github("ana-dev".into())] };
        let people = Directory::new([ana]);
        let source = Source::GithubTeam { organisation: "acme".into(), slug: "release".into() };
        let says = |ids: &[&str]| found(&source, &ids.iter().map(|id| (*id).to_owned()).collect(), &people);
        let many: Vec<_> = (10..25).map(|n| format!("dev-{n}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        expect_test::expect![[r#"
            0 members, all known
            1 member, all known
            2 members; no [person.…] has zoe, so they count for nothing
            15 members; no [person.…] has dev-10, dev-11, dev-12, dev-13, dev-14, dev-15, dev-16, dev-17, dev-18, dev-19 and 5 more, so they count for nothing"#]]
        .assert_eq(&[&[][..], &["Ana-Dev"], &["ana-dev", "zoe"], &many].map(says).join("\n"));
    }
}
