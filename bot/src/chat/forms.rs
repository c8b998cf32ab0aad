//! Forms for what needs a reason. What is filled in becomes the line that one could have typed, so that one grammar
//! and one gate are for both.

use crate::setup::Setup;
use serde::{Deserialize, Serialize};
use slipway_core::command::quoted;
use slipway_core::ids::EnvironmentKey;
use slipway_core::message::Line;
use slipway_core::message::form::{Form, Input, InputKind};
use std::collections::BTreeMap;
const LOCK: &str = "lock";
const OVERRIDE: &str = "override";
/// The longest text of an input.
const TEXT_LIMIT_CHARS: u16 = 300;
/// How long a lock may be, as the form offers it.
const LENGTHS: [(&str, &str); 6] = [
    ("30m", "30 minutes"),
    ("1h", "1 hour"),
    ("2h", "2 hours"),
    ("4h", "4 hours"),
    ("8h", "8 hours"),
    (UNTIL_UNLOCKED, UNTIL_UNLOCKED),
];
const LENGTH_DEFAULT: &str = "2h";
/// Stands for no length: an option must have a value. In words, for chats in which people type it.
const UNTIL_UNLOCKED: &str = "until unlocked";

/// A form that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Who, by their account.
    pub user: String,
    /// The form's name.
    pub form: String,
    /// What the form carries besides.
    pub private: String,
    /// What was filled in, by input.
    pub values: BTreeMap<String, String>,
    /// Unique for each submission.
    pub trigger: String,
}

/// What a form carries from its opening to its sending.
#[derive(Serialize, Deserialize)]
struct Carried {
    channel: String,
}

fn text(id: &str, label: &str, hint: Option<&str>, initial: &str) -> Input {
    let kind = InputKind::Text { multiline: false, max: TEXT_LIMIT_CHARS, initial: initial.to_owned() };
    Input { id: id.to_owned(), label: label.to_owned(), hint: hint.map(str::to_owned), kind, optional: false }
}

fn form(callback: &str, title: &str, intro: &str, channel: &str, inputs: Vec<Input>) -> Form {
    let carried = Carried { channel: channel.to_owned() };
    Form {
        callback: callback.to_owned(),
        title: title.to_owned(),
        submit: title.to_owned(),
        intro: Some(Line::plain(intro)),
        private: serde_json::to_string(&carried).unwrap_or_default(),
        inputs,
    }
}

/// The form that asks why an environment is to be held, and for how long.
pub(super) fn lock(environment: Option<&EnvironmentKey>, channel: &str, setup: &Setup) -> Form {
    let option = |key: &EnvironmentKey| (format!("{} {}", key.environment, key.service), key.to_string());
    let options: Vec<_> = setup.environment_keys(None).iter().map(option).collect();
    let initial = environment.map(|key| option(key).0);
    let lengths = LENGTHS.map(|(value, label)| (value.to_owned(), label.to_owned())).into();
    let choice = |id: &str, label: &str, options, initial| Input {
        id: id.to_owned(),
        label: label.to_owned(),
        hint: None,
        kind: InputKind::Choice { options, initial },
        optional: false,
    };
    let inputs = vec![
        choice("environment", "Environment", options, initial),
        text("reason", "Reason", Some("Everybody whose release waits for it reads this."), ""),
        choice("for", "For", lengths, Some(LENGTH_DEFAULT.to_owned())),
    ];
    form(LOCK, "Lock", "While you hold it only your own releases pass.", channel, inputs)
}

/// The form that asks for what an override needs.
fn overriding(release: &str, channel: &str) -> Form {
    let inputs = vec![
        text("release", "Release", Some("Its id, or how it begins."), release),
        text("incident", "Incident", Some("The number or address of the incident that it is for."), ""),
        text("reason", "Reason", Some("It is shown in every channel of the service and kept in the audit log."), ""),
    ];
    form(OVERRIDE, "Override", "Sets rules aside for one plan of one release.", channel, inputs)
}

/// The form for a line that lacks what only a form asks for nicely.
pub(super) fn for_line(line: &str, channel: &str, setup: &Setup) -> Option<Form> {
    let words: Vec<_> = line.split_whitespace().collect();
    match words[..] {
        ["/release", "lock"] => Some(lock(None, channel, setup)),
        ["/release", "lock", name] => {
            let mut named = setup.environment_keys(Some(&name.into())).into_iter();
            match (named.next(), named.next()) {
                (Some(key), None) => Some(lock(Some(&key), channel, setup)),
                _ => None,
            }
        }
        ["/release", "override"] => Some(overriding("", channel)),
        ["/release", "override", release] if !release.starts_with('-') => Some(overriding(release, channel)),
        _ => None,
    }
}

/// What one can type where the form cannot be opened.
pub(super) fn instead(form: &Form) -> &'static str {
    match form.callback.as_str() {
        OVERRIDE => "Type /release override <release> --incident ID --reason \"why\".",
        _ => "Type /release lock <environment> \"why\" --for 2h.",
    }
}

/// Where a form was opened, and the line that it stands for.
pub(super) fn line(sent: &Submission) -> Option<(String, String)> {
    let carried: Carried = serde_json::from_str(&sent.private).ok()?;
    let value = |name: &str| sent.values.get(name).map(String::as_str).unwrap_or_default();
    let line = match sent.form.as_str() {
        LOCK => {
            // Where a chat has no choices in its forms, both are typed.
            let (environment, service) =
                value("environment").trim().split_once(' ').unwrap_or((value("environment"), ""));
            let (environment, service) = (word(environment), word(service));
            let reason = quoted(value("reason"));
            let length = value("for").trim();
            let is_open = length.eq_ignore_ascii_case(UNTIL_UNLOCKED) || word(length).is_empty();
            let length = if is_open { String::new() } else { format!(" --for {}", word(length)) };
            format!("/release lock {environment} {reason}{length} {service}")
        }
        OVERRIDE => {
            let (incident, reason) = (quoted(value("incident")), quoted(value("reason")));
            format!("/release override {} --incident {incident} --reason {reason}", word(value("release")))
        }
        _ => return None,
    };
    Some((carried.channel, line.trim().to_owned()))
}

/// What somebody filled in as one word, and no option.
fn word(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    text.trim_start_matches(['-', '–', '—']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_core::command::{Command, parse};
    use std::path::Path;

    fn setup() -> Setup {
        let file = r#"
            [server]
            [store]
            url = "sqlite://x.db"
            [terminal]
            channels = ["releases"]
            [service.goals]
            repository = "acme/goals"
            workflow = "build.yaml"
            image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals"
            channels = ["terminal:releases"]
            [service.goals.environment.production]
            target = { kind = "app-runner", service_arn = "arn:aws:apprunner:us-west-2:123456789012:service/goals-production/8fe1e10304f84fd2b0df550fe98a71fa" }
            [person.ana]
            slack = "U012AB3CD"
        "#;
        let (config, _) = crate::config::Config::check(file.as_bytes(), Path::new("slipway.toml")).unwrap();
        crate::assemble::setup(&config).unwrap()
    }

    fn sent(form: &Form, values: &[(&str, &str)]) -> Submission {
        Submission {
            user: "U012AB3CD".into(),
            form: form.callback.clone(),
            private: form.private.clone(),
            values: values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            trigger: "1.2".into(),
        }
    }

    #[test]
    fn what_is_filled_in_is_the_line_that_one_could_have_typed() {
        let setup = setup();
        let form = for_line("/release lock production", "slack:C1", &setup).unwrap();
        let hostile = "it \"broke\" --for 9h\n/deploy production";
        let (channel, text) =
            line(&sent(&form, &[("environment", "production goals"), ("reason", hostile), ("for", "2h")])).unwrap();
        assert_eq!(channel, "slack:C1");
        match parse(&text, &setup.words()).unwrap() {
            Command::Lock { environment, reason, for_s, .. } => {
                assert_eq!((environment.as_str(), for_s), ("production", Some(7_200)));
                assert_eq!(reason, "it 'broke' --for 9h /deploy production");
            }
            other => panic!("{other:?}"),
        }
        for open in ["until unlocked", " Until unlocked", "-", ""] {
            let values = [("environment", "production goals"), ("reason", "x"), ("for", open)];
            let (_, text) = line(&sent(&form, &values)).unwrap();
            assert!(matches!(parse(&text, &setup.words()).unwrap(), Command::Lock { for_s: None, .. }), "{text}");
        }
        let form = for_line("/release override 01JD7Q4N", "slack:C1", &setup).unwrap();
        let filled_in = [("release", "01JD7Q4N"), ("incident", "INC-7"), ("reason", "site is \"down\"")];
        let (_, text) = line(&sent(&form, &filled_in)).unwrap();
        match parse(&text, &setup.words()).unwrap() {
            Command::Override { release, incident, reason } => {
                assert_eq!((&*release, &*incident, &*reason), ("01JD7Q4N", "INC-7", "site is 'down'"));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn whole_lines_and_strange_ones_open_no_form() {
        let setup = setup();
        for text in
            ["/release lock production \"load test\"", "/release lock nowhere", "/deploy production", "/release"]
        {
            assert!(for_line(text, "slack:C1", &setup).is_none(), "{text}");
        }
        let form = for_line("/release lock", "slack:C1", &setup).unwrap();
        assert!(line(&Submission { form: "other".into(), ..sent(&form, &[]) }).is_none());
        assert!(line(&Submission { private: "{}".into(), ..sent(&form, &[]) }).is_none());
    }
}
