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

    /// The servers that the app is in, each with its id and its name; the first 200.
    ///
    /// # Errors
    /// When Discord does not tell.
    pub async fn guilds(&self) -> Result<Vec<(String, String)>, DiscordError> {
        let call = Call::get("/users/@me/guilds", &[]).query("limit", GUILDS_PAGE_LIMIT).about("the app's servers");
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

    /// Where the gateway is, and how often a session may still be begun there.
    ///
    /// # Errors
    /// When Discord does not tell, or what it tells is no address of a gateway.
    pub async fn gateway(&self) -> Result<GatewayBot, DiscordError> {
        let answer: GatewayAnswer = self.ask(Call::get("/gateway/bot", &[]).about("the gateway")).await?;
        if !answer.url.starts_with("wss://") && !answer.url.starts_with("ws://") {
            return Err(DiscordError::Unreadable { detail: "the address of the gateway is none".to_owned() });
        }
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
