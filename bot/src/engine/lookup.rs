//! Finding what a person means: which release, who they are, who could approve.

use super::EngineError;
use super::apply::Work;
use super::together::one_of_each_group;
use crate::setup::Setup;
use crate::standing::Standing;
use jiff::Timestamp;
use slipway_core::ids::{PersonId, TeamName};
use slipway_core::message::cards::ApproverLine;
use slipway_core::person::{Identity, Person};
use slipway_core::policy::Panel;
use slipway_core::release::Release;

/// How many open releases are looked through for the one that is meant.
pub(super) const OPEN_LIMIT: u32 = 500;

/// Why a release was not found.
pub(super) enum NotFound {
    /// None has this id.
    Unknown(String),
    /// More than one begins so.
    Ambiguous(String, Vec<Release>),
    /// None is in the state in question.
    NoneOpen,
    /// Several are: which one must be said.
    SeveralOpen(Vec<Release>),
}

impl Work<'_> {
    /// The known person behind an identity, with the teams that count now.
    pub(super) async fn person(&mut self, who: &Identity) -> Result<Option<Person>, EngineError> {
        Ok(self.company().await?.people.by_identity(who).cloned())
    }

    /// The release that a prefix names, or the only open one that fits.
    pub(super) async fn find_release(
        &mut self,
        prefix: Option<&str>,
        fits: impl Fn(&Release) -> bool,
    ) -> Result<Result<Release, NotFound>, EngineError> {
        let store = &self.engine.store;
        if let Some(prefix) = prefix {
            let mut found = store.releases_by_prefix(self.tx, prefix).await?;
            return Ok(match found.len() {
                0 => Err(NotFound::Unknown(prefix.to_owned())),
                1 => Ok(found.remove(0)),
                _ => Err(NotFound::Ambiguous(prefix.to_owned(), found)),
            });
        }
        let open = store.releases_open(self.tx, OPEN_LIMIT).await?.into_iter().filter(|r| fits(r)).collect();
        let mut open = one_of_each_group(open);
        Ok(match open.len() {
            0 => Err(NotFound::NoneOpen),
            1 => Ok(open.remove(0)),
            _ => Err(NotFound::SeveralOpen(open)),
        })
    }
}

/// Who can approve a release and who cannot, by team, as policy answers now. Teams whose approvals are counted and of
/// which none is missing come too, to say which of them somebody approved for.
#[must_use]
pub fn approver_lines(setup: &Setup, standing: &Standing, release: &Release, now: Timestamp) -> Vec<ApproverLine> {
    let Some(case) = setup.case(release, standing, now) else { return vec![] };
    let line = |panel: Panel| ApproverLine {
        team: panel.team,
        can: panel.who,
        cannot: panel.refused.into_iter().map(|refused| (refused.person, refused.why.join(" "))).collect(),
        missing: panel.missing,
        instead: panel.instead,
    };
    let policies = setup.policies();
    let mut lines: Vec<_> = policies.voters(&case).into_iter().map(line).collect();
    let counted = policies.counted_teams().iter().filter(|team| lines.iter().all(|line| line.team != **team));
    let enough =
        |team: &TeamName| ApproverLine { team: team.clone(), can: vec![], cannot: vec![], missing: 0, instead: false };
    let enough: Vec<_> = counted.map(enough).collect();
    lines.extend(enough);
    lines
}

/// The id of a person who is known, for messages to them alone.
pub(super) fn only_for(person: &Person) -> PersonId {
    person.id.clone()
}
