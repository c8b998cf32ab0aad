//! Requests by what they ask for, whatever they ask it of.

use super::git::is_hex;

/// Words of a path after which comes a name that may have slashes.
const BEFORE_NAMES: [&str; 7] = ["branches", "ref", "refs", "matching-refs", "contents", "workflows", "collaborators"];
/// Of these the name has none, and the rest is what is asked about it.
const WITH_MORE: [&str; 2] = ["workflows", "collaborators"];

/// `GET /commits/{}/check-runs` of `GET /repos/acme/goals/commits/4c1f…/check-runs?page=2`: the repository and the query
/// are left out, and what is named is `{}`.
#[must_use]
pub fn shape_of(request: &str) -> String {
    let (method, path) = request.split_once(' ').unwrap_or(("", request));
    let path = path.split('?').next().unwrap_or(path);
    let inside = path.strip_prefix("/repos/").and_then(|rest| rest.split_once('/'));
    let Some((_, rest)) = inside else { return format!("{method} {path}") };
    let Some((_, rest)) = rest.split_once('/') else { return format!("{method} /{{repository}}") };
    let mut parts: Vec<&str> = Vec::new();
    let mut words = rest.split('/').peekable();
    while let Some(word) = words.next() {
        let before = parts.last().copied().unwrap_or_default();
        let named = is_hex(word, 40) || (!word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()));
        if BEFORE_NAMES.contains(&before) {
            parts.push("{}");
            if !WITH_MORE.contains(&before) {
                break;
            }
        } else if named || word.contains("...") || (before == "commits" && words.peek().is_none()) {
            parts.push("{}");
        } else {
            parts.push(word);
        }
    }
    format!("{method} /{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::shape_of;

    #[test]
    fn what_is_named_does_not_matter() {
        let sha = "4c1f9e2b0d".repeat(4);
        for (request, shape) in [
            ("GET /user".to_owned(), "GET /user"),
            ("GET /repos/acme/goals".to_owned(), "GET /{repository}"),
            (format!("GET /repos/acme/goals/commits/{sha}/check-runs?page=2"), "GET /commits/{}/check-runs"),
            ("GET /repos/acme/goals/commits/heads%2Fmain".to_owned(), "GET /commits/{}"),
            (format!("GET /repos/acme/goals/compare/{sha}...{sha}?per_page=1"), "GET /compare/{}"),
            (
                "POST /repos/acme/goals/actions/workflows/build.yaml/dispatches".to_owned(),
                "POST /actions/workflows/{}/dispatches",
            ),
            ("GET /repos/acme/goals/actions/runs/7/jobs".to_owned(), "GET /actions/runs/{}/jobs"),
            ("DELETE /repos/acme/goals/git/refs/tags/slipway/01".to_owned(), "DELETE /git/refs/{}"),
            ("POST /repos/acme/goals/git/refs".to_owned(), "POST /git/refs"),
            ("GET /repos/acme/goals/collaborators/bob-dev/permission".to_owned(), "GET /collaborators/{}/permission"),
            ("GET /repos/acme/goals/contents/.github/workflows?ref=x".to_owned(), "GET /contents/{}"),
        ] {
            assert_eq!(shape_of(&request), shape, "{request}");
        }
    }
}
