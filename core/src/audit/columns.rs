//! What a record is about, for tables: each kind keeps it where it belongs in its body.

use super::Record;
use serde_json::Value;

/// Where a body says which service it is about.
const SERVICE: &[&str] = &["/service", "/environment/service", "/request/key/service"];
/// Where it says which environment.
const ENVIRONMENT: &[&str] = &["/environment", "/environment/environment", "/request/key/environment"];
/// Where it says which release.
const RELEASE: &[&str] = &["/release"];
/// Where it says who did it.
const PERSON: &[&str] = &["/person", "/by", "/override/by", "/request/requester"];
/// Where it says for which plan.
const PLAN: &[&str] = &["/plan", "/override/digest"];

/// What a record is about; empty where it is about none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The release's id.
    pub release: String,
    /// Who did it: a person, or the account of somebody unknown as `terminal:mallory`.
    pub person: String,
    /// The plan's digest.
    pub plan: String,
}

impl Record {
    /// What it is about.
    #[must_use]
    pub fn columns(&self) -> Columns {
        let first = |pointers: &[&str]| {
            let texts = pointers.iter().filter_map(|pointer| self.body.pointer(pointer).and_then(Value::as_str));
            texts.map(str::to_owned).next()
        };
        Columns {
            service: first(SERVICE).unwrap_or_default(),
            environment: first(ENVIRONMENT).unwrap_or_default(),
            release: first(RELEASE).unwrap_or_default(),
            person: self.by_somebody().and_then(|()| first(PERSON)).or_else(|| self.account()).unwrap_or_default(),
            plan: first(PLAN).unwrap_or_default(),
        }
    }

    /// Nothing where `by` says what had the policies read (the bot's start, a call of the API), which is no person.
    fn by_somebody(&self) -> Option<()> {
        (!self.kind.starts_with("policies_")).then_some(())
    }

    /// The account of somebody who is not known.
    fn account(&self) -> Option<String> {
        let who = self.body.get("who")?;
        Some(format!("{}:{}", who.get("platform")?.as_str()?, who.get("id")?.as_str()?))
    }
}
