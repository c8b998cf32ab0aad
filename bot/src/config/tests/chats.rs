//! Chats, people, and the sections at the top.

use super::{PERSON, STORE, changed, says};
use expect_test::expect;

#[test]
fn the_server() {
    says(
        &[
            changed("[store]", "[server]\nlisten = \"localhost:9000\"\n[store]"),
            changed("[store]", "[server]\nlisten = 8080\nfact_age_max_s = 0\nack_budget_ms = \"2s\"\n[store]"),
            changed("[store]", "[server]\nlisten = \"0.0.0.0:8080\"\n[store]"),
            changed("[store]", "[server]\npublic_url = \"slipway.acme.dev\"\n[store]"),
            changed("[store]", "[server]\npublic_url = \"https://slipway.acme.dev:99999\"\n[store]"),
            changed("[store]", "[server]\npublic_url = \"https://slipway.acme.dev/?a=b\"\n[store]"),
        ],
        &expect![[r#"
            slipway.toml:2:10  error  server.listen  "localhost:9000" is no address with a port  → write "127.0.0.1:9000" for this machine alone, "0.0.0.0:9000" for all

            slipway.toml:2:10  error  server.listen  must be a text in quotes, and is a number  → write listen = "127.0.0.1:8080"
            slipway.toml:3:18  error  server.fact_age_max_s  is out of bounds  → write a whole number from 1 to 3600
            slipway.toml:4:17  error  server.ack_budget_ms  must be a whole number, and is a text  → write ack_budget_ms = 2000

            slipway.toml:5:2  error  terminal  anybody who reaches 0.0.0.0:8080 could speak as anybody in the terminal chat  → remove [terminal], or listen on 127.0.0.1

            slipway.toml:2:14  error  server.public_url  "slipway.acme.dev" is no web address  → write an address that begins with https://

            slipway.toml:2:14  error  server.public_url  "https://slipway.acme.dev:99999" is no web address  → write a port from 0 to 65535, or none

            slipway.toml:2:14  error  server.public_url  has a query, and paths are appended to it  → write "https://slipway.acme.dev"
        "#]],
    );
}

#[test]
fn the_audit() {
    let audit = |lines: &str| changed("[store]", &format!("[audit]\n{lines}\n[store]"));
    says(
        &[
            audit("anchor = \"terminal:releases\""),
            audit("anchor = [\"terminal:releases\", \"slack:C024BE91L\", \"terminal:release\"]"),
            audit("anchor = [\"releases\"]\nanchor_at = \"6:00\"\ntimezone = \"Europe/Berlim\""),
            audit("anchor = 7\nanchor_at = 06:00:00\nanchor_on = \"monday\""),
            audit("anchor_at = \"24:00\""),
            audit("anchor_at = \"23:59\""),
        ],
        &expect![[r#"

            slipway.toml:2:32  error  audit.anchor[1]  there is no section [slack]  → add the section [slack], or remove this channel
            slipway.toml:2:51  error  audit.anchor[2]  [terminal] has no channel "release"  → write "terminal:releases"

            slipway.toml:2:11  error  audit.anchor[0]  "releases" is no channel  → write the chat, a colon and the id, such as "slack:C024BE91L" or "terminal:releases"
            slipway.toml:3:13  error  audit.anchor_at  "6:00" is no time of the day  → write hours and minutes from "00:00" to "23:59", such as "06:00"
            slipway.toml:4:12  error  audit.timezone  "Europe/Berlim" is no time zone  → write "Europe/Berlin"

            slipway.toml:2:10  error  audit.anchor  must be a list, and is a number  → write anchor = ["slack:C024BE91L"]
            slipway.toml:3:13  error  audit.anchor_at  must be a text in quotes, and is a date or time  → write anchor_at = "06:00"
            slipway.toml:4:1  error  audit.anchor_on  there is no key of this name  → write anchor_at instead

            slipway.toml:2:1  warning  audit.anchor_at  does nothing without anchor  → add anchor = ["slack:C024BE91L"]
            slipway.toml:2:13  error  audit.anchor_at  "24:00" is no time of the day  → write hours and minutes from "00:00" to "23:59", such as "06:00"

            slipway.toml:2:1  warning  audit.anchor_at  does nothing without anchor  → add anchor = ["slack:C024BE91L"]
        "#]],
    );
}

#[test]
fn the_store() {
    says(
        &[
            changed(STORE, ""),
            changed("[store]", "[stor]"),
            changed("sqlite://slipway.db", "sqlite::memory:"),
            changed("sqlite://slipway.db", "postgres://db/slipway"),
            changed("sqlite://slipway.db", "postgres://slipway:hunter2@db/slipway"),
            changed("sqlite://slipway.db", "slipway.db"),
            changed("sqlite://slipway.db", "sqlite://slipway.db?mode=rwc"),
        ],
        &expect![[r#"
            slipway.toml:1:1  error  store  this section is missing  → add [store] and under it url = "sqlite://slipway.db"

            slipway.toml:1:2  error  stor  there is no section of this name  → write store instead

            slipway.toml:2:7  error  store.url  a store in memory forgets every release when the bot stops, and a crash could not be resumed  → write "sqlite://slipway.db"

            slipway.toml:2:7  error  store.url  this version keeps its records in SQLite; PostgreSQL comes with more than one replica  → write "sqlite://slipway.db"

            slipway.toml:2:7  error  store.url  looks like an address with a password; secrets do not belong in this file  → remove it; keep the address in Secrets Manager and name that secret here

            slipway.toml:2:7  error  store.url  "slipway.db" is no store  → write "sqlite://slipway.db"

            slipway.toml:2:7  error  store.url  has options  → remove what begins with ?
        "#]],
    );
}

#[test]
fn the_chats() {
    let application = "application_id = \"845027738276462632\"";
    let discord = |lines: &str| changed("[terminal]", &format!("[discord]\n{application}\n{lines}\n[terminal]"));
    says(
        &[
            changed("[terminal]", "[slack]\napp_id = \"T9TK3CUKW\"\nmode = \"sockets\"\n[terminal]"),
            changed("[terminal]", "[discord]\nguild_id = 290926798626357999\n[terminal]"),
            changed("[terminal]", "[discord]\napplication_id = \"84502773827646263212345\"\n[terminal]"),
            discord("mode = \"http\""),
            discord("mode = \"socket\"\nguild_id = \"@everyone\""),
            discord("approve = [\"✅\", \"👩\u{200d}🔧\", \"1️⃣\", \"🇩🇪\", \"290926798626357999\"]\nveto = []"),
            discord("approve = [\":white_check_mark:\", \"x\", \"\", \"12\"]\nveto = [\"✅\"]"),
            discord("approve = [\"ja ✅\", \"<:ship:290926798626357999>\", \"❌\"]\nveto = [\"❌\"]"),
            changed("channels = [\"releases\"]", "channels = []"),
            changed("channels = [\"releases\"]", "channels = \"releases\""),
            changed("channels = [\"releases\"]", "channels = [\"releases\", \"releases\", \"Re leases\", 7]"),
            changed("channels = [\"releases\"]\n", ""),
            changed("[terminal]", "[policies]\ndir = \"\"\n[github]\napi_url = \"api.github.com\"\n[terminal]"),
        ],
        &expect![[r#"
            slipway.toml:3:2  warning  slack  does not say under which address Slack reaches this bot  → add public_url under [server], without which there is no manifest, or mode = "socket" here
            slipway.toml:4:10  error  slack.app_id  "T9TK3CUKW" is no Slack app id  → copy the id from Slack: A and then capital letters and digits, 9 to 20 in all
            slipway.toml:5:8  error  slack.mode  "sockets" is not one of the choices  → write "http" or "socket"

            slipway.toml:3:2  error  discord.application_id  is missing  → add application_id = "845027738276462632"
            slipway.toml:4:12  error  discord.guild_id  must be a text in quotes, and is a number  → write guild_id = "290926798626357999"

            slipway.toml:4:18  error  discord.application_id  "84502773827646263212345" is no Discord id  → copy the id from Discord (developer mode, right click, Copy ID): digits alone, in quotes

            slipway.toml:3:2  warning  discord  does not say under which address Discord reaches this bot  → add public_url under [server], or mode = "gateway" here

            slipway.toml:5:8  error  discord.mode  "socket" is not one of the choices  → write "gateway" or "http"
            slipway.toml:6:12  error  discord.guild_id  "@everyone" is no Discord id  → copy the id from Discord (developer mode, right click, Copy ID): digits alone, in quotes


            slipway.toml:5:12  error  discord.approve[0]  ":white_check_mark:" is no emoji  → write the emoji itself, such as "✅", or the id of one of the server's own
            slipway.toml:5:34  error  discord.approve[1]  "x" is no emoji  → write the emoji itself, such as "✅", or the id of one of the server's own
            slipway.toml:5:39  error  discord.approve[2]  "" is no emoji  → write the emoji itself, such as "✅", or the id of one of the server's own
            slipway.toml:5:43  error  discord.approve[3]  "12" is no Discord id  → copy the id from Discord (developer mode, right click, Copy ID): digits alone, in quotes

            slipway.toml:5:12  error  discord.approve[0]  "ja ✅" is no emoji  → write the emoji itself, such as "✅", or the id of one of the server's own
            slipway.toml:5:20  error  discord.approve[1]  "<:ship:290926798626357999>" is no emoji  → write "290926798626357999"
            slipway.toml:6:9  error  discord.veto[0]  "❌" approves as well  → remove it from one of the two lists

            slipway.toml:4:12  error  terminal.channels  is empty  → name at least one channel, such as ["releases"]

            slipway.toml:4:12  error  terminal.channels  must be a list, and is a text  → write channels = ["releases"]

            slipway.toml:4:25  warning  terminal.channels[1]  "releases" is in this list twice  → remove one of the two
            slipway.toml:4:37  error  terminal.channels[2]  "Re leases" is no name  → use 1 to 40 lower-case letters, digits and hyphens, such as re-leases
            slipway.toml:4:50  error  terminal.channels[3]  must be a text in quotes, and is a number  → write "releases"

            slipway.toml:3:2  error  terminal.channels  is missing  → add channels = ["releases"]

            slipway.toml:4:7  error  policies.dir  is no folder  → write "policies"
            slipway.toml:6:11  error  github.api_url  "api.github.com" is no web address  → write an address that begins with https://
        "#]],
    );
}

#[test]
fn policies() {
    let section = |lines: &str| changed("[terminal]", &format!("[policies]\n{lines}\n[terminal]"));
    says(
        &[
            section("dir = \"rules\"\nbranch = \"main\""),
            section("dir = \"rules\"\nown_changes = \"refused\""),
            section("own_changes = \"allowed\""),
            section("repository = \"rules\"\nown_changes = \"no\""),
            section("repository = \"acme/rules\"\ndir = \"../rules\"\nbranch = \"a..b\""),
            section("repository = \"acme/rules\"\ndir = \".\""),
        ],
        &expect![[r#"
            slipway.toml:5:1  error  policies.branch  a folder has no branch  → add repository = "owner/name", or remove it

            slipway.toml:5:15  error  policies.own_changes  nothing tells who changed a folder  → keep the policies in a repository: repository = "owner/name", or remove it


            slipway.toml:4:14  error  policies.repository  "rules" is no repository  → write owner/name, such as "acme/goals"
            slipway.toml:5:15  error  policies.own_changes  "no" is not one of the choices  → write "refused" or "allowed"

            slipway.toml:5:7  error  policies.dir  "../rules" is no folder inside the repository  → write a folder as seen from the repository's root, such as "migrations"
            slipway.toml:6:10  error  policies.branch  "a..b" is no branch  → write "main"

        "#]],
    );
}

#[test]
fn channels_of_services() {
    let list = |channels: &str| changed("channels = [\"terminal:releases\"]", channels);
    says(
        &[
            list("channels = [\"slack:C024BE91L\", \"discord:1032011029\"]"),
            list("channels = [\"slack:#general\", \"releases\", \"irc:x\", \"discord:general\"]"),
            list("channels = [\"terminal:release\"]\nannounce = [\"terminal:general\"]"),
            list(""),
        ],
        &expect![[r##"
            slipway.toml:9:13  error  service.goals.channels[0]  there is no section [slack]  → add the section [slack], or remove this channel
            slipway.toml:9:32  error  service.goals.channels[1]  there is no section [discord]  → add the section [discord], or remove this channel

            slipway.toml:9:13  error  service.goals.channels[0]  "#general" is no Slack channel id  → copy the id from Slack: C or G and then capital letters and digits, 9 to 20 in all
            slipway.toml:9:31  error  service.goals.channels[1]  "releases" is no channel  → write the chat, a colon and the id, such as "slack:C024BE91L" or "terminal:releases"
            slipway.toml:9:43  error  service.goals.channels[2]  "irc:x" is no channel  → write the chat, a colon and the id, such as "slack:C024BE91L" or "terminal:releases"
            slipway.toml:9:52  error  service.goals.channels[3]  "general" is no Discord id  → copy the id from Discord (developer mode, right click, Copy ID): digits alone, in quotes

            slipway.toml:9:13  error  service.goals.channels[0]  [terminal] has no channel "release"  → write "terminal:releases"
            slipway.toml:10:13  error  service.goals.announce[0]  [terminal] has no channel "general"  → add "general" to channels in [terminal]

            slipway.toml:5:10  warning  service.goals  has no channels, so nobody sees its releases  → add channels = ["…"]
        "##]],
    );
}

#[test]
fn people() {
    says(
        &[
            changed(PERSON, ""),
            changed("terminal = \"ana\"\n", "teams = [\"release\"]\n"),
            changed("terminal = \"ana\"", "slack = \"@ana\"\ndiscord = \"ana\"\ngithub = \"@ana\"\nterminal = \"Ana\""),
            changed(PERSON, "[person.Ana]\ngithub = \"Dev\"\n[person.bob]\ngithub = \"dev\"\n"),
            changed(PERSON, "[person]\nana = \"U012AB3CD\"\n"),
            [
                &changed(PERSON, ""),
                "[person.a]\nterminal = \"a\"\nteams = [\"release\"]\n",
                "[person.b]\nterminal = \"b\"\nteams = [\"release\"]\n",
                "[person.c]\nterminal = \"c\"\nteams = [\"relase\", \"sre\"]\n",
            ]
            .concat(),
        ],
        &expect![[r#"
            slipway.toml:1:1  warning  there is no [person.NAME] section, so nobody can ask for a release  → add one; docs/slipway.example.toml shows [person.…]

            slipway.toml:12:9  warning  person.ana  has no identity in any chat, so cannot do anything  → add slack, discord, github or terminal

            slipway.toml:13:9  error  person.ana.slack  "@ana" is no Slack user id  → copy the id from Slack: U or W and then capital letters and digits, 9 to 20 in all
            slipway.toml:14:11  error  person.ana.discord  "ana" is no Discord id  → copy the id from Discord (developer mode, right click, Copy ID): digits alone, in quotes
            slipway.toml:15:10  error  person.ana.github  "@ana" is no GitHub login  → write "ana"
            slipway.toml:16:12  error  person.ana.terminal  "Ana" is no name  → use 1 to 40 lower-case letters, digits and hyphens, such as ana

            slipway.toml:12:9  error  person.Ana  "Ana" is no name  → use 1 to 40 lower-case letters, digits and hyphens, such as ana
            slipway.toml:15:10  error  person.bob.github  is also person.Ana.github (13:10), so it would belong to neither  → leave it with the person whose account it is

            slipway.toml:13:7  error  person.ana  must be a table, and is a text  → write ana = { slack = "U012AB3CD", discord = "80351110224678912" }

            slipway.toml:20:10  warning  person.c.teams[0]  nobody else is in "relase", and "release" is spelt nearly the same  → write "release", if that is meant
        "#]],
    );
}

#[test]
fn teams_whose_members_are_kept_elsewhere() {
    let server =
        "[discord]\napplication_id = \"845027738276462632\"\nguild_id = \"290926798626357999\"\n[team.release]\n";
    let team = |lines: &str| changed("[person.ana]\n", &format!("{lines}\n[person.ana]\ngithub = \"ana-dev\"\n"));
    says(
        &[
            team("[team.release]\ngithub = \"acme/release-managers\""),
            team("[team.release]\ngithub = \"@acme/release-managers\"\nslack = \"C0614TZR7\""),
            team("[team.Release]\ngithub = \"acme/release managers\""),
            team("[team.release]\ngithub = \"release-managers\"\nchannel = \"x\""),
            team("[team.release]"),
            team("[team]\nrelease = \"acme/release-managers\""),
            team("[team.release]\nslack = \"S0614TZR7\""),
            team("[slack]\n[team.release]\nslack = \"S0614TZR7\"\ngithub = \"acme/release-managers\""),
            team("[team.release]\ndiscord = \"290926798626358777\""),
            team(
                "[discord]\napplication_id = \"845027738276462632\"\n[team.release]\ndiscord = \"290926798626358777\"",
            ),
            team(&format!("{server}discord = \"290926798626358777\"\n[person.bob]\ndiscord = \"80351110224678912\"")),
            team(&format!("{server}discord = \"290926798626357999\"")),
            team("[team.release]\ndiscord = \"@release\""),
            team("[team.release]\ngithub = \"acme/r\"\n[person.bob]\nterminal = \"bob\"\nteams = [\"relase\"]"),
            team("[server]\nmembership_age_max_s = 10\n[pace]\nmembership_ms = \"5m\""),
        ],
        &expect![[r#"

            slipway.toml:13:10  error  team.release.github  "@acme/release-managers" is no team on GitHub  → write "acme/release-managers"
            slipway.toml:14:9  error  team.release.slack  "C0614TZR7" is no Slack user group id  → copy the id from Slack: S and then capital letters and digits, 9 to 20 in all

            slipway.toml:12:7  error  team.Release  "Release" is no name  → use 1 to 40 lower-case letters, digits and hyphens, such as release
            slipway.toml:13:10  error  team.Release.github  "acme/release managers" is no team on GitHub  → write organisation/team as in github.com/orgs/ORGANISATION/teams/TEAM, such as "acme/release-managers"

            slipway.toml:13:10  error  team.release.github  "release-managers" is no team on GitHub  → write organisation/team as in github.com/orgs/ORGANISATION/teams/TEAM, such as "acme/release-managers"
            slipway.toml:14:1  error  team.release.channel  there is no key of this name  → remove it; the keys here are github, slack, discord

            slipway.toml:12:7  error  team.release  names no place where its members are kept  → add github = "acme/release-managers", slack = "S0614TZR7" or discord = "1032011029", or remove the section: teams of people need none

            slipway.toml:13:11  error  team.release  must be a table, and is a text  → write release = { github = "acme/release-managers", slack = "S0614TZR7" }

            slipway.toml:13:9  error  team.release.slack  there is no section [slack]  → add the section [slack] and set SLACK_BOT_TOKEN, or remove this
            slipway.toml:13:9  warning  team.release.slack  no [person.NAME] has slack, so nobody would be in the team by this  → add slack to the people who are in it

            slipway.toml:12:2  warning  slack  does not say under which address Slack reaches this bot  → add public_url under [server], without which there is no manifest, or mode = "socket" here
            slipway.toml:14:9  warning  team.release.slack  no [person.NAME] has slack, so nobody would be in the team by this  → add slack to the people who are in it

            slipway.toml:13:11  error  team.release.discord  there is no section [discord]  → add the section [discord] and set DISCORD_TOKEN, or remove this
            slipway.toml:13:11  warning  team.release.discord  no [person.NAME] has discord, so nobody would be in the team by this  → add discord to the people who are in it

            slipway.toml:15:11  error  team.release.discord  is a role of a server, and [discord] does not say which server  → add guild_id under [discord]
            slipway.toml:15:11  warning  team.release.discord  no [person.NAME] has discord, so nobody would be in the team by this  → add discord to the people who are in it


            slipway.toml:16:11  error  team.release.discord  is the id of the server, and so of its role @everyone  → name a role that people are given, or leave them in the team by teams of their [person.NAME]

            slipway.toml:13:11  error  team.release.discord  "@release" is no Discord id  → copy the id from Discord (developer mode, right click, Copy ID): digits alone, in quotes

            slipway.toml:16:10  warning  person.bob.teams[0]  nobody else is in "relase", and "release" is spelt nearly the same  → write "release", if that is meant

            slipway.toml:13:24  error  server.membership_age_max_s  is out of bounds  → write a whole number from 60 to 604800
            slipway.toml:15:17  error  pace.membership_ms  must be a whole number, and is a text  → write membership_ms = 300000
        "#]],
    );
}
