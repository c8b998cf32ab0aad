//! The words after a command, taken one by one.

use super::lexer::Word;
use super::words::nearest;
use super::{Definition, Mistake, Whom, Words, later, when};
use crate::ids::{EnvironmentName, PersonId, ServiceName};
use crate::message::Line;
use crate::message::hidden::is_invisible;
use crate::together::TOGETHER_LIMIT;
use std::collections::{BTreeMap, VecDeque};

/// The longest branch, tag, commit, release or service that is read.
const NAME_LIMIT_CHARS: usize = 255;

/// The option that names a service.
pub(super) const SERVICE: &str = "service";
/// What stands for every service.
pub const ALL_SERVICES: &str = "all";

/// Positional words and options of one command.
pub(super) struct Args<'a> {
    pub(super) definition: &'static Definition,
    pub(super) known: &'a Words,
    positional: VecDeque<Word>,
    options: BTreeMap<&'static str, String>,
}

impl<'a> Args<'a> {
    /// Sorts words into positional ones and options. An unknown option is a mistake, never ignored.
    pub(super) fn new(definition: &'static Definition, known: &'a Words, words: Vec<Word>) -> Result<Self, Mistake> {
        let mut args = Self { definition, known, positional: VecDeque::new(), options: BTreeMap::new() };
        let mut words = words.into_iter().peekable();
        while let Some(word) = words.next() {
            if word.quoted || !word.text.starts_with('-') {
                args.positional.push_back(word);
                continue;
            }
            // `-for`: a hyphen short of an option. It is never taken for a branch.
            let Some(option) = word.text.strip_prefix("--") else { return Err(args.unknown_option(&word.text)) };
            let (name, given) = option.split_once('=').map_or((option, None), |(n, v)| (n, Some(v.to_owned())));
            let Some((name, needs_value)) = args.known_option(name) else {
                return Err(args.unknown_option(&format!("--{name}")));
            };
            let value = match (needs_value, given) {
                (None, None) => String::new(),
                (None, Some(_)) => {
                    return Err(args.usage(Line::default().code(format!("--{name}")).text(" takes no value.")));
                }
                // An option is not another option's value: `--reason --dry-run` would deploy for real.
                (Some(example), given) => given
                    .or_else(|| words.next().filter(|word| word.quoted || !word.text.starts_with("--")).map(|w| w.text))
                    .filter(|value| !value.trim().is_empty())
                    .ok_or_else(|| args.needs_value(name, example))?,
            };
            let mut value = value;
            // `--when monday 9:00` is one value of two words.
            while let Some(next) =
                words.next_if(|next| name == when::WHEN && !next.quoted && when::goes_on(&value, &next.text))
            {
                value = format!("{value} {}", next.text);
            }
            if args.options.insert(name, value).is_some() {
                return Err(args.usage(Line::default().code(format!("--{name}")).text(" is there twice.")));
            }
        }
        Ok(args)
    }

    fn known_option(&self, name: &str) -> Option<(&'static str, Option<&'static str>)> {
        self.definition.options.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).copied()
    }

    fn needs_value(&self, name: &str, example: &str) -> Mistake {
        let line = Line::default().code(format!("--{name}")).text(" needs a value: ");
        self.usage(line.code(format!("--{name} {example}")).text("."))
    }

    fn unknown_option(&self, typed: &str) -> Mistake {
        let name = typed.trim_start_matches('-');
        let line = Line::plain("There is no option ").untrusted(typed).text(".");
        match nearest(name, self.definition.options.iter().map(|(known, _)| *known)) {
            Some(near) => Mistake::new(line.text(" Did you mean ").code(format!("--{near}")).text("?")),
            None => self.usage(line),
        }
    }

    /// A mistake with the command's usage under it.
    pub(super) fn usage(&self, what: Line) -> Mistake {
        Mistake::new(what).hint(Line::plain("Usage: ").code(self.definition.usage))
    }

    /// The next word as text: a reason.
    pub(super) fn text(&mut self) -> Option<String> {
        self.positional.pop_front().map(|word| word.text)
    }

    /// The next word as a name of something outside: a branch, tag, commit or release. Names have no spaces, do
    /// not begin with a hyphen and show all of themselves; an empty one would be the prefix of everything.
    pub(super) fn name(&mut self) -> Result<Option<String>, Mistake> {
        let Some(word) = self.positional.pop_front().map(|word| word.text) else { return Ok(None) };
        let odd = |c: char| c.is_whitespace() || is_invisible(c);
        if word.is_empty() || word.starts_with('-') || word.contains(odd) {
            let line = Line::plain("\"").untrusted(word.as_str()).text("\" is no name.");
            // In a chat that has a field for each part of a command, an option is typed into the wrong one easily.
            let option = word.strip_prefix("--").and_then(|name| self.known_option(name));
            return Err(self.usage(match option {
                Some((name, _)) => {
                    line.text(" It is an option: where a command has fields, choose the field ").code(name).text(".")
                }
                None => line,
            }));
        }
        if word.chars().count() > NAME_LIMIT_CHARS {
            return Err(self.usage(Line::plain(format!("A name has at most {NAME_LIMIT_CHARS} characters."))));
        }
        Ok(Some(word))
    }

    /// The next word as a release's id or its beginning.
    pub(super) fn release(&mut self) -> Result<Option<String>, Mistake> {
        let Some(word) = self.name()? else { return Ok(None) };
        self.release_named(word).map(Some)
    }

    /// A word as a release's id or its beginning.
    pub(super) fn release_named(&self, word: String) -> Result<String, Mistake> {
        let is_environment = self.known.all_environments().iter().any(|name| name.eq_ignore_ascii_case(&word));
        if is_environment || !word.chars().all(|c| c.is_ascii_alphanumeric()) {
            let line = Line::plain("\"").untrusted(word).text("\" is no release. Releases have ids such as ");
            return Err(self.usage(line.code("01JD7Q4N").text(".")));
        }
        Ok(word)
    }

    /// All words that are left, as one text.
    pub(super) fn rest(&mut self) -> Option<String> {
        let words: Vec<_> = self.positional.drain(..).map(|word| word.text).collect();
        (!words.is_empty()).then(|| words.join(" "))
    }

    /// Whether an option without value is there.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        self.options.remove(name).is_some()
    }

    /// An option's value.
    pub(super) fn option(&mut self, name: &str) -> Option<String> {
        self.options.remove(name)
    }

    /// Takes the next word if it is this one, and not in quotation marks.
    pub(super) fn keyword(&mut self, keyword: &str) -> bool {
        let is_it = |word: &mut Word| !word.quoted && word.text.eq_ignore_ascii_case(keyword);
        self.positional.pop_front_if(is_it).is_some()
    }

    /// Whether no word is left.
    pub(super) fn is_over(&self) -> bool {
        self.positional.is_empty()
    }

    /// Whether the next word stands in quotation marks.
    pub(super) fn is_quoted(&self) -> bool {
        self.positional.front().is_some_and(|word| word.quoted)
    }

    /// Whether the next word is a number, and not in quotation marks.
    pub(super) fn is_a_number(&self) -> bool {
        self.positional.front().is_some_and(|word| !word.quoted && word.text.bytes().all(|b| b.is_ascii_digit()))
    }

    /// Whether the next word is an environment's name.
    pub(super) fn is_an_environment(&self) -> bool {
        let is_it =
            |word: &Word| self.known.all_environments().iter().any(|name| name.eq_ignore_ascii_case(&word.text));
        self.positional.front().is_some_and(is_it)
    }

    /// All words and options must have been used.
    pub(super) fn end(mut self) -> Result<(), Mistake> {
        let left = self.positional.pop_front().map(|word| word.text);
        match left.or_else(|| self.options.keys().next().map(|name| format!("--{name}"))) {
            None => Ok(()),
            Some(left) => Err(self.usage(Line::plain("I do not know what ").untrusted(left).text(" means here."))),
        }
    }

    /// The next word as an environment, whatever the case of its letters.
    pub(super) fn environment(&mut self) -> Result<EnvironmentName, Mistake> {
        match self.environment_if_any()? {
            Some(environment) => Ok(environment),
            None => Err(self.usage(Line::plain("Which environment? ").join(self.environments()))),
        }
    }

    /// The next word as an environment, if there is one.
    pub(super) fn environment_if_any(&mut self) -> Result<Option<EnvironmentName>, Mistake> {
        self.positional.pop_front().map(|word| self.environment_named(&word.text)).transpose()
    }

    fn environments(&self) -> Line {
        let known = self.known.all_environments();
        if known.is_empty() {
            return Line::plain("None is configured.");
        }
        Line::plain(format!("There are: {}.", known.join(", ")))
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
            None => Mistake::new(line.text(" ").join(self.environments())),
        })
    }

    /// An option's value as a person: the name in the configuration, or a mention in a chat's markup (`<@U012AB3CD>`,
    /// `<@!845027738276462632>`), which stands for an account by its id.
    pub(super) fn person_named(&self, word: &str) -> Result<Whom, Mistake> {
        if let Some(mention) = word.strip_prefix("<@").and_then(|rest| rest.strip_suffix('>')) {
            let id = mention.trim_start_matches('!').split('|').next().unwrap_or_default();
            if !id.is_empty() && id.len() <= NAME_LIMIT_CHARS && id.chars().all(|c| c.is_ascii_alphanumeric()) {
                return Ok(Whom::Mentioned(id.to_owned()));
            }
        }
        let name = word.strip_prefix('@').unwrap_or(word);
        if let Some(person) = self.known.people.iter().find(|person| person.as_str().eq_ignore_ascii_case(name)) {
            return Ok(Whom::Named(person.clone()));
        }
        let line = Line::plain("Slipway knows nobody of the name \"").untrusted(word).text("\".");
        Err(match nearest(name, self.known.people.iter().map(PersonId::as_str)) {
            Some(near) => Mistake::new(line.text(" Did you mean ").code(near).text("?")),
            None => self.usage(line),
        })
    }

    /// The service that the option or the next word names, else the only one. The service must have the environment.
    pub(super) fn service(&mut self, environment: &EnvironmentName) -> Result<ServiceName, Mistake> {
        let named = self.option(SERVICE).or_else(|| self.text());
        let service = match named {
            Some(name) => self.service_named(&name)?,
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

    /// The service that the option or the next word names, if one does.
    pub(super) fn service_if_any(&mut self) -> Result<Option<ServiceName>, Mistake> {
        self.option(SERVICE).or_else(|| self.text()).map(|name| self.service_named(&name)).transpose()
    }

    /// All services that have the environment, by name, where the option or the next word is `all`; else none.
    pub(super) fn all_services(&mut self, environment: &EnvironmentName) -> Result<Vec<ServiceName>, Mistake> {
        let is_all = |word: &str| word.eq_ignore_ascii_case(ALL_SERVICES);
        let by_option = self.options.get(SERVICE).map(|name| is_all(name));
        match by_option {
            Some(true) => drop(self.options.remove(SERVICE)),
            Some(false) => return Ok(vec![]),
            None if self.keyword(ALL_SERVICES) => {}
            None => return Ok(vec![]),
        }
        let has_it = |name: &&ServiceName| self.known.environments_of(name).contains(environment);
        let all: Vec<_> = self.known.services.iter().filter(has_it).cloned().collect();
        if all.len() <= TOGETHER_LIMIT {
            return Ok(all);
        }
        let line = format!("{} services have {environment}, and at most {TOGETHER_LIMIT} can go together.", all.len());
        Err(Mistake::new(Line::plain(line)).hint(Line::plain("Name one service, and ask once for each.")))
    }

    fn service_named(&self, word: &str) -> Result<ServiceName, Mistake> {
        if let Some(name) = self.known.services.iter().find(|name| name.as_str().eq_ignore_ascii_case(word)) {
            return Ok(name.clone());
        }
        if word.eq_ignore_ascii_case(ALL_SERVICES) {
            return Err(later::all_services());
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

    /// Whether the next word stands for a service and nothing comes after it. `all` does, so that it is never
    /// taken for a branch. In quotation marks it is what the quotation says: a branch, a reason.
    pub(super) fn only_a_service_is_left(&self) -> bool {
        let (Some(word), 1) = (self.positional.front(), self.positional.len()) else { return false };
        if self.options.contains_key(SERVICE) {
            return false;
        }
        let is_word = |name: &str| !word.quoted && name.eq_ignore_ascii_case(&word.text);
        is_word(ALL_SERVICES) || self.known.services.iter().any(|name| is_word(name.as_str()))
    }
}
