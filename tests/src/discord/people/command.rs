//! A typed line as a registered command with typed options.

use super::Refused;
use super::words::{Word, mentioned, words};
use crate::discord::world::World;
use crate::discord::{shapes, snowflake};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SUBCOMMAND: u64 = 1;
const GROUP: u64 = 2;
const TEXT_LIMIT_CHARS: u64 = 6_000;
/// Discord's whole numbers.
const WHOLE_LIMIT: i64 = 1 << 53;

/// The option that somebody is typing, and what they have typed of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Typing<'a> {
    pub(super) option: &'a str,
    pub(super) typed: &'a str,
}

fn options(holder: &Value) -> &[Value] {
    holder["options"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The data of a command that was typed, or is being typed.
pub(super) fn data(
    world: &World,
    commands: &[Value],
    line: &str,
    typing: Option<Typing<'_>>,
) -> Result<Value, Refused> {
    let line = line.trim().trim_start_matches('/');
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let command = commands.iter().find(|command| command["name"] == name && command["type"] == 1);
    let command =
        command.ok_or_else(|| Refused::shown("unknown_command", &format!("/{name} is not a command here.")))?;
    let mut resolved = json!({});
    let given = branch(world, command, rest, typing, &mut resolved)?;
    let mut data = json!({ "id": command["id"], "name": name, "type": 1 });
    if !given.is_empty() {
        data["options"] = Value::Array(given);
    }
    if resolved != json!({}) {
        data["resolved"] = resolved;
    }
    if let Some(guild) = command.get("guild_id") {
        data["guild_id"] = guild.clone();
    }
    Ok(data)
}

/// Goes down to the subcommand that a line names, then reads its options.
fn branch(
    world: &World,
    holder: &Value,
    line: &str,
    typing: Option<Typing<'_>>,
    resolved: &mut Value,
) -> Result<Vec<Value>, Refused> {
    let kind = |option: &Value| option["type"].as_u64().unwrap_or(0);
    if !options(holder).iter().any(|option| matches!(kind(option), SUBCOMMAND | GROUP)) {
        return values(world, options(holder), line, typing, resolved);
    }
    let line = line.trim();
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let found = options(holder).iter().find(|option| option["name"] == name);
    let found = found.ok_or_else(|| Refused::of("unknown_subcommand", name, "This is no subcommand."))?;
    let inside = branch(world, found, rest, typing, resolved)?;
    Ok(vec![json!({ "name": name, "type": found["type"], "options": inside })])
}

fn values(
    world: &World,
    known: &[Value],
    line: &str,
    typing: Option<Typing<'_>>,
    resolved: &mut Value,
) -> Result<Vec<Value>, Refused> {
    let texts = texts(known, line)?;
    let mut given = Vec::new();
    for option in known {
        let name = option["name"].as_str().unwrap_or_default();
        if let Some(typing) = typing.filter(|typing| typing.option == name) {
            if option["autocomplete"] != true {
                return Err(Refused::of("no_autocomplete", name, "Discord does not ask the app for choices here."));
            }
            let value = typing.typed;
            given.push(json!({ "name": name, "type": option["type"], "value": value, "focused": true }));
            continue;
        }
        match texts.get(name) {
            Some(text) => {
                let value = value(world, option, text, resolved);
                let value = value.map_err(|what| Refused::of("invalid_option", name, &what))?;
                given.push(json!({ "name": name, "type": option["type"], "value": value }));
            }
            None if option["required"] == true && typing.is_none() => {
                let what = "This option is required. Specify a value";
                return Err(Refused::of("missing_option", name, what));
            }
            None => {}
        }
    }
    if typing.is_some() && !given.iter().any(|option| option["focused"] == true) {
        return Err(Refused::code("unknown_option"));
    }
    Ok(given)
}

/// What is typed for each option: `name:` before it, or in the options' order; the last one takes all that is left.
fn texts(known: &[Value], line: &str) -> Result<BTreeMap<String, String>, Refused> {
    let name_of = |word: &Word| {
        let (name, _) = word.text.split_once(':')?;
        known.iter().any(|option| option["name"] == name).then(|| name.to_owned())
    };
    let all = words(line);
    let mut texts = BTreeMap::new();
    let mut place = 0;
    let named: Vec<_> = all.iter().enumerate().filter_map(|(at, word)| Some((at, name_of(word)?))).collect();
    for (index, (at, name)) in named.iter().enumerate() {
        let from = all[*at].from + name.len() + 1;
        let end = named.get(index + 1).map_or(line.len(), |(next, _)| all[*next].from);
        texts.insert(name.clone(), unquoted(line.get(from..end).unwrap_or_default()));
    }
    let positional = &all[..named.first().map_or(all.len(), |(at, _)| *at)];
    let end = named.first().map_or(line.len(), |(at, _)| all[*at].from);
    let mut free = known.iter().filter_map(|option| option["name"].as_str());
    let mut free = free.by_ref().filter(|name| !named.iter().any(|(_, named)| named == name)).peekable();
    while let Some(word) = positional.get(place) {
        let name =
            free.next().ok_or_else(|| Refused::of("too_many_words", &word.text, "There is no option for it."))?;
        let is_last = free.peek().is_none() && place + 1 < positional.len();
        if is_last {
            texts.insert(name.to_owned(), line.get(word.from..end).unwrap_or_default().trim().to_owned());
            break;
        }
        texts.insert(name.to_owned(), word.text.clone());
        place += 1;
    }
    Ok(texts)
}

fn unquoted(text: &str) -> String {
    let text = text.trim();
    let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inside.unwrap_or(text).to_owned()
}

/// A text as the option's type has it.
fn value(world: &World, option: &Value, text: &str, resolved: &mut Value) -> Result<Value, String> {
    if let Some(choices) = option["choices"].as_array().filter(|choices| !choices.is_empty()) {
        let is = |choice: &&Value| {
            choice["name"] == text
                || choice["value"] == text
                || choice["value"].as_f64().is_some_and(|number| text.parse() == Ok(number))
        };
        return choices.iter().find(is).map(|choice| choice["value"].clone()).ok_or("This is no choice.".to_owned());
    }
    match option["type"].as_u64().unwrap_or(0) {
        3 => {
            let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
            let most = option["max_length"].as_u64().unwrap_or(TEXT_LIMIT_CHARS);
            let least = option["min_length"].as_u64().unwrap_or(0);
            if length < least || length > most {
                return Err(format!("Enter {least} to {most} characters."));
            }
            Ok(json!(text))
        }
        4 => {
            let least = option["min_value"].as_i64().unwrap_or(-WHOLE_LIMIT);
            let most = option["max_value"].as_i64().unwrap_or(WHOLE_LIMIT);
            let whole: Option<i64> = text.parse().ok().filter(|whole| (least..=most).contains(whole));
            whole.map(|whole| json!(whole)).ok_or_else(|| "Enter a whole number.".to_owned())
        }
        5 => text.to_lowercase().parse::<bool>().map(Value::from).map_err(|_| "Enter True or False.".to_owned()),
        10 => text.parse::<f64>().map(Value::from).map_err(|_| "Enter a number.".to_owned()),
        kind => referred(world, kind, text, resolved).ok_or_else(|| "Nothing is known by this name.".to_owned()),
    }
}

/// Somebody, a channel or a role by name, mention or id; also what is known of it.
fn referred(world: &World, kind: u64, text: &str, resolved: &mut Value) -> Option<Value> {
    let text = mentioned(world, text);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if matches!(kind, 6 | 9)
        && let Some(user) = shapes::user(world, &digits)
    {
        resolved["users"][&digits] = user;
        let mut member = shapes::member(world, &digits)?;
        member.as_object_mut()?.remove("user");
        resolved["members"][&digits] = member;
        return Some(json!(digits));
    }
    if kind == 7 {
        let named = |name: &str| world.channels.iter().find(|channel| channel.name == name);
        let id = named(text.trim_start_matches('#')).map_or(digits, |channel| channel.id.clone());
        let place = world.place(&id)?;
        resolved["channels"][&id] = shapes::channel(world, &place);
        return Some(json!(id));
    }
    let role = world.roles.iter().find(|role| role.id == digits || role.name == text.trim_start_matches('@'))?;
    snowflake::number(&role.id)?;
    resolved["roles"][&role.id] = shapes::roles(world).into_iter().find(|shown| shown["id"] == role.id.as_str())?;
    Some(json!(role.id))
}
