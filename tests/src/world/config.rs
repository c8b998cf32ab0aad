//! The configuration of the sandbox's bot, as a file that a person could have written.

use super::Teams;
use super::build::{Pace, RELEASE_MANAGERS};
use super::chats::Chats;
use super::promotion::Promotion;

/// How long production has to go on being healthy, and so has staging where somebody watches.
const HEALTH_BAKE: &str = "health_bake = \"1s\"\n";
/// Staging in a fast world, of whose releases most worlds have one before anything else happens.
const NO_HEALTH_BAKE: &str = "health_bake = \"0s\"\n";

/// What the file is made from.
pub(super) struct Values<'a> {
    pub(super) service: &'a str,
    pub(super) listen: &'a str,
    pub(super) store: &'a str,
    pub(super) github_url: &'a str,
    pub(super) repository: &'a str,
    pub(super) image: &'a str,
    pub(super) migrations: Option<&'a str>,
    pub(super) pace: Pace,
    pub(super) staging_health: &'a str,
    pub(super) production_health: &'a str,
    /// Whether migrations are rehearsed, on the server that has the databases.
    pub(super) rehearse: bool,
    pub(super) teams: Teams,
    pub(super) chats: Chats<'a>,
    /// The lines that say what runs the images.
    pub(super) staging_target: &'a str,
    pub(super) production_target: &'a str,
    /// Whether what cannot be verified is rolled back.
    pub(super) rolls_back: bool,
    /// How production follows staging.
    pub(super) promotion: Promotion,
    /// Whether staging follows main.
    pub(super) auto_deploy: bool,
}

/// The file's text.
pub(super) fn text(values: &Values<'_>) -> String {
    let Values { service, listen, store, github_url, repository, image, migrations, teams, chats, .. } = values;
    let (pace, section) = match teams {
        Teams::InFile => ("", String::new()),
        Teams::OnGithub => {
            ("membership_ms = 1000\n", format!("\n[team.release]\ngithub = {}\n", quoted(RELEASE_MANAGERS)))
        }
    };
    let migrations = migrations
        .map_or(String::new(), |dir| format!("migrations = {{ dir = {}, format = \"goose\" }}\n", quoted(dir)));
    // How long an image may take is in whole seconds of the clock: of one nothing may be left.
    let mut text = format!(
        "[server]\nlisten = {}\npublic_url = {}\n\n[store]\nurl = {}\n\n[github]\napi_url = {}\n\n\
         # Everything outside is a stand-in that answers at once.\n[pace]\npoll_ms = 100\n\
         image_grace_s = 2\nhealthy_limit_s = 3\nlag_limit_s = 1\nconfig_ms = 1000\n{pace}\n{}\n\
         [policies]\ndir = \"policies\"\n\n\
         [service.{service}]\nrepository = {}\nworkflow = \"build.yaml\"\nimage = {}\n\
         channels = [{}]\nannounce = [{}]\n{migrations}",
        quoted(listen),
        quoted(&format!("http://{listen}")),
        quoted(store),
        quoted(github_url),
        chats.sections(),
        quoted(repository),
        quoted(image),
        chats.channels(),
        chats.announce(),
    );
    text.push_str(&environment(
        service,
        "staging",
        values.staging_target,
        &health(values, values.staging_health, if values.pace == Pace::Fast { NO_HEALTH_BAKE } else { HEALTH_BAKE }),
        None,
        values.rehearse,
    ));
    text.push_str(&environment(
        service,
        "production",
        values.production_target,
        &health(values, values.production_health, HEALTH_BAKE),
        Some("staging"),
        values.rehearse,
    ));
    let after = "after = \"staging\"\n";
    text = text.replace(after, &format!("{after}{}", values.promotion.lines()));
    if values.auto_deploy {
        let staging = ".environment.staging]\n";
        text = text.replacen(staging, &format!("{staging}auto_deploy = \"main\"\n"), 1);
    }
    text.push_str(&section);
    for (person, of) in [
        ("ana", "\"developers\", \"release\""),
        ("bob", "\"developers\", \"release\""),
        ("chen", "\"developers\", \"release\", \"sre\""),
        ("dora", "\"dba\""),
        ("eve", "\"developers\""),
    ] {
        let of = match teams {
            Teams::InFile => of.to_owned(),
            Teams::OnGithub => of.replace(", \"release\"", ""),
        };
        text.push_str(&format!(
            "\n[person.{person}]\n{}\ngithub = \"{person}-dev\"\nteams = [{of}]\n",
            chats.accounts(person)
        ));
    }
    text
}

/// How an environment is verified, and what follows when it cannot be.
fn health(values: &Values<'_>, url: &str, bake: &str) -> String {
    // A dry target has no address.
    if url.is_empty() {
        return String::new();
    }
    let rollback = if values.rolls_back { "rollback = \"automatic\"\n" } else { "" };
    format!("health_url = {}\n{bake}{rollback}", quoted(url))
}

fn environment(service: &str, name: &str, target: &str, health: &str, after: Option<&str>, rehearse: bool) -> String {
    let after = after.map_or(String::new(), |after| format!("after = {}\n", quoted(after)));
    let rehearse = if rehearse {
        format!("rehearse = {{ secret = \"{service}/rehearsal\", key = \"DATABASE_URL\", same_server = true }}\n")
    } else {
        String::new()
    };
    format!(
        "\n[service.{service}.environment.{name}]\n{after}{target}\n\
         database = {{ secret = \"{service}/{name}\", key = \"GOOSE_DBSTRING\" }}\n{rehearse}config = [\"{service}/{name}\"]\n{health}",
    )
}

/// A TOML basic string.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
