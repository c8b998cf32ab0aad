//! What one part of the file says about another.

use super::after_services::{self, Before};
use super::leak::shown;
use super::model::{Channel, SecretKey};
use super::section::{Checker, Place, alike, nearest};
use slipway_core::membership::Source;
use slipway_core::person::{Identity, Platform};
use std::collections::{BTreeMap, BTreeSet};

/// Everything in the file that refers to something else, collected on the walk.
#[derive(Default)]
pub(super) struct Refs {
    pub(super) slack: bool,
    pub(super) discord: bool,
    /// None: no `[terminal]`. Some(None): there is one, with mistakes.
    pub(super) terminal: Option<Option<Vec<String>>>,
    pub(super) channels: Vec<(Channel, Place)>,
    pub(super) images: Vec<(String, Place)>,
    pub(super) targets: Vec<(String, Place)>,
    pub(super) databases: Vec<(SecretKey, Place)>,
    pub(super) rehearsals: Vec<(SecretKey, Place)>,
    pub(super) identities: Vec<(Identity, Place)>,
    pub(super) teams: Vec<(String, Place)>,
    /// Names of the teams with a section of their own.
    pub(super) sourced_teams: BTreeSet<String>,
    pub(super) sources: Vec<(Source, Place)>,
    pub(super) environments: BTreeMap<String, BTreeSet<String>>,
    pub(super) afters: Vec<After>,
    /// Where the environments are named.
    pub(super) sections: Vec<Place>,
    /// Which services come before which.
    pub(super) befores: Vec<Before>,
}

/// `after` in an environment.
pub(super) struct After {
    pub(super) service: String,
    pub(super) environment: String,
    pub(super) after: String,
    pub(super) place: Place,
}

impl Refs {
    pub(super) fn place_of(&self, path: &str) -> Option<usize> {
        self.sections.iter().find(|place| place.path == path).map(|place| place.at)
    }

    /// Checks all of it.
    pub(super) fn check(mut self, c: &mut Checker<'_>) {
        for (channel, place) in &self.channels {
            self.check_channel(c, channel, place);
        }
        self.check_sources(c);
        self.check_twice(c);
        self.check_rehearsals(c);
        self.check_afters(c);
        self.check_teams(c);
        after_services::check(c, &self.befores, &self.environments.keys().cloned().collect());
    }

    fn check_channel(&self, c: &mut Checker<'_>, channel: &Channel, place: &Place) {
        let absent = |c: &mut Checker<'_>, section: &str| {
            let mend = format!("add the section [{section}], or remove this channel");
            c.absent(place, format!("there is no section [{section}]"), mend);
        };
        match channel {
            Channel::Slack(_) if !self.slack => absent(c, "slack"),
            Channel::Discord(_) if !self.discord => absent(c, "discord"),
            Channel::Terminal(_) if self.terminal.is_none() => absent(c, "terminal"),
            Channel::Terminal(name) => {
                let Some(Some(known)) = &self.terminal else { return };
                if known.contains(name) {
                    return;
                }
                let mend = match nearest(name, known.iter().map(String::as_str)) {
                    Some(meant) => format!("write \"terminal:{meant}\""),
                    None => format!("add {} to channels in [terminal]", shown(name)),
                };
                c.absent(place, format!("[terminal] has no channel {}", shown(name)), mend);
            }
            Channel::Slack(_) | Channel::Discord(_) => {}
        }
    }

    /// Members are known by the accounts of `[person.NAME]`.
    fn check_sources(&self, c: &mut Checker<'_>) {
        for (source, place) in &self.sources {
            let (platform, lacks) = match source {
                Source::GithubTeam { .. } => (Platform::Github, None),
                Source::SlackGroup { .. } => (Platform::Slack, (!self.slack).then_some("SLACK_BOT_TOKEN")),
                Source::DiscordRole { .. } => (Platform::Discord, (!self.discord).then_some("DISCORD_TOKEN")),
            };
            let key = platform.key();
            if let Some(variable) = lacks {
                let mend = format!("add the section [{key}] and set {variable}, or remove this");
                c.absent(place, format!("there is no section [{key}]"), mend);
            } else if matches!(source, Source::DiscordRole { guild, .. } if guild.is_empty()) {
                let message = "is a role of a server, and [discord] does not say which server";
                c.absent(place, message, "add guild_id under [discord]");
            }
            if !self.identities.iter().any(|(identity, _)| identity.platform() == platform) {
                let message = format!("no [person.NAME] has {key}, so nobody would be in the team by this");
                c.absent_warning(place, message, format!("add {key} to the people who are in it"));
            }
        }
    }

    fn check_twice(&mut self, c: &mut Checker<'_>) {
        let identities = self.identities.drain(..).map(|(identity, place)| match identity {
            Identity::Github(login) => (Identity::Github(login.to_ascii_lowercase()), place),
            other => (other, place),
        });
        for (first, again) in twice(identities.collect()) {
            let message = format!("is also {} ({}), so it would belong to neither", first.path, c.where_is(&first));
            c.error(&again, message, "leave it with the person whose account it is");
        }
        for (first, again) in twice(std::mem::take(&mut self.targets)) {
            let message = format!("is also {} ({})", first.path, c.where_is(&first));
            c.error(&again, message, "give each environment a target of its own");
        }
        for (first, again) in twice(self.databases.clone()) {
            let message = format!("is also {} ({}): one database for two environments", first.path, c.where_is(&first));
            c.warning(&again, message, "give each environment a database of its own, if that is not meant");
        }
        for (first, again) in twice(std::mem::take(&mut self.images)) {
            let message = format!("with its tag is also {} ({})", first.path, c.where_is(&first));
            c.warning(&again, message, "give each service an image of its own, if that is not meant");
        }
    }

    fn check_rehearsals(&self, c: &mut Checker<'_>) {
        for (rehearsal, place) in &self.rehearsals {
            let Some((_, live)) = self.databases.iter().find(|(database, _)| database == rehearsal) else { continue };
            let message = format!("is also {} ({}): a rehearsal must not touch it", live.path, c.where_is(live));
            c.error(place, message, "name a database that nobody depends on, or remove rehearse");
        }
    }

    fn check_afters(&self, c: &mut Checker<'_>) {
        let mut edges: BTreeMap<(&str, &str), &After> = BTreeMap::new();
        for after in &self.afters {
            let known = self.environments.get(&after.service);
            let exists = known.is_some_and(|known| known.contains(&after.after));
            if exists {
                edges.insert((&after.service, &after.environment), after);
                continue;
            }
            let names = || known.into_iter().flatten().filter(|name| **name != after.environment).map(String::as_str);
            let mend = match alike(&after.after, names().collect::<Vec<_>>()) {
                Some(meant) => format!("write {meant:?}"),
                None => match names().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(" or ") {
                    all if all.is_empty() => {
                        format!("{} has no other environment yet: add it, or remove this", after.service)
                    }
                    all => format!("write {all}, or remove it"),
                },
            };
            let message = format!("{} has no environment {}", after.service, shown(&after.after));
            c.absent(&after.place, message, mend);
        }
        for circle in circles(&edges) {
            let names: Vec<&str> = circle.iter().map(|after| after.environment.as_str()).collect();
            let message = match names[..] {
                [alone] => format!("{alone} would wait for itself"),
                _ => format!("{} → {} would wait for each other for ever", names.join(" → "), names[0]),
            };
            let mend = if names.len() == 1 { "remove it" } else { "remove one of these after keys" };
            c.error(&circle[0].place, message, mend);
        }
    }

    /// A team with one member whose name is nearly that of another team, larger or with a section of its own, is
    /// probably a typing mistake.
    fn check_teams(&self, c: &mut Checker<'_>) {
        let mut members: BTreeMap<&str, Vec<&Place>> = BTreeMap::new();
        for (team, place) in &self.teams {
            members.entry(team).or_default().push(place);
        }
        for (team, places) in &members {
            let [only] = places[..] else { continue };
            if self.sourced_teams.contains(*team) {
                continue;
            }
            let larger = members.iter().filter(|(_, places)| places.len() > 1).map(|(team, _)| *team);
            if let Some(meant) = nearest(team, larger.chain(self.sourced_teams.iter().map(String::as_str))) {
                let message = format!("nobody else is in {team:?}, and {meant:?} is spelt nearly the same");
                c.warning(only, message, format!("write {meant:?}, if that is meant"));
            }
        }
    }
}

/// For each key that occurs again, the place where it occurs first and the later one.
fn twice<K: Ord>(mut items: Vec<(K, Place)>) -> Vec<(Place, Place)> {
    items.sort_by_key(|(_, place)| place.at);
    let mut first: BTreeMap<K, Place> = BTreeMap::new();
    let mut again = Vec::new();
    for (key, place) in items {
        match first.get(&key) {
            Some(earlier) => again.push((earlier.clone(), place)),
            None => drop(first.insert(key, place)),
        }
    }
    again
}

/// The circles in which environments wait for each other, each once, beginning where it comes first in the file.
fn circles<'a>(edges: &BTreeMap<(&'a str, &'a str), &'a After>) -> Vec<Vec<&'a After>> {
    let mut circles = Vec::new();
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    for start in edges.keys() {
        let mut path: Vec<&After> = Vec::new();
        let mut at = *start;
        while let Some(&after) = edges.get(&at) {
            if let Some(back) = path.iter().position(|earlier| std::ptr::eq(*earlier, after)) {
                let mut circle = path.split_off(back);
                let first = (0..circle.len()).min_by_key(|index| circle[*index].place.at).unwrap_or(0);
                circle.rotate_left(first);
                circles.push(circle);
                break;
            }
            if !seen.insert(at) {
                break;
            }
            path.push(after);
            at = (&after.service, &after.after);
        }
    }
    circles
}
