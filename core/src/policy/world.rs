//! From Slipway's types to Cedar's entities and contexts, in the shape that the schema declares.

use super::fact::{self, Outlook};
use super::names::{Action, Type, long, reference, uid};
use super::past::{Past, Soak};
use super::set::Question;
use super::{Case, clock};
use crate::ids::{EnvironmentName, PersonId, ServiceName, TeamName};
use crate::person::Person;
use crate::plan::{Plan, PlanKind};
use cedar_policy::{Context, Entities, Entity, EntityUid, Request, RestrictedExpression, Schema};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

type Pairs = Vec<(String, RestrictedExpression)>;

fn record(pairs: Pairs) -> Result<RestrictedExpression, String> {
    RestrictedExpression::new_record(pairs).map_err(|error| error.to_string())
}

fn context(pairs: Pairs) -> Result<Context, String> {
    Context::from_pairs(pairs).map_err(|error| error.to_string())
}

/// All entities of a question, checked against the schema.
pub(super) fn entities(all: impl IntoIterator<Item = Entity>, schema: &Schema) -> Result<Entities, String> {
    Entities::from_entities(all, Some(schema)).map_err(|error| error.to_string())
}

/// A person with those of their teams that the schema knows; no rule can speak of another one.
pub(super) fn person(person: &Person, teams: &BTreeSet<TeamName>) -> Entity {
    let parents = person.teams.intersection(teams).map(|team| uid(Type::Team, team.as_str()));
    Entity::new_no_attrs(uid(Type::Person, person.id.as_str()), parents.collect())
}

/// The question whether somebody may do something to an environment. `about` is the owner or the requester.
pub(super) fn beside_a_plan(
    person: &PersonId,
    action: Action,
    service: &ServiceName,
    environment: &EnvironmentName,
    about: Option<(&str, &PersonId)>,
) -> Result<Question, String> {
    let mut pairs = vec![("service".to_owned(), reference(Type::Service, service.as_str()))];
    if let Some((attribute, whom)) = about {
        pairs.push((attribute.to_owned(), reference(Type::Person, whom.as_str())));
    }
    Ok(Question {
        principal: uid(Type::Person, person.as_str()),
        action,
        resource: uid(Type::Environment, environment.as_str()),
        context: context(pairs)?,
    })
}

/// The attributes of a release.
pub(super) struct Attributes<'a> {
    pub(super) service: &'a ServiceName,
    pub(super) environment: &'a EnvironmentName,
    pub(super) kind: PlanKind,
    pub(super) requester: &'a PersonId,
    pub(super) authors: BTreeSet<PersonId>,
    pub(super) unknown_authors: usize,
    pub(super) commits: usize,
    pub(super) migrations: usize,
    pub(super) base_known: bool,
    pub(super) destructive: bool,
    pub(super) locks: bool,
    pub(super) rewrites_rows: bool,
    pub(super) reversible: bool,
    /// How many commits that run now are not in it; `None` where the schema, of an earlier version, cannot say so.
    pub(super) takes_out: Option<usize>,
}

impl<'a> Attributes<'a> {
    pub(super) fn of(plan: &'a Plan, requester: &'a PersonId) -> Self {
        let commits = (plan.commits_total as usize).max(plan.commits.len());
        let unlisted = commits - plan.commits.len();
        Self {
            service: &plan.service,
            environment: &plan.environment,
            kind: plan.kind,
            requester,
            authors: plan.authors(),
            unknown_authors: plan.commits.iter().filter(|commit| commit.author.is_none()).count() + unlisted,
            commits,
            migrations: plan.changing().count(),
            base_known: plan.base.is_some(),
            destructive: plan.is_destructive(),
            locks: plan.locks(),
            rewrites_rows: plan.rewrites_rows(),
            reversible: plan.is_reversible(),
            takes_out: Some(plan.takes_out.count()),
        }
    }

    /// The release with its counts of approvals as tags.
    pub(super) fn entity(&self, id: &EntityUid, tags: Pairs) -> Result<Entity, String> {
        let kind = match self.kind {
            PlanKind::Deploy => "deploy",
            PlanKind::Rollback => "rollback",
            PlanKind::MigrateUp | PlanKind::MigrateDown => "migrate",
            // To the rules it is a deployment like any other.
            PlanKind::Config => "deploy",
        };
        let authors = self.authors.iter().map(|author| reference(Type::Person, author.as_str()));
        let attributes = [
            ("service", reference(Type::Service, self.service.as_str())),
            ("environment", reference(Type::Environment, self.environment.as_str())),
            ("kind", reference(Type::Kind, kind)),
            ("requester", reference(Type::Person, self.requester.as_str())),
            ("authors", RestrictedExpression::new_set(authors)),
            ("unknownAuthors", long(self.unknown_authors)),
            ("commits", long(self.commits)),
            ("migrations", long(self.migrations)),
            ("baseKnown", RestrictedExpression::new_bool(self.base_known)),
            ("destructive", RestrictedExpression::new_bool(self.destructive)),
            ("locks", RestrictedExpression::new_bool(self.locks)),
            ("rewritesRows", RestrictedExpression::new_bool(self.rewrites_rows)),
            ("reversible", RestrictedExpression::new_bool(self.reversible)),
        ];
        let takes_out = self.takes_out.map(|count| ("takesOut", long(count)));
        let attributes = attributes.into_iter().chain(takes_out).map(|(name, value)| (name.to_owned(), value));
        Entity::new_with_tags(id.clone(), attributes, [], tags).map_err(|error| error.to_string())
    }
}

/// More seconds than any rule asks for.
const SOAKED_S: i64 = 100 * 365 * 24 * 60 * 60;

/// What a question about a release is asked under.
#[derive(Clone, Copy)]
pub(super) struct Moment<'a> {
    pub(super) now: Timestamp,
    pub(super) outlook: Outlook<'a>,
    /// As if the image had served long enough.
    pub(super) soaked: bool,
}

/// What only some of the questions about a release come with.
#[derive(Clone, Copy, Default)]
pub(super) struct Extra {
    pub(super) vetoes: Option<usize>,
    pub(super) overridden: Option<bool>,
}

/// The context of a question about a release.
pub(super) fn release_context(
    moment: Moment<'_>,
    timezone: &TimeZone,
    past: &Past,
    extra: Extra,
) -> Result<Context, String> {
    let Moment { now, outlook, soaked } = moment;
    let mut pairs = vec![
        ("time".to_owned(), record(clock::pairs(now, timezone))?),
        ("facts".to_owned(), record(fact::pairs(outlook))?),
        ("knownGood".to_owned(), RestrictedExpression::new_bool(past.known_good)),
        ("knownBad".to_owned(), RestrictedExpression::new_bool(past.known_bad)),
    ];
    let soak_s = past.soak.as_ref().map(|soak| if soaked { SOAKED_S } else { soak.seconds(now) });
    pairs.extend(soak_s.map(|seconds| ("soak".to_owned(), long(seconds))));
    pairs.extend(extra.vetoes.map(|count| ("vetoes".to_owned(), long(count))));
    pairs.extend(extra.overridden.map(|is| ("overridden".to_owned(), RestrictedExpression::new_bool(is))));
    context(pairs)
}

/// The release of a case as Cedar knows it.
pub(super) fn release_uid(case: &Case<'_>) -> EntityUid {
    uid(Type::Release, case.release.as_str())
}

/// A release of which nothing is special.
fn ordinary<'a>(
    service: &'a ServiceName,
    environment: &'a EnvironmentName,
    requester: &'a PersonId,
    takes_out: Option<usize>,
) -> Attributes<'a> {
    Attributes {
        service,
        environment,
        kind: PlanKind::Deploy,
        requester,
        authors: BTreeSet::from([requester.clone()]),
        unknown_authors: 0,
        commits: 1,
        migrations: 0,
        base_known: true,
        destructive: false,
        locks: false,
        rewrites_rows: false,
        reversible: true,
        takes_out,
    }
}

/// Whether rules can speak of what a release takes out. A schema of an earlier version goes on working without.
pub(super) fn declares_takes_out(schema: &Schema, environment: &EnvironmentName) -> bool {
    let (somebody, service) = (PersonId::new("somebody"), ServiceName::new("service"));
    let release = ordinary(&service, environment, &somebody, Some(0)).entity(&uid(Type::Release, "release"), vec![]);
    release.is_ok_and(|release| entities([release], schema).is_ok())
}

/// Whether everything that Slipway would put before the policies fits this schema: asked once at load, so that
/// an edited schema is refused then instead of denying every release later.
pub(super) fn probe(schema: &Schema, environment: &EnvironmentName) -> Result<(), String> {
    let (somebody, service) = (PersonId::new("somebody"), ServiceName::new("service"));
    let release = uid(Type::Release, "release");
    let takes_out = declares_takes_out(schema, environment).then_some(0);
    let attributes = ordinary(&service, environment, &somebody, takes_out);
    let principal = Entity::new_no_attrs(uid(Type::Person, somebody.as_str()), Default::default());
    entities([principal, attributes.entity(&release, vec![("team".to_owned(), long(1))])?], schema)?;
    let moment = Moment { now: Timestamp::UNIX_EPOCH, outlook: Outlook::Hoped, soaked: true };
    let soak = Soak { environment: environment.clone(), served_s: 0, since: None, ahead: None };
    let past = Past { soak: Some(soak), known_good: false, known_bad: false };
    let of_release = |vetoes, overridden| release_context(moment, &TimeZone::UTC, &past, Extra { vetoes, overridden });
    let declared = |action: &Action| !action.may_be_missing() || schema.actions().any(|known| *known == action.uid());
    for action in Action::ALL.into_iter().filter(declared) {
        let on_release = |context| Question {
            principal: uid(Type::Person, somebody.as_str()),
            action,
            resource: release.clone(),
            context,
        };
        let beside = |about| beside_a_plan(&somebody, action, &service, environment, about);
        let question = match action {
            Action::Request | Action::Rollback | Action::Migrate | Action::Lock | Action::Ship => beside(None)?,
            Action::Unlock => beside(Some(("owner", &somebody)))?,
            Action::Cancel | Action::Bump => beside(Some(("requester", &somebody)))?,
            Action::Approve | Action::Veto => on_release(of_release(None, None)?),
            Action::Override => on_release(of_release(Some(0), None)?),
            Action::Execute => on_release(of_release(Some(0), Some(false))?),
        };
        let Question { principal, action, resource, context } = question;
        Request::new(principal, action.uid(), resource, context, Some(schema)).map_err(|error| error.to_string())?;
    }
    Ok(())
}
