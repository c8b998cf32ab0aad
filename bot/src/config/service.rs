//! `[service.NAME]` and `[service.NAME.environment.NAME]`.

use super::cross::{After, Refs};
use super::model::{
    Channel, Environment, Migrations, Reactions, Rehearse, RollbackBy, SecretKey, Service, TagTemplate, Target,
};
use super::read::CHANNEL_LIMIT;
use super::section::{Checker, Keys, Named, Place, Section};
use super::{after_services, cloud, paths, values};
use jiff::tz::TimeZone;
use slipway_core::ids::{EnvironmentKey, EnvironmentName, ServiceName};
use slipway_core::migration::format;
use std::collections::BTreeMap;
use std::time::Duration;

/// Most environments of one service.
pub const ENVIRONMENT_LIMIT: usize = 20;
/// Most targets of one environment.
pub const TARGET_LIMIT: usize = 10;
/// Most config secrets of one environment.
pub const CONFIG_SECRET_LIMIT: usize = 20;
/// Most keys that must be there for one environment.
pub(super) const NEEDS_LIMIT: usize = 100;
/// Most services that one comes after.
pub(super) const SERVICES_BEFORE_LIMIT: usize = 20;
/// `vote_expiry` when it is not given.
pub const VOTE_EXPIRY_DEFAULT: Duration = Duration::from_secs(4 * 3_600);
/// `health_bake` when it is not given.
pub const HEALTH_BAKE_DEFAULT: Duration = Duration::from_secs(10);
/// Longest `health_bake`.
pub const HEALTH_BAKE_MAX: Duration = Duration::from_secs(3_600);
/// `when_expiry` when it is not given.
pub(super) const WHEN_EXPIRY_DEFAULT: Duration = Duration::from_secs(24 * 3_600);
/// Most commits that `auto_deploy_commits` can allow at once.
const AUTO_DEPLOY_COMMITS_MAX: u64 = 100;
const VOTE_EXPIRY_MIN: Duration = Duration::from_secs(60);
const VOTE_EXPIRY_MAX: Duration = Duration::from_secs(30 * 86_400);

const SERVICE_KEYS: Keys = &[
    ("repository", r#""acme/goals""#),
    ("workflow", r#""build.yaml""#),
    ("image", r#""123456789012.dkr.ecr.us-west-2.amazonaws.com/goals""#),
    ("tag", r#""{commit}""#),
    ("vote_expiry", r#""4h""#),
    ("migrations", r#"{ dir = "migrations", format = "goose" }"#),
    ("channels", r#"["slack:C024BE91L"]"#),
    ("announce", r#"["slack:C024BE91L"]"#),
    ("environment", ""),
    ("lint_pull_requests", "true"),
    ("when_expiry", r#""24h""#),
    ("after_services", r#"["api"]"#),
    ("paths", r#"["web/**", "shared/**"]"#),
];
const MIGRATIONS_KEYS: Keys = &[("dir", r#""migrations""#), ("format", r#""goose""#)];
const ENVIRONMENT_KEYS: Keys = &[
    ("timezone", r#""America/Los_Angeles""#),
    ("target", TARGET_EXAMPLE),
    ("targets", r#"[{ kind = "app-runner", service_arn = "arn:aws:apprunner:…" }]"#),
    ("database", r#"{ secret = "goals/staging", key = "DATABASE_URL" }"#),
    ("rehearse", r#"{ secret = "goals/rehearsal", key = "DATABASE_URL" }"#),
    ("config", r#"["goals/staging"]"#),
    ("health_url", r#""https://staging.goals.acme.dev/healthz""#),
    ("health_bake", r#""10s""#),
    ("auto_deploy", r#""main""#),
    ("after", r#""staging""#),
    ("reactions", r#""vote""#),
    ("needs", r#"["goals/staging:SMTP_HOST"]"#),
    ("rollback", r#""manual""#),
    ("promote", r#""latest""#),
    ("checks", r#"["build", "test"]"#),
    ("suggest", "false"),
    ("auto_promote", "true"),
    ("auto_deploy_commits", "20"),
];
const TARGET_EXAMPLE: &str = r#"{ kind = "app-runner", service_arn = "arn:aws:apprunner:…" }"#;
const TARGET_KEYS: Keys =
    &[("kind", r#""app-runner""#), ("service_arn", r#""arn:aws:apprunner:…""#), ("name", r#""goals""#)];
const SECRET_KEYS: Keys = &[("secret", r#""goals/staging""#), ("key", r#""DATABASE_URL""#)];
const REHEARSE_KEYS: Keys =
    &[("secret", r#""goals/rehearsal""#), ("key", r#""DATABASE_URL""#), ("same_server", "false")];
/// What the lint of migrations is called on GitHub, after `slipway/`.
pub const MIGRATIONS_CHECK: &str = "migrations";
const DRY: &str = "runs nothing: what is released to it is deployed nowhere";
const SAME_SERVER: &str =
    "migrations that nobody has approved yet run on the environment's own server: for laptops and tests";

#[cfg(test)]
pub(super) const ALL_KEYS: &[Keys] =
    &[SERVICE_KEYS, MIGRATIONS_KEYS, ENVIRONMENT_KEYS, TARGET_KEYS, SECRET_KEYS, REHEARSE_KEYS];

/// Reads one service; none when it has mistakes that leave nothing to build it from.
pub(super) fn service(c: &mut Checker<'_>, named: &Named<'_, '_>, refs: &mut Refs) -> Option<Service> {
    if let Err(wrong) = values::service_name(&named.name) {
        c.error(&named.place, wrong.message, wrong.mend);
    }
    let section = Section::open(c, named.value, named.place.clone(), SERVICE_KEYS)?;
    let repository = section.need(c, "repository", values::repository);
    let workflow = section.need(c, "workflow", values::workflow);
    let image = section.need(c, "image", cloud::image);
    let tag = section.read(c, "tag", cloud::tag).map_or_else(|| TagTemplate("{commit}".to_owned()), |(tag, _)| tag);
    let expiry = |text: &str| values::duration(text, VOTE_EXPIRY_MIN, VOTE_EXPIRY_MAX);
    let vote_expiry = section.read(c, "vote_expiry", expiry).map_or(VOTE_EXPIRY_DEFAULT, |(duration, _)| duration);
    let when_expiry = section.read(c, "when_expiry", expiry).map_or(WHEN_EXPIRY_DEFAULT, |(duration, _)| duration);
    let migrations = migrations(c, &section);
    let channels = channels(c, &section, "channels", refs);
    let announce = channels_of(c, &section, "announce", refs);
    if let Some((image, place)) = &image {
        refs.images.push((format!("{image}:{tag}"), place.clone()));
    }
    let after_services = after_services::read(c, &section, &named.name, &mut refs.befores);
    let name = ServiceName::new(named.name.clone());
    let environments = environments(c, &section, &name, refs);
    if environments.is_empty() && section.value("environment").is_none() && !section.is_misspelt("environment") {
        let mend = format!("add [{}.environment.staging]", section.place.path);
        c.absent(&section.place, "has no environment to release to", mend);
    }
    if migrations.is_some() {
        for environment in environments.values().filter(|environment| environment.database.is_none()) {
            let path = format!("{}.environment.{}", section.place.path, environment.key.environment);
            let place = Place { at: refs.place_of(&path).unwrap_or(section.place.at), path };
            let mend = "add database = { secret = …, key = … }";
            c.absent_warning(&place, "has no database, so the service's migrations do not run there", mend);
        }
    }
    let lint_pull_requests = lint_pull_requests(c, &section, &environments);
    let paths = paths::read(c, &section, migrations.as_ref());
    Some(Service {
        name,
        repository: repository?.0,
        workflow: workflow?.0,
        image: image?.0,
        tag,
        vote_expiry,
        migrations,
        channels,
        announce,
        environments,
        lint_pull_requests,
        when_expiry,
        after_services,
        paths,
    })
}

/// Whether pull requests are linted, where there is something to lint and a name for it on GitHub.
fn lint_pull_requests(
    c: &mut Checker<'_>,
    section: &Section<'_, '_>,
    environments: &BTreeMap<EnvironmentName, Environment>,
) -> bool {
    let wanted = section.flag(c, "lint_pull_requests").unwrap_or_default();
    let Some(place) = section.key_place("lint_pull_requests").filter(|_| wanted) else { return wanted };
    if section.value("migrations").is_none() && !section.is_misspelt("migrations") {
        c.absent(&place, "there are no migrations to lint", "add migrations = { dir = … }, or remove this");
    }
    if environments.keys().any(|name| name.as_str() == MIGRATIONS_CHECK) {
        let message = "an environment has the name that this has on GitHub, slipway/migrations";
        c.error(&place, message, "name the environment otherwise, or remove this");
    }
    wanted
}

fn migrations(c: &mut Checker<'_>, section: &Section<'_, '_>) -> Option<Migrations> {
    let table = section.table(c, "migrations", MIGRATIONS_KEYS)?;
    let dir = table.need(c, "dir", values::folder);
    let said = table.value("format").is_some();
    let format = table.read(c, "format", values::migration_format).map(|(format, _)| format);
    let format = if said { format? } else { format::AUTO };
    Some(Migrations { dir: dir?.0, format })
}

fn channels(c: &mut Checker<'_>, section: &Section<'_, '_>, key: &str, refs: &mut Refs) -> Vec<Channel> {
    let channels = channels_of(c, section, key, refs);
    if channels.is_empty() && section.value(key).is_none() && !section.is_misspelt(key) {
        c.absent_warning(&section.place, "has no channels, so nobody sees its releases", "add channels = [\"…\"]");
    }
    channels
}

fn channels_of(c: &mut Checker<'_>, section: &Section<'_, '_>, key: &str, refs: &mut Refs) -> Vec<Channel> {
    let listed = section.list(c, key, CHANNEL_LIMIT, values::channel);
    refs.channels.extend(listed.iter().cloned());
    listed.into_iter().map(|(channel, _)| channel).collect()
}

fn environments(
    c: &mut Checker<'_>,
    section: &Section<'_, '_>,
    service: &ServiceName,
    refs: &mut Refs,
) -> BTreeMap<EnvironmentName, Environment> {
    let named = section.named(c, "environment", ENVIRONMENT_LIMIT);
    if let (true, Some(place)) = (named.is_empty(), section.key_place("environment"))
        && section.value("environment").is_some_and(|(value, _)| value.get_ref().is_table())
    {
        c.error(&place, "has no environment in it", "add one, such as staging");
    }
    let names = named.iter().map(|environment| environment.name.clone()).collect();
    refs.environments.insert(service.as_str().to_owned(), names);
    let mut environments = BTreeMap::new();
    for named in named {
        if let Err(wrong) = values::name(&named.name) {
            c.error(&named.place, wrong.message, wrong.mend);
        }
        let key = EnvironmentKey { service: service.clone(), environment: EnvironmentName::new(named.name.clone()) };
        if let Some(environment) = environment(c, &named, key, refs) {
            refs.sections.push(named.place);
            environments.insert(environment.key.environment.clone(), environment);
        }
    }
    environments
}

fn environment(
    c: &mut Checker<'_>,
    named: &Named<'_, '_>,
    key: EnvironmentKey,
    refs: &mut Refs,
) -> Option<Environment> {
    let section = Section::open(c, named.value, named.place.clone(), ENVIRONMENT_KEYS)?;
    let timezone = section.read(c, "timezone", values::timezone).map_or(TimeZone::UTC, |(zone, _)| zone);
    let targets = targets(c, &section, refs);
    let database = secret_key(c, &section, "database");
    let rehearse = rehearse(c, &section);
    let config = section.list(c, "config", CONFIG_SECRET_LIMIT, cloud::secret_name);
    let needs = section.list(c, "needs", NEEDS_LIMIT, cloud::needed_key);
    let health_url = section.read(c, "health_url", values::url).map(|(url, _)| url);
    let bake = |text: &str| values::duration(text, Duration::ZERO, HEALTH_BAKE_MAX);
    let health_bake = section.read(c, "health_bake", bake);
    if let (Some((_, place)), None) = (&health_bake, section.value("health_url")) {
        c.absent_warning(place, "does nothing without health_url", "add health_url");
    }
    let auto_deploy = section.read(c, "auto_deploy", values::branch);
    let after = section.read(c, "after", values::name);
    let reactions = section.read(c, "reactions", |text| values::choice(text, &Reactions::ALL));
    let rollback = section.read(c, "rollback", |text| values::choice(text, &RollbackBy::ALL));
    if let (Some((RollbackBy::Automatic, place)), None) = (&rollback, section.value("health_url")) {
        c.absent_warning(place, "does nothing without health_url: nothing is verified", "add health_url");
    }
    let promote = section.read(c, "promote", cloud::promoted_tag);
    let checks = super::checks::read(c, &section);
    let suggest = section.flag(c, "suggest");
    let auto_promote = section.flag(c, "auto_promote").unwrap_or_default();
    for key in ["suggest", "auto_promote"] {
        if let (Some(place), None) = (section.key_place(key), section.value("after")) {
            c.absent_warning(&place, "does nothing without after", "add after = \"staging\"");
        }
    }
    let auto_deploy_commits = section.number(c, "auto_deploy_commits", 1..=AUTO_DEPLOY_COMMITS_MAX);
    if let (Some(place), None) = (section.key_place("auto_deploy_commits"), section.value("auto_deploy")) {
        c.absent_warning(&place, "does nothing without auto_deploy", "add auto_deploy = \"main\"");
    }
    refs.databases.extend(database.clone());
    refs.rehearsals.extend(rehearse.clone().map(|(rehearse, place)| (rehearse.server, place)));
    if let Some((after, place)) = &after {
        refs.afters.push(After {
            service: key.service.as_str().to_owned(),
            environment: named.name.clone(),
            after: after.clone(),
            place: place.clone(),
        });
    }
    Some(Environment {
        key,
        timezone,
        targets,
        database: database.map(|(database, _)| database),
        rehearse: rehearse.map(|(rehearse, _)| rehearse),
        config: config.into_iter().map(|(name, _)| name).collect(),
        health_url,
        health_bake: health_bake.map_or(HEALTH_BAKE_DEFAULT, |(duration, _)| duration),
        auto_deploy: auto_deploy.map(|(branch, _)| branch),
        after: after.map(|(after, _)| EnvironmentName::new(after)),
        reactions: reactions.map_or(Reactions::default(), |(reactions, _)| reactions),
        needs: needs.into_iter().map(|(needed, _)| needed).collect(),
        rollback: rollback.map_or(RollbackBy::default(), |(rollback, _)| rollback),
        promote: promote.map(|(tag, _)| tag),
        checks,
        suggest: suggest.unwrap_or(true),
        auto_promote,
        auto_deploy_commits,
    })
}

/// `target` is a list of one.
fn targets(c: &mut Checker<'_>, section: &Section<'_, '_>, refs: &mut Refs) -> Vec<Target> {
    let one = section.value("target");
    match (&one, section.key_place("targets")) {
        (Some(_), Some(place)) => {
            c.error(&place, "there is a target as well", "put that target into this list and remove target");
        }
        (None, None) if !section.is_misspelt("targets") => section.missing(c, "target"),
        _ => {}
    }
    let listed = section.items(c, "targets", TARGET_LIMIT);
    if let Some((value, place)) = section.value("targets")
        && value.get_ref().as_array().is_some_and(|items| items.is_empty())
    {
        c.error(&place, "is empty", format!("write targets = [{TARGET_EXAMPLE}]"));
    }
    let mut targets = Vec::new();
    for (value, place) in one.into_iter().chain(listed) {
        let Some(table) = Section::open(c, value, place, TARGET_KEYS) else { continue };
        let kind = table.need(c, "kind", |text| values::one_of(text, &["app-runner", "ecs-express", "dry"]));
        let Some((kind, place)) = kind else { continue };
        if let Some((target, id, place)) = target(c, &table, kind, &place) {
            refs.targets.push((id, place));
            targets.push(target);
        }
    }
    targets
}

/// A target of this kind, with what tells it from others and where that is written.
fn target(
    c: &mut Checker<'_>,
    table: &Section<'_, '_>,
    kind: &str,
    kind_place: &Place,
) -> Option<(Target, String, Place)> {
    let unneeded = if kind == "dry" { "service_arn" } else { "name" };
    if let Some(place) = table.key_place(unneeded) {
        c.error(&place, format!("is not used by a target of kind {kind}"), "remove it");
    }
    match kind {
        "ecs-express" => {
            let (service, place) = table.need(c, "service_arn", cloud::ecs_express_service)?;
            Some((Target::EcsExpress(service.clone()), service.arn, place))
        }
        "dry" => {
            c.note(kind_place, DRY);
            let (name, place) = table.need(c, "name", values::name)?;
            Some((Target::Dry(name.clone()), format!("dry {name}"), place))
        }
        _ => {
            let (service, place) = table.need(c, "service_arn", cloud::app_runner_service)?;
            Some((Target::AppRunner(service.clone()), service.arn, place))
        }
    }
}

fn rehearse(c: &mut Checker<'_>, section: &Section<'_, '_>) -> Option<(Rehearse, Place)> {
    let table = section.table(c, "rehearse", REHEARSE_KEYS)?;
    let secret = table.need(c, "secret", cloud::secret_name);
    let name = table.need(c, "key", cloud::secret_key);
    let same_server = table.flag(c, "same_server").unwrap_or_default();
    if same_server && let Some(place) = table.key_place("same_server") {
        c.note(&place, SAME_SERVER);
    }
    let place = table.place;
    Some((Rehearse { server: SecretKey { secret: secret?.0, key: name?.0 }, same_server }, place))
}

fn secret_key(c: &mut Checker<'_>, section: &Section<'_, '_>, key: &str) -> Option<(SecretKey, Place)> {
    let table = section.table(c, key, SECRET_KEYS)?;
    let secret = table.need(c, "secret", cloud::secret_name);
    let name = table.need(c, "key", cloud::secret_key);
    let place = table.place;
    Some((SecretKey { secret: secret?.0, key: name?.0 }, place))
}
