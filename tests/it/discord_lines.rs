//! docs/discord.md says which line stands for what Discord asks for in fields: each is true.

use slipway_core::command::{OptionKind, Words, forms, line_of, option_kind, parse};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A command with its fields, as somebody fills them in.
struct Filled {
    command: String,
    sub: Option<String>,
    values: BTreeMap<String, String>,
}

/// `/release lock environment:production reason:load test`: a field's value goes on until the next field.
fn filled(typed: &str) -> Filled {
    let mut words = typed.trim_start_matches('/').split(' ').peekable();
    let command = words.next().unwrap().to_owned();
    let form = forms().into_iter().find(|form| form.name == command).unwrap_or_else(|| panic!("{typed}: no command"));
    let sub = words.next_if(|word| form.sub_commands.iter().any(|sub| sub.name == *word)).map(str::to_owned);
    let kind = |name: &str| option_kind(&command, sub.as_deref(), name);
    let mut values = BTreeMap::<String, String>::new();
    let mut last = None;
    for word in words {
        match word.split_once(':').filter(|(name, _)| kind(name).is_some()) {
            Some((name, value)) => {
                let value = if kind(name) == Some(OptionKind::Flag) { value.to_lowercase() } else { value.to_owned() };
                assert!(values.insert(name.to_owned(), value).is_none(), "{typed}: {name} twice");
                last = Some(name.to_owned());
            }
            None => {
                let value = last.as_ref().and_then(|name| values.get_mut(name));
                *value.unwrap_or_else(|| panic!("{typed}: {word} is no field")) += &format!(" {word}");
            }
        }
    }
    Filled { command, sub, values }
}

/// The first code of a cell of a table.
fn code(cell: &str) -> Option<&str> {
    cell.trim().strip_prefix('`')?.split('`').next()
}

/// The rows of the table with this first heading: what is typed, and what is said of it.
fn rows<'a>(page: &'a str, heading: &str) -> Vec<(&'a str, &'a str)> {
    let table = page.lines().skip_while(|line| !line.starts_with(&format!("| {heading} |"))).skip(2);
    let rows = table.take_while(|line| line.starts_with('|'));
    rows.map(|line| {
        let mut cells = line.trim_matches('|').split(" | ");
        (code(cells.next().unwrap()).unwrap(), cells.next().unwrap().trim())
    })
    .collect()
}

fn words() -> Words {
    let environments = ["staging", "production"].map(Into::into).to_vec();
    Words {
        services: vec!["goals".into(), "web".into()],
        environments: [("goals".into(), environments.clone()), ("web".into(), environments)].into(),
        default_service: Some("goals".into()),
        people: vec!["ana".into(), "bob".into()],
    }
}

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/discord.md")).unwrap()
}

#[test]
fn each_line_of_the_page_is_what_the_fields_say() {
    let page = page();
    let rows = rows(&page, "in Discord");
    assert!(rows.len() > 20, "{rows:?}");
    for (typed, said) in rows {
        let Filled { command, sub, mut values } = filled(typed);
        // Discord sends a person's id, and shows their name.
        for value in values.values_mut().filter(|value| value.starts_with('@')) {
            *value = "80351110224678912".to_owned();
        }
        let line = line_of(&command, sub.as_deref(), &values);
        let line = line.unwrap_or_else(|mistake| panic!("{typed}: {:?}", mistake.message()));
        assert!(parse(&line, &words()).is_ok(), "{typed}: {line}");
        if let Some(shown) = code(said) {
            assert_eq!(line, shown, "{typed}");
        }
    }
}

/// A field that is new is shown on the page, or is one of those that need no word there.
#[test]
fn every_command_with_fields_of_its_own_is_on_the_page() {
    let page = page();
    let shown: BTreeSet<String> = rows(&page, "in Discord")
        .into_iter()
        .flat_map(|(typed, _)| {
            let Filled { command, sub, values } = filled(typed);
            let head = [command].into_iter().chain(sub).collect::<Vec<_>>().join(" ");
            values.into_keys().map(move |name| format!("{head} {name}")).collect::<Vec<_>>()
        })
        .collect();
    let simple = ["environment", "release", "service", "reason", "command", "reference", "dry-run"];
    let mut missing = Vec::new();
    for form in forms() {
        let own = form.options.iter().map(|option| (form.name.clone(), option));
        let subs = form.sub_commands.iter().flat_map(|sub| {
            sub.options.iter().map(|option| (format!("{} {}", form.name, sub.name), option)).collect::<Vec<_>>()
        });
        for (head, option) in own.chain(subs) {
            let field = format!("{head} {}", option.name);
            if !simple.contains(&option.name.as_str()) && !shown.contains(&field) {
                missing.push(field);
            }
        }
    }
    assert_eq!(missing, ["release override incident"], "whose form Discord asks for in the section on forms");
}
