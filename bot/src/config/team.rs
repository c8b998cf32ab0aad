//! `[team.NAME]`: where a team's members are kept outside of this file.

use super::cross::Refs;
use super::leak::shown;
use super::section::{Checker, Keys, Section, Wrong};
use super::values;
use slipway_core::ids::TeamName;
use slipway_core::membership::Source;
use std::collections::BTreeMap;

/// Most teams with members kept elsewhere in one file.
pub const TEAM_SECTION_LIMIT: usize = 100;
/// Longest slug of a team on GitHub.
const SLUG_LIMIT_BYTES: usize = 100;

pub(super) const TEAM_KEYS: Keys =
    &[("github", r#""acme/release-managers""#), ("slack", r#""S0614TZR7""#), ("discord", r#""1032011029""#)];

/// Reads the sections of all teams. Roles are those of the server `guild`.
pub(super) fn teams(
    c: &mut Checker<'_>,
    root: &Section<'_, '_>,
    refs: &mut Refs,
    guild: Option<&str>,
) -> BTreeMap<TeamName, Vec<Source>> {
    let mut teams = BTreeMap::new();
    for named in root.named(c, "team", TEAM_SECTION_LIMIT) {
        if let Err(wrong) = values::name(&named.name) {
            c.error(&named.place, wrong.message, wrong.mend);
        }
        refs.sourced_teams.insert(named.name.clone());
        let Some(section) = Section::open(c, named.value, named.place.clone(), TEAM_KEYS) else { continue };
        let github = section.read(c, "github", github_team);
        let slack = section.read(c, "slack", slack_group);
        let discord = section.read(c, "discord", |text| discord_role(text, guild));
        if !section.has_any(&["github", "slack", "discord"]) {
            let mend = "add github = \"acme/release-managers\", slack = \"S0614TZR7\" or discord = \"1032011029\", or \
                        remove the section: teams of people need none";
            c.absent(&section.place, "names no place where its members are kept", mend);
        }
        let found = [github, slack, discord].into_iter().flatten();
        refs.sources.extend(found.clone());
        teams.insert(TeamName::from(named.name.as_str()), found.map(|(source, _)| source).collect());
    }
    teams
}

/// `organisation/team` on GitHub, as in `github.com/orgs/ORGANISATION/teams/TEAM`.
fn github_team(text: &str) -> Result<Source, Wrong> {
    let plain = |part: &str, also: &[u8]| part.bytes().all(|b| b.is_ascii_alphanumeric() || also.contains(&b));
    if let Some((organisation, slug)) = text.split_once('/')
        && values::github_login(organisation).is_ok()
        && (1..=SLUG_LIMIT_BYTES).contains(&slug.len())
        && plain(slug, b"-_")
    {
        return Ok(Source::GithubTeam { organisation: organisation.to_owned(), slug: slug.to_ascii_lowercase() });
    }
    let mend = match text.trim_start_matches('@') {
        rest if rest != text && github_team(rest).is_ok() => format!("write {rest:?}"),
        _ => "write organisation/team as in github.com/orgs/ORGANISATION/teams/TEAM, such as \"acme/release-managers\""
            .to_owned(),
    };
    Err(Wrong::new(format!("{} is no team on GitHub", shown(text)), mend))
}

fn slack_group(text: &str) -> Result<Source, Wrong> {
    values::slack_id(text, "S", "user group").map(|id| Source::SlackGroup { id })
}

/// A role by its id. Which server's it is says `[discord]`; that it says none is told with the other references.
fn discord_role(text: &str, guild: Option<&str>) -> Result<Source, Wrong> {
    let id = values::snowflake(text)?;
    if guild == Some(&id) {
        let mend = "name a role that people are given, or leave them in the team by teams of their [person.NAME]";
        return Err(Wrong::new("is the id of the server, and so of its role @everyone", mend));
    }
    Ok(Source::DiscordRole { guild: guild.unwrap_or_default().to_owned(), id })
}
