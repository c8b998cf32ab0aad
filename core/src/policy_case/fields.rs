//! Reading a table of a case file: every value with its place, and a mistake for whatever is not as it should be.

use crate::policy::PolicyMistake;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Keys with an example of each as it would be written.
pub(super) type Keys = &'static [(&'static str, &'static str)];

/// A value of the file.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// A text with where it stands.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) text: String,
    pub(super) at: usize,
}

/// Collects the mistakes of one file.
pub(super) struct Mistakes<'a> {
    file: &'a str,
    text: &'a str,
    found: Vec<PolicyMistake>,
}

impl<'a> Mistakes<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, found: Vec::new() }
    }

    pub(super) fn add(&mut self, at: usize, message: impl Into<String>, mend: impl Into<String>) {
        self.found.push(PolicyMistake::at(self.file, self.text, at, message.into(), mend.into()));
    }

    /// The line of an offset, from 1.
    pub(super) fn line_of(&self, at: usize) -> usize {
        PolicyMistake::at(self.file, self.text, at, String::new(), String::new()).line
    }

    pub(super) fn file(&self) -> &str {
        self.file
    }

    /// All of them in order, each once: one in `[base]` shows in every case.
    pub(super) fn sorted(mut self) -> Vec<PolicyMistake> {
        self.found.sort_by_key(|mistake| (mistake.line, mistake.column, mistake.message.clone()));
        self.found.dedup();
        self.found
    }
}

/// The known word that was probably meant.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let far = (word.chars().count() / 3).max(1);
    let distances = known.into_iter().map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate));
    distances.filter(|(distance, _)| *distance <= far).min_by_key(|(distance, _)| *distance).map(|(_, word)| word)
}

/// What to write instead of an unknown word.
pub(super) fn instead(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(meant) => format!("Write \"{meant}\"."),
        None => format!("There are {}.", quoted(known)),
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

/// The keys of a case over those of `[base]`.
pub(super) struct Fields<'t> {
    /// Where the case begins.
    pub(super) at: usize,
    values: BTreeMap<String, &'t Value<'t>>,
    keys: Keys,
}

impl<'t> Fields<'t> {
    /// Takes a table's keys; reports those that are none.
    pub(super) fn open(m: &mut Mistakes<'_>, table: &'t DeTable<'t>, at: usize, keys: Keys) -> Self {
        let mut values = BTreeMap::new();
        for (key, value) in table {
            let name: &str = key.get_ref();
            if keys.iter().any(|(known, _)| *known == name) {
                values.insert(name.to_owned(), value);
            } else {
                let known: Vec<_> = keys.iter().map(|(key, _)| *key).collect();
                m.add(key.span().start, format!("There is no key \"{name}\"."), instead(name, &known));
            }
        }
        Self { at, values, keys }
    }

    /// These keys where a case has none of its own.
    pub(super) fn over(mut self, base: &Self) -> Self {
        for (key, value) in &base.values {
            self.values.entry(key.clone()).or_insert(value);
        }
        self
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    pub(super) fn value(&self, key: &str) -> Option<&'t Value<'t>> {
        self.values.get(key).copied()
    }

    fn example(&self, key: &str) -> &'static str {
        self.keys.iter().find(|(known, _)| *known == key).map_or("", |(_, example)| example)
    }

    fn wrong(&self, m: &mut Mistakes<'_>, key: &str, value: &Value<'_>, wanted: &str) {
        let mend = format!("Write {key} = {}.", self.example(key));
        m.add(value.span().start, format!("\"{key}\" must be {wanted}."), mend);
    }

    /// A text.
    pub(super) fn text(&self, m: &mut Mistakes<'_>, key: &str) -> Option<Placed> {
        let value = self.value(key)?;
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong(m, key, value, "a text in quotes");
        }
        text.map(|text| Placed { text, at: value.span().start })
    }

    /// A text that must be there.
    pub(super) fn need(&self, m: &mut Mistakes<'_>, key: &str) -> Option<Placed> {
        if !self.has(key) {
            let mend = format!("Write {key} = {} there, or in [base] for all cases.", self.example(key));
            m.add(self.at, format!("This case has no \"{key}\"."), mend);
        }
        self.text(m, key)
    }

    /// One of these words.
    pub(super) fn one_of<T: Copy>(&self, m: &mut Mistakes<'_>, key: &str, words: &[(&str, T)]) -> Option<T> {
        let Placed { text, at } = self.text(m, key)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            m.add(at, format!("\"{key}\" cannot be \"{text}\"."), instead(&text, &known));
        }
        found
    }

    /// A moment or another value that may be written with or without quotes.
    pub(super) fn moment(&self, m: &mut Mistakes<'_>, key: &str) -> Option<Placed> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Datetime(moment) => Some(Placed { text: moment.to_string(), at: value.span().start }),
            _ => self.text(m, key),
        }
    }

    /// Texts; none where the key is absent.
    pub(super) fn texts(&self, m: &mut Mistakes<'_>, key: &str) -> Vec<Placed> {
        let Some(value) = self.value(key) else { return Vec::new() };
        match listed(value) {
            Some(texts) => texts,
            None => {
                self.wrong(m, key, value, "a list of texts");
                Vec::new()
            }
        }
    }

    pub(super) fn flag(&self, m: &mut Mistakes<'_>, key: &str) -> Option<bool> {
        let value = self.value(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(m, key, value, "true or false");
        }
        flag
    }

    /// A whole number, at most `limit`.
    pub(super) fn count(&self, m: &mut Mistakes<'_>, key: &str, limit: usize) -> Option<usize> {
        let value = self.value(key)?;
        let number = value.get_ref().as_integer();
        let number = number.and_then(|n| usize::from_str_radix(n.as_str(), n.radix()).ok()).filter(|n| *n <= limit);
        if number.is_none() {
            self.wrong(m, key, value, &format!("a whole number from 0 to {limit}"));
        }
        number
    }

    /// A table of texts or of lists of texts, by name; the names with their places.
    pub(super) fn table(&self, m: &mut Mistakes<'_>, key: &str) -> Vec<(Placed, &'t Value<'t>)> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(m, key, value, "a table");
            return Vec::new();
        };
        let placed =
            |name: &Spanned<toml::de::DeString<'_>>| Placed { text: name.get_ref().to_string(), at: name.span().start };
        table.iter().map(|(name, value)| (placed(name), value)).collect()
    }
}

/// A list of texts, if it is one.
pub(super) fn listed(value: &Value<'_>) -> Option<Vec<Placed>> {
    let placed = |item: &Value<'_>| {
        let text = item.get_ref().as_str()?.to_owned();
        Some(Placed { text, at: item.span().start })
    };
    value.get_ref().as_array()?.iter().map(placed).collect()
}
