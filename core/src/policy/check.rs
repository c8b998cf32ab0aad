//! House rules that Cedar's validator does not know: annotations, and how approvals are counted.

use super::RESERVED_IDS;
use super::clockwork::Clockwork;
use super::mistake::PolicyMistake;
use super::names::Action;
use super::vocabulary::Vocabulary;
use crate::ids::TeamName;
use cedar_policy::{ActionConstraint, Effect, Policy};
use serde_json::Value;
use std::collections::BTreeSet;

/// How different a known name may be from an unknown one to be suggested.
const SPELLING_DISTANCE_LIMIT: usize = 3;
/// How long an `@id` may be, in characters.
const ID_LENGTH_LIMIT: usize = 64;

/// One rule with the place it was read from.
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    pub(super) offset: usize,
    pub(super) policy: Policy,
}

impl Source<'_> {
    pub(super) fn mistake(&self, message: String, mend: impl Into<String>) -> PolicyMistake {
        PolicyMistake::at(self.file, self.text, self.offset, message, mend.into())
    }

    /// How messages call this rule.
    fn called(&self) -> String {
        self.policy.annotation("id").map_or_else(|| "This rule".to_owned(), |id| format!("The rule \"{id}\""))
    }
}

/// `@id` present, well formed and free; `@why` on a forbid; nothing else.
pub(super) fn annotations(source: &Source<'_>, taken: &BTreeSet<String>) -> Vec<PolicyMistake> {
    let mut mistakes = Vec::new();
    match source.policy.annotation("id") {
        None => mistakes.push(
            source
                .mistake("This rule has no name.".to_owned(), "Write @id(\"a-name-of-its-own\") on the line above it."),
        ),
        Some(id) if !well_formed(id) => mistakes.push(source.mistake(
            format!("The name {id:?} is not one."),
            format!(
                "Use lower-case letters, digits and hyphens, at most {ID_LENGTH_LIMIT}, such as @id(\"no-friday\")."
            ),
        )),
        Some(id) if RESERVED_IDS.contains(&id) => {
            mistakes.push(source.mistake(format!("The name \"{id}\" is Slipway's own."), "Choose another @id."))
        }
        Some(id) if taken.contains(id) => mistakes.push(
            source.mistake(format!("Another rule is called \"{id}\" already."), "Give each rule an @id of its own."),
        ),
        Some(_) => {}
    }
    let why = source.policy.annotation("why").map(str::trim);
    if why == Some("") || (why.is_none() && source.policy.effect() == Effect::Forbid) {
        mistakes.push(source.mistake(
            format!("{} forbids something and does not say why.", source.called()),
            "Write @why(\"One sentence for whoever is refused.\") on the line above it.",
        ));
    }
    for (name, _) in source.policy.annotations().filter(|(name, _)| !["id", "why"].contains(name)) {
        mistakes.push(source.mistake(
            format!("{} has an annotation @{name}, which Slipway does not know.", source.called()),
            "Use only @id and @why, or make it a comment.",
        ));
    }
    mistakes
}

fn well_formed(id: &str) -> bool {
    (1..=ID_LENGTH_LIMIT).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// What a rule looks at, read from Cedar's JSON form of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Uses {
    /// The teams whose approvals it counts.
    pub(super) teams: BTreeSet<TeamName>,
    /// It counts approvals of a team that is not written out.
    pub(super) computed_team: bool,
    /// The people whom it names.
    pub(super) people: BTreeSet<String>,
    /// When it may change its mind.
    pub(super) clockwork: Clockwork,
    /// The teams that it asks for members of.
    pub(super) asked_teams: BTreeSet<TeamName>,
}

impl Uses {
    pub(super) fn of(policy: &Policy) -> Self {
        let mut uses = Self::default();
        match policy.to_json() {
            Ok(json) => {
                uses.read(&json);
                uses.clockwork = Clockwork::of(&json);
            }
            // Cannot be for a policy that was parsed from text; if it is, the rule is refused.
            Err(_) => uses.computed_team = true,
        }
        uses
    }

    fn read(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.read(item)),
            Value::Object(members) => {
                if members.get("type").is_some_and(|of| of == "Person") {
                    self.people.extend(members.get("id").and_then(Value::as_str).map(str::to_owned));
                }
                if members.get("type").is_some_and(|of| of == "Team") {
                    self.asked_teams.extend(members.get("id").and_then(Value::as_str).map(TeamName::from));
                }
                for (key, member) in members {
                    if key == "hasTag" || key == "getTag" {
                        match member.pointer("/right/Value").and_then(Value::as_str) {
                            Some(team) => {
                                self.teams.insert(team.into());
                            }
                            None => self.computed_team = true,
                        }
                    }
                    self.read(member);
                }
            }
            _ => {}
        }
    }
}

/// Approvals are counted for teams there are, and for `execute` alone: nobody has counted yet when the other
/// questions are asked, so a rule would look at nothing and might let something through.
pub(super) fn counting(source: &Source<'_>, uses: &Uses, vocabulary: &Vocabulary) -> Vec<PolicyMistake> {
    let mut mistakes = Vec::new();
    if uses.computed_team {
        mistakes.push(source.mistake(
            format!("{} counts approvals of a team that is not written out.", source.called()),
            "Write the team's name between quotes, such as resource.getTag(\"release\").",
        ));
    }
    for team in uses.teams.difference(&vocabulary.teams) {
        mistakes.push(source.mistake(
            format!("{} counts approvals of team \"{team}\", which nobody is in.", source.called()),
            suggestion(team, vocabulary),
        ));
    }
    let counts = uses.computed_team || !uses.teams.is_empty();
    let execute_alone = source.policy.action_constraint() == ActionConstraint::Eq(Action::Execute.uid());
    if counts && !execute_alone {
        mistakes.push(source.mistake(
            format!("{} counts approvals for another action than \"execute\".", source.called()),
            "Give it action == Action::\"execute\" and put the rest into a rule of its own.",
        ));
    }
    mistakes
}

fn suggestion(team: &TeamName, vocabulary: &Vocabulary) -> String {
    let nearest =
        vocabulary.teams.iter().min_by_key(|known| strsim::damerau_levenshtein(known.as_str(), team.as_str()));
    match nearest {
        Some(known) if strsim::damerau_levenshtein(known.as_str(), team.as_str()) <= SPELLING_DISTANCE_LIMIT => {
            format!("Write \"{known}\", or give somebody the team \"{team}\" in the configuration.")
        }
        _ => format!("Give somebody the team \"{team}\" in the configuration, or name another team."),
    }
}
