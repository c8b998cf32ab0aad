//! From files to a policy set that can be relied on, or to every mistake in them at once.

use super::check::{self, Source, Uses};
use super::mistake::{PolicyMistake, offset_of};
use super::set::{Inner, PolicySet, Rule};
use super::stack::with_room;
use super::vocabulary::Vocabulary;
use super::{hash, world};
use cedar_policy::{
    Effect, Policy, PolicyId, PolicySet as Cedar, Schema, ValidationError, ValidationMode, ValidationWarning, Validator,
};
use miette::Diagnostic;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What mistakes in the schema are reported under.
const SCHEMA_FILE: &str = "schema.cedarschema";
/// What mistakes in the names are reported under.
const VOCABULARY_FILE: &str = "vocabulary";
/// Said where Cedar has no better advice.
const MEND: &str = "Compare with schema.cedarschema, which lists every name, attribute and action.";

impl PolicySet {
    /// Reads a policy folder: the schema without its two enumerations, the rules as (file name, text), and the
    /// names that go into the enumerations.
    ///
    /// # Errors
    /// Every mistake that can be found at once, by file and line. Warnings of Cedar's validator (a rule that can
    /// never apply, look-alike characters) are mistakes too.
    pub fn parse(
        schema: &str,
        files: &[(String, String)],
        vocabulary: &Vocabulary,
    ) -> Result<Self, Vec<PolicyMistake>> {
        with_room(|| Self::parse_here(schema, files, vocabulary))
    }

    fn parse_here(
        schema: &str,
        files: &[(String, String)],
        vocabulary: &Vocabulary,
    ) -> Result<Self, Vec<PolicyMistake>> {
        let mut mistakes = Vec::new();
        let parsed_schema = parse_schema(schema, vocabulary).map_err(|found| mistakes.extend(found)).ok();
        let mut sources = Vec::new();
        for (file, text) in files {
            match split(file, text) {
                Ok(found) => sources.extend(found),
                Err(found) => mistakes.extend(found),
            }
        }
        let rules = name_and_check(&mut sources, vocabulary, &mut mistakes);
        let all = Cedar::from_policies(sources.iter().map(|source| source.policy.clone()))
            .map_err(|error| mistakes.push(whole(SCHEMA_FILE, error.to_string())))
            .ok();
        if let (Some(schema), Some(all)) = (&parsed_schema, &all) {
            mistakes.extend(validate(schema, all, &sources));
        }
        let hash = hash::of(schema, vocabulary, &mut sources.iter().map(|s| &s.policy).collect())
            .map_err(|error| mistakes.push(whole(SCHEMA_FILE, error)));
        mistakes.sort();
        mistakes.dedup();
        match (parsed_schema, all, hash) {
            (Some(schema), Some(all), Ok(hash)) if mistakes.is_empty() => {
                let counted: BTreeSet<_> = rules.values().flat_map(|rule| rule.uses.teams.clone()).collect();
                let permits = sources.iter().filter(|s| s.policy.effect() == Effect::Permit);
                let permits = Cedar::from_policies(permits.map(|s| s.policy.clone()))
                    .map_err(|error| vec![whole(SCHEMA_FILE, error.to_string())])?;
                let counted = counted.into_iter().collect();
                let teams = vocabulary.teams.clone();
                let named = rules.values().flat_map(|rule| rule.uses.people.clone()).collect();
                let environment = vocabulary.environments.first();
                let declares_takes_out =
                    environment.is_some_and(|environment| world::declares_takes_out(&schema, environment));
                let inner = Inner { schema, all, permits, rules, counted, teams, named, hash, declares_takes_out };
                Ok(Self(Arc::new(inner)))
            }
            _ => Err(mistakes),
        }
    }
}

/// A mistake that has no better place than the start of a file.
fn whole(file: &str, message: String) -> PolicyMistake {
    PolicyMistake::at(file, "", 0, message, MEND.to_owned())
}

fn parse_schema(schema: &str, vocabulary: &Vocabulary) -> Result<Schema, Vec<PolicyMistake>> {
    let lists = [("teams", vocabulary.teams.is_empty()), ("environments", vocabulary.environments.is_empty())];
    let mut mistakes: Vec<_> = lists
        .iter()
        .filter(|(_, empty)| *empty)
        .map(|(what, _)| {
            let message = format!("There are no {what}, so no rule can speak of one.");
            PolicyMistake::at(VOCABULARY_FILE, "", 0, message, format!("Configure at least one of the {what}."))
        })
        .collect();
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let whole_text = format!("{schema}\n{}", vocabulary.declarations());
    match Schema::from_cedarschema_str(&whole_text) {
        Ok((parsed, warnings)) => {
            mistakes.extend(warnings.map(|warning| schema_mistake(schema, &warning)));
            if mistakes.is_empty()
                && let Some(environment) = vocabulary.environments.first()
                && let Err(error) = world::probe(&parsed, environment)
            {
                let message = format!("This schema does not fit this version of Slipway: {error}.");
                let mend = "Start again from the schema.cedarschema that came with this version.";
                mistakes.push(PolicyMistake::at(SCHEMA_FILE, "", 0, message, mend.to_owned()));
            }
            if mistakes.is_empty() { Ok(parsed) } else { Err(mistakes) }
        }
        Err(error) => Err(vec![schema_mistake(schema, &error)]),
    }
}

fn schema_mistake(schema: &str, error: &dyn Diagnostic) -> PolicyMistake {
    let mend = "Leave out Team and Environment, which Slipway adds, and compare with the schema that came with it.";
    // A position behind the file's end is in the declarations that were added.
    let file = if offset_of(error).is_some_and(|at| at > schema.len()) { VOCABULARY_FILE } else { SCHEMA_FILE };
    PolicyMistake::cedar(file, schema, 0, error, mend)
}

/// A rule of one file.
pub(super) struct FileRule {
    /// Its `@id`.
    pub(super) id: Option<String>,
    /// What it says, without comments and layout.
    pub(super) content: Option<serde_json::Value>,
    /// Where it stands, in bytes.
    pub(super) span: std::ops::Range<usize>,
}

/// The rules of one file, each by itself.
pub(super) fn rules_of(file: &str, text: &str) -> Result<Vec<FileRule>, Vec<PolicyMistake>> {
    let rule = |source: Source<'_>| {
        let length = source.policy.as_ref().loc().map_or(0, |place| place.span.len());
        FileRule {
            id: source.policy.annotation("id").map(str::to_owned),
            content: source.policy.to_json().ok(),
            span: source.offset..source.offset + length,
        }
    };
    Ok(split(file, text)?.into_iter().map(rule).collect())
}

/// The rules of one file in the order in which they stand there.
fn split<'a>(file: &'a str, text: &'a str) -> Result<Vec<Source<'a>>, Vec<PolicyMistake>> {
    let parsed: Cedar = text.parse().map_err(|errors: cedar_policy::ParseErrors| {
        let mend = "Each rule is @id(…), then permit or forbid ( … ), then when or unless { … }, then a semicolon.";
        errors.iter().map(|error| PolicyMistake::cedar(file, text, 0, error, mend)).collect::<Vec<_>>()
    })?;
    let templates: Vec<_> = parsed
        .templates()
        .map(|template| {
            let offset = template.as_ref().loc().map_or(0, |place| place.span.offset());
            let message = "Templates (?principal, ?resource) are not used here.".to_owned();
            PolicyMistake::at(file, text, offset, message, "Write the team or environment out.".to_owned())
        })
        .collect();
    if !templates.is_empty() {
        return Err(templates);
    }
    let mut sources: Vec<_> = parsed
        .policies()
        .map(|policy| {
            let offset = policy.as_ref().loc().map_or(0, |place| place.span.offset());
            Source { file, text, offset, policy: policy.clone() }
        })
        .collect();
    sources.sort_by_key(|source| source.offset);
    Ok(sources)
}

/// Gives each rule its `@id` as Cedar's id, or a makeshift one so that the rest can be checked all the same.
fn name_and_check(
    sources: &mut [Source<'_>],
    vocabulary: &Vocabulary,
    mistakes: &mut Vec<PolicyMistake>,
) -> BTreeMap<String, Rule> {
    let mut taken = BTreeSet::new();
    let mut rules = BTreeMap::new();
    for source in sources.iter_mut() {
        mistakes.extend(check::annotations(source, &taken));
        let uses = Uses::of(&source.policy);
        mistakes.extend(check::counting(source, &uses, vocabulary));
        let id = match source.policy.annotation("id") {
            Some(id) if taken.insert(id.to_owned()) => id.to_owned(),
            _ => format!("{}@{}", source.file, source.offset),
        };
        source.policy = source.policy.new_id(PolicyId::new(&id));
        let why = source.policy.annotation("why").unwrap_or_default().trim().to_owned();
        rules.insert(id, Rule { why, uses, alone: alone(&source.policy) });
    }
    rules
}

/// A set of just this rule, to ask about it by itself.
fn alone(policy: &Policy) -> Cedar {
    let mut set = Cedar::new();
    // An empty set accepts any static policy; and a rule that were missing here would still decide in the full set.
    let _ = set.add(policy.clone());
    set
}

fn validate(schema: &Schema, all: &Cedar, sources: &[Source<'_>]) -> Vec<PolicyMistake> {
    let result = Validator::new(schema.clone()).validate(all, ValidationMode::Strict);
    let mut mistakes = Vec::new();
    let mut report = |id: &PolicyId, error: &dyn Diagnostic, words: Option<(String, String)>| {
        let Some(source) = sources.iter().find(|source| source.policy.id() == id) else {
            mistakes.push(PolicyMistake::cedar(SCHEMA_FILE, "", 0, error, MEND));
            return;
        };
        let mut mistake = PolicyMistake::cedar(source.file, source.text, source.offset, error, MEND);
        if let Some((message, mend)) = words {
            (mistake.message, mistake.mend) = (message, mend);
        }
        mistakes.push(mistake);
    };
    // A wrong name makes a rule inapplicable, and that makes it impossible: only the cause is worth telling.
    let mut told = BTreeSet::new();
    let inapplicable = |error: &&ValidationError| matches!(error, ValidationError::InvalidActionApplication(_));
    for error in result.validation_errors().filter(|error| !inapplicable(error)) {
        told.insert(error.policy_id().clone());
        report(error.policy_id(), error, plainer(error, schema));
    }
    for error in result.validation_errors().filter(inapplicable) {
        if told.insert(error.policy_id().clone()) {
            report(error.policy_id(), error, None);
        }
    }
    let impossible = |warning: &&ValidationWarning| matches!(warning, ValidationWarning::ImpossiblePolicy(_));
    for warning in result.validation_warnings().filter(|warning| !impossible(warning)) {
        if told.insert(warning.policy_id().clone()) {
            report(warning.policy_id(), warning, None);
        }
    }
    for warning in result.validation_warnings().filter(impossible) {
        if told.insert(warning.policy_id().clone()) {
            let message = "This rule can never apply: its condition is false whatever happens.".to_owned();
            let mend = "Correct the condition, or delete the rule.".to_owned();
            report(warning.policy_id(), warning, Some((message, mend)));
        }
    }
    mistakes
}

/// A misspelt team, environment or action in plainer words than Cedar's, and with the same suggestion every time.
fn plainer(error: &ValidationError, schema: &Schema) -> Option<(String, String)> {
    let text = error.to_string();
    match error {
        ValidationError::InvalidEnumEntity(_) => {
            let name = text.split_once("entity `")?.1.split_once('`')?.0;
            let valid = error.help()?.to_string();
            let valid = valid.split_once(": ").map_or(valid.as_str(), |(_, list)| list);
            Some((format!("There is no {name}."), format!("There are {valid}.")))
        }
        ValidationError::UnrecognizedActionId(_) => {
            let name = text.split_once("action `")?.1.split_once('`')?.0;
            let known = schema.actions().map(ToString::to_string);
            let nearest = known.min_by_key(|known| (strsim::damerau_levenshtein(known, name), known.clone()))?;
            Some((format!("There is no {name}."), format!("The nearest is {nearest}.")))
        }
        _ => None,
    }
}
