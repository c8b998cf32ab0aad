//! Rules that a folder has taken over as they come with Slipway: they may speak of teams and environments that its
//! configuration does not have, as they may where they are built in.

use super::load::rules_of;
use super::mistake::PolicyMistake;
use super::set::PolicySet;
use super::stack::with_room;
use super::{Vocabulary, built_in};
use crate::ids::{EnvironmentName, TeamName};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

/// The built-in rules by `@id`, as Cedar writes them: comments and layout do not count.
static BUILT_IN: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let rules = built_in::FILES.into_iter().flat_map(|(file, text)| rules_of(file, text).unwrap_or_default());
    rules.filter_map(|rule| Some((rule.id?, rule.content?))).collect()
});

impl PolicySet {
    /// As [`Self::parse`], for a folder that may hold rules of the built-in ones, unedited. Only what somebody has written
    /// or edited has to keep to the names of the vocabulary; a name that is misspelt there is a mistake.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn of_folder(
        schema: &str,
        files: &[(String, String)],
        vocabulary: &Vocabulary,
    ) -> Result<Self, Vec<PolicyMistake>> {
        let strict = Self::parse(schema, files, vocabulary);
        let Err(mistakes) = strict else { return strict };
        let Some(Apart { own, has_own }) = with_room(|| Apart::of(files)) else { return Err(mistakes) };
        let own_mistakes = if has_own { Self::parse(schema, &own, vocabulary).err() } else { None };
        let mut wide = vocabulary.clone();
        wide.teams.extend(built_in::TEAMS.map(TeamName::from));
        wide.environments.extend(built_in::ENVIRONMENTS.map(EnvironmentName::from));
        let whole = Self::parse(schema, files, &wide);
        let Some(mut mistakes) = own_mistakes else { return whole };
        // What only the whole shows, such as an id that is taken.
        for other in whole.err().unwrap_or_default() {
            if mistakes.iter().all(|known| (&known.file, known.line) != (&other.file, other.line)) {
                mistakes.push(other);
            }
        }
        mistakes.sort();
        Err(mistakes)
    }

    /// Whether some rule names this environment.
    #[must_use]
    pub fn speaks_of(&self, environment: &EnvironmentName) -> bool {
        let name = format!("Environment::\"{}\"", environment.as_str().escape_default());
        self.0.all.policies().any(|policy| policy.to_string().contains(&name))
    }
}

/// A folder without the rules that are as they are built in.
struct Apart {
    /// Files and texts, blank where such a rule was, so that all else keeps its place.
    own: Vec<(String, String)>,
    has_own: bool,
}

impl Apart {
    /// `None` where there is no such rule, or a file cannot be read.
    fn of(files: &[(String, String)]) -> Option<Self> {
        let (mut own, mut has_own, mut found) = (Vec::new(), false, false);
        for (file, text) in files {
            let mut rest = text.clone();
            for rule in rules_of(file, text).ok()? {
                let built_in = rule.id.as_ref().and_then(|id| BUILT_IN.get(id));
                if built_in.is_some() && built_in == rule.content.as_ref() {
                    found = true;
                    blank(&mut rest, rule.span);
                } else {
                    has_own = true;
                }
            }
            own.push((file.clone(), rest));
        }
        found.then_some(Self { own, has_own })
    }
}

/// Spaces instead of a rule; its lines stay.
fn blank(text: &mut String, span: Range<usize>) {
    let Some(rule) = text.get(span.clone()) else { return };
    let blank: String =
        rule.chars().map(|c| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.len_utf8()) }).collect();
    text.replace_range(span, &blank);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(teams: &[&str], environments: &[&str]) -> Vocabulary {
        Vocabulary {
            teams: teams.iter().copied().map(TeamName::from).collect(),
            environments: environments.iter().copied().map(EnvironmentName::from).collect(),
        }
    }

    fn copy(edit: impl Fn(&str) -> String) -> Vec<(String, String)> {
        built_in::FILES.map(|(file, text)| (file.to_owned(), edit(text))).to_vec()
    }

    #[test]
    fn a_plain_copy_is_what_is_built_in() {
        let (small, files) = (names(&["release"], &["staging"]), copy(str::to_owned));
        assert!(PolicySet::parse(built_in::SCHEMA, &files, &small).is_err());
        let copied = PolicySet::of_folder(built_in::SCHEMA, &files, &small).unwrap();
        let wide = names(&["release", "dba", "developers", "sre"], &["staging", "production"]);
        let built_in_set = PolicySet::parse(built_in::SCHEMA, &files, &wide).unwrap();
        assert_eq!(copied.hash(), built_in_set.hash());
        assert!(copied.speaks_of(&"production".into()) && !copied.speaks_of(&"staging".into()));
        let noted = copy(|text| format!("// ours\n{text}"));
        assert!(PolicySet::of_folder(built_in::SCHEMA, &noted, &names(&[], &["staging"])).is_ok(), "no team, comments");
    }

    #[test]
    fn a_name_in_a_rule_of_ones_own_has_to_be_there() {
        let small = names(&["release"], &["staging"]);
        let edited =
            copy(|text| text.replace("resource.getTag(\"release\") >= 1", "resource.getTag(\"release\") >= 3"));
        let mistakes = PolicySet::of_folder(built_in::SCHEMA, &edited, &small).unwrap_err();
        let said: Vec<_> = mistakes.iter().map(|m| format!("{}:{} {}", m.file, m.line, m.message)).collect();
        let line = built_in::FILES[2].1.lines().position(|line| line.contains("production-approval")).unwrap();
        assert!(
            said.iter()
                .all(|said| said.starts_with("production.cedar:") && said.contains("Environment::\"production\"")),
            "{said:?}"
        );
        assert!(mistakes[0].line > line && mistakes[0].line < line + 12, "{mistakes:?}");
        let mut files = copy(str::to_owned);
        files.push((
            "own.cedar".into(),
            "@id(\"own\")\n@why(\"No.\")\nforbid (principal, action == Action::\"execute\", \
             resource)\nwhen { resource.environment == Environment::\"productoin\" };\n"
                .into(),
        ));
        let mistakes = PolicySet::of_folder(built_in::SCHEMA, &files, &small).unwrap_err();
        assert!(mistakes.iter().all(|m| m.file == "own.cedar" && m.message.contains("productoin")), "{mistakes:?}");
        assert!(!mistakes.is_empty());
    }
}
