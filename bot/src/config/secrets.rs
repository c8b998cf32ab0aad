//! Secrets, which come from the environment and are never printed.

use secrecy::SecretString;
use std::ffi::OsString;
use std::fmt;

/// The digits of an application's public key.
const PUBLIC_KEY_HEX_DIGITS: usize = 64;
const NO_PUBLIC_KEY: &str = "DISCORD_PUBLIC_KEY is no public key: 64 digits and letters a to f. Copy it from General \
                             Information of the application in Discord's Developer Portal.";

/// Everything secret that the environment holds. `Debug` shows which are set, never what they are.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// `GITHUB_TOKEN`, or `GITHUB_APP_ID` with `GITHUB_APP_PRIVATE_KEY`.
    pub github: Option<GithubCredential>,
    /// `GITHUB_WEBHOOK_SECRET`.
    pub github_webhook: Option<SecretString>,
    /// `SLIPWAY_API_TOKEN`: the bearer token of the API and the dashboard.
    pub api_token: Option<SecretString>,
    /// `SLACK_BOT_TOKEN`.
    pub slack_bot_token: Option<SecretString>,
    /// `SLACK_SIGNING_SECRET`.
    pub slack_signing_secret: Option<SecretString>,
    /// `SLACK_APP_TOKEN`.
    pub slack_app_token: Option<SecretString>,
    /// `SLACK_CONFIG_TOKEN`: an app configuration token, for `slipway check` alone.
    pub slack_config_token: Option<SecretString>,
    /// `DISCORD_TOKEN`.
    pub discord_token: Option<SecretString>,
    /// `DISCORD_PUBLIC_KEY`: 64 hexadecimal digits. Not secret, and kept with the others because it comes with them.
    pub discord_public_key: Option<SecretString>,
    /// `SLIPWAY_CONFIG_HMAC_KEY`: what the services' settings are hashed with.
    pub config_hmac_key: Option<SecretString>,
}

/// How Slipway signs in to GitHub.
#[derive(Clone, Debug)]
pub enum GithubCredential {
    /// A personal or installation token.
    Token(SecretString),
    /// A GitHub App.
    App {
        /// The App's number.
        id: u64,
        /// Its private key as PEM.
        private_key: SecretString,
    },
}

/// What is wrong with the environment's variables, one sentence each, without their values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSecrets(pub Vec<String>);

impl fmt::Display for BadSecrets {
    /// One a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for BadSecrets {}

impl Secrets {
    /// Reads the process's environment. A variable that is not set, or empty, is none.
    ///
    /// # Errors
    /// When a variable is not Unicode, an App's id is no number, one half of an App's credentials is missing, there are
    /// two ways to sign in to GitHub, or Discord's public key is none. All of these are listed.
    pub fn from_env() -> Result<Self, BadSecrets> {
        Self::from_lookup(|name| std::env::var_os(name))
    }

    /// The same from any source.
    ///
    /// # Errors
    /// As [`Self::from_env`].
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, BadSecrets> {
        let mut wrong = Vec::new();
        let mut text = |name: &str| match lookup(name)?.into_string() {
            Ok(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Err(_) => {
                wrong.push(format!("{name} is not Unicode text. Set it again."));
                None
            }
        };
        let token = text("GITHUB_TOKEN");
        let app = (text("GITHUB_APP_ID"), text("GITHUB_APP_PRIVATE_KEY"));
        let public_key = text("DISCORD_PUBLIC_KEY");
        let mut secret = |name: &str| text(name).map(SecretString::from);
        let mut secrets = Self {
            github: None,
            github_webhook: secret("GITHUB_WEBHOOK_SECRET"),
            api_token: secret("SLIPWAY_API_TOKEN"),
            slack_bot_token: secret("SLACK_BOT_TOKEN"),
            slack_signing_secret: secret("SLACK_SIGNING_SECRET"),
            slack_app_token: secret("SLACK_APP_TOKEN"),
            slack_config_token: secret("SLACK_CONFIG_TOKEN"),
            discord_token: secret("DISCORD_TOKEN"),
            discord_public_key: None,
            config_hmac_key: secret("SLIPWAY_CONFIG_HMAC_KEY"),
        };
        match github(token, app) {
            Ok(credential) => secrets.github = credential,
            Err(sentence) => wrong.push(sentence.to_owned()),
        }
        match public_key {
            // It could not verify a single delivery.
            Some(key) if !is_public_key(&key) => wrong.push(NO_PUBLIC_KEY.to_owned()),
            key => secrets.discord_public_key = key.map(SecretString::from),
        }
        if wrong.is_empty() { Ok(secrets) } else { Err(BadSecrets(wrong)) }
    }
}

fn is_public_key(text: &str) -> bool {
    text.len() == PUBLIC_KEY_HEX_DIGITS && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn github(
    token: Option<String>,
    app: (Option<String>, Option<String>),
) -> Result<Option<GithubCredential>, &'static str> {
    match (token, app) {
        (None, (None, None)) => Ok(None),
        (Some(token), (None, None)) => Ok(Some(GithubCredential::Token(token.into()))),
        (Some(_), _) => Err("GITHUB_TOKEN and a GitHub App are both set. Unset GITHUB_TOKEN, or unset \
                             GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY."),
        (None, (Some(_), None)) => Err("GITHUB_APP_ID is set and GITHUB_APP_PRIVATE_KEY is not. Set both."),
        (None, (None, Some(_))) => Err("GITHUB_APP_PRIVATE_KEY is set and GITHUB_APP_ID is not. Set both."),
        (None, (Some(id), Some(key))) => {
            let id = id.parse().map_err(|_| "GITHUB_APP_ID is not a number. Copy it from the App's settings.")?;
            if !key.starts_with("-----BEGIN") {
                return Err("GITHUB_APP_PRIVATE_KEY is no PEM. Set it to the content of the file GitHub gave you.");
            }
            // Many ways to set a variable cannot hold a line break and write it as two characters.
            let private_key = key.replace("\\n", "\n").into();
            Ok(Some(GithubCredential::App { id, private_key }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use secrecy::ExposeSecret;

    fn read(set: &[(&str, &str)]) -> Result<Secrets, BadSecrets> {
        Secrets::from_lookup(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value)))
    }

    #[test]
    fn debug_shows_which_are_set_and_no_value() {
        let secrets =
            read(&[("GITHUB_TOKEN", "ghp_hunter2\n"), ("SLACK_BOT_TOKEN", "hunter2"), ("DISCORD_TOKEN", " ")]);
        let secrets = secrets.unwrap();
        assert!(matches!(&secrets.github, Some(GithubCredential::Token(t)) if t.expose_secret() == "ghp_hunter2"));
        let shown = format!("{secrets:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(secrets.discord_token.is_none());
        assert!(secrets.slack_bot_token.is_some());
    }

    #[test]
    fn a_public_key_is_taken_whatever_the_case_of_its_letters() {
        let key = "3B6A27BCceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29";
        let secrets = read(&[("DISCORD_PUBLIC_KEY", key)]).unwrap();
        assert_eq!(secrets.discord_public_key.unwrap().expose_secret(), key);
        assert!(read(&[("DISCORD_PUBLIC_KEY", &key[1..])]).is_err() && read(&[("DISCORD_PUBLIC_KEY", "")]).is_ok());
    }

    #[test]
    fn an_app_needs_both_halves() {
        let secrets = read(&[("GITHUB_APP_ID", "7"), ("GITHUB_APP_PRIVATE_KEY", "-----BEGIN X\\nhunter2")]).unwrap();
        match secrets.github {
            Some(GithubCredential::App { id: 7, private_key }) => {
                assert_eq!(private_key.expose_secret(), "-----BEGIN X\nhunter2");
            }
            other => panic!("{other:?}"),
        }
        let mut said = String::new();
        for set in [
            &[("GITHUB_APP_ID", "7")][..],
            &[("GITHUB_APP_PRIVATE_KEY", "hunter2")],
            &[("GITHUB_APP_ID", "hunter2"), ("GITHUB_APP_PRIVATE_KEY", "hunter2")],
            &[("GITHUB_APP_ID", "7"), ("GITHUB_APP_PRIVATE_KEY", "hunter2")],
            &[("GITHUB_APP_ID", "7"), ("GITHUB_TOKEN", "hunter2")],
            &[("DISCORD_PUBLIC_KEY", "hunter2")],
        ] {
            said += &format!("{}\n", read(set).unwrap_err());
        }
        expect![[r#"
            GITHUB_APP_ID is set and GITHUB_APP_PRIVATE_KEY is not. Set both.
            GITHUB_APP_PRIVATE_KEY is set and GITHUB_APP_ID is not. Set both.
            GITHUB_APP_ID is not a number. Copy it from the App's settings.
            GITHUB_APP_PRIVATE_KEY is no PEM. Set it to the content of the file GitHub gave you.
            GITHUB_TOKEN and a GitHub App are both set. Unset GITHUB_TOKEN, or unset GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY.
            DISCORD_PUBLIC_KEY is no public key: 64 digits and letters a to f. Copy it from General Information of the application in Discord's Developer Portal.
        "#]]
        .assert_eq(&said);
    }
}
