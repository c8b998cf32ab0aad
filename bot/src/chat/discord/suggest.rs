//! What could stand in an option of a command that is being typed.

use super::callback::{CHOICES_LIMIT, Choice};
use super::heard::Typed;
use crate::chat::entrance::Entrance;
use crate::store::StoreError;
use slipway_core::command::{ALL_SERVICES, OptionKind, option_kind};
use slipway_core::ids::EnvironmentKey;
use slipway_core::message::cards::brief;
use slipway_core::release::Release;
use slipway_deploy::github::{GitHub, RepoName};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tracing::warn;

/// How long the names of branches and tags are good for.
const REFERENCES_FOR: Duration = Duration::from_secs(60);
/// How long GitHub is waited for: Discord waits three seconds.
const REFERENCES_WITHIN: Duration = Duration::from_millis(1_500);
/// How long those of all services are waited for.
const SUGGESTED_WITHIN: Duration = Duration::from_secs(2);
/// How many of the newest releases of each environment are offered.
const RELEASES_LIMIT: u32 = 10;
/// How many of the releases that have not ended are looked through.
const OPEN_LIMIT: u32 = 200;

/// Offers what could be meant.
#[derive(Debug)]
pub struct Suggestions {
    github: GitHub,
    known: Mutex<BTreeMap<RepoName, (Instant, Vec<String>)>>,
}

impl Suggestions {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(github: GitHub) -> Self {
        Self { github, known: Mutex::default() }
    }

    /// What could stand in an option, best first.
    pub(super) async fn of(&self, entrance: &Entrance, typed: &Typed, option: &str) -> Vec<Choice> {
        let begun = given(typed, option).unwrap_or_default().to_lowercase();
        let mut keys = entrance.setup.environment_keys(None);
        keys.retain(|key| is_meant(key, typed, option));
        let all: Vec<Choice> = match option_kind(&typed.command, typed.sub.as_deref(), option) {
            Some(OptionKind::Environment) => keys.iter().map(|key| key.environment.to_string().into()).collect(),
            Some(OptionKind::Service) => keys.iter().map(|key| key.service.to_string().into()).collect(),
            Some(OptionKind::Reference) => {
                let references = tokio::time::timeout(SUGGESTED_WITHIN, self.references(entrance, typed));
                references.await.unwrap_or_default().into_iter().map(Choice::from).collect()
            }
            Some(OptionKind::ServiceOrAll) => services_and_all(&keys),
            Some(OptionKind::Release) => releases(entrance, &keys, Wanted::of(typed)).await,
            _ => vec![],
        };
        best(all, &begun)
    }

    /// The branches and tags of the service that is named, or of all.
    async fn references(&self, entrance: &Entrance, typed: &Typed) -> Vec<String> {
        let is_named = |name: &str| service(typed).is_none_or(|named| named.eq_ignore_ascii_case(name));
        let services = entrance.setup.services().filter(|(name, _)| is_named(name.as_str()));
        let mut references = Vec::new();
        for (_, service) in services.take(CHOICES_LIMIT) {
            references.extend(self.references_of(&service.repository).await);
        }
        references
    }

    async fn references_of(&self, repository: &RepoName) -> Vec<String> {
        let kept = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(repository).cloned();
        if let Some((at, references)) = &kept
            && at.elapsed() < REFERENCES_FOR
        {
            return references.clone();
        }
        match tokio::time::timeout(REFERENCES_WITHIN, self.github.references(repository)).await {
            Ok(Ok(references)) => {
                let mut kept = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                kept.insert(repository.clone(), (Instant::now(), references.clone()));
                references
            }
            failed => {
                if let Ok(Err(error)) = failed {
                    warn!(%error, "the branches and tags of a repository are not known");
                }
                // Not asked again with every letter that is typed.
                let references = kept.map(|(_, references)| references).unwrap_or_default();
                let mut kept = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                kept.insert(repository.clone(), (Instant::now(), references.clone()));
                references
            }
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
    /// Those that have not ended: what one can still vote on or stop.
    Open,
}

impl Wanted {
    fn of(typed: &Typed) -> Self {
        match (typed.command.as_str(), typed.sub.as_deref()) {
            ("rollback", None) => Self::Succeeded,
            ("release", Some("approve" | "veto" | "withdraw" | "cancel")) => Self::Open,
            _ => Self::All,
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

/// The newest releases, newest first.
async fn releases(entrance: &Entrance, keys: &[EnvironmentKey], wanted: Wanted) -> Vec<Choice> {
    let mut newest = match read_releases(entrance, keys, wanted).await {
        Ok(newest) => newest,
        Err(error) => {
            warn!(%error, "the newest releases could not be read");
            return vec![];
        }
    };
    newest.sort_by_key(|release| std::cmp::Reverse(release.request.at));
    newest.iter().map(|release| Choice { name: brief(release), value: release.id.to_string() }).collect()
}

async fn read_releases(
    entrance: &Entrance,
    keys: &[EnvironmentKey],
    wanted: Wanted,
) -> Result<Vec<Release>, StoreError> {
    let store = &entrance.store;
    let mut tx = store.begin_to_read().await?;
    if wanted == Wanted::Open {
        let mut open = store.releases_open(&mut tx, OPEN_LIMIT).await?;
        open.retain(|release| keys.contains(&release.request.key));
        return Ok(open);
    }
    let mut newest = Vec::new();
    for key in keys {
        newest.extend(match wanted {
            Wanted::Succeeded => store.releases_succeeded(&mut tx, key, RELEASES_LIMIT).await?,
            Wanted::All | Wanted::Open => store.releases_newest(&mut tx, key, RELEASES_LIMIT).await?,
        });
    }
    Ok(newest)
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
        assert_eq!(Wanted::of(&typed("rollback", None, &[])), Wanted::Succeeded);
        for sub in ["approve", "veto", "withdraw", "cancel"] {
            assert_eq!(Wanted::of(&typed("release", Some(sub), &[])), Wanted::Open);
        }
        for sub in ["why", "show", "retry", "override"] {
            assert_eq!(Wanted::of(&typed("release", Some(sub), &[])), Wanted::All);
        }
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
