//! Where GitHub has what a release is about.

use super::markup::Links;
use crate::setup::Setup;
use slipway_core::ids::{CommitSha, ReleaseId};
use slipway_core::message::{Line, Span};
use slipway_core::release::{Outcome, Release, RequestKind};

/// The site that people see of the GitHub whose API has this address; `None`: it cannot be told.
fn site(api_url: &str) -> Option<String> {
    if let Some(server) = api_url.strip_suffix("/api/v3") {
        return Some(server.to_owned());
    }
    let host = api_url.strip_prefix("https://api.")?;
    (host == "github.com" || host.ends_with(".ghe.com")).then(|| format!("https://{host}"))
}

/// The address of the repository of a release's service.
fn repository(setup: &Setup, release: &Release) -> Option<String> {
    let service = setup.service(&release.request.key.service)?;
    Some(format!("{}/{}", site(&setup.github_api)?, service.repository))
}

/// Where the commits and the other releases lead of which a page of this one speaks.
pub(super) fn links(setup: &Setup, release: &Release) -> Links {
    let releases = others(release).map(|id| (id.short().to_owned(), format!("/releases/{id}")));
    let mut links: Links = releases.collect();
    let Some(repository) = repository(setup, release) else { return links };
    let plan = release.plan.as_ref();
    let listed = plan.into_iter().flat_map(|plan| plan.commits.iter().map(|commit| &commit.sha));
    let ends = plan.into_iter().flat_map(|plan| plan.base.iter().chain([&plan.commit]));
    for commit in listed.chain(ends).chain(&release.commit) {
        let url = format!("{repository}/commit/{commit}");
        links.insert(commit.short().to_owned(), url.clone());
        links.insert(commit.as_str().to_owned(), url);
    }
    links
}

/// The other releases that it names.
fn others(release: &Release) -> impl Iterator<Item = &ReleaseId> {
    let kind: Vec<_> = match &release.request.kind {
        RequestKind::Rollback { to, from, because_of, .. } => {
            [Some(to), from.as_ref(), because_of.as_ref()].into_iter().flatten().collect()
        }
        RequestKind::Retry { of, .. } => vec![of],
        RequestKind::Migrate { again, .. } | RequestKind::Config { again, .. } | RequestKind::Ship { again, .. } => {
            again.iter().collect()
        }
        RequestKind::Deploy => vec![],
    };
    let superseded = match &release.outcome {
        Some(Outcome::Superseded { by }) => Some(by),
        _ => None,
    };
    let together = release.request.together.iter().flat_map(|together| &together.all);
    kind.into_iter().chain(superseded).chain(&release.left_out).chain(together)
}

/// What can be looked at on GitHub: the run that builds it, what changes, its pull request.
pub(super) fn lines(setup: &Setup, release: &Release) -> Vec<Line> {
    let link = |url: String, text: String| Line(vec![Span::Link { url, text }]);
    let watched = release.build.as_ref().and_then(|build| build.url.clone());
    let mut lines: Vec<_> = watched.into_iter().map(|url| link(url, "the run on GitHub".to_owned())).collect();
    let Some(repository) = repository(setup, release) else { return lines };
    if let Some(run) = release.build_run {
        lines = vec![link(format!("{repository}/actions/runs/{run}"), format!("run {run} on GitHub"))];
    }
    let base: Option<&CommitSha> = release.plan.as_ref().and_then(|plan| plan.base.as_ref());
    if let (Some(base), Some(commit)) = (base.filter(|base| release.commit.as_ref() != Some(base)), &release.commit) {
        lines.push(link(format!("{repository}/compare/{base}...{commit}"), "all that differs, on GitHub".to_owned()));
    }
    if let RequestKind::Ship { pull, .. } = release.request.kind {
        lines.push(link(format!("{repository}/pull/{pull}"), format!("pull request #{pull}")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_is_where_people_look() {
        assert_eq!(site("https://api.github.com").as_deref(), Some("https://github.com"));
        assert_eq!(site("https://github.acme.dev/api/v3").as_deref(), Some("https://github.acme.dev"));
        assert_eq!(site("https://api.acme.ghe.com").as_deref(), Some("https://acme.ghe.com"));
        for unknown in ["http://127.0.0.1:9000", "https://api.github.com.evil.dev", "https://api.ghe.com.evil"] {
            assert_eq!(site(unknown), None, "{unknown}");
        }
    }
}
