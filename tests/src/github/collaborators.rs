//! What people may do with the repository.

use super::server::{Refusal, Reply, Shared, ok};
use super::shapes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::json;
use std::sync::Arc;

/// What somebody may do with the repository, as GitHub's roles go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Nothing: the repository is private.
    None,
    /// See it.
    Read,
    /// See to its issues and pull requests.
    Triage,
    /// Push to it.
    Write,
    /// Keep its settings, but for those that are dangerous.
    Maintain,
    /// Everything.
    Admin,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        }
    }

    /// The role that there was before there were finer ones.
    fn legacy(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read | Self::Triage => "read",
            Self::Write | Self::Maintain => "write",
            Self::Admin => "admin",
        }
    }
}

impl super::GitHubSandbox {
    /// An account that GitHub knows, and what it may do with the repository from now on. Whoever has a login in
    /// [`GitHubOptions::logins`](super::GitHubOptions::logins), and the token's owner, may push unless it is said otherwise.
    pub fn set_role(&self, login: &str, role: Role) {
        self.shared.world().roles.insert(login.to_ascii_lowercase(), (login.to_owned(), role));
    }
}

impl Shared {
    /// The login as GitHub writes it, and the role; `None`: nobody has this account.
    fn role(&self, login: &str) -> Option<(String, Role)> {
        if let Some(given) = self.world().roles.get(&login.to_ascii_lowercase()) {
            return Some(given.clone());
        }
        let mut known = self.options.logins.values().chain([&self.options.token_login]);
        known.find(|known| known.eq_ignore_ascii_case(login)).map(|known| (known.clone(), Role::Write))
    }

    pub(super) fn may_push(&self, login: &str) -> bool {
        self.role(login).is_some_and(|(_, role)| role >= Role::Write)
    }
}

pub(super) async fn permission(
    State(shared): State<Arc<Shared>>,
    Path(login): Path<String>,
    headers: HeaderMap,
) -> Reply {
    // Every App that is installed may read metadata; a token's owner has to be able to push.
    let by_app = shared.is_of_the_app(&headers);
    if !by_app && !shared.may_push(&shared.options.token_login) {
        let message = "Must have push access to view collaborator permission.";
        return Err(Refusal(StatusCode::FORBIDDEN, message.into()));
    }
    let nobody = || Refusal(StatusCode::NOT_FOUND, format!("{login} is not a user"));
    let (login, role) = shared.role(&login).ok_or_else(nobody)?;
    let mut user = shapes::user(&shared, &login);
    user["permissions"] = json!({
        "pull": role >= Role::Read, "triage": role >= Role::Triage, "push": role >= Role::Write,
        "maintain": role >= Role::Maintain, "admin": role == Role::Admin,
    });
    user["role_name"] = json!(role.name());
    ok(json!({ "permission": role.legacy(), "role_name": role.name(), "user": user }))
}
