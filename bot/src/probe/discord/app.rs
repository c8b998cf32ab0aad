//! Whose token it is, what the application may hear, and where Discord sends what is typed.

use super::super::ProbeResult;
use super::{NEEDED, Row};
use crate::config::{self, Config, DiscordMode};
use secrecy::{ExposeSecret as _, SecretString};
use slipway_core::membership::Source;
use slipway_deploy::discord::{Application, Me};
use slipway_deploy::redact::excerpt;

/// The flags of an application that may read who is in a server: of a large one, and of a small one.
const SERVER_MEMBERS: u64 = 1 << 14 | 1 << 15;
/// How much of an address that Discord has on record is shown.
const SHOWN_LIMIT_CHARS: usize = 120;
/// How many servers are named.
const NAMED_LIMIT: usize = 10;
/// Where Discord has to send interactions.
const PATH: &str = "/discord/interactions";

/// The application and its bot, and whether the file says the same.
pub(super) fn identity(section: &config::Discord, application: &Application, me: &Me) -> Vec<Row> {
    let Application { id, name, .. } = application;
    let says = format!("application {name} ({id}), bot {} ({})", me.username, me.id);
    let mut rows = vec![("Discord".to_owned(), ProbeResult::ok(says))];
    if section.application_id != *id {
        let says = format!("the file says {}, and the token is for {id}", section.application_id);
        let mend = format!(
            "write application_id = \"{id}\" under [discord], or set the token of the application {}",
            section.application_id
        );
        rows.push(("discord.application_id".to_owned(), ProbeResult::fail(says, mend)));
    }
    rows
}

/// Whether deliveries are checked with the application's key, where there are any.
pub(super) fn public_key(
    section: &config::Discord,
    key: Option<&SecretString>,
    application: &Application,
) -> Option<Row> {
    let key = key.filter(|_| section.mode == DiscordMode::Http)?;
    let answer = if key.expose_secret().eq_ignore_ascii_case(&application.verify_key) {
        ProbeResult::ok("is the application's")
    } else {
        let mend = "set DISCORD_PUBLIC_KEY to the Public Key under General Information of the application";
        ProbeResult::fail("is another application's: every delivery would be refused", mend)
    };
    Some(("Discord public key".to_owned(), answer))
}

/// Whether the one intent that has to be switched on is, where something needs it.
pub(super) fn intents(config: &Config, application: &Application) -> Row {
    let by_role = config
        .team_sources
        .iter()
        .find(|(_, sources)| sources.iter().any(|source| matches!(source, Source::DiscordRole { .. })));
    let answer = match (by_role, application.flags & SERVER_MEMBERS != 0) {
        (None, _) => ProbeResult::ok("none that has to be switched on"),
        (Some(_), true) => ProbeResult::ok("Server Members Intent is on"),
        (Some((team, _)), false) => ProbeResult::fail(
            format!("Server Members Intent is off: who has the role of [team.{team}] cannot be read"),
            "switch it on (Developer Portal, Bot, Privileged Gateway Intents)",
        ),
    };
    ("Discord intents".to_owned(), answer)
}

/// Whether what is typed and pressed goes where Slipway listens.
pub(super) fn interactions(config: &Config, section: &config::Discord, application: &Application) -> Row {
    const PLACE: &str = "as Interactions Endpoint URL under General Information of the application";
    let there = application.interactions_endpoint_url.as_deref().filter(|url| !url.is_empty());
    let ours = config.server.public_url.as_deref().map(|base| format!("{base}{PATH}"));
    // Of an address nothing is shown after the path: it may be a secret.
    let shown = |url: &str| excerpt(url.split(['?', '#']).next().unwrap_or_default(), SHOWN_LIMIT_CHARS);
    let answer = match (section.mode, there, ours) {
        (DiscordMode::Gateway, None, _) => ProbeResult::ok("come over the gateway"),
        (DiscordMode::Gateway, Some(there), _) => ProbeResult::fail(
            format!("are sent to {}, so none comes over the gateway", shown(there)),
            format!("remove what stands {PLACE}, or write mode = \"http\" under [discord]"),
        ),
        (DiscordMode::Http, _, None) => {
            let says = "are sent to an address that the file does not name, so it is not compared";
            ProbeResult { ok: true, says: says.to_owned(), mend: "add public_url under [server]".to_owned() }
        }
        (DiscordMode::Http, Some(there), Some(ours)) if there == ours => ProbeResult::ok(format!("are sent to {ours}")),
        (DiscordMode::Http, there, Some(ours)) => ProbeResult::fail(
            match there {
                Some(there) => format!("are sent to {} and not to {ours}", shown(there)),
                None => format!("are sent nowhere, and not to {ours}"),
            },
            format!("write {ours} {PLACE}, while Slipway runs"),
        ),
    };
    ("Discord interactions".to_owned(), answer)
}

/// The servers that the application is in, where the file names none.
pub(super) fn servers(servers: Result<Vec<(String, String)>, ProbeResult>) -> Row {
    let answer = match servers {
        Err(failed) => failed,
        Ok(servers) => {
            let named: Vec<_> = servers.iter().take(NAMED_LIMIT).map(|(id, name)| format!("{name} ({id})")).collect();
            let more = if servers.len() > NAMED_LIMIT { ", …" } else { "" };
            let says = match named.is_empty() {
                true => "the application is in none".to_owned(),
                false => format!("the file names none; the application is in {}{more}", named.join(", ")),
            };
            ProbeResult { ok: true, says, mend: "write guild_id = \"…\" under [discord]".to_owned() }
        }
    };
    ("Discord server".to_owned(), answer)
}

/// A server that does not tell about itself is one that the application is not in, most likely.
pub(super) fn not_in(application: &str, failed: ProbeResult) -> ProbeResult {
    let permissions = NEEDED.iter().fold(0, |all, (bit, _, _)| all | bit);
    let mend = format!(
        "open https://discord.com/oauth2/authorize?client_id={application}&scope=bot+applications.commands&permissions=\
         {permissions} and add it to the server; or compare guild_id"
    );
    ProbeResult { mend: if failed.mend.is_empty() { mend } else { failed.mend }, ..failed }
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::*;
    use expect_test::expect;
    use std::path::Path;

    const KEY: &str = "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29";

    fn config(more: &str) -> Config {
        let file = format!(
            "[store]\nurl = \"sqlite://x.db\"\n[server]\npublic_url = \"https://a.dev\"\n[discord]\n\
             application_id = \"845027738276462632\"\nguild_id = \"290926798626357999\"\n{more}"
        );
        Config::check(file.as_bytes(), Path::new("slipway.toml")).unwrap().0
    }

    fn application() -> Application {
        Application {
            id: "845027738276462632".into(),
            name: "Slipway".into(),
            flags: 0,
            verify_key: KEY.into(),
            interactions_endpoint_url: None,
        }
    }

    #[test]
    fn who_it_is_is_said_and_what_the_file_says_otherwise() {
        let me = Me { id: "845027738276462633".into(), username: "slipway".into() };
        let section = config("").discord.unwrap();
        let other = Application { id: "1".repeat(18), ..application() };
        let rows = [identity(&section, &application(), &me), identity(&section, &other, &me)].concat();
        expect![[r#"
            ok    Discord  application Slipway (845027738276462632), bot slipway (845027738276462633)
            ok    Discord  application Slipway (111111111111111111), bot slipway (845027738276462633)
            FAIL  discord.application_id  the file says 845027738276462632, and the token is for 111111111111111111
                  → write application_id = "111111111111111111" under [discord], or set the token of the application 845027738276462632"#]].assert_eq(&shown(&rows));
    }

    #[test]
    fn the_key_matters_where_deliveries_are_checked_with_it() {
        let (http, gateway) = (config("mode = \"http\"").discord.unwrap(), config("").discord.unwrap());
        let (right, wrong) = (KEY.to_uppercase().into(), "0".repeat(64).into());
        assert_eq!(public_key(&gateway, Some(&wrong), &application()), None);
        assert_eq!(public_key(&http, None, &application()), None, "that it is missing is said elsewhere");
        let rows = [&right, &wrong].map(|key| public_key(&http, Some(key), &application()).unwrap());
        expect![[r#"
            ok    Discord public key  is the application's
            FAIL  Discord public key  is another application's: every delivery would be refused
                  → set DISCORD_PUBLIC_KEY to the Public Key under General Information of the application"#]]
        .assert_eq(&shown(&rows));
    }

    #[test]
    fn the_members_intent_is_needed_for_roles_alone() {
        let by_role = config("[team.release]\ndiscord = \"290926798626358777\"");
        let on = Application { flags: 1 << 15, ..application() };
        let rows = [(&config(""), application()), (&by_role, application()), (&by_role, on)];
        let rows = rows.map(|(config, application)| intents(config, &application));
        expect![[r#"
            ok    Discord intents  none that has to be switched on
            FAIL  Discord intents  Server Members Intent is off: who has the role of [team.release] cannot be read
                  → switch it on (Developer Portal, Bot, Privileged Gateway Intents)
            ok    Discord intents  Server Members Intent is on"#]]
        .assert_eq(&shown(&rows));
    }

    #[test]
    fn where_interactions_go_is_compared() {
        let (gateway, http) = (config(""), config("mode = \"http\""));
        let said = |config: &Config, url: Option<&str>| {
            let application = Application { interactions_endpoint_url: url.map(str::to_owned), ..application() };
            interactions(config, config.discord.as_ref().unwrap(), &application)
        };
        let rows = [
            said(&gateway, None),
            said(&gateway, Some("https://old.dev/discord?key=hunter2")),
            said(&http, None),
            said(&http, Some("https://old.dev/discord?key=hunter2")),
            said(&http, Some("https://a.dev/discord/interactions")),
        ];
        let said = shown(&rows);
        assert!(!said.contains("hunter2"), "{said}");
        expect![[r#"
            ok    Discord interactions  come over the gateway
            FAIL  Discord interactions  are sent to https://old.dev/discord, so none comes over the gateway
                  → remove what stands as Interactions Endpoint URL under General Information of the application, or write mode = "http" under [discord]
            FAIL  Discord interactions  are sent nowhere, and not to https://a.dev/discord/interactions
                  → write https://a.dev/discord/interactions as Interactions Endpoint URL under General Information of the application, while Slipway runs
            FAIL  Discord interactions  are sent to https://old.dev/discord and not to https://a.dev/discord/interactions
                  → write https://a.dev/discord/interactions as Interactions Endpoint URL under General Information of the application, while Slipway runs
            ok    Discord interactions  are sent to https://a.dev/discord/interactions"#]].assert_eq(&said);
    }

    #[test]
    fn a_server_that_is_not_named_or_not_there_comes_with_the_way_to_it() {
        let two = vec![("290926798626357999".to_owned(), "Acme".to_owned()), ("1".to_owned(), "Test".to_owned())];
        let failed = || ProbeResult::fail("Discord shows Slipway nothing of it.", "");
        let rows = [
            servers(Ok(vec![])),
            servers(Ok(two)),
            servers(Err(failed())),
            ("Discord server".to_owned(), not_in("845027738276462632", failed())),
        ];
        expect![[r#"
            warn  Discord server  the application is in none
                  → write guild_id = "…" under [discord]
            warn  Discord server  the file names none; the application is in Acme (290926798626357999), Test (1)
                  → write guild_id = "…" under [discord]
            FAIL  Discord server  Discord shows Slipway nothing of it.
            FAIL  Discord server  Discord shows Slipway nothing of it.
                  → open https://discord.com/oauth2/authorize?client_id=845027738276462632&scope=bot+applications.commands&permissions=309237730304 and add it to the server; or compare guild_id"#]].assert_eq(&shown(&rows));
    }
}
