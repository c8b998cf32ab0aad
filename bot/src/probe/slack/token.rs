//! Whose token it is, and what it may do.

use super::super::ProbeResult;
use super::Row;
use crate::config;
use crate::slack_app::{SCOPES, scope};
use slipway_deploy::slack::Bot;

/// How many scopes that are not needed are named.
const NAMED_LIMIT: usize = 10;

/// The workspace and the bot, and whether the file says the same.
pub(super) fn identity(section: &config::Slack, bot: &Bot) -> Vec<Row> {
    let called = |name: &Option<String>, id: &str| match name {
        Some(name) => format!("{name} ({id})"),
        None => id.to_owned(),
    };
    let mut says =
        format!("workspace {}, bot {}", called(&bot.team_name, &bot.team_id), called(&bot.user_name, &bot.user_id));
    if let Some(app) = &bot.app_id {
        says.push_str(&format!(", app {app}"));
    }
    let answer = match bot.bot_id {
        Some(_) => ProbeResult::ok(says),
        None => {
            let mend = "set SLACK_BOT_TOKEN to the Bot User OAuth Token of the installed app, which begins with xoxb-";
            ProbeResult::fail(format!("{says}; the token is a person's and not a bot's"), mend)
        }
    };
    let mut rows = vec![("Slack".to_owned(), answer)];
    let mut compare = |key: &str, what: &str, ours: Option<&str>, theirs: Option<&str>| {
        if let (Some(ours), Some(theirs)) = (ours, theirs)
            && ours != theirs
        {
            let says = format!("the file says {ours}, and the token is for {theirs}: every delivery would be refused");
            let mend = format!("write {key} = \"{theirs}\" under [slack], or set the token of the {what} {ours}");
            rows.push((format!("slack.{key}"), ProbeResult::fail(says, mend)));
        }
    };
    compare("team_id", "app in the workspace", section.team_id.as_deref(), Some(&bot.team_id));
    compare("app_id", "app", section.app_id.as_deref(), bot.app_id.as_deref());
    rows
}

/// Each scope that is missing, with what does not work without it.
pub(super) fn scopes(bot: &Bot) -> Vec<Row> {
    if bot.scopes.is_empty() {
        return vec![("Slack scopes".to_owned(), ProbeResult::ok("Slack does not say which ones the token has"))];
    }
    let missing: Vec<_> = SCOPES.iter().filter(|scope| !bot.scopes.iter().any(|had| had == scope.name)).collect();
    let besides: Vec<_> = bot.scopes.iter().map(String::as_str).filter(|name| scope(name).is_none()).collect();
    let mut says = match missing.len() {
        0 => "all that are needed".to_owned(),
        missing => format!("{} of {}", SCOPES.len() - missing, SCOPES.len()),
    };
    if !besides.is_empty() {
        let named = besides[..besides.len().min(NAMED_LIMIT)].join(", ");
        let more = if besides.len() > NAMED_LIMIT { ", …" } else { "" };
        says.push_str(&format!("; besides, and of no use: {named}{more}"));
    }
    let mut rows = vec![("Slack scopes".to_owned(), ProbeResult::ok(says))];
    rows.extend(missing.into_iter().map(|scope| {
        let says = format!("is missing; with it Slipway {}", scope.why);
        let mend = "paste what slipway slack manifest prints under App Manifest of the app, and install it again";
        (format!("Slack {}", scope.name), ProbeResult { ok: scope.optional, says, mend: mend.to_owned() })
    }));
    rows
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::*;
    use crate::config::SlackMode;
    use expect_test::expect;

    fn section() -> config::Slack {
        config::Slack {
            app_id: Some("A0KRD7HC3".into()),
            team_id: Some("T9TK3CUKW".into()),
            mode: SlackMode::Http,
            api_url: "https://slack.com/api".into(),
            approve: vec![],
            veto: vec![],
        }
    }

    fn bot() -> Bot {
        Bot {
            team_id: "T9TK3CUKW".into(),
            team_name: Some("Acme".into()),
            user_id: "U0SLIPWAY".into(),
            user_name: Some("slipway".into()),
            bot_id: Some("B0SLIPWAY".into()),
            app_id: None,
            scopes: SCOPES.iter().map(|scope| scope.name.to_owned()).collect(),
        }
    }

    #[test]
    fn who_it_is_is_said_and_what_the_file_says_otherwise() {
        let other = Bot {
            team_id: "T0OTHER01".into(),
            team_name: None,
            user_name: None,
            bot_id: None,
            app_id: Some("A0OTHER01".into()),
            ..bot()
        };
        let unsaid = config::Slack { app_id: None, team_id: None, ..section() };
        let rows = [identity(&section(), &bot()), identity(&unsaid, &bot()), identity(&section(), &other)].concat();
        expect![[r#"
            ok    Slack  workspace Acme (T9TK3CUKW), bot slipway (U0SLIPWAY)
            ok    Slack  workspace Acme (T9TK3CUKW), bot slipway (U0SLIPWAY)
            FAIL  Slack  workspace T0OTHER01, bot U0SLIPWAY, app A0OTHER01; the token is a person's and not a bot's
                  → set SLACK_BOT_TOKEN to the Bot User OAuth Token of the installed app, which begins with xoxb-
            FAIL  slack.team_id  the file says T9TK3CUKW, and the token is for T0OTHER01: every delivery would be refused
                  → write team_id = "T0OTHER01" under [slack], or set the token of the app in the workspace T9TK3CUKW
            FAIL  slack.app_id  the file says A0KRD7HC3, and the token is for A0OTHER01: every delivery would be refused
                  → write app_id = "A0OTHER01" under [slack], or set the token of the app A0KRD7HC3"#]].assert_eq(&shown(&rows));
    }

    #[test]
    fn each_missing_scope_is_named_with_what_it_is_for() {
        let mut less = bot();
        less.scopes.retain(|name| !["chat:write.public", "reactions:read"].contains(&name.as_str()));
        less.scopes.push("files:read".to_owned());
        let unsaid = Bot { scopes: vec![], ..bot() };
        let rows = [scopes(&bot()), scopes(&less), scopes(&unsaid)].concat();
        expect![[r#"
            ok    Slack scopes  all that are needed
            ok    Slack scopes  10 of 12; besides, and of no use: files:read
            warn  Slack chat:write.public  is missing; with it Slipway posts in public channels that the app is not in
                  → paste what slipway slack manifest prints under App Manifest of the app, and install it again
            FAIL  Slack reactions:read  is missing; with it Slipway takes reactions under a card for votes, also those that were missed
                  → paste what slipway slack manifest prints under App Manifest of the app, and install it again
            ok    Slack scopes  Slack does not say which ones the token has"#]].assert_eq(&shown(&rows));
    }
}
