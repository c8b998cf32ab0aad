//! Setting the application up: what is registered, and what is checked.

use super::{RELEASES, Server};
use slipway_deploy::discord::{Discord, EMBED_LINKS, SEND_MESSAGES};
use slipway_sandbox::discord::{Fault, FaultKind};
use slipway_sandbox::world::ChatOption;

const APPLICATION: &str = "110000000000000001";
const GUILD: &str = "410000000000000001";

/// What a command says, and whether all is well.
fn run(there: &Server, arguments: &[&str]) -> (bool, String) {
    let done = there.world.bot.run(arguments).unwrap();
    let said = [done.stdout, done.stderr].concat();
    (done.status.success(), String::from_utf8_lossy(&said).into_owned())
}

fn check(there: &Server) -> (bool, String) {
    run(there, &["check"])
}

fn line<'a>(said: &'a str, words: &str) -> &'a str {
    said.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("\"{words}\" is missing:\n{said}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_registered_twice_is_registered_once() {
    let there = Server::gateway().await;
    let register = |more: &[&str]| run(&there, &[&["discord", "register"], more].concat());
    let nothing = format!("Nothing to change: the commands in the server {GUILD} are as they should be.\n");
    assert_eq!(register(&[]), (true, nothing.clone()));
    // Somebody has changed one, taken one away, and left one behind.
    let discord = Discord::new(&there.discord.api_url, &"sandbox-discord-token".into()).unwrap();
    let mut commands = discord.commands(APPLICATION, Some(GUILD)).await.unwrap();
    let ours = there.discord.commands(Some(GUILD));
    let named = |name: &str| ours.iter().any(|command| command["name"] == name);
    assert!(["deploy", "rollback", "release"].into_iter().all(named), "{ours:?}");
    commands.retain(|command| command["name"] != "rollback");
    for command in &mut commands {
        for own in ["id", "application_id", "guild_id", "version"] {
            command.as_object_mut().unwrap().remove(own);
        }
        if command["name"] == "deploy" {
            command["description"] = "bring it there".into();
        }
        if command["name"] == "migrate" {
            command["name"] = "ship".into();
        }
    }
    discord.put_commands(APPLICATION, Some(GUILD), &commands).await.unwrap();
    let differences = "~ /deploy  description\n+ /rollback\n+ /migrate\n- /ship\n";
    let would = format!("{differences}4 commands in the server {GUILD} would be changed; nothing was done.\n");
    assert_eq!(register(&["--dry-run"]), (true, would));
    let (well, said) = check(&there);
    assert!(!well && line(&said, "Discord commands").starts_with("FAIL"), "{said}");
    let done = format!("{differences}4 commands in the server {GUILD} changed.\n");
    assert_eq!(register(&[]), (true, done));
    assert_eq!(register(&[]), (true, nothing));
    // Those of everywhere are others.
    let (well, said) = register(&["--global", "--dry-run"]);
    assert!(well && said.contains("+ /deploy") && said.contains("everywhere would be changed"), "{said}");
    let (well, said) = register(&["--remove"]);
    assert!(well && said.contains("- /deploy"), "{said}");
    assert_eq!(there.discord.commands(Some(GUILD)), [serde_json::Value::Null; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_change_is_said_also_where_it_cannot_be_changed() {
    let there = Server::gateway().await;
    assert!(run(&there, &["discord", "register", "--remove"]).0);
    let put = "PUT /applications/{application}/guilds/{guild}/commands";
    there.discord.inject(Fault::once(put, FaultKind::Status(503)));
    let (well, said) = run(&there, &["discord", "register"]);
    assert!(!well && said.starts_with("+ /deploy\n+ /rollback\n"), "{said}");
    assert!(said.contains("trouble of its own (503)") && said.contains("it says first what still differs"), "{said}");
    assert!(!said.contains("changed."), "{said}");
    assert!(run(&there, &["discord", "register"]).1.ends_with("changed.\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_finds_what_the_application_lacks() {
    let there = Server::gateway().await;
    let (well, said) = check(&there);
    assert!(well, "{said}");
    for (part, words) in [
        ("Discord interactions", "come over the gateway"),
        ("Discord commands", "are registered in the server"),
        ("discord:310000000000000001", "#releases: the application may do there what it has to"),
        ("discord:310000000000000002", "#announcements"),
    ] {
        let line = line(&said, part);
        assert!(line.starts_with("ok") && line.contains(words), "{line}");
    }
    there.discord.deny(RELEASES, SEND_MESSAGES);
    let (well, said) = check(&there);
    assert!(!well, "{said}");
    let missing = line(&said, "discord:310000000000000001");
    assert!(missing.starts_with("FAIL") && missing.contains("lacks Send Messages"), "{missing}");
    assert!(line(&said, "discord:310000000000000002").starts_with("ok"), "{said}");
    there.discord.deny(RELEASES, 0);
    there.discord.set_bot_permissions(!EMBED_LINKS & SEND_MESSAGES);
    let (well, said) = check(&there);
    assert!(!well && line(&said, "discord:310000000000000002").contains("Embed Links"), "{said}");
    there.discord.revoke_token();
    let (well, said) = check(&there);
    assert!(!well && said.contains("DISCORD_TOKEN"), "{said}");
    assert!(!said.contains("sandbox-discord-token"), "no token is shown: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_looks_at_the_only_server_where_the_file_names_none() {
    let mut there = Server::gateway().await;
    there.configured(|text| text.replace(&format!("guild_id = \"{GUILD}\"\n"), "")).await;
    let (_, said) = check(&there);
    assert!(line(&said, "Discord server").contains("the file names none"), "{said}");
    let channel = |said: &str| line(said, "discord:310000000000000001").to_owned();
    assert!(channel(&said).contains("the application may do there what it has to"), "{said}");
    there.discord.deny(RELEASES, SEND_MESSAGES);
    let (well, said) = check(&there);
    assert!(!well && channel(&said).contains("lacks Send Messages"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_compares_where_interactions_are_sent() {
    let mut there = Server::new(ChatOption::DiscordHttp).await;
    let (well, said) = check(&there);
    assert!(well, "{said}");
    let ours = format!("are sent to {}/discord/interactions", there.world.url);
    assert!(line(&said, "Discord interactions").contains(&ours), "{said}");
    assert!(line(&said, "Discord public key").starts_with("ok"), "{said}");
    there.world.bot.set("DISCORD_PUBLIC_KEY", &"0".repeat(64));
    there.discord.deliver_to("https://old.example/discord?key=hunter2");
    let (well, said) = check(&there);
    assert!(!well);
    for part in ["Discord interactions", "Discord public key"] {
        assert!(line(&said, part).starts_with("FAIL"), "{said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
    there.discord.deliver_over_gateway();
    let (_, said) = check(&there);
    assert!(line(&said, "Discord interactions").contains("are sent nowhere"), "{said}");
}
