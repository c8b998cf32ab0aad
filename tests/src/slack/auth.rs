//! `auth.*`: whose token it is.

use super::arguments::Arguments;
use super::refusal::Reply;
use super::server::Shared;
use serde_json::json;

pub(super) fn test(shared: &Shared, _arguments: &Arguments) -> Reply {
    let options = &shared.options;
    Ok(json!({
        "url": "https://acme.slack.com/", "team": "Acme", "user": "slipway", "team_id": options.team_id,
        "user_id": options.bot_user, "bot_id": super::BOT_ID, "app_id": options.app_id, "is_enterprise_install": false,
    }))
}
