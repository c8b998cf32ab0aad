//! `[policies]`: where the rules are kept, and who may profit from changing them.

use super::model::{Policies, PoliciesPlace, RepositoryName};
use super::section::{Checker, Keys, Section, Wrong};
use super::values;
use std::path::Path;

pub(super) const KEYS: Keys = &[
    ("dir", r#""policies""#),
    ("repository", r#""acme/release-policies""#),
    ("branch", r#""main""#),
    ("own_changes", r#""refused""#),
];

/// What `own_changes` may be.
const OWN_CHANGES: [&str; 2] = ["refused", "allowed"];

pub(super) fn policies(c: &mut Checker<'_>, root: &Section<'_, '_>, folder: &Path) -> Policies {
    let Some(section) = root.table(c, "policies", KEYS) else { return Policies::default() };
    let own_changes = section.read(c, "own_changes", |text| values::one_of(text, &OWN_CHANGES));
    let repository = section.read(c, "repository", values::repository);
    let named = section.value("repository").is_some();
    let place = match repository {
        Some((repository, _)) => from_repository(c, &section, repository),
        None if named => PoliciesPlace::BuiltIn,
        None => {
            if let Some(place) = section.key_place("branch") {
                c.error(&place, "a folder has no branch", "add repository = \"owner/name\", or remove it");
            }
            let dir = section.read(c, "dir", local_folder);
            dir.map_or(PoliciesPlace::BuiltIn, |(dir, _)| PoliciesPlace::Folder(folder.join(dir)))
        }
    };
    if let Some(("refused", place)) = &own_changes
        && !named
    {
        let message = "nothing tells who changed a folder";
        c.error(place, message, "keep the policies in a repository: repository = \"owner/name\", or remove it");
    }
    let refused = own_changes.map_or(named, |(choice, _)| choice == "refused");
    Policies { place, own_changes_refused: refused }
}

fn from_repository(c: &mut Checker<'_>, section: &Section<'_, '_>, repository: RepositoryName) -> PoliciesPlace {
    let branch = section.read(c, "branch", values::branch).map(|(branch, _)| branch);
    let dir = section.read(c, "dir", folder_in_repository).map_or_else(|| ".".to_owned(), |(dir, _)| dir);
    PoliciesPlace::Repository { repository, branch, dir }
}

/// `.` is the repository's root.
fn folder_in_repository(text: &str) -> Result<String, Wrong> {
    if text == "." { Ok(text.to_owned()) } else { values::folder(text) }
}

fn local_folder(text: &str) -> Result<String, Wrong> {
    if text.is_empty() || text.contains('\0') || text.len() > 4_096 {
        return Err(Wrong::new("is no folder", "write \"policies\""));
    }
    Ok(text.to_owned())
}
