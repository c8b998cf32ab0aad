//! The sections at the top of the file, and the people.

use super::cross::Refs;
use super::model::{Config, Github, Pace, Server, Store, Terminal};
use super::section::{Checker, Keys, Place, Section};
use super::{audit, cloud, discord, policies, service, slack, team, values};
use jiff::tz::TimeZone;
use slipway_core::ids::PersonId;
use slipway_core::person::{Identity, Person};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use toml::de::DeTable;

/// Most services in one file.
pub const SERVICE_LIMIT: usize = 200;
/// Most people in one file.
pub const PERSON_LIMIT: usize = 1_000;
/// Most teams that one person is in.
pub const TEAM_LIMIT: usize = 50;
/// Most channels in one list.
pub const CHANNEL_LIMIT: usize = 20;
/// `fact_age_max_s` when it is not given.
pub const FACT_AGE_DEFAULT_S: u64 = 60;
/// `membership_age_max_s` when it is not given: a day.
pub const MEMBERSHIP_AGE_DEFAULT_S: u64 = 86_400;
/// `ack_budget_ms` when it is not given.
pub const ACK_BUDGET_DEFAULT_MS: u64 = 2_000;
/// The chats give up after 3 seconds, so a larger budget could not be kept.
pub const ACK_BUDGET_MAX_MS: u64 = 2_900;
/// Where to listen when it is not given.
pub const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

const FILE_KEYS: Keys = &[
    ("server", ""),
    ("store", ""),
    ("slack", ""),
    ("discord", ""),
    ("github", ""),
    ("terminal", ""),
    ("policies", ""),
    ("audit", ""),
    ("pace", ""),
    ("service", ""),
    ("team", ""),
    ("person", ""),
];
const SERVER_KEYS: Keys = &[
    ("listen", r#""127.0.0.1:8080""#),
    ("public_url", r#""https://slipway.acme.dev""#),
    ("fact_age_max_s", "60"),
    ("membership_age_max_s", "86400"),
    ("ack_budget_ms", "2000"),
];
const STORE_KEYS: Keys = &[("url", r#""sqlite://slipway.db""#)];
const GITHUB_KEYS: Keys = &[("api_url", r#""https://api.github.com""#), ("deployments", "true")];
const TERMINAL_KEYS: Keys = &[("channels", r#"["releases"]"#)];
pub(super) const AUDIT_KEYS: Keys =
    &[("anchor", r#"["slack:C024BE91L"]"#), ("anchor_at", r#""06:00""#), ("timezone", r#""America/Los_Angeles""#)];
const PACE_KEYS: Keys = &[
    ("poll_ms", "5000"),
    ("image_grace_s", "120"),
    ("healthy_limit_s", "120"),
    ("lag_limit_s", "120"),
    ("policies_s", "120"),
    ("membership_ms", "300000"),
    ("config_ms", "300000"),
    ("targets_ms", "300000"),
    ("call_limit_ms", "30000"),
    ("retry_ms", "500"),
];
const PERSON_KEYS: Keys = &[
    ("slack", r#""U012AB3CD""#),
    ("discord", r#""80351110224678912""#),
    ("github", r#""ana-dev""#),
    ("terminal", r#""ana""#),
    ("teams", r#"["developers"]"#),
    ("timezone", r#""Europe/Berlin""#),
];

#[cfg(test)]
pub(super) const ALL_KEYS: &[Keys] = &[
    FILE_KEYS,
    SERVER_KEYS,
    STORE_KEYS,
    slack::KEYS,
    discord::KEYS,
    GITHUB_KEYS,
    TERMINAL_KEYS,
    policies::KEYS,
    AUDIT_KEYS,
    PACE_KEYS,
    team::TEAM_KEYS,
    PERSON_KEYS,
];

/// Reads the whole file. None when something without which there is no configuration is wrong; every mistake is
/// in the checker.
pub(super) fn config(c: &mut Checker<'_>, table: &DeTable<'_>, file: &Path) -> Option<Config> {
    let root = Section::of_table(c, table, Place { at: 0, path: String::new() }, FILE_KEYS);
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut refs = Refs::default();

    let server = server(c, &root);
    let store = store(c, &root, folder);
    let slack = slack::slack(c, &root, server.public_url.as_deref());
    let discord = discord::discord(c, &root, server.public_url.as_deref());
    let guild = discord.as_ref().and_then(|discord| discord.guild_id.as_deref());
    let team_sources = team::teams(c, &root, &mut refs, guild);
    let github = root.table(c, "github", GITHUB_KEYS);
    let deployments = github.as_ref().and_then(|github| github.flag(c, "deployments")).unwrap_or(true);
    let api_url = github.and_then(|github| github.read(c, "api_url", values::base_url));
    let terminal = terminal(c, &root, server.listen);
    let policies = policies::policies(c, &root, folder);

    refs.slack = root.value("slack").is_some();
    refs.discord = root.value("discord").is_some();
    refs.terminal = root.value("terminal").map(|_| terminal.as_ref().map(|terminal| terminal.channels.clone()));

    let mut services = BTreeMap::new();
    for named in root.named(c, "service", SERVICE_LIMIT) {
        if let Some(service) = service::service(c, &named, &mut refs) {
            services.insert(service.name.clone(), service);
        }
    }
    let (people, timezones) = people(c, &root, &mut refs);
    let audit = audit::audit(c, &root, &mut refs);
    for (key, lack) in [("service", "there is nothing to release"), ("person", "nobody can ask for a release")] {
        if root.value(key).is_none() && !root.is_misspelt(key) {
            let message = format!("there is no [{key}.NAME] section, so {lack}");
            c.absent_warning(&root.place, message, format!("add one; docs/slipway.example.toml shows [{key}.…]"));
        }
    }
    refs.check(c);

    Some(Config {
        file: file.to_owned(),
        hash: String::new(),
        server,
        store: store?,
        slack,
        discord,
        github: Github {
            api_url: api_url.map_or_else(|| "https://api.github.com".to_owned(), |(url, _)| url),
            deployments,
        },
        terminal,
        policies,
        audit,
        pace: pace(c, &root),
        services,
        team_sources,
        people,
        timezones,
    })
}

fn server(c: &mut Checker<'_>, root: &Section<'_, '_>) -> Server {
    let mut server = Server {
        listen: LISTEN_DEFAULT,
        public_url: None,
        fact_age_max_s: FACT_AGE_DEFAULT_S,
        membership_age_max_s: MEMBERSHIP_AGE_DEFAULT_S,
        ack_budget_ms: ACK_BUDGET_DEFAULT_MS,
    };
    let Some(section) = root.table(c, "server", SERVER_KEYS) else { return server };
    server.public_url = section.read(c, "public_url", values::base_url).map(|(url, _)| url);
    if let Some((listen, _)) = section.read(c, "listen", values::listen) {
        server.listen = listen;
    }
    if let Some(fact_age_max_s) = section.number(c, "fact_age_max_s", 1..=3_600) {
        server.fact_age_max_s = fact_age_max_s;
    }
    if let Some(membership_age_max_s) = section.number(c, "membership_age_max_s", 60..=604_800) {
        server.membership_age_max_s = membership_age_max_s;
    }
    if let Some(ack_budget_ms) = section.number(c, "ack_budget_ms", 100..=ACK_BUDGET_MAX_MS) {
        server.ack_budget_ms = ack_budget_ms;
    }
    server
}

fn pace(c: &mut Checker<'_>, root: &Section<'_, '_>) -> Pace {
    let Some(section) = root.table(c, "pace", PACE_KEYS) else { return Pace::default() };
    Pace {
        poll_ms: section.number(c, "poll_ms", 10..=600_000),
        image_grace_s: section.number(c, "image_grace_s", 0..=3_600),
        healthy_limit_s: section.number(c, "healthy_limit_s", 1..=3_600),
        lag_limit_s: section.number(c, "lag_limit_s", 0..=3_600),
        policies_s: section.number(c, "policies_s", 1..=86_400),
        membership_ms: section.number(c, "membership_ms", 100..=3_600_000),
        config_ms: section.number(c, "config_ms", 100..=3_600_000),
        targets_ms: section.number(c, "targets_ms", 100..=3_600_000),
        call_limit_ms: section.number(c, "call_limit_ms", 100..=120_000),
        retry_ms: section.number(c, "retry_ms", 10..=60_000),
    }
}

fn store(c: &mut Checker<'_>, root: &Section<'_, '_>, folder: &Path) -> Option<Store> {
    if root.value("store").is_none() {
        let place = Place { at: root.place.at, path: "store".to_owned() };
        if !root.is_misspelt("store") {
            c.absent(&place, "this section is missing", "add [store] and under it url = \"sqlite://slipway.db\"");
        }
        return None;
    }
    let (path, _) = root.table(c, "store", STORE_KEYS)?.need(c, "url", cloud::store_url)?;
    Some(Store { path: folder.join(path) })
}

fn terminal(c: &mut Checker<'_>, root: &Section<'_, '_>, listen: SocketAddr) -> Option<Terminal> {
    let section = root.table(c, "terminal", TERMINAL_KEYS)?;
    if !listen.ip().is_loopback() {
        let message = format!("anybody who reaches {listen} could speak as anybody in the terminal chat");
        c.error(&section.place, message, "remove [terminal], or listen on 127.0.0.1");
    }
    section.missing(c, "channels");
    let listed = section.list(c, "channels", CHANNEL_LIMIT, values::name);
    if let Some((value, place)) = section.value("channels")
        && value.get_ref().as_array().is_some_and(|items| items.is_empty())
    {
        c.error(&place, "is empty", "name at least one channel, such as [\"releases\"]");
    }
    (!listed.is_empty()).then(|| Terminal { channels: listed.into_iter().map(|(name, _)| name).collect() })
}

/// Everybody, and the time zones of those who say theirs.
fn people(
    c: &mut Checker<'_>,
    root: &Section<'_, '_>,
    refs: &mut Refs,
) -> (BTreeMap<PersonId, Person>, BTreeMap<PersonId, TimeZone>) {
    let (mut people, mut timezones) = (BTreeMap::new(), BTreeMap::new());
    for named in root.named(c, "person", PERSON_LIMIT) {
        if let Err(wrong) = values::name(&named.name) {
            c.error(&named.place, wrong.message, wrong.mend);
        }
        if PersonId::new(named.name.as_str()).is_slipway() {
            c.error(&named.place, "is the name that Slipway itself has in policies", "choose another name");
        }
        let Some(section) = Section::open(c, named.value, named.place.clone(), PERSON_KEYS) else { continue };
        let identities = identities(c, &section, refs);
        if identities.is_empty() && !section.has_any(&["slack", "discord", "github", "terminal"]) {
            let mend = "add slack, discord, github or terminal";
            c.absent_warning(&section.place, "has no identity in any chat, so cannot do anything", mend);
        }
        let teams = section.list(c, "teams", TEAM_LIMIT, values::name);
        refs.teams.extend(teams.iter().map(|(team, place)| (team.clone(), place.clone())));
        let id = PersonId::new(named.name);
        timezones.extend(section.read(c, "timezone", values::timezone).map(|(zone, _)| (id.clone(), zone)));
        let teams = teams.into_iter().map(|(team, _)| team.as_str().into()).collect();
        people.insert(id.clone(), Person { id, teams, identities });
    }
    (people, timezones)
}

fn identities(c: &mut Checker<'_>, section: &Section<'_, '_>, refs: &mut Refs) -> Vec<Identity> {
    let slack = section.read(c, "slack", |text| values::slack_id(text, "UW", "user"));
    let discord = section.read(c, "discord", values::snowflake);
    let github = section.read(c, "github", values::github_login);
    let terminal = section.read(c, "terminal", values::name);
    let found: Vec<(Identity, Place)> = [
        slack.map(|(id, place)| (Identity::Slack(id), place)),
        discord.map(|(id, place)| (Identity::Discord(id), place)),
        github.map(|(login, place)| (Identity::Github(login), place)),
        terminal.map(|(name, place)| (Identity::Terminal(name), place)),
    ]
    .into_iter()
    .flatten()
    .collect();
    refs.identities.extend(found.iter().cloned());
    found.into_iter().map(|(identity, _)| identity).collect()
}
