//! Where one person is told something that is no answer.

use slipway_core::person::{Person, Platform};

/// The key of the page that a chat keeps for one person.
pub const HOME_KEY: &str = "home";

/// Where somebody can be told: in the chat of the channel that is given, or, when they are only in other chats, in one of
/// the service's there. A chat with conversations between two has one for it; elsewhere it is said in the channel, to
/// them alone.
#[must_use]
pub fn where_to(person: Option<&Person>, given: &str, configured: &[String]) -> Option<String> {
    let account = |channel: &&str| person?.on(Platform::of_key(channel.split(':').next()?)?);
    let channels = || [given].into_iter().chain(configured.iter().map(String::as_str)).filter(|at| !at.is_empty());
    let channel = channels().find(|channel| account(channel).is_some()).or_else(|| channels().next())?;
    Some(match account(&channel) {
        Some(account) if has_conversations(account.platform()) => conversation(account.platform(), account.id()),
        _ => channel.to_owned(),
    })
}

/// The conversation of the bot with one account, as a channel: `slack:@U012AB3CD`.
#[must_use]
pub fn conversation(platform: Platform, account: &str) -> String {
    format!("{}:@{account}", platform.key())
}

/// The page that a chat keeps for one account, as a channel: `slack:home@U012AB3CD`.
#[must_use]
pub fn home(platform: Platform, account: &str) -> String {
    format!("{}:home@{account}", platform.key())
}

/// The page of whoever a conversation is with.
#[must_use]
pub fn home_beside(conversation: &str) -> Option<String> {
    let (platform, account) = conversation.split_once(":@")?;
    Some(format!("{platform}:home@{account}"))
}

/// Whose page a channel is.
#[must_use]
pub fn whose_home(channel: &str) -> Option<(Platform, &str)> {
    let (platform, account) = channel.split_once(":home@")?;
    Some((Platform::of_key(platform)?, account))
}

/// Whether a channel's messages can have threads.
#[must_use]
pub fn has_threads(channel: &str) -> bool {
    channel.split(':').next().and_then(Platform::of_key).is_some_and(has_conversations)
}

/// Whether a channel's chat says when a reaction was made.
#[must_use]
pub fn dates_reactions(channel: &str) -> bool {
    channel.split(':').next() != Some(Platform::Discord.key())
}

/// Whether a chat has conversations between the bot and one person, and threads.
fn has_conversations(platform: Platform) -> bool {
    matches!(platform, Platform::Slack | Platform::Discord)
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_core::person::Identity;

    #[test]
    fn people_are_told_where_they_are() {
        let person = |identities: Vec<Identity>| Person { id: "bob".into(), teams: [].into(), identities };
        let (slack, terminal) = (Identity::Slack("U0BOB".into()), Identity::Terminal("bob".into()));
        let configured = ["slack:C1".to_owned(), "terminal:releases".to_owned()];
        let told = |who: Option<&Person>, given: &str| where_to(who, given, &configured).unwrap();
        assert_eq!(told(Some(&person(vec![slack.clone()])), "slack:C9"), "slack:@U0BOB");
        assert_eq!(told(Some(&person(vec![slack.clone()])), "terminal:ops"), "slack:@U0BOB");
        assert_eq!(told(Some(&person(vec![slack, terminal.clone()])), "terminal:ops"), "terminal:ops");
        assert_eq!(told(Some(&person(vec![terminal])), "slack:C9"), "terminal:releases");
        assert_eq!(told(None, "slack:C9"), "slack:C9");
        let configured = ["discord:1".to_owned()];
        let discord = person(vec![Identity::Discord("80351110224678912".into())]);
        assert_eq!(where_to(Some(&discord), "discord:2", &configured).unwrap(), "discord:@80351110224678912");
        assert_eq!(where_to(None, "", &[]), None);
        assert_eq!(whose_home(&home(Platform::Slack, "U1")), Some((Platform::Slack, "U1")));
        assert_eq!(whose_home("slack:C1"), None);
        assert_eq!(home_beside("slack:@U1").as_deref(), Some("slack:home@U1"));
        assert_eq!(home_beside("slack:C1"), None);
    }
}
