//! `apps.*`: the app's own settings, and its Socket Mode connections.

use super::arguments::Arguments;
use super::options::SlackOptions;
use super::refusal::{Refusal, Reply};
use super::server::Shared;
use serde_json::{Value, json};

/// An address at which one connection can be opened.
pub(super) fn open_connection(shared: &Shared, _arguments: &Arguments) -> Reply {
    let now = shared.world().now();
    let ticket = shared.sockets().ticket(now);
    let host = shared.base.trim_start_matches("http://");
    Ok(json!({ "url": format!("ws://{host}/link/?ticket={ticket}&app_id={}", shared.options.app_id) }))
}

pub(super) fn export_manifest(shared: &Shared, arguments: &Arguments) -> Reply {
    if arguments.need("app_id")? != shared.options.app_id {
        return Err(Refusal::code("invalid_app_id"));
    }
    Ok(json!({ "manifest": shared.world().manifest }))
}

/// The settings of an app as it was installed.
pub(super) fn manifest(options: &SlackOptions) -> Value {
    let commands = options.commands.iter().map(|command| {
        let (name, hint) = (&command.command, &command.usage_hint);
        json!({ "command": name, "description": command.description, "usage_hint": hint, "should_escape": false })
    });
    let commands: Vec<_> = commands.collect();
    let mut events = vec!["app_home_opened", "app_mention", "reaction_added", "reaction_removed"];
    if options.message_im_subscribed {
        events.insert(2, "message.im");
    }
    json!({
        "display_information": { "name": "Slipway" },
        "features": {
            "app_home": { "home_tab_enabled": true, "messages_tab_enabled": true,
                          "messages_tab_read_only_enabled": options.messages_tab_read_only },
            "bot_user": { "display_name": "slipway", "always_online": true },
            "slash_commands": commands,
        },
        "oauth_config": { "scopes": { "bot": options.scopes } },
        "settings": {
            "event_subscriptions": {
                "bot_events": events,
            },
            "interactivity": { "is_enabled": true },
            "org_deploy_enabled": false,
            "socket_mode_enabled": options.mode == super::SlackMode::Socket,
            "token_rotation_enabled": false,
        },
    })
}
