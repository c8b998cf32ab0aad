//! What could stand in an option of a command that is being typed.

use super::callback::{CHOICES_LIMIT, Choice};
use super::heard::Typed;
use super::references::KnownReferences;
use crate::chat::entrance::Entrance;
use crate::store::{StoreError, Tx};
use slipway_core::command::{ALL_SERVICES, OptionKind, option_kind};
use slipway_core::ids::EnvironmentKey;
use slipway_core::intent::Intent;
use slipway_core::message::cards::{brief, deferred_brief};
use slipway_core::release::Release;
use slipway_deploy::github::{GitHub, References};
use std::collections::BTreeSet;
use tracing::warn;

/// How many of the newest releases of each environment are offered.
const RELEASES_LIMIT: u32 = 10;
/// How many of the newest of each are looked through for those that fit.
const LOOK_BACK_LIMIT: u32 = 50;
/// How many of the releases that have not ended are looked through.
const OPEN_LIMIT: u32 = 200;
/// How many of the deployments that are deferred are looked through.
const DEFERRED_LIMIT: u32 = 200;

/// Offers what could be meant.
#[derive(Debug)]
pub struct Suggestions {
    references: KnownReferences,
}

impl Suggestions {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(github: GitHub) -> Self {
        Self { references: KnownReferences::new(github) }
    }

    /// What could stand in an option, best first.
    pub(super) async fn of(&self, entrance: &Entrance, typed: &Typed, option: &str) -> Vec<Choice> {
        let begun = given(typed, option).unwrap_or_default().to_lowercase();
        let mut keys = entrance.setup.environment_keys(None);
        keys.retain(|key| is_meant(key, typed, option));
        let environments = || keys.iter().map(|key| key.environment.to_string().into()).collect::<Vec<Choice>>();
        match option_kind(&typed.command, typed.sub.as_deref(), option) {
            Some(OptionKind::Environment) => best(environments(), &begun),
            Some(OptionKind::Service) => best(keys.iter().map(|key| key.service.to_string().into()).collect(), &begun),
            Some(OptionKind::ServiceOrAll) => best(services_and_all(&keys), &begun),
            Some(OptionKind::Reference) => {
                let is_named = |name: &str| service(typed).is_none_or(|named| named.eq_ignore_ascii_case(name));
                let services = entrance.setup.services().filter(|(name, _)| is_named(name.as_str()));
                let all = self.references.of(services.map(|(_, service)| &service.repository)).await;
                shared(names(all), &begun)
            }
            Some(OptionKind::Release) => {
                let wanted = Wanted::of(typed);
                let (releases, deferred) = releases(entrance, &keys, wanted).await;
                // What is live there can be meant by the environment.
                let environments = if wanted == Wanted::Marked(false) { environments() } else { vec![] };
                shared(vec![environments, releases, deferred], &begun)
            }
            _ => vec![],
        }
    }
}

/// Which releases a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// Any.
    All,
    /// Those that went live: what one can go back to.
    Succeeded,
    /// Those that have not ended: what one can still vote on.
    Open,
    /// The same, with deployments that are deferred: what one can stop.
    Stoppable,
    /// Those that have a plan and did not start: what can be put first, or let past the rules.
    Waiting,
    /// Those that did not bring what they were to bring.
    Failed,
    /// The same where jobs of their builds failed, which can run again.
    FailedInCi,
    /// Those that can be marked as bad, or that are.
    Marked(bool),
}

impl Wanted {
    fn of(typed: &Typed) -> Self {
        let says = |flag: &str| given(typed, flag) == Some("true");
        match (typed.command.as_str(), typed.sub.as_deref()) {
            ("rollback", None) => Self::Succeeded,
            ("release", Some("approve" | "veto" | "withdraw")) => Self::Open,
            ("release", Some("cancel")) => Self::Stoppable,
            ("release", Some("override" | "queue")) => Self::Waiting,
            ("release", Some("retry")) if says("rerun") => Self::FailedInCi,
            ("release", Some("retry")) => Self::Failed,
            ("release", Some("bad")) => Self::Marked(says("undo")),
            _ => Self::All,
        }
    }

    /// Whether a release is one of those.
    fn fits(self, release: &Release) -> bool {
        match self {
            Self::All | Self::Succeeded | Self::Open | Self::Stoppable => true,
            Self::Waiting => release.is_waiting(),
            Self::Failed => release.has_failed(),
            Self::FailedInCi => release.failed_in_ci(),
            Self::Marked(false) => release.can_be_marked() && release.known_bad.is_none(),
            Self::Marked(true) => release.known_bad.is_some(),
        }
    }
}

/// What is filled in, if anything is.
fn given<'a>(typed: &'a Typed, option: &str) -> Option<&'a str> {
    typed.values.get(option).map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// The one service that is filled in, if there is one.
fn service(typed: &Typed) -> Option<&str> {
    let may_be_all = option_kind(&typed.command, typed.sub.as_deref(), "service") == Some(OptionKind::ServiceOrAll);
    given(typed, "service").filter(|named| !(may_be_all && named.eq_ignore_ascii_case(ALL_SERVICES)))
}

/// Whether an environment fits what the other options say.
fn is_meant(key: &EnvironmentKey, typed: &Typed, option: &str) -> bool {
    let environment = given(typed, "environment").filter(|_| option != "environment");
    let service = service(typed).filter(|_| option != "service");
    environment.is_none_or(|named| named.eq_ignore_ascii_case(key.environment.as_str()))
        && service.is_none_or(|named| named.eq_ignore_ascii_case(key.service.as_str()))
}

/// Each service, and `all` where more than one has an environment that could be meant.
fn services_and_all(keys: &[EnvironmentKey]) -> Vec<Choice> {
    let shares = |key: &EnvironmentKey| {
        keys.iter().any(|other| other.environment == key.environment && other.service != key.service)
    };
    let all = keys.iter().any(shares).then(|| ALL_SERVICES.to_owned());
    keys.iter().map(|key| key.service.to_string()).chain(all).map(Choice::from).collect()
}

/// The branches and the tags of each repository.
fn names(all: Vec<References>) -> Vec<Vec<Choice>> {
    let lists = all.into_iter().flat_map(|References { branches, tags }| [branches, tags]);
    lists.map(|list| list.into_iter().map(Choice::from).collect()).collect()
}

/// The newest releases, newest first, and what is deferred.
async fn releases(entrance: &Entrance, keys: &[EnvironmentKey], wanted: Wanted) -> (Vec<Choice>, Vec<Choice>) {
    let (mut newest, deferred) = match read(entrance, keys, wanted).await {
        Ok(found) => found,
        Err(error) => {
            warn!(%error, "the newest releases could not be read");
            return (vec![], vec![]);
        }
    };
    newest.sort_by_key(|release| std::cmp::Reverse(release.request.at));
    let releases = newest.iter().map(|release| Choice { name: brief(release), value: release.id.to_string() });
    let deferred = deferred.iter().map(|one| Choice { name: deferred_brief(one), value: one.id.to_string() });
    (releases.collect(), deferred.collect())
}

async fn read(
    entrance: &Entrance,
    keys: &[EnvironmentKey],
    wanted: Wanted,
) -> Result<(Vec<Release>, Vec<Intent>), StoreError> {
    let store = &entrance.store;
    let mut tx = store.begin_to_read().await?;
    let mut releases = read_releases(entrance, &mut tx, keys, wanted).await?;
    releases.retain(|release| keys.contains(&release.request.key));
    let mut deferred = match wanted {
        Wanted::Stoppable => store.intents_waiting(&mut tx, DEFERRED_LIMIT).await?,
        _ => vec![],
    };
    deferred.retain(|one| keys.contains(&one.key));
    Ok((releases, deferred))
}

async fn read_releases(
    entrance: &Entrance,
    tx: &mut Tx,
    keys: &[EnvironmentKey],
    wanted: Wanted,
) -> Result<Vec<Release>, StoreError> {
    let store = &entrance.store;
    let mut found = Vec::new();
    match wanted {
        Wanted::Open | Wanted::Stoppable | Wanted::Waiting => {
            found = store.releases_open(tx, OPEN_LIMIT).await?;
            found.retain(|release| wanted.fits(release));
        }
        Wanted::Succeeded => {
            for key in keys {
                found.extend(store.releases_succeeded(tx, key, RELEASES_LIMIT).await?);
            }
        }
        Wanted::All => {
            for key in keys {
                found.extend(store.releases_newest(tx, key, RELEASES_LIMIT).await?);
            }
        }
        Wanted::Failed | Wanted::FailedInCi | Wanted::Marked(_) => {
            for key in keys {
                let newest = store.releases_newest(tx, key, LOOK_BACK_LIMIT).await?.into_iter();
                found.extend(newest.filter(|release| wanted.fits(release)).take(RELEASES_LIMIT as usize));
            }
        }
    }
    Ok(found)
}

/// The best of several lists, of which each has its share of the places: what one leaves, the others take.
fn shared(lists: Vec<Vec<Choice>>, begun: &str) -> Vec<Choice> {
    let mut seen = BTreeSet::new();
    let mut lists: Vec<Vec<Choice>> = lists.into_iter().map(|list| best(list, begun)).collect();
    for list in &mut lists {
        list.retain(|choice| seen.insert(choice.value.clone()));
    }
    let mut shares = vec![0; lists.len()];
    let mut left = CHOICES_LIMIT;
    while left > 0 {
        let before = left;
        for (list, share) in lists.iter().zip(&mut shares) {
            if *share < list.len() && left > 0 {
                *share += 1;
                left -= 1;
            }
        }
        if left == before {
            break;
        }
    }
    let taken = lists.into_iter().zip(shares).flat_map(|(list, share)| list.into_iter().take(share));
    best(taken.collect(), begun)
}

/// Those that begin as typed, then those that hold it.
fn best(all: Vec<Choice>, begun: &str) -> Vec<Choice> {
    let mut best: Vec<Choice> = Vec::new();
    for begins in [true, false] {
        for one in &all {
            let fits = |text: &str| {
                let lower = text.to_lowercase();
                if begins { lower.starts_with(begun) } else { lower.contains(begun) }
            };
            if (fits(&one.name) || fits(&one.value)) && !best.contains(one) {
                best.push(one.clone());
            }
        }
    }
    best.truncate(CHOICES_LIMIT);
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(command: &str, sub: Option<&str>, values: &[(&str, &str)]) -> Typed {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Typed { command: command.to_owned(), sub: sub.map(str::to_owned), values }
    }

    #[test]
    fn what_begins_as_typed_comes_first_and_nothing_twice() {
        let all = ["main", "fix/main-menu", "maintenance", "main"].map(|name| Choice::from(name.to_owned())).to_vec();
        let names = |begun: &str| best(all.clone(), begun).into_iter().map(|one| one.value).collect::<Vec<_>>();
        assert_eq!(names("main"), ["main", "maintenance", "fix/main-menu"]);
        assert_eq!(names("menu"), ["fix/main-menu"]);
        assert_eq!(names("").len(), 3);
        let many = (0..100).map(|n| format!("b{n}").into()).collect();
        assert_eq!(best(many, "").len(), CHOICES_LIMIT);
    }

    #[test]
    fn releases_are_found_by_what_is_said_of_them() {
        let release = |id: &str, about: &str| Choice { name: format!("{id} · {about}"), value: format!("{id}5Q0000") };
        let all = vec![release("01M891PN", "goals → staging · live"), release("01M7ZZZZ", "goals → production")];
        assert_eq!(best(all.clone(), "staging"), all[..1]);
        assert_eq!(best(all.clone(), "01m7zzzz5q"), all[1..], "by the id, of which the name shows the beginning");
        assert_eq!(best(all.clone(), "goals").len(), 2);
    }

    #[test]
    fn a_command_is_offered_what_it_is_about() {
        let of = |sub, values: &[(&str, &str)]| Wanted::of(&typed("release", Some(sub), values));
        assert_eq!(Wanted::of(&typed("rollback", None, &[])), Wanted::Succeeded);
        for sub in ["approve", "veto", "withdraw"] {
            assert_eq!(of(sub, &[]), Wanted::Open);
        }
        for sub in ["why", "show"] {
            assert_eq!(of(sub, &[]), Wanted::All);
        }
        for sub in ["override", "queue"] {
            assert_eq!(of(sub, &[]), Wanted::Waiting);
        }
        assert_eq!(of("cancel", &[]), Wanted::Stoppable);
        assert_eq!([of("retry", &[]), of("retry", &[("rerun", "false")])], [Wanted::Failed; 2]);
        assert_eq!(of("retry", &[("rerun", "true")]), Wanted::FailedInCi);
        assert_eq!([of("bad", &[]), of("bad", &[("undo", "true")])], [Wanted::Marked(false), Wanted::Marked(true)]);
    }

    /// Whoever adds a command that takes a release says here which ones can be meant.
    #[test]
    fn every_option_that_names_a_release_is_looked_at() {
        let commands = slipway_core::command::forms();
        let mut found = Vec::new();
        for form in &commands {
            let subs = form.sub_commands.iter().map(|sub| (Some(sub.name.as_str()), &sub.options));
            for (sub, options) in std::iter::once((None, &form.options)).chain(subs) {
                let releases = options.iter().filter(|option| option.kind == OptionKind::Release);
                let wanted = Wanted::of(&typed(&form.name, sub, &[]));
                found.extend(
                    releases.map(|option| {
                        format!("/{} {} {}: {wanted:?}", form.name, sub.unwrap_or_default(), option.name)
                    }),
                );
            }
        }
        found.sort();
        expect_test::expect![[r#"
            /release approve release: Open
            /release bad release: Marked(false)
            /release cancel release: Stoppable
            /release override release: Waiting
            /release queue bump: Waiting
            /release retry release: Failed
            /release show release: All
            /release veto release: Open
            /release why release: All
            /release withdraw release: Open
            /rollback  release: Succeeded"#]]
        .assert_eq(&found.join("\n"));
    }

    #[test]
    fn several_lists_share_the_places() {
        let list = |name: &str, count: usize| (0..count).map(|n| format!("{name}-{n}").into()).collect::<Vec<Choice>>();
        let counted = |lists, begun| {
            let taken = shared(lists, begun);
            let of = |name: &str| taken.iter().filter(|choice| choice.value.contains(name)).count();
            (of("branch"), of("tag"), of("other"))
        };
        let many = || vec![list("branch", 100), list("tag", 50), list("other", 100)];
        assert_eq!(counted(many(), ""), (9, 8, 8));
        assert_eq!(
            counted(vec![list("branch", 100), list("tag", 3), vec![]], ""),
            (22, 3, 0),
            "what one leaves, others take"
        );
        assert_eq!(counted(many(), "tag"), (0, 25, 0));
        assert_eq!(counted(vec![list("branch", 1), list("branch", 2), list("tag", 1)], ""), (2, 1, 0), "each once");
        // What begins as typed stays first, whichever list it is of.
        let lists = vec![vec![Choice::from("old-v1".to_owned())], vec![Choice::from("v1.2".to_owned())]];
        assert_eq!(shared(lists, "v1").into_iter().map(|one| one.value).collect::<Vec<_>>(), ["v1.2", "old-v1"]);
        assert_eq!(shared(vec![], "").len(), 0);
    }

    #[test]
    fn the_other_options_narrow_what_is_offered() {
        let key = EnvironmentKey { service: "goals".into(), environment: "staging".into() };
        let meant = |values, option| is_meant(&key, &typed("rollback", None, values), option);
        assert!(meant(&[], "release"));
        assert!(meant(&[("environment", " Staging "), ("service", "goals")], "release"));
        assert!(!meant(&[("environment", "production")], "release"));
        assert!(!meant(&[("service", "habits")], "release"));
        assert!(meant(&[("environment", "st")], "environment"), "what is being typed narrows nothing");
        assert!(meant(&[("service", "")], "release"));
        let deploys = |values, option| is_meant(&key, &typed("deploy", None, values), option);
        assert!(deploys(&[("service", "All")], "environment") && deploys(&[("service", "all")], "reference"));
        assert!(!deploys(&[("service", "habits")], "environment"));
        assert!(!meant(&[("service", "all")], "release"), "it goes with no other command");
    }

    #[test]
    fn all_is_offered_where_more_than_one_has_the_environment() {
        let key = |service: &str, environment: &str| EnvironmentKey {
            service: service.into(),
            environment: environment.into(),
        };
        let offered =
            |keys: &[EnvironmentKey]| services_and_all(keys).into_iter().map(|choice| choice.value).collect::<Vec<_>>();
        assert_eq!(offered(&[key("goals", "staging"), key("web", "staging")]), ["goals", "web", "all"]);
        assert_eq!(offered(&[key("goals", "production"), key("web", "staging")]), ["goals", "web"]);
        assert_eq!(offered(&[key("goals", "staging"), key("goals", "production")]), ["goals", "goals"]);
        assert_eq!(offered(&[]), [""; 0]);
    }
}
