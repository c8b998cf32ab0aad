//! `slipway discord register`.

use super::Refused;
use crate::assemble;
use clap::Args;
use slipway_deploy::discord::{Change, CommandChange, Discord, DiscordError, changes, registration};
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

/// How many differences of one command are named.
const NAMED_LIMIT: usize = 8;

/// Arguments of `slipway discord register`.
#[derive(Debug, Args)]
pub struct RegisterArgs {
    /// In this server; without it in the one that guild_id in the configuration names
    #[arg(long, value_name = "ID", conflicts_with = "global")]
    pub guild: Option<String>,
    /// In every server that the application is in
    #[arg(long)]
    pub global: bool,
    /// Take all commands of the application away there instead
    #[arg(long)]
    pub remove: bool,
    /// Only say what would change
    #[arg(long)]
    pub dry_run: bool,
}

pub(super) async fn run(args: &RegisterArgs, path: &Path) -> Result<(), Refused> {
    let (config, secrets) = crate::cli::load_with_secrets(path)?;
    let refused = |sentence: &str| Refused(sentence.to_owned());
    let section = config.discord.as_ref().ok_or_else(|| {
        refused("The configuration has no section [discord]. Add it, with the application's id (docs/discord.md).")
    })?;
    let client = assemble::discord(&config, &secrets).map_err(|error| Refused(error.to_string()))?;
    let client = client.ok_or_else(|| {
        refused("DISCORD_TOKEN is not set. Set it to the token of the application's bot (Developer Portal, Bot).")
    })?;
    let guild = place(args, section.guild_id.as_deref())?;
    register(&client, &section.application_id, guild, args, &mut std::io::stdout()).await
}

/// The server that is meant; none: all of them.
fn place<'a>(args: &'a RegisterArgs, configured: Option<&'a str>) -> Result<Option<&'a str>, Refused> {
    if args.global {
        return Ok(None);
    }
    let guild = args.guild.as_deref().or(configured);
    let nowhere = "Where? Write guild_id under [discord], or say --guild ID or --global. Nothing was done.";
    guild.map(Some).ok_or_else(|| Refused(nowhere.to_owned()))
}

/// Says what differs before it changes anything, so that it stands there too when that fails, and then what came of it.
async fn register(
    client: &Discord,
    application: &str,
    guild: Option<&str>,
    args: &RegisterArgs,
    said: &mut impl Write,
) -> Result<(), Refused> {
    let failed = |error: DiscordError| Refused(error.to_string());
    let theirs = client.application().await.map_err(failed)?.id;
    if theirs != application {
        let sentence = format!(
            "DISCORD_TOKEN is for the application {theirs}, and the configuration says {application}. Nothing was done."
        );
        return Err(Refused(sentence));
    }
    let ours = if args.remove { vec![] } else { registration(guild.is_none()) };
    let changed = changes(&ours, &client.commands(application, guild).await.map_err(failed)?);
    say(said, &differences(&changed));
    let is_done = !changed.is_empty() && !args.dry_run;
    if is_done {
        client.put_commands(application, guild, &ours).await.map_err(not_known_to_be_done)?;
    }
    say(said, &outcome(guild, changed.len(), is_done));
    Ok(())
}

/// An answer that was lost says nothing of whether it was done, and a second registration changes nothing then.
fn not_known_to_be_done(error: DiscordError) -> Refused {
    Refused(format!("{error} Run this again: it says first what still differs."))
}

/// Whoever does not listen any more needs no error.
fn say(said: &mut impl Write, text: &str) {
    let _ = said.write_all(text.as_bytes()).and_then(|()| said.flush());
}

fn differences(changed: &[CommandChange]) -> String {
    let mut text = String::new();
    for CommandChange { name, how } in changed {
        let _ = match how {
            Change::Added => writeln!(text, "+ /{name}"),
            Change::Removed => writeln!(text, "- /{name}"),
            Change::Changed(parts) => {
                let named = parts[..parts.len().min(NAMED_LIMIT)].join("; ");
                let more = if parts.len() > NAMED_LIMIT { "; …" } else { "" };
                writeln!(text, "~ /{name}  {named}{more}")
            }
        };
    }
    text
}

fn outcome(guild: Option<&str>, changed: usize, is_done: bool) -> String {
    let place = guild.map_or("everywhere".to_owned(), |guild| format!("in the server {guild}"));
    let count = match changed {
        0 => return format!("Nothing to change: the commands {place} are as they should be.\n"),
        1 => "1 command".to_owned(),
        n => format!("{n} commands"),
    };
    let end = if is_done { "changed" } else { "would be changed; nothing was done" };
    format!("{count} {place} {end}.\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::discord::{DiscordArgs, DiscordCommand};
    use crate::cli::{Cli, Command};
    use axum::extract::State;
    use axum::{Json, Router, routing};
    use expect_test::expect;
    use serde_json::{Value, json};
    use std::sync::{Arc, Mutex};

    const APPLICATION: &str = "845027738276462632";
    const GUILD: &str = "290926798626357999";

    /// A Discord that keeps one server's commands; how often they were put.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<(Vec<Value>, usize)>>);

    async fn put(State(kept): State<Kept>, Json(commands): Json<Vec<Value>>) -> Json<Vec<Value>> {
        let mut kept = kept.0.lock().unwrap();
        *kept = (commands.clone(), kept.1 + 1);
        Json(commands)
    }

    /// What is said, and how it ends.
    async fn run(client: &Discord, application: &str, line: &str) -> (String, Result<(), Refused>) {
        let mut said = Vec::new();
        let ended = register(client, application, Some(GUILD), &args(line), &mut said).await;
        (String::from_utf8(said).unwrap(), ended)
    }

    async fn discord(kept: Kept) -> Discord {
        let application = json!({ "id": APPLICATION, "name": "Slipway", "verify_key": "0".repeat(64), "flags": 0 });
        let list = async |State(kept): State<Kept>| Json(kept.0.lock().unwrap().0.clone());
        let commands = format!("/api/v10/applications/{APPLICATION}/guilds/{GUILD}/commands");
        let router = Router::new()
            .route("/api/v10/applications/@me", routing::get(async move || Json(application)))
            .route(&commands, routing::get(list).put(put))
            .with_state(kept);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Discord::new(&format!("http://{address}"), &"token".to_owned().into()).unwrap()
    }

    #[tokio::test]
    async fn doing_it_again_changes_nothing() {
        let kept = Kept::default();
        let client = discord(kept.clone()).await;
        let register = async |line: &str| {
            let (said, ended) = run(&client, APPLICATION, line).await;
            ended.unwrap();
            said
        };
        let puts = || kept.0.lock().unwrap().1;
        let tried = register("slipway discord register --dry-run").await;
        assert!(tried.starts_with("+ /deploy\n") && tried.ends_with("nothing was done.\n"), "{tried}");
        assert_eq!(puts(), 0);
        assert!(register("slipway discord register").await.ends_with("changed.\n"));
        assert_eq!(kept.0.lock().unwrap().0, registration(false));
        assert!(register("slipway discord register").await.starts_with("Nothing to change"));
        assert_eq!(puts(), 1);
        assert!(register("slipway discord register --remove").await.starts_with("- /deploy\n"));
        assert!(kept.0.lock().unwrap().0.is_empty());
    }

    #[tokio::test]
    async fn another_applications_commands_are_left_alone() {
        let client = discord(Kept::default()).await;
        let (said, ended) = run(&client, GUILD, "slipway discord register").await;
        let refused = ended.unwrap_err();
        assert!(refused.0.contains(APPLICATION) && refused.0.ends_with("Nothing was done."), "{refused}");
        assert_eq!(said, "");
    }

    fn args(line: &str) -> RegisterArgs {
        match Cli::from_words(line.split(' ')).unwrap().command {
            Command::Discord(DiscordArgs { command: DiscordCommand::Register(args) }) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn where_is_said_or_configured() {
        let configured = Some("290926798626357999");
        let named = args("slipway discord register --guild 1032011029");
        assert_eq!(place(&named, configured).unwrap(), Some("1032011029"));
        assert_eq!(place(&args("slipway discord register"), configured).unwrap(), configured);
        assert_eq!(place(&args("slipway discord register --global"), configured).unwrap(), None);
        let refused = place(&args("slipway discord register"), None).unwrap_err().to_string();
        assert!(refused.contains("--global") && refused.contains("Nothing was done"), "{refused}");
        assert!(Cli::from_words("slipway discord register --guild 1 --global".split(' ')).is_err());
    }

    #[test]
    fn what_changes_is_said() {
        let change = |name: &str, how| CommandChange { name: name.to_owned(), how };
        let parts = |count: usize| (0..count).map(|n| format!("option{n} is missing")).collect::<Vec<_>>();
        let changed = [
            change("deploy", Change::Added),
            change("rollback", Change::Changed(parts(2))),
            change("release", Change::Changed(parts(NAMED_LIMIT + 1))),
            change("ship", Change::Removed),
        ];
        let guild = Some("290926798626357999");
        let text = |guild, changed: &[_], is_done| differences(changed) + &outcome(guild, changed.len(), is_done);
        let said = [text(guild, &changed, true), text(None, &changed[..1], false), text(guild, &[], false)];
        expect![[r#"
            + /deploy
            ~ /rollback  option0 is missing; option1 is missing
            ~ /release  option0 is missing; option1 is missing; option2 is missing; option3 is missing; option4 is missing; option5 is missing; option6 is missing; option7 is missing; …
            - /ship
            4 commands in the server 290926798626357999 changed.

            + /deploy
            1 command everywhere would be changed; nothing was done.

            Nothing to change: the commands in the server 290926798626357999 are as they should be.
        "#]].assert_eq(&said.join("\n"));
    }
}
