//! `slipway serve`.

use super::Refused;
use crate::config::{Config, Secrets};
use crate::{assemble, probe, serve};
use clap::Args;
use std::path::Path;
use tracing::warn;

/// Arguments of `slipway serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {}

pub(super) async fn run(_args: &ServeArgs, path: &Path) -> Result<(), Refused> {
    let (config, report) = Config::load(path)?;
    for warning in super::warnings(&report) {
        warn!("{warning}");
    }
    let secrets = Secrets::from_env()?;
    // The bot answers all the same; /readyz and every card that needs GitHub say what is missing.
    if secrets.github.is_none() {
        warn!("GITHUB_TOKEN is not set: nothing can be released until it is");
    }
    if let Some(short) = probe::short_token(&secrets) {
        warn!("SLIPWAY_API_TOKEN {}: {}", short.says, short.mend);
    }
    can_chat(&config, &secrets)?;
    let parts = assemble::parts(&config, &secrets).await.map_err(|error| Refused(error.to_string()))?;
    serve::serve(parts).await.map_err(|error| Refused(error.to_string()))
}

/// A bot that nobody can hear, or that hears nobody, would say that it is up.
fn can_chat(config: &Config, secrets: &Secrets) -> Result<(), Refused> {
    match &probe::missing_for_chats(config, secrets)[..] {
        [] => Ok(()),
        [one] => Err(Refused(format!(
            "{one} is not set, and its chat is switched on. Set it, or remove the chat's section; slipway check says where it \
             comes from. Nothing was started."
        ))),
        several => Err(Refused(format!(
            "{} are not set, and their chats are switched on. Set them, or remove the chats' sections; slipway check says where \
             they come from. Nothing was started.",
            several.join(", ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_chat_without_its_variables_is_not_started() {
        let check = |chats: &str, secrets: &Secrets| {
            let file = format!("[store]\nurl = \"sqlite://x.db\"\n[server]\npublic_url = \"https://a.dev\"\n{chats}");
            let (config, _) = Config::check(file.as_bytes(), Path::new("slipway.toml")).unwrap();
            can_chat(&config, secrets).err().map(|Refused(why)| why)
        };
        let none = Secrets::default();
        assert_eq!(check("", &none), None);
        let refused = check("[slack]\nmode = \"socket\"\n", &none).unwrap();
        assert!(refused.starts_with("SLACK_BOT_TOKEN, SLACK_APP_TOKEN are not set"), "{refused}");
        let token = Secrets { slack_bot_token: Some("xoxb-1".to_owned().into()), ..Secrets::default() };
        let refused = check("[slack]\nmode = \"http\"\n", &token).unwrap();
        assert!(refused.starts_with("SLACK_SIGNING_SECRET is not set"), "{refused}");
        let both = Secrets { slack_app_token: Some("xapp-1".to_owned().into()), ..token };
        assert_eq!(check("[slack]\nmode = \"socket\"\n", &both), None);
    }
}
