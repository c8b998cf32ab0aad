//! The words after a command, taken one by one.

use super::lexer::Word;
use super::words::nearest;
use super::{Definition, Mistake, Words};
use crate::ids::{EnvironmentName, ServiceName};
use crate::message::Line;
use std::collections::{BTreeMap, VecDeque};

/// Positional words and options of one command.
pub(super) struct Args<'a> {
    pub(super) definition: &'static Definition,
    pub(super) known: &'a Words,
    positional: VecDeque<String>,
    options: BTreeMap<&'static str, String>,
}

impl<'a> Args<'a> {
    /// Sorts words into positional ones and options. An unknown option is a mistake, never ignored.
    pub(super) fn new(definition: &'static Definition, known: &'a Words, words: Vec<Word>) -> Result<Self, Mistake> {
        let mut args = Self { definition, known, positional: VecDeque::new(), options: BTreeMap::new() };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let Some(option) = word.text.strip_prefix("--").filter(|_| !word.quoted) else {
                args.positional.push_back(word.text);
                continue;
            };
            let (name, given) = option.split_once('=').map_or((option, None), |(n, v)| (n, Some(v.to_owned())));
            let Some((name, needs_value)) = args.known_option(name) else { return Err(args.unknown_option(name)) };
            let value = match (needs_value, given) {
                (Some(_), Some(value)) => value,
                (None, None) => String::new(),
                (None, Some(_)) => {
                    return Err(args.usage(Line::default().code(format!("--{name}")).text(" takes no value.")));
                }
                (Some(example), None) => match words.next() {
                    Some(value) => value.text,
                    None => {
                        let line = Line::default().code(format!("--{name}")).text(" needs a value: ");
                        return Err(args.usage(line.code(format!("--{name} {example}")).text(".")));
                    }
                },
            };
            if args.options.insert(name, value).is_some() {
                return Err(args.usage(Line::default().code(format!("--{name}")).text(" is there twice.")));
            }
        }
        Ok(args)
    }

    fn known_option(&self, name: &str) -> Option<(&'static str, Option<&'static str>)> {
        self.definition.options.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).copied()
    }

    fn unknown_option(&self, name: &str) -> Mistake {
        if super::LATER_OPTIONS.contains(&name) {
            let line = Line::default().code(format!("--{name}"));
            return self.usage(line.text(" is not in this version yet."));
        }
        let line = Line::plain("There is no option ").untrusted(format!("--{name}")).text(".");
        match nearest(name, self.definition.options.iter().map(|(known, _)| *known)) {
            Some(near) => Mistake::new(line.text(" Did you mean ").code(format!("--{near}")).text("?")),
            None => self.usage(line),
        }
    }

    /// A mistake with the command's usage under it.
    pub(super) fn usage(&self, what: Line) -> Mistake {
        Mistake::new(what).hint(Line::plain("Usage: ").code(self.definition.usage))
    }

    /// The next positional word.
    pub(super) fn next(&mut self) -> Option<String> {
        self.positional.pop_front()
    }

    /// Whether an option without value is there.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        self.options.remove(name).is_some()
    }

    /// An option's value.
    pub(super) fn option(&mut self, name: &str) -> Option<String> {
        self.options.remove(name)
    }

    /// All words must have been used.
    pub(super) fn end(mut self) -> Result<(), Mistake> {
        match self.positional.pop_front() {
            None => Ok(()),
            Some(word) => Err(self.usage(Line::plain("I do not know what ").untrusted(word).text(" means here."))),
        }
    }

    /// The next word as an environment, whatever the case of its letters.
    pub(super) fn environment(&mut self) -> Result<EnvironmentName, Mistake> {
        let Some(word) = self.next() else {
            let known = self.known.all_environments().join(", ");
            return Err(self.usage(Line::plain("Which environment? There are: ").text(known).text(".")));
        };
        self.environment_named(&word)
    }

    /// The next word as an environment, if there is one.
    pub(super) fn environment_if_any(&mut self) -> Result<Option<EnvironmentName>, Mistake> {
        self.next().map(|word| self.environment_named(&word)).transpose()
    }

    fn environment_named(&self, word: &str) -> Result<EnvironmentName, Mistake> {
        let known = self.known.all_environments();
        if let Some(name) = known.iter().find(|name| name.eq_ignore_ascii_case(word)) {
            return Ok(EnvironmentName::from(*name));
        }
        let line = Line::plain("There is no environment \"").untrusted(word).text("\".");
        Err(match nearest(word, known.iter().copied()) {
            Some(near) => {
                let right = format!("{} {near}", self.definition.line());
                Mistake::new(line.text(" Did you mean ").code(right).text("?"))
            }
            None => Mistake::new(line.text(" There are: ").text(known.join(", ")).text(".")),
        })
    }

    /// The next word as a service, else the only one. The service must have the environment.
    pub(super) fn service(&mut self, environment: &EnvironmentName) -> Result<ServiceName, Mistake> {
        let service = match self.next() {
            Some(word) => self.service_named(&word)?,
            None => self.known.default_service.clone().ok_or_else(|| self.which_service())?,
        };
        let environments = self.known.environments_of(&service);
        if environments.contains(environment) {
            return Ok(service);
        }
        let has: Vec<_> = environments.iter().map(EnvironmentName::as_str).collect();
        let line = Line::plain(format!("{service} has no environment {environment}. It has: {}.", has.join(", ")));
        Err(Mistake::new(line))
    }

    fn service_named(&self, word: &str) -> Result<ServiceName, Mistake> {
        if let Some(name) = self.known.services.iter().find(|name| name.as_str().eq_ignore_ascii_case(word)) {
            return Ok(name.clone());
        }
        if word == "all" {
            return Err(self.usage(Line::plain("All services at once is not in this version yet; name one.")));
        }
        let line = Line::plain("There is no service \"").untrusted(word).text("\".");
        Err(match nearest(word, self.known.services.iter().map(ServiceName::as_str)) {
            Some(near) => Mistake::new(line.text(" Did you mean ").code(near).text("?")),
            None => Mistake::new(line).hint(self.services()),
        })
    }

    fn which_service(&self) -> Mistake {
        self.usage(Line::plain("Which service?")).hint(self.services())
    }

    fn services(&self) -> Line {
        let names: Vec<_> = self.known.services.iter().map(ServiceName::as_str).collect();
        Line::plain("Services: ").text(names.join(", "))
    }

    /// Whether the next word names a service and nothing comes after it.
    pub(super) fn only_a_service_is_left(&self) -> bool {
        self.positional.len() == 1
            && self.known.services.iter().any(|name| name.as_str().eq_ignore_ascii_case(&self.positional[0]))
    }
}
