//! Who is in a team of an organisation.

use super::error::GitHubError;
use super::http::{Ask, GitHub, PAGE_SIZE, from_json};
use super::wire;
use std::collections::BTreeSet;

/// How many pages of a team's members are read. More members are an error, not a part of them.
const MEMBER_PAGES_LIMIT: usize = 10;
/// GitHub's limit for a login, with room for the short code of managed accounts.
const LOGIN_LIMIT_BYTES: usize = 60;
/// How GitHub calls the account of a human.
const HUMAN: &str = "User";

impl GitHub {
    /// The logins of the humans in a team, those of its child teams included, as GitHub writes them. Bots and
    /// organisations are left out. `organisation` and `slug` are as in the team's address.
    ///
    /// # Errors
    /// As for any request: [`GitHubError::NotFound`] also when the credentials may not see the organisation's teams;
    /// [`GitHubError::TooBig`] beyond 1,000 members.
    pub async fn team_members(&self, organisation: &str, slug: &str) -> Result<BTreeSet<String>, GitHubError> {
        let what = format!("the members of the team {organisation}/{slug}");
        let mut members = BTreeSet::new();
        for page in 1..=MEMBER_PAGES_LIMIT {
            let path = format!("/orgs/{organisation}/teams/{slug}/members?per_page={PAGE_SIZE}&page={page}");
            let answer = self.send_as_organisation(organisation, Ask::get(&what, path)).await?;
            let found: Vec<wire::Member> = from_json(&what, &answer.body)?;
            let last = found.len() < PAGE_SIZE;
            for wire::Member { login, kind } in found {
                if !is_login(&login) {
                    return Err(GitHubError::unreadable(&what, "a member without a login"));
                }
                if kind == HUMAN {
                    members.insert(login);
                }
            }
            if last {
                return Ok(members);
            }
        }
        let detail = format!("over {} members", MEMBER_PAGES_LIMIT * PAGE_SIZE);
        Err(GitHubError::TooBig { what, detail })
    }
}

/// Bots have brackets in their logins.
pub(super) fn is_login(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_[]".contains(&b);
    (1..=LOGIN_LIMIT_BYTES).contains(&text.len()) && text.bytes().all(plain)
}
