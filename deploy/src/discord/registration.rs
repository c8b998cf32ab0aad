//! The commands as Discord is told of them, and what differs from what it knows.

use serde_json::{Map, Value};
use serenity::builder::{CreateCommand, CreateCommandOption};
use serenity::model::application::{CommandOptionType, InstallationContext, InteractionContext};
use slipway_core::command::{CommandForm, CommandOption, OptionKind, forms};
use std::collections::BTreeMap;

/// What Discord adds to a command of its own accord, or answers in another form.
const DISCORDS_OWN: [&str; 9] = [
    "id",
    "application_id",
    "guild_id",
    "version",
    "dm_permission",
    "name_localized",
    "name_localizations",
    "description_localized",
    "description_localizations",
];
/// What only commands of all servers have.
const EVERYWHERE_ALONE: [&str; 2] = ["contexts", "integration_types"];
/// The type of a command that is typed, and what Discord takes for one when none is given.
const TYPED: u64 = 1;
/// How many choices an option has at most; more of them are offered while one types.
const CHOICES_LIMIT: usize = 25;
/// The longest name and value of a choice.
const CHOICE_LIMIT_CHARS: usize = 100;

/// How one command differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandChange {
    /// Its name, without a slash.
    pub name: String,
    /// In which way.
    pub how: Change,
}

/// How a command differs from what is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is not registered yet.
    Added,
    /// It is registered otherwise: in these parts.
    Changed(Vec<String>),
    /// It is registered, and none of Slipway's.
    Removed,
}

/// All commands, for all servers or for one. They can be used in servers alone, by everybody whom the server lets.
#[must_use]
pub fn registration(is_everywhere: bool) -> Vec<Value> {
    let command = |form: CommandForm| {
        let command =
            CreateCommand::new(form.name.as_str()).description(form.description.as_str()).set_options(parts(form));
        let command = if is_everywhere {
            command.add_context(InteractionContext::Guild).add_integration_type(InstallationContext::Guild)
        } else {
            command
        };
        let mut command = plain(serde_json::to_value(command).unwrap_or_default());
        // Said all the same: who may use it is the server's to say, and no left-over of an earlier registration.
        command["default_member_permissions"] = Value::Null;
        command
    };
    forms().into_iter().map(command).collect()
}

fn parts(form: CommandForm) -> Vec<CreateCommandOption> {
    let sub = |sub: CommandForm| {
        let option =
            CreateCommandOption::new(CommandOptionType::SubCommand, sub.name.as_str(), sub.description.as_str());
        option.set_sub_options(parts(sub))
    };
    form.options.into_iter().map(option).chain(form.sub_commands.into_iter().map(sub)).collect()
}

fn option(CommandOption { name, description, kind, required }: CommandOption) -> CreateCommandOption {
    let words = if let OptionKind::Choice(words) = kind { words } else { &[] };
    let (kind, is_offered) = match kind {
        OptionKind::Environment
        | OptionKind::Service
        | OptionKind::Reference
        | OptionKind::Release
        | OptionKind::ServiceOrAll => (CommandOptionType::String, true),
        OptionKind::Text | OptionKind::Duration | OptionKind::Choice(_) => (CommandOptionType::String, false),
        OptionKind::Flag => (CommandOptionType::Boolean, false),
        OptionKind::Person => (CommandOptionType::User, false),
        OptionKind::Count => (CommandOptionType::Integer, false),
    };
    let option = CreateCommandOption::new(kind, name, description).required(required).set_autocomplete(is_offered);
    chosen_from(words).fold(option, |option, word| option.add_string_choice(word, word))
}

/// The words that can be choices. Discord refuses all commands where one has too many, or one that is too long.
fn chosen_from<'a>(words: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let fits = |word: &&str| (1..=CHOICE_LIMIT_CHARS).contains(&word.encode_utf16().count());
    words.iter().copied().filter(fits).take(CHOICES_LIMIT)
}

/// Without what says nothing: `null`, `false`, and what is empty. Discord takes and gives either form.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object.into_iter().map(|(key, value)| (key, plain(value)));
            Value::Object(kept.filter(|(_, value)| !is_nothing(value)).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(plain).collect()),
        other => other,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}

/// How what is to be registered differs from what is: in the order of `ours`, then what is there besides.
#[must_use]
pub fn changes(ours: &[Value], theirs: &[Value]) -> Vec<CommandChange> {
    let mut there: BTreeMap<(u64, String), Map<String, Value>> = theirs.iter().map(known).collect();
    let mut found = Vec::new();
    for command in ours {
        let (key, ours) = known(command);
        let how = match there.remove(&key) {
            None => Change::Added,
            Some(mut theirs) => {
                // Where ours says nothing, it is for one server, and Discord may say it all the same.
                theirs.retain(|part, _| !EVERYWHERE_ALONE.contains(&part.as_str()) || ours.contains_key(part));
                let mut parts = Vec::new();
                compare(&ours, &theirs, "", &mut parts);
                Change::Changed(parts)
            }
        };
        if how != Change::Changed(vec![]) {
            found.push(CommandChange { name: key.1, how });
        }
    }
    found.extend(there.into_keys().map(|(_, name)| CommandChange { name, how: Change::Removed }));
    found
}

/// A command without what Discord adds, by its type and name.
fn known(command: &Value) -> ((u64, String), Map<String, Value>) {
    let Value::Object(mut command) = plain(command.clone()) else { return Default::default() };
    let kind = command.remove("type").and_then(|kind| kind.as_u64()).unwrap_or(TYPED);
    DISCORDS_OWN.iter().for_each(|part| drop(command.remove(*part)));
    ((kind, named(&Value::Object(command.clone())).to_owned()), command)
}

fn named(value: &Value) -> &str {
    value["name"].as_str().unwrap_or_default()
}

/// Adds every part in which two commands, or two options of the same name, differ.
fn compare(ours: &Map<String, Value>, theirs: &Map<String, Value>, path: &str, found: &mut Vec<String>) {
    let mut parts: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
    parts.sort_unstable();
    parts.dedup();
    for part in parts.into_iter().filter(|part| !DISCORDS_OWN.contains(&part.as_str())) {
        if part == "options" {
            options(ours.get(part), theirs.get(part), path, found);
        } else if ours.get(part) != theirs.get(part) {
            found.push(format!("{path}{part}"));
        }
    }
}

fn options(ours: Option<&Value>, theirs: Option<&Value>, path: &str, found: &mut Vec<String>) {
    let list = |options: Option<&Value>| options.and_then(Value::as_array).cloned().unwrap_or_default();
    let (ours, theirs) = (list(ours), list(theirs));
    let before = found.len();
    for option in &ours {
        let name = named(option);
        match theirs.iter().find(|theirs| named(theirs) == name) {
            None => found.push(format!("{path}{name} is missing")),
            Some(theirs) => {
                let (Some(ours), Some(theirs)) = (option.as_object(), theirs.as_object()) else { continue };
                compare(ours, theirs, &format!("{path}{name} "), found);
            }
        }
    }
    let besides = theirs.iter().filter(|theirs| ours.iter().all(|ours| named(ours) != named(theirs)));
    found.extend(besides.map(|option| format!("{path}{} besides", named(option))));
    if found.len() == before && !ours.iter().map(named).eq(theirs.iter().map(named)) {
        found.push(format!("{path}the order of its options"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    /// Most characters of all names, descriptions and values of a command together: Discord takes 8,000, and a half of that
    /// leaves room for what is to come.
    const COMMAND_LIMIT_CHARS: usize = 4_000;

    fn find(commands: &[Value], name: &str) -> Value {
        commands.iter().find(|command| named(command) == name).cloned().unwrap()
    }

    #[test]
    fn what_discord_is_told_comes_from_the_grammar() {
        let commands = registration(true);
        let names: Vec<_> = commands.iter().map(named).collect();
        assert_eq!(names, ["deploy", "rollback", "migrate", "release"]);
        expect![[r#"
            {
              "name": "rollback",
              "description": "bring back what ran before, or what a release brought; migrations stay applied without --migrations",
              "options": [
                {
                  "type": 3,
                  "name": "environment",
                  "description": "which environment",
                  "required": true,
                  "autocomplete": true
                },
                {
                  "type": 3,
                  "name": "release",
                  "description": "its id, or the beginning of it",
                  "autocomplete": true
                },
                {
                  "type": 3,
                  "name": "service",
                  "description": "which service, where there is more than one",
                  "autocomplete": true
                },
                {
                  "type": 3,
                  "name": "reason",
                  "description": "why, for those who read of it"
                },
                {
                  "type": 5,
                  "name": "migrations",
                  "description": "take back what the older version does not know, once that runs and is well"
                }
              ],
              "integration_types": [
                0
              ],
              "contexts": [
                0
              ],
              "default_member_permissions": null
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&find(&commands, "rollback")).unwrap());
        let lock = find(find(&commands, "release")["options"].as_array().unwrap(), "lock");
        let option = |option: &Value| format!("{} {} {}", named(option), option["type"], option["autocomplete"]);
        let options: Vec<_> = lock["options"].as_array().unwrap().iter().map(option).collect();
        assert_eq!(options, ["environment 3 true", "reason 3 null", "service 3 true", "for 3 null", "to 6 null"],);
        let of_a_server = registration(false);
        let own = of_a_server.iter().flat_map(|command| EVERYWHERE_ALONE.map(|part| command.get(part)));
        assert!(own.into_iter().all(|part| part.is_none()));
    }

    #[test]
    fn no_command_is_bigger_than_discord_takes() {
        fn size(value: &Value) -> usize {
            let texts = ["name", "description", "value"];
            let texts = texts.map(|part| value[part].as_str().unwrap_or_default().chars().count());
            let below = ["options", "choices"].map(|part| value[part].as_array().into_iter().flatten().map(size).sum());
            texts.iter().chain(&below).sum()
        }
        for command in registration(true) {
            assert!(size(&command) <= COMMAND_LIMIT_CHARS, "{}: {}", named(&command), size(&command));
        }
    }

    #[test]
    fn no_option_has_more_choices_than_discord_takes() {
        let names: Vec<String> = (0..30).map(|n| format!("{n:0>40}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(chosen_from(&names).count(), CHOICES_LIMIT);
        let long = "🚀".repeat(51);
        assert_eq!(Vec::from_iter(chosen_from(&["", "up", &long])), ["up"]);
        let kind = OptionKind::Choice(&["status", "plan", "up", "down"]);
        let made = option(CommandOption { name: "what".into(), description: "what".into(), kind, required: false });
        let made = serde_json::to_value(made).unwrap();
        assert_eq!(made["choices"].as_array().unwrap().len(), 4, "all of those that fit");
        for command in registration(true) {
            // What is known of the file is offered while one types, so that no registration grows with it.
            let subs = command["options"].as_array().unwrap().iter();
            let all = subs.clone().chain(subs.flat_map(|sub| sub["options"].as_array().into_iter().flatten()));
            for option in all.filter(|option| option["choices"].is_array()) {
                assert_ne!(option["autocomplete"], true, "{option}");
                assert!(option["choices"].as_array().unwrap().len() <= CHOICES_LIMIT, "{option}");
            }
        }
    }

    /// A command as Discord gives it back.
    fn given_back(command: &Value, guild: Option<&str>) -> Value {
        fn filled(value: &mut Value) {
            value["name_localizations"] = Value::Null;
            for option in value["options"].as_array_mut().into_iter().flatten() {
                filled(option);
                if option["type"] == 3 {
                    option["required"] = json!(option["required"] == true);
                    let choices = option["choices"].take();
                    option["choices"] = if choices.is_null() { json!([]) } else { choices };
                }
            }
        }
        let mut given = command.clone();
        filled(&mut given);
        let added = json!({
            "id": "1032011029000000001", "application_id": "845027738276462632", "version": "1032011029000000002",
            "type": 1, "dm_permission": false, "nsfw": false,
            "description_localizations": null,
        });
        given.as_object_mut().unwrap().extend(added.as_object().unwrap().clone());
        if let Some(guild) = guild {
            given["guild_id"] = json!(guild);
            given["contexts"] = Value::Null;
            given["integration_types"] = json!([0]);
        }
        given
    }

    #[test]
    fn what_was_registered_is_as_it_should_be() {
        for (is_everywhere, guild) in [(true, None), (false, Some("290926798626357999"))] {
            let ours = registration(is_everywhere);
            let theirs: Vec<_> = ours.iter().map(|command| given_back(command, guild)).rev().collect();
            assert_eq!(changes(&ours, &theirs), []);
        }
    }

    #[test]
    fn each_difference_is_named() {
        let ours = registration(true);
        let mut theirs: Vec<_> = ours.iter().map(|command| given_back(command, None)).collect();
        theirs[0]["description"] = json!("bring it there");
        theirs[0]["options"][1]["autocomplete"] = json!(false);
        theirs[0]["options"].as_array_mut().unwrap().swap(2, 3);
        theirs[1]["default_member_permissions"] = json!("8");
        theirs[1]["options"].as_array_mut().unwrap().swap(0, 1);
        theirs[3]["options"][1]["options"] = json!([{ "type": 3, "name": "service", "description": "x" }]);
        theirs[3]["contexts"] = json!([0, 1]);
        theirs.remove(2);
        theirs.push(json!({ "name": "ship", "type": 1, "description": "x" }));
        theirs.push(json!({ "name": "deploy", "type": 3 }));
        let line = |change: &CommandChange| format!("{} {:?}", change.name, change.how);
        let said: Vec<_> = changes(&ours, &theirs).iter().map(line).collect();
        expect![[r#"
            deploy Changed(["description", "reference autocomplete"])
            rollback Changed(["default_member_permissions", "the order of its options"])
            migrate Added
            release Changed(["contexts", "status environment is missing", "status service besides"])
            ship Removed
            deploy Removed"#]]
        .assert_eq(&said.join("\n"));
        assert!(changes(&ours, &[]).iter().all(|change| change.how == Change::Added));
        assert_eq!(changes(&[], &[Value::Null, json!(7)]).len(), 1, "what is no command breaks nothing");
    }
}
