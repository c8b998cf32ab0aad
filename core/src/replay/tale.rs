//! From the records of the audit log to releases and refused requests.

use super::{Lack, RecordedStanding};
use crate::audit::Record;
use crate::ids::{PersonId, ReleaseId};
use crate::policy::{OWN_POLICY_CHANGE, Stance};
use crate::release::{Event, Request};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// All that is recorded and matters here.
pub(super) struct Past {
    /// In the order in which they were asked for.
    pub(super) tales: Vec<Tale>,
    pub(super) refused: Vec<RefusedRequest>,
}

/// What is recorded of one release, in order.
pub(super) struct Tale {
    pub(super) id: ReleaseId,
    pub(super) asked_at: Timestamp,
    pub(super) request: Result<Request, Lack>,
    pub(super) moments: Vec<Moment>,
}

/// One record of a release.
pub(super) struct Moment {
    pub(super) at: Timestamp,
    pub(super) what: What,
    pub(super) standing: Option<RecordedStanding>,
}

pub(super) enum What {
    Happened(Box<Event>),
    VoteRefused {
        person: PersonId,
        stance: Stance,
    },
    /// This version cannot read it.
    Unreadable(String),
}

/// A request that led to no release.
pub(super) struct RefusedRequest {
    pub(super) at: Timestamp,
    pub(super) request: Result<Request, Lack>,
    pub(super) standing: Option<RecordedStanding>,
    /// Whether it was refused for what somebody's own change of the policies keeps from them, which is no rule's doing.
    pub(super) by_own_change: bool,
}

/// The parts of a record's body that are looked at.
#[derive(Deserialize)]
struct Body {
    release: Option<ReleaseId>,
    event: Option<serde_json::Value>,
    request: Option<serde_json::Value>,
    standing: Option<serde_json::Value>,
    person: Option<PersonId>,
    stance: Option<Stance>,
    #[serde(default)]
    reasons: serde_json::Value,
}

/// Whether one of these reasons is that of somebody's own change.
fn own_change(reasons: &serde_json::Value) -> bool {
    reasons.as_array().is_some_and(|reasons| reasons.iter().any(|reason| reason["id"] == OWN_POLICY_CHANGE))
}

/// The kind of a record of a refused vote.
const VOTE_REFUSED: &str = "vote_refused";
/// The kind of a record of a refused request.
const REQUEST_REFUSED: &str = "request_refused";

pub(super) fn read(records: &[Record]) -> Past {
    let mut tales: Vec<Tale> = Vec::new();
    let mut places: BTreeMap<ReleaseId, usize> = BTreeMap::new();
    let mut refused = Vec::new();
    for record in records {
        // What is of another shape is of something else: a lock, a policy, an account.
        let Ok(body) = serde_json::from_value::<Body>(record.body.clone()) else { continue };
        let standing = body.standing.as_ref().and_then(|value| serde_json::from_value(value.clone()).ok());
        if record.kind == REQUEST_REFUSED {
            let by_own_change = own_change(&body.reasons);
            refused.push(RefusedRequest { at: record.at, request: request(body.request), standing, by_own_change });
            continue;
        }
        let Some(id) = body.release.clone() else { continue };
        let Some(what) = what(&record.kind, &body) else { continue };
        let place = *places.entry(id.clone()).or_insert_with(|| {
            let asked_for = request(body.request);
            tales.push(Tale { id, asked_at: record.at, request: asked_for, moments: Vec::new() });
            tales.len() - 1
        });
        tales[place].moments.push(Moment { at: record.at, what, standing });
    }
    Past { tales, refused }
}

fn request(value: Option<serde_json::Value>) -> Result<Request, Lack> {
    let value = value.ok_or(Lack::NotEnoughRecorded)?;
    serde_json::from_value(value).map_err(|error| Lack::Unreadable { error: error.to_string() })
}

/// `None`: nothing that the release's course follows from.
fn what(kind: &str, body: &Body) -> Option<What> {
    if kind == VOTE_REFUSED {
        let (person, stance) = (body.person.clone()?, body.stance?);
        return Some(What::VoteRefused { person, stance });
    }
    let event = serde_json::from_value(body.event.clone()?);
    Some(event.map_or_else(|error| What::Unreadable(error.to_string()), |event| What::Happened(Box::new(event))))
}
