//! The commands as a chat registers them beforehand: one for each first word, in the order of the help.

use super::{DEFINITIONS, Definition, later};

/// The longest hint, in characters: a chat shows it beside the command while one types.
pub const HINT_LIMIT_CHARS: usize = 140;
/// Between the second words of a hint.
const BETWEEN: &str = " | ";

/// A command that a chat knows by its first word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlashCommand {
    /// As it is typed: `/deploy`.
    pub name: String,
    /// What it does, in one line.
    pub description: String,
    /// What comes after it, at most [`HINT_LIMIT_CHARS`]; empty when nothing does.
    pub usage_hint: String,
}

/// Every first word that the grammar answers, also those of later versions: who types one is told what there is now.
#[must_use]
pub fn slash_commands() -> Vec<SlashCommand> {
    let mut firsts: Vec<&str> = Vec::new();
    for definition in DEFINITIONS {
        if !firsts.contains(&definition.path[0]) {
            firsts.push(definition.path[0]);
        }
    }
    firsts.into_iter().map(known).chain(later::slash_commands()).collect()
}

fn known(first: &str) -> SlashCommand {
    let name = format!("/{first}");
    let all: Vec<&Definition> = DEFINITIONS.into_iter().filter(|definition| definition.path[0] == first).collect();
    match all[..] {
        [one] => {
            let after = one.usage.strip_prefix(&one.line()).unwrap_or(one.usage);
            SlashCommand { name, description: one.summary.to_owned(), usage_hint: shortened(after.trim()) }
        }
        _ => {
            let seconds: Vec<_> = all.iter().filter_map(|definition| definition.path.get(1).copied()).collect();
            let description = format!("ask about a {first} or act on it; {name} help explains each");
            SlashCommand { name, description, usage_hint: shortened(&seconds.join(BETWEEN)) }
        }
    }
}

/// Cut between words, so that what is left can be typed.
fn shortened(hint: &str) -> String {
    if hint.chars().count() <= HINT_LIMIT_CHARS {
        return hint.to_owned();
    }
    let mut short = String::new();
    for word in hint.split(' ') {
        // A space before it, and room for the sign that there is more.
        if short.chars().count() + word.chars().count() + 3 > HINT_LIMIT_CHARS {
            break;
        }
        short.push_str(word);
        short.push(' ');
    }
    short + "…"
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn what_a_chat_registers_comes_from_the_grammar() {
        let line = |command: &SlashCommand| {
            format!("{} {}\n  {}", command.name, command.usage_hint, command.description).replace(" \n", "\n")
        };
        let all: Vec<_> = slash_commands().iter().map(line).collect();
        expect![[r#"
            /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason "…"] [--when green|unlocked|15:00]
              bring a commit to an environment; without a reference the newest of the default branch
            /rollback <environment> [release] [service] [--migrations] [--reason "…"]
              bring back what ran before, or what a release brought; migrations stay applied without --migrations
            /migrate <environment> [status | plan [reference] | up [reference] | down N] [service] [--continue] [--reason "…"]
              what is applied (status), what is pending (plan); apply it (up) or take the last N back (down N)
            /release ship | status | history | show | why | queue | approve | veto | withdraw | cancel | retry | bad | lock | unlock | resume | override | …
              ask about a release or act on it; /release help explains each"#]].assert_eq(&all.join("\n"));
    }

    #[test]
    fn every_definition_is_reached_by_one_of_them() {
        let names: Vec<_> = slash_commands().into_iter().map(|command| command.name).collect();
        for definition in DEFINITIONS {
            assert!(names.contains(&format!("/{}", definition.path[0])), "{}", definition.line());
        }
        let mut once = names.clone();
        once.dedup();
        assert_eq!(once, names);
    }

    #[test]
    fn a_hint_is_cut_between_words() {
        let long = ["word"; 60].join(BETWEEN);
        let short = shortened(&long);
        assert!(short.chars().count() <= HINT_LIMIT_CHARS, "{short}");
        assert!(short.ends_with(" …") && short.contains("word | word"), "{short}");
        assert_eq!(shortened(&"x".repeat(HINT_LIMIT_CHARS)).chars().count(), HINT_LIMIT_CHARS);
    }
}
