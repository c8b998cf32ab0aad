//! The app itself, the servers that it is in, their members and roles, and where their events come from.

use super::call::{Call, Part};
use super::{Discord, DiscordError, GatewayBot};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::time::Duration;

/// Servers asked for at once, the most that Discord gives.
const GUILDS_PAGE_LIMIT: usize = 200;
/// Members asked for at once, the most that Discord gives.
const MEMBERS_PAGE_LIMIT: usize = 1_000;
/// Pages of members that are read.
const MEMBERS_PAGES_LIMIT: usize = 50;

/// The app, as Discord knows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Application {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it may use: the privileged intents among others.
    #[serde(default)]
    pub flags: u64,
    /// The public key that its deliveries are checked with, as hexadecimal digits.
    pub verify_key: String,
    /// Where Discord sends interactions; without one they come over the gateway.
    #[serde(default)]
    pub interactions_endpoint_url: Option<String>,
}

/// The app's user.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Me {
    /// Its id: who is mentioned, and whose messages are ours.
    pub id: String,
    /// What it is called.
    pub username: String,
}

/// What members are given.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Role {
    /// Its id; that of the role that everybody has is the server's.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it allows.
    #[serde(deserialize_with = "bits")]
    pub permissions: u64,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Guild {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Who may do everything in it.
    pub owner_id: String,
    /// All its roles.
    pub roles: Vec<Role>,
}

#[derive(Deserialize)]
struct GuildName {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Member {
    #[serde(default)]
    user: Option<User>,
    roles: Vec<String>,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

#[derive(Deserialize)]
struct GatewayAnswer {
    url: String,
    session_start_limit: SessionStartLimit,
}

#[derive(Deserialize)]
struct SessionStartLimit {
    remaining: u32,
    /// In milliseconds.
    reset_after: u64,
    max_concurrency: u32,
}

impl Discord {
    /// The app whose token it is.
    ///
    /// # Errors
    /// When Discord does not tell; [`DiscordError::BadToken`] when it does not know the token.
    pub async fn application(&self) -> Result<Application, DiscordError> {
        self.ask(Call::get("/applications/@me", &[]).about("the app")).await
    }

    /// The user whose token it is.
    ///
    /// # Errors
    /// When Discord does not tell; [`DiscordError::BadToken`] when it does not know the token.
    pub async fn me(&self) -> Result<Me, DiscordError> {
        self.ask(Call::get("/users/@me", &[]).about("the app")).await
    }

    /// The servers that the application is in, each with its id and its name; the first 200.
    ///
    /// # Errors
    /// When Discord does not tell.
    pub async fn guilds(&self) -> Result<Vec<(String, String)>, DiscordError> {
        let call =
            Call::get("/users/@me/guilds", &[]).query("limit", GUILDS_PAGE_LIMIT).about("the application's servers");
        let guilds: Vec<GuildName> = self.ask(call).await?;
        Ok(guilds.into_iter().map(|guild| (guild.id, guild.name)).collect())
    }

    /// A server with its roles.
    ///
    /// # Errors
    /// When Discord does not tell: the app has to be in it.
    pub async fn guild(&self, id: &str) -> Result<Guild, DiscordError> {
        self.ask(Call::get("/guilds/{}", &[Part::Id(id)]).about(place(id))).await
    }

    /// The roles of one member, but for the one that everybody has.
    ///
    /// # Errors
    /// When Discord does not tell; [`DiscordError::Refused`] with the code 10007 of somebody who is no member.
    pub async fn member_roles(&self, guild: &str, user: &str) -> Result<Vec<String>, DiscordError> {
        let parts = [Part::Id(guild), Part::Id(user)];
        let call = Call::get("/guilds/{}/members/{}", &parts);
        let member: Member = self.ask(call.about(place(guild))).await?;
        Ok(member.roles)
    }

    /// The ids of those who have a role. All members have to be read for it, which Discord lets an app do that has the
    /// privileged intent for members.
    ///
    /// # Errors
    /// When Discord does not tell; [`DiscordError::TooBig`] of a server with over 50,000 members, so that nobody takes
    /// a part for the whole.
    pub async fn members_with_role(&self, guild: &str, role: &str) -> Result<Vec<String>, DiscordError> {
        let about = format!("the members of the Discord server {guild} (switch the Server Members Intent on)");
        let mut found = Vec::new();
        let mut after = 0_u64;
        for _ in 0..MEMBERS_PAGES_LIMIT {
            let parts = [Part::Id(guild)];
            let call = Call::get("/guilds/{}/members", &parts).query("limit", MEMBERS_PAGE_LIMIT);
            let page: Vec<Member> = self.ask(call.query("after", after).about(about.as_str())).await?;
            let is_last = page.len() < MEMBERS_PAGE_LIMIT;
            let newest = page.iter().filter_map(|member| member.user.as_ref()?.id.parse().ok()).max();
            let with_role = page.into_iter().filter(|member| member.roles.iter().any(|held| held == role));
            found.extend(with_role.filter_map(|member| member.user.map(|user| user.id)));
            if is_last {
                return Ok(found);
            }
            after = further(after, newest)?;
        }
        Err(DiscordError::TooBig { detail: format!("over {MEMBERS_PAGES_LIMIT} pages of members of {guild}") })
    }

    /// Where the gateway is, and how often a session may still be begun there. Whether the token may be sent to that
    /// address is for whoever connects to check: see [`Discord::is_local`].
    ///
    /// # Errors
    /// When Discord does not tell.
    pub async fn gateway(&self) -> Result<GatewayBot, DiscordError> {
        let answer: GatewayAnswer = self.ask(Call::get("/gateway/bot", &[]).about("the gateway")).await?;
        let limit = answer.session_start_limit;
        Ok(GatewayBot {
            url: answer.url,
            remaining: limit.remaining,
            reset_after: Duration::from_millis(limit.reset_after),
            max_concurrency: limit.max_concurrency,
        })
    }
}

/// Where the next page begins. One that leads back would be read for ever.
pub(super) fn further(after: u64, newest: Option<u64>) -> Result<u64, DiscordError> {
    let back = || DiscordError::Unreadable { detail: "its pages lead nowhere".to_owned() };
    newest.filter(|newest| *newest > after).ok_or_else(back)
}

/// What errors call a server.
fn place(guild: &str) -> String {
    format!("the Discord server {guild}")
}

/// Discord writes bits as text, since they outgrow what JavaScript counts. Those beyond 64 are none that we know.
pub(super) fn bits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bits: u128 = text.parse().map_err(|_| D::Error::custom("bits that are none"))?;
    u64::try_from(bits & u128::from(u64::MAX)).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::super::served::{refuses, says, served};
    use super::*;
    use serde_json::{Value, json};

    /// A full page of members from this id on.
    fn page(first: usize) -> Value {
        let role = |id: usize| if id.is_multiple_of(500) { "2" } else { "3" };
        let member = |id: usize| json!({ "user": { "id": id.to_string() }, "roles": [role(id)] });
        (first..first + MEMBERS_PAGE_LIMIT).map(member).collect::<Vec<_>>().into()
    }

    #[tokio::test]
    async fn the_app_and_its_servers_are_read() {
        let app = json!({ "id": "7", "name": "slipway", "verify_key": "ab", "flags": 565_248, "bot": {} });
        let guild = json!({ "id": "1", "name": "Acme", "owner_id": "9",
            "roles": [{ "id": "1", "name": "@everyone", "permissions": "2248473465835073", "managed": false }] });
        let member = json!({ "user": { "id": "8" }, "roles": ["2", "3"], "nick": null });
        let (discord, seen) = served([
            says(&app),
            says(&json!({ "id": "70", "username": "slipway", "discriminator": "0" })),
            says(&json!([{ "id": "1", "name": "Acme", "icon": null }])),
            says(&guild),
            says(&member),
            refuses(404, 10_007),
        ])
        .await;
        let app = discord.application().await.unwrap();
        assert_eq!((&*app.id, &*app.verify_key, app.flags, app.interactions_endpoint_url), ("7", "ab", 565_248, None));
        assert_eq!(discord.me().await, Ok(Me { id: "70".into(), username: "slipway".into() }));
        assert_eq!(discord.guilds().await, Ok(vec![("1".into(), "Acme".into())]));
        let guild = discord.guild("1").await.unwrap();
        assert_eq!((&*guild.owner_id, guild.roles[0].permissions), ("9", 2_248_473_465_835_073));
        assert_eq!(discord.member_roles("1", "8").await, Ok(vec!["2".to_owned(), "3".to_owned()]));
        let error = discord.member_roles("1", "80").await.unwrap_err();
        assert!(matches!(error, DiscordError::Refused { status: 404, code: 10_007, .. }), "{error:?}");
        let lines: Vec<_> = seen.await.unwrap().into_iter().map(|seen| seen.line).collect();
        expect_test::expect![[r#"
            GET /applications/@me
            GET /users/@me
            GET /users/@me/guilds?limit=200
            GET /guilds/1
            GET /guilds/1/members/8
            GET /guilds/1/members/80"#]]
        .assert_eq(&lines.join("\n"));
    }

    #[tokio::test]
    async fn all_pages_of_members_are_read() {
        let last = json!([{ "user": { "id": "5000" }, "roles": ["2"] }, { "roles": ["2"] }]);
        let (discord, seen) = served([says(&page(1)), says(&page(1_001)), says(&last)]).await;
        let found = discord.members_with_role("1", "2").await.unwrap();
        assert_eq!(found, ["500", "1000", "1500", "2000", "5000"]);
        let lines: Vec<_> = seen.await.unwrap().into_iter().map(|seen| seen.line).collect();
        expect_test::expect![[r#"
            GET /guilds/1/members?limit=1000&after=0
            GET /guilds/1/members?limit=1000&after=1000
            GET /guilds/1/members?limit=1000&after=2000"#]]
        .assert_eq(&lines.join("\n"));
    }

    #[tokio::test]
    async fn a_part_of_the_members_is_not_taken_for_all() {
        let (discord, _) = served([says(&page(1)), says(&page(1)), refuses(403, 50_001)]).await;
        let error = discord.members_with_role("1", "2").await.unwrap_err();
        assert_eq!(error, DiscordError::Unreadable { detail: "its pages lead nowhere".into() });
        let error = discord.members_with_role("1", "2").await.unwrap_err();
        let says = error.for_operators();
        assert!(says.contains("switch the Server Members Intent on"), "{says}");
    }

    #[tokio::test]
    async fn the_gateway_is_where_discord_says() {
        let limit = json!({ "total": 1_000, "remaining": 999, "reset_after": 14_400_000, "max_concurrency": 1 });
        let answer = json!({ "url": "wss://gateway.discord.gg", "shards": 1, "session_start_limit": limit });
        let (discord, _) = served([says(&answer), says(&json!({ "url": "wss://gateway.discord.gg" }))]).await;
        let gateway = discord.gateway().await.unwrap();
        let reset_after = Duration::from_secs(4 * 60 * 60);
        let url = "wss://gateway.discord.gg".to_owned();
        assert_eq!(gateway, GatewayBot { url, remaining: 999, reset_after, max_concurrency: 1 });
        assert!(matches!(discord.gateway().await, Err(DiscordError::Unreadable { .. })));
    }

    #[test]
    fn bits_beyond_what_is_known_change_nothing() {
        let read = |text: &str| bits(&Value::from(text));
        assert_eq!(read("2048").unwrap(), 2_048);
        assert_eq!(read("18446744073709551617").unwrap(), 1);
        for none in ["", "-1", "x", "1.0"] {
            assert!(read(none).is_err(), "{none}");
        }
    }
}
