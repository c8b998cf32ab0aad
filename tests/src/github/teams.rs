//! Teams of organisations.

use super::server::{PageQuery, Refusal, Reply, Shared, page};
use super::shapes;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use std::sync::Arc;

/// An account that can be in a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// A human's, by login.
    User(String),
    /// An app's, by login: `slipway[bot]`.
    Bot(String),
}

/// What a token may see of teams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamAccess {
    /// All of them.
    Visible,
    /// A classic token without `read:org`: as if there were none.
    Hidden,
    /// A fine-grained token without the permission to read members.
    Forbidden,
}

impl Shared {
    fn member(&self, account: &Account) -> Value {
        let (login, kind) = match account {
            Account::User(login) => (login, "User"),
            Account::Bot(login) => (login, "Bot"),
        };
        let mut member = shapes::user(self, login);
        member["type"] = json!(kind);
        member
    }
}

pub(super) async fn members(
    State(shared): State<Arc<Shared>>,
    Path((organisation, slug)): Path<(String, String)>,
    Query(query): Query<PageQuery>,
) -> Reply {
    let (team, access) = {
        let world = shared.world();
        // GitHub compares both without regard to case.
        (world.teams.get(&format!("{organisation}/{slug}").to_ascii_lowercase()).cloned(), world.team_access)
    };
    let team = match (access, team) {
        (TeamAccess::Forbidden, _) => {
            return Err(Refusal(StatusCode::FORBIDDEN, "Resource not accessible by personal access token".into()));
        }
        (TeamAccess::Hidden, _) | (TeamAccess::Visible, None) => return Err(Refusal::not_found()),
        (TeamAccess::Visible, Some(team)) => team,
    };
    let all: Vec<Value> = team.iter().map(|account| shared.member(account)).collect();
    let url = format!("{}/orgs/{organisation}/teams/{slug}/members", shared.base);
    let (one_page, links) = page(all, &query, &url);
    Ok((links, Json(one_page)).into_response())
}
