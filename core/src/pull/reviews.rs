//! Which reviews of a pull request count: approvals of whoever could have merged it, and of nobody's own work.

use super::{APPROVALS_NEEDED, Looked, Pull, names, same_login};
use crate::ids::CommitSha;

/// Of how many reviewers it is asked whether they can push.
pub const REVIEWERS_ASKED_LIMIT: usize = 20;
/// How many approvals that do not count are told.
const NOT_COUNTED_LIMIT: usize = 3;

/// Whether somebody can push to the repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// It was not asked.
    #[default]
    NotAsked,
    /// They can.
    Writes,
    /// They can read it at most.
    Reads,
    /// GitHub does not tell.
    NotTold,
}

/// A review that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// The reviewer's login.
    pub who: String,
    /// For or against.
    pub approves: bool,
    /// The commit that was looked at, when that is known.
    pub commit: Option<CommitSha>,
    /// Whether it is the account of a human.
    pub human: bool,
    /// Whether GitHub says that they belong to the repository. It may not say so of a member who keeps that private.
    pub belongs: bool,
    /// Whether they can push to it.
    pub access: Access,
}

impl Pull {
    fn is_of(&self, login: &str) -> bool {
        self.author.as_ref().is_some_and(|author| same_login(author, login))
    }

    fn is_of_head(&self, review: &Review) -> bool {
        review.commit.as_ref() == Some(&self.head)
    }

    /// Whether a review may be an approval that counts, as far as it is known before anybody is asked.
    #[must_use]
    pub fn may_count(&self, review: &Review) -> bool {
        review.approves && review.human && self.is_of_head(review) && !self.is_of(&review.who)
    }

    /// The reviewers of whom it has to be known whether they can push, at most [`REVIEWERS_ASKED_LIMIT`]. Anybody may
    /// review what is public: who belongs to the repository comes first, and who is against it before who is for it.
    #[must_use]
    pub fn reviewers_to_ask<'a>(&self, reviews: &'a [Review]) -> Vec<&'a str> {
        let against = |review: &Review| !review.approves && review.human && !review.belongs;
        let mut asked: Vec<_> = reviews.iter().filter(|review| self.may_count(review) || against(review)).collect();
        asked.sort_by_key(|review| (!review.belongs, review.approves));
        asked.into_iter().take(REVIEWERS_ASKED_LIMIT).map(|review| review.who.as_str()).collect()
    }
}

impl Looked {
    /// Who asks for changes. An objection takes less than an approval: whoever belongs to the repository may have one, and
    /// of whom GitHub does not tell it.
    pub(super) fn against(&self) -> Vec<&str> {
        let may_push = |review: &Review| matches!(review.access, Access::Writes | Access::NotTold);
        let weighs = |review: &&Review| review.human && (review.belongs || may_push(review));
        let against = self.reviews.iter().filter(|review| !review.approves).filter(weighs);
        against.map(|review| review.who.as_str()).collect()
    }

    /// Who approves of the newest commit, and counts.
    pub(super) fn approvals(&self) -> Vec<&str> {
        let counts = |review: &&Review| self.is_of_head(review) && self.counts_for_nothing(review).is_none();
        self.reviews.iter().filter(counts).map(|review| review.who.as_str()).collect()
    }

    pub(super) fn approvals_needed(&self) -> u32 {
        self.rules.approvals.max(APPROVALS_NEEDED)
    }

    /// What is missing of approvals.
    pub(super) fn approvals_missing(&self) -> Option<String> {
        let (needed, given) = (self.approvals_needed(), self.approvals().len());
        let lacking = usize::try_from(needed).unwrap_or(usize::MAX).saturating_sub(given);
        let what = if lacking == 1 { "approval" } else { "approvals" };
        (lacking > 0).then(|| format!("{lacking} {what} of {} missing", self.pull.head.short()))
    }

    /// Which approvals do not count, where some are missing.
    pub(super) fn not_counted(&self) -> Vec<String> {
        if self.approvals_missing().is_none() {
            return vec![];
        }
        let of_head = self.reviews.iter().filter(|review| self.is_of_head(review));
        let not_counted = of_head.filter_map(|review| {
            let why = self.counts_for_nothing(review)?;
            Some((!review.belongs, format!("{}'s approval does not count: {why}", review.who)))
        });
        let mut not_counted: Vec<_> = not_counted.collect();
        not_counted.sort_by_key(|(stranger, _)| *stranger);
        let mut phrases: Vec<_> = not_counted.into_iter().take(NOT_COUNTED_LIMIT).map(|(_, phrase)| phrase).collect();
        let is_older =
            |review: &&Review| review.approves && review.human && review.belongs && !self.pull.is_of_head(review);
        let older: Vec<_> = self.reviews.iter().filter(is_older).map(|review| review.who.as_str()).collect();
        let older: Vec<_> = older.into_iter().filter(|who| !self.pull.is_of(who)).collect();
        if !older.is_empty() {
            phrases.push(format!("{} approved an older commit", names(&older)));
        }
        phrases
    }

    fn is_of_head(&self, review: &Review) -> bool {
        review.approves && self.pull.is_of_head(review)
    }

    /// Why an approval of the newest commit is none; `None` where it is one.
    fn counts_for_nothing(&self, review: &Review) -> Option<String> {
        let (who, repository) = (&review.who, &self.repository);
        if !review.human {
            return Some("it is not a human's".to_owned());
        }
        if self.pull.is_of(who) {
            return Some(format!("{who} opened #{}", self.pull.number));
        }
        if self.made_by.iter().any(|maker| same_login(maker, who)) {
            return Some(format!("{} is {who}'s own commit", self.pull.head.short()));
        }
        match review.access {
            Access::Writes => None,
            Access::Reads => Some(format!("{who} cannot push to {repository}")),
            Access::NotTold => {
                Some(format!("it is not known whether {who} can push to {repository}: GitHub does not tell"))
            }
            Access::NotAsked => Some(format!("it is not known whether {who} can push to {repository}")),
        }
    }
}
