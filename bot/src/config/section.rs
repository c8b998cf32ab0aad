//! Reading a table of the file: which keys it may have, what each must be, and a finding for everything else.

use super::finding::{Finding, Severity};
use super::leak::{self, shown};
use super::position::Lines;
use std::collections::BTreeSet;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The keys a table may have, each with an example of its value as it would be written.
pub(super) type Keys = &'static [(&'static str, &'static str)];

/// Why a value is refused and what would be right.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) mend: String,
}

impl Wrong {
    pub(super) fn new(message: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { message: message.into(), mend: mend.into() }
    }
}

/// A place in the file: a byte offset and the path of the key there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: usize,
    pub(super) path: String,
}

/// Collects findings while the file is walked.
pub(super) struct Checker<'a> {
    lines: Lines<'a>,
    findings: Vec<Finding>,
    /// Offsets of values that were reported as secrets: one finding is enough for each.
    secrets_at: BTreeSet<usize>,
    /// What to keep of the walk when the file has syntax errors.
    recovered: Option<Recovered>,
}

/// After a syntax error the parser goes on with what it could make out. Complaints about what is absent would
/// be wrong then, and so would complaints about a line that is broken anyway or comes after a lost header.
pub(super) struct Recovered {
    pub(super) broken_lines: BTreeSet<usize>,
    pub(super) trusted_before_line: usize,
}

impl<'a> Checker<'a> {
    pub(super) fn new(lines: Lines<'a>, findings: Vec<Finding>, recovered: Option<Recovered>) -> Self {
        Self { lines, findings, secrets_at: BTreeSet::new(), recovered }
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    fn add(&mut self, severity: Severity, place: &Place, message: String, mend: String) {
        if self.secrets_at.contains(&place.at) {
            return;
        }
        let (line, column) = self.lines.position(place.at);
        // The parser puts what it made up at the very beginning.
        if let Some(recovered) = &self.recovered
            && (place.at == 0 || recovered.broken_lines.contains(&line) || line >= recovered.trusted_before_line)
        {
            return;
        }
        self.findings.push(Finding { severity, line, column, key_path: place.path.clone(), message, mend });
    }

    pub(super) fn error(&mut self, place: &Place, message: impl Into<String>, mend: impl Into<String>) {
        self.add(Severity::Error, place, message.into(), mend.into());
    }

    pub(super) fn warning(&mut self, place: &Place, message: impl Into<String>, mend: impl Into<String>) {
        self.add(Severity::Warning, place, message.into(), mend.into());
    }

    pub(super) fn note(&mut self, place: &Place, message: impl Into<String>) {
        self.add(Severity::Note, place, message.into(), String::new());
    }

    /// An error about something that is not there. It is dropped when syntax errors may have hidden the thing.
    pub(super) fn absent(&mut self, place: &Place, message: impl Into<String>, mend: impl Into<String>) {
        if self.recovered.is_none() {
            self.error(place, message, mend);
        }
    }

    /// A warning about something that is not there.
    pub(super) fn absent_warning(&mut self, place: &Place, message: impl Into<String>, mend: impl Into<String>) {
        if self.recovered.is_none() {
            self.warning(place, message, mend);
        }
    }

    pub(super) fn report_secrets(&mut self, root: &Spanned<DeValue<'_>>) {
        let mut found = Vec::new();
        leak::scan(root, "", &mut found);
        for (at, path, leak) in found {
            let message = format!("looks like {}; secrets do not belong in this file", leak.what);
            self.error(&Place { at, path }, message, leak.mend);
            self.secrets_at.insert(at);
        }
    }

    /// `12:3`, for messages that point at a second place.
    pub(super) fn where_is(&self, place: &Place) -> String {
        let (line, column) = self.lines.position(place.at);
        format!("{line}:{column}")
    }

    fn text<'t>(&mut self, value: &'t Spanned<DeValue<'_>>, place: &Place, example: &str) -> Option<&'t str> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(value, place, "a text in quotes", example);
        }
        text
    }

    fn wrong_type(&mut self, value: &Spanned<DeValue<'_>>, place: &Place, wanted: &str, example: &str) {
        let message = format!("must be {wanted}, and is {}", kind_of(value.get_ref()));
        let key = place.path.rsplit('.').next().unwrap_or_default();
        let mend = match key.contains('[') {
            true => format!("write {example}"),
            false => format!("write {key} = {example}"),
        };
        self.error(place, message, mend);
    }
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The key path `path.key`, the key in quotes where TOML wants them.
pub(super) fn join(path: &str, key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let key = if bare && leak::looks_secret(key).is_none() { key.to_owned() } else { shown(key) };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

/// The known word that was probably meant.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let word = word.to_lowercase();
    let far_count = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= far_count)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The known word that begins like this one, where no letters were merely mistaken: `dir` for `directory`, `staging` for
/// `stage`. At least so many letters must be the same, and all of the shorter one but one.
const SAME_BEGINNING_MIN_CHARS: usize = 3;

/// The nearest word, or else the one that begins alike.
pub(crate) fn alike<'k>(word: &str, known: impl IntoIterator<Item = &'k str> + Clone) -> Option<&'k str> {
    nearest(word, known.clone()).or_else(|| {
        let word = word.to_lowercase();
        let same = |candidate: &str| word.chars().zip(candidate.chars()).take_while(|(a, b)| a == b).count();
        let needed = |candidate: &str| {
            let shorter = word.chars().count().min(candidate.chars().count());
            SAME_BEGINNING_MIN_CHARS.max(shorter.saturating_sub(1))
        };
        known
            .into_iter()
            .filter(|candidate| same(candidate) >= needed(candidate))
            .max_by_key(|candidate| same(candidate))
    })
}

/// A table of the file with the keys it may have.
pub(super) struct Section<'t, 'i> {
    table: &'t DeTable<'i>,
    keys: Keys,
    /// Where the section is named.
    pub(super) place: Place,
    /// Known keys that an unknown key is a misspelling of: not also reported as missing.
    misspelt: Vec<&'static str>,
}

impl<'t, 'i> Section<'t, 'i> {
    /// Reads a value as a table with these keys; reports another type and every unknown key.
    pub(super) fn open(c: &mut Checker<'_>, value: &'t Spanned<DeValue<'i>>, place: Place, keys: Keys) -> Option<Self> {
        let Some(table) = value.get_ref().as_table() else {
            let example = keys.iter().take(2).map(|(key, example)| format!("{key} = {example}")).collect::<Vec<_>>();
            let place = Place { at: value.span().start, ..place };
            c.wrong_type(value, &place, "a table", &format!("{{ {} }}", example.join(", ")));
            return None;
        };
        Some(Self::of_table(c, table, place, keys))
    }

    pub(super) fn of_table(c: &mut Checker<'_>, table: &'t DeTable<'i>, place: Place, keys: Keys) -> Self {
        let mut section = Self { table, keys, place, misspelt: Vec::new() };
        for (key, value) in table.iter() {
            let name: &str = key.get_ref();
            if !keys.iter().any(|(known, _)| *known == name) {
                section.unknown_key(c, name, key.span().start, value.span().start);
            }
        }
        section
    }

    fn unknown_key(&mut self, c: &mut Checker<'_>, name: &str, at: usize, value_at: usize) {
        let place = Place { at, path: join(&self.place.path, name) };
        let what = if self.place.path.is_empty() { "section" } else { "key" };
        if let Some(meant) = nearest(name, self.keys.iter().map(|(key, _)| *key)) {
            self.misspelt.push(self.keys.iter().find(|(key, _)| *key == meant).map_or("", |(key, _)| *key));
            c.error(&place, format!("there is no {what} of this name"), format!("write {meant} instead"));
        } else if let Some(mend) = leak::belongs_elsewhere(&self.place.path, name) {
            if !c.secrets_at.contains(&value_at) {
                c.error(&place, "does not belong in this file", mend);
            }
        } else if let Some(meant) = alike(name, self.keys.iter().map(|(key, _)| *key)) {
            self.misspelt.push(meant);
            c.error(&place, format!("there is no {what} of this name"), format!("write {meant} instead"));
        } else {
            let known: Vec<&str> = self.keys.iter().map(|(key, _)| *key).collect();
            let mend = format!("remove it; the {what}s here are {}", known.join(", "));
            c.error(&place, format!("there is no {what} of this name"), mend);
        }
    }

    /// The value of a key with its place, if the key is there.
    pub(super) fn value(&self, key: &str) -> Option<(&'t Spanned<DeValue<'i>>, Place)> {
        let value = self.table.get(key)?;
        Some((value, Place { at: value.span().start, path: join(&self.place.path, key) }))
    }

    /// Where a key itself stands (its value's place is [`Self::value`]'s).
    pub(super) fn key_place(&self, key: &str) -> Option<Place> {
        let (found, _) = self.table.get_key_value(key)?;
        Some(Place { at: found.span().start, path: join(&self.place.path, key) })
    }

    /// Whether an unknown key was taken for a misspelling of this one.
    pub(super) fn is_misspelt(&self, key: &str) -> bool {
        self.misspelt.contains(&key)
    }

    /// Whether one of these keys is there, or was meant to be.
    pub(super) fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.table.get(*key).is_some() || self.is_misspelt(key))
    }

    fn example(&self, key: &str) -> &'static str {
        self.keys.iter().find(|(known, _)| *known == key).map_or("", |(_, example)| example)
    }

    /// Reports a key that must be there and is not.
    pub(super) fn missing(&self, c: &mut Checker<'_>, key: &str) {
        if self.table.get(key).is_none() && !self.misspelt.contains(&key) {
            let place = Place { at: self.place.at, path: join(&self.place.path, key) };
            c.absent(&place, "is missing", format!("add {key} = {}", self.example(key)));
        }
    }

    /// Reads true or false.
    pub(super) fn flag(&self, c: &mut Checker<'_>, key: &str) -> Option<bool> {
        let (value, place) = self.value(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            c.wrong_type(value, &place, "true or false", self.example(key));
        }
        flag
    }

    /// Reads a text and parses it; a wrong one is reported, an absent one is none.
    pub(super) fn read<T>(
        &self,
        c: &mut Checker<'_>,
        key: &str,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<(T, Place)> {
        let (value, place) = self.value(key)?;
        let text = c.text(value, &place, self.example(key))?;
        parse(text).map_err(|Wrong { message, mend }| c.error(&place, message, mend)).ok().map(|parsed| (parsed, place))
    }

    /// The same for a key that must be there.
    pub(super) fn need<T>(
        &self,
        c: &mut Checker<'_>,
        key: &str,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<(T, Place)> {
        self.missing(c, key);
        self.read(c, key, parse)
    }

    /// A list of texts, each parsed, at most `limit` of them.
    pub(super) fn list<T: PartialEq>(
        &self,
        c: &mut Checker<'_>,
        key: &str,
        limit: usize,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Vec<(T, Place)> {
        let mut read: Vec<(T, Place)> = Vec::new();
        let example = self.example(key);
        for (item, place) in self.items(c, key, limit) {
            let inner = example.trim_matches(['[', ']']).split(", ").next().unwrap_or(example);
            let Some(text) = c.text(item, &place, inner) else { continue };
            match parse(text) {
                Ok(parsed) if read.iter().any(|(other, _)| *other == parsed) => {
                    c.warning(&place, format!("{} is in this list twice", shown(text)), "remove one of the two");
                }
                Ok(parsed) => read.push((parsed, place)),
                Err(Wrong { message, mend }) => c.error(&place, message, mend),
            }
        }
        read
    }

    /// The items of a list, at most `limit` of them.
    pub(super) fn items(&self, c: &mut Checker<'_>, key: &str, limit: usize) -> Vec<(&'t Spanned<DeValue<'i>>, Place)> {
        let Some((value, place)) = self.value(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            c.wrong_type(value, &place, "a list", self.example(key));
            return Vec::new();
        };
        if items.len() > limit {
            c.error(&place, format!("has {} entries", items.len()), format!("keep at most {limit}"));
        }
        let placed = |(index, item): (usize, &'t Spanned<DeValue<'i>>)| {
            (item, Place { at: item.span().start, path: format!("{}[{index}]", place.path) })
        };
        items.iter().take(limit).enumerate().map(placed).collect()
    }

    /// A whole number within bounds.
    pub(super) fn number(&self, c: &mut Checker<'_>, key: &str, bounds: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let (value, place) = self.value(key)?;
        let Some(integer) = value.get_ref().as_integer() else {
            c.wrong_type(value, &place, "a whole number", self.example(key));
            return None;
        };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|n| bounds.contains(n));
        if number.is_none() {
            let mend = format!("write a whole number from {} to {}", bounds.start(), bounds.end());
            c.error(&place, "is out of bounds", mend);
        }
        number
    }

    /// A table inside this one.
    pub(super) fn table(&self, c: &mut Checker<'_>, key: &str, keys: Keys) -> Option<Section<'t, 'i>> {
        let (value, _) = self.value(key)?;
        Section::open(c, value, self.key_place(key)?, keys)
    }

    /// The tables of a table whose keys are names that the user chooses, such as `[service.NAME]`; at most
    /// `limit` of them, each with the place of its name.
    pub(super) fn named(&self, c: &mut Checker<'_>, key: &str, limit: usize) -> Vec<Named<'t, 'i>> {
        let Some((value, place)) = self.value(key) else { return Vec::new() };
        let Some(table) = value.get_ref().as_table() else {
            let path = place.path.clone();
            c.error(&place, format!("must be sections [{path}.NAME]"), format!("write [{path}.NAME] on a line above"));
            return Vec::new();
        };
        if table.len() > limit {
            c.error(&place, format!("has {} sections", table.len()), format!("keep at most {limit}"));
        }
        let named = |(name, value): (&'t Spanned<toml::de::DeString<'i>>, &'t Spanned<DeValue<'i>>)| Named {
            name: name.get_ref().to_string(),
            place: Place { at: name.span().start, path: join(&place.path, name.get_ref()) },
            value,
        };
        table.iter().take(limit).map(named).collect()
    }
}

/// A section whose name the user chose.
pub(super) struct Named<'t, 'i> {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) value: &'t Spanned<DeValue<'i>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_alike_was_probably_meant() {
        let keys = ["dir", "format", "database", "staging", "production"];
        let meant = |word| alike(word, keys);
        assert_eq!(
            [meant("directory"), meant("stage"), meant("prod"), meant("formt")].map(Option::unwrap_or_default),
            ["dir", "staging", "production", "format"]
        );
        assert_eq!(["data", "di", "after", ""].map(meant), [Some("database"), Some("dir"), None, None]);
    }
}
