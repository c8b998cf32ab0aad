//! `slipway policy reload`.

use super::Refused;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use slipway_deploy::bot_api;
use std::io::Write as _;
use std::path::Path;

pub(super) async fn run(path: &Path) -> Result<(), Refused> {
    let (config, secrets) = crate::cli::load_with_secrets(path)?;
    let token = secrets.api_token.as_ref().ok_or_else(|| {
        Refused("SLIPWAY_API_TOKEN is not set. Set it to the token that the bot was started with.".to_owned())
    })?;
    let asked = bot_api::post(config.server.listen, token.expose_secret(), "/api/v1/policies/reload").await;
    let (status, said) = asked.map_err(|error| Refused(error.to_string()))?;
    let line = answer(status, &said).map_err(Refused)?;
    let _ = writeln!(std::io::stdout().lock(), "{line}");
    Ok(())
}

/// What became of it, in words.
fn answer(status: u16, said: &Value) -> Result<String, String> {
    let text = |key: &str| said[key].as_str().unwrap_or_default();
    let short = |key: &str| text(key).chars().take(12).collect::<String>();
    match status {
        200 if said["changed"] == true && said["in_force"] == false => {
            Err("The new policies are stored and not in force yet: see the bot's log.".to_owned())
        }
        200 if said["changed"] == true => Ok(format!(
            "The bot uses {} rules now, hash {} (before {}). What waits is judged again.",
            said["rules"],
            short("hash"),
            short("before")
        )),
        200 => Ok(format!("Nothing has changed: the rules in force are these, hash {}.", short("hash"))),
        401 | 403 => Err(format!("The bot refused: {}", said.as_str().unwrap_or_default().trim())),
        422 => {
            let mistakes = said["mistakes"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let list: String = mistakes.map(|mistake| format!("{mistake}\n")).collect();
            Err(format!("{list}The policies have mistakes. Those in force stay in force."))
        }
        502 => {
            let why = text("error").trim_end_matches('.');
            Err(format!("The policies could not be read: {why}. Those in force stay in force."))
        }
        _ => Err(format!("The bot answered with status {status}: {}", text("error"))),
    }
}

#[cfg(test)]
mod tests {
    use super::answer;
    use serde_json::json;

    #[test]
    fn each_answer_says_what_is_in_force() {
        let (before, hash) = ("a".repeat(64), "b".repeat(64));
        let changed =
            answer(200, &json!({ "changed": true, "before": before, "hash": hash, "rules": 21, "in_force": true }));
        let changed = changed.unwrap();
        assert_eq!(
            changed,
            "The bot uses 21 rules now, hash bbbbbbbbbbbb (before aaaaaaaaaaaa). What waits is judged again."
        );
        let same = answer(200, &json!({ "changed": false, "hash": hash })).unwrap();
        assert_eq!(same, "Nothing has changed: the rules in force are these, hash bbbbbbbbbbbb.");
        let wrong = answer(422, &json!({ "error": "x", "mistakes": ["a.cedar:1:1: What?", "b"] })).unwrap_err();
        assert_eq!(wrong, "a.cedar:1:1: What?\nb\nThe policies have mistakes. Those in force stay in force.");
        let stored = json!({ "changed": true, "before": before, "hash": hash, "rules": 21, "in_force": false });
        let stored = answer(200, &stored).unwrap_err();
        assert_eq!(stored, "The new policies are stored and not in force yet: see the bot's log.");
        let unread = answer(502, &json!({ "error": "the policies in acme/rules cannot be read: no answer" }));
        let says = "The policies could not be read: the policies in acme/rules cannot be read: no answer. \
                    Those in force stay in force.";
        assert_eq!(unread.unwrap_err(), says);
        let token = answer(401, &json!("the bearer token is missing or wrong\n")).unwrap_err();
        assert_eq!(token, "The bot refused: the bearer token is missing or wrong");
        assert_eq!(answer(503, &json!({ "error": "no" })).unwrap_err(), "The bot answered with status 503: no");
    }
}
