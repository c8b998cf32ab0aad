//! Teams of people that nothing else knows: most often a typing mistake, after which somebody may do less than was meant.

use super::ProbeResult;
use crate::config::{Config, alike};
use slipway_core::policy::PolicySet;
use std::collections::{BTreeMap, BTreeSet};

/// A warning for each team that no rule speaks of and no section `[team.NAME]` has.
pub fn teams(config: &Config, set: &PolicySet) -> Vec<(String, ProbeResult)> {
    let known: BTreeSet<_> = set.teams_spoken_of().into_iter().chain(config.team_sources.keys().cloned()).collect();
    let people = config.directory();
    let mut unknown: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for person in people.iter() {
        for team in person.teams.iter().filter(|team| !known.contains(*team)) {
            unknown.entry(team.clone()).or_default().push(person.id.as_str());
        }
    }
    let warning = |(team, members): (slipway_core::ids::TeamName, Vec<&str>)| {
        let others = match members.len() - 1 {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let says = format!("no rule speaks of it, so that it gives {}{others} nothing", members[0]);
        let names: Vec<_> = known.iter().map(|team| team.as_str()).collect();
        let mend = match alike(team.as_str(), names.iter().copied()) {
            Some(meant) => format!("did you mean {meant:?}? It is in teams of [person.{}]", members[0]),
            None => format!("remove it, or write one that rules speak of: {}", names.join(", ")),
        };
        (format!("team {team}"), ProbeResult { ok: true, says, mend })
    };
    unknown.into_iter().map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble;
    use std::path::Path;

    #[test]
    fn a_misspelt_team_is_doubted_and_one_with_a_section_is_not() {
        let file = |teams: &str| {
            format!(
                "[store]\nurl = \"sqlite://x.db\"\n[server]\n[terminal]\nchannels = [\"releases\"]\n\
                 [person.eve]\nterminal = \"eve\"\nteams = [{teams}]\n[person.ana]\nterminal = \"ana\"\n\
                 github = \"ana\"\nteams = [\"crew\"]\n[team.crew]\ngithub = \"acme/crew\"\n"
            )
        };
        let said = |given: &str| {
            let (config, _) = Config::check(file(given).as_bytes(), Path::new("slipway.toml")).unwrap();
            let setup = assemble::setup(&config).unwrap();
            teams(&config, &setup.policies())
        };
        assert_eq!(said("\"developers\", \"release\""), []);
        let [(about, answer)] = &said("\"developers\", \"relase\"")[..] else { panic!() };
        assert_eq!((about.as_str(), answer.ok), ("team relase", true));
        assert_eq!(answer.says, "no rule speaks of it, so that it gives eve nothing");
        assert_eq!(answer.mend, "did you mean \"release\"? It is in teams of [person.eve]");
        let mend = &said("\"cooks\"")[0].1.mend;
        assert!(
            mend.starts_with("remove it, or write one that rules speak of: ") && mend.contains("release"),
            "{mend}"
        );
    }
}
