//! The bot scopes and the events, each with why.

/// Something that the bot's token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Slack's name.
    pub name: &'static str,
    /// What Slipway does with it.
    pub why: &'static str,
    /// Whether Slipway is of use without it.
    pub optional: bool,
}

/// Something that Slack says by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Slack's name.
    pub name: &'static str,
    /// The scope without which Slack does not say it.
    pub scope: Option<&'static str>,
    /// What Slipway does with it.
    pub why: &'static str,
}

const fn needed(name: &'static str, why: &'static str) -> Scope {
    Scope { name, why, optional: false }
}

const fn optional(name: &'static str, why: &'static str) -> Scope {
    Scope { name, why, optional: true }
}

/// Every scope, by name.
pub const SCOPES: [Scope; 12] = [
    needed("app_mentions:read", "hears @slipway deploy staging, which also works in threads"),
    needed("channels:history", "finds a message again that was posted just before a crash"),
    needed("channels:read", "checks the channels of the configuration"),
    needed("chat:write", "posts cards and keeps them up to date"),
    optional("chat:write.public", "posts in public channels that the app is not in"),
    needed("commands", "gets /deploy, /rollback, /release"),
    optional("groups:history", "as channels:history, in private channels that the app is in"),
    optional("groups:read", "as channels:read, of private channels that the app is in"),
    needed("im:history", "as channels:history, in the conversations of people with the app"),
    needed("im:write", "tells one person something: that it is their turn, that their lock ends"),
    needed("reactions:read", "takes reactions under a card for votes, also those that were missed"),
    optional("usergroups:read", "reads who is in a user group that a [team.…] names"),
];

/// Every event, by name.
pub const EVENTS: [Event; 5] = [
    Event { name: "app_home_opened", scope: None, why: "draws the Home tab of whoever opens it" },
    Event { name: "app_mention", scope: Some("app_mentions:read"), why: "is a command like any other" },
    Event { name: "message.im", scope: Some("im:history"), why: "is a command, said to the app alone" },
    Event { name: "reaction_added", scope: Some("reactions:read"), why: "is a vote under a card" },
    Event { name: "reaction_removed", scope: Some("reactions:read"), why: "takes the vote back" },
];

/// The scope of that name, if Slipway has a use for it.
#[must_use]
pub fn scope(name: &str) -> Option<&'static Scope> {
    SCOPES.iter().find(|scope| scope.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_and_no_event_lacks_its_scope() {
        assert!(SCOPES.is_sorted_by(|a, b| a.name < b.name));
        assert!(EVENTS.is_sorted_by(|a, b| a.name < b.name));
        for event in EVENTS {
            let Some(needed) = event.scope else { continue };
            assert!(scope(needed).is_some_and(|scope| !scope.optional), "{}", event.name);
        }
    }

    #[test]
    fn the_page_about_slack_explains_each() {
        let page = include_str!("../../../docs/slack.md");
        let (_, page) = page.split_once("## Scopes and events").unwrap();
        let (page, _) = page.split_once("\n## ").unwrap();
        for name in SCOPES.iter().map(|scope| scope.name).chain(EVENTS.iter().map(|event| event.name)) {
            assert!(page.contains(&format!("`{name}`")), "docs/slack.md does not say what {name} is for");
        }
    }
}
