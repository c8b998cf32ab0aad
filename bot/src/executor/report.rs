//! A release shown on GitHub: its deployment there, and a status on its commit. A courtesy: it never holds a release up,
//! and what GitHub does not allow is told once, in the thread of the card.

use super::{Done, Job, Trouble, audited};
use crate::chat::direct;
use crate::store::{NewMessage, card_key};
use serde_json::{Value, json};
use slipway_core::message::{Line, Message};
use slipway_deploy::github::{GitHub, GitHubError, Showing};

/// How long a report waits at most for an earlier one of the same release, which may be under way.
const BEHIND_MS: i64 = 1_000;

pub(super) async fn report(job: &Job<'_>) -> Result<Done, Trouble> {
    if job.executor.store.effect_is_behind(job.row).await? {
        return Ok(Done::Again { after_ms: job.executor.setup.pace.poll_ms(BEHIND_MS).min(BEHIND_MS), news: None });
    }
    // As it stands by now: an earlier state that nobody saw is not shown any more.
    let Some(report) = job.release.report() else { return Ok(recorded(json!(null), json!(null))) };
    let (setup, key) = (&job.executor.setup, &job.release.request.key);
    let page = setup.release_page(&job.release.id);
    let environment = setup.shown_environment(key);
    let environment_url = job.environment()?.health_url.as_deref().and_then(origin_of);
    let showing = Showing {
        repo: &job.service()?.repository,
        commit: job.commit()?,
        release: &job.release.id,
        environment: &environment,
        state: report.state,
        words: &report.words,
        page: page.as_deref(),
        environment_url: environment_url.as_deref(),
    };
    let github = &job.executor.outside.github;
    let mut refused: Vec<String> = Vec::new();
    // Each for itself: a token may be allowed the one and not the other.
    for said in [of_deployment(job, github, &showing).await, of_commit(job, github, &showing).await] {
        match said {
            Ok(()) => {}
            Err(Unsaid::Trouble(trouble)) => return Err(trouble),
            Err(Unsaid::Refused(error)) => refused.push(error.to_string()),
        }
    }
    refused.dedup();
    if !refused.is_empty() {
        tell_once(job, &refused).await?;
    }
    Ok(recorded(json!(report.state), json!(refused)))
}

fn recorded(state: Value, refused: Value) -> Done {
    Done::Recorded { kind: audited::REPORTED, body: json!({ "state": state, "refused": refused }) }
}

/// Why something was not said.
enum Unsaid {
    /// GitHub will not take it later either.
    Refused(GitHubError),
    /// It may be said later.
    Trouble(Trouble),
}

impl From<GitHubError> for Unsaid {
    fn from(error: GitHubError) -> Self {
        match error {
            // To a token without the permission GitHub says that nothing is there.
            GitHubError::NotFound { .. } => Self::Refused(error),
            error => match error.clone().into() {
                Trouble::Final(_) => Self::Refused(error),
                passing => Self::Trouble(passing),
            },
        }
    }
}

impl From<Trouble> for Unsaid {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

async fn of_deployment(job: &Job<'_>, github: &GitHub, showing: &Showing<'_>) -> Result<(), Unsaid> {
    let deployment = match github.deployment_of(showing).await? {
        Some(known) => known,
        // A deployment asks others to deploy, by workflows and Apps that listen for it: there is none before the gate let
        // the release run.
        None if job.release.started_at.is_none() => return Ok(()),
        None => {
            job.intend(&json!({ "creates": "deployment" })).await?;
            github.create_deployment(showing).await?
        }
    };
    if !github.deployment_says(showing, deployment).await? {
        job.intend(&json!({ "deployment": deployment, "state": showing.state })).await?;
        github.say_of_deployment(showing, deployment).await?;
    }
    Ok(())
}

async fn of_commit(job: &Job<'_>, github: &GitHub, showing: &Showing<'_>) -> Result<(), Unsaid> {
    if !github.commit_says(showing).await? {
        job.intend(&json!({ "commit_status": showing.environment, "state": showing.state })).await?;
        github.say_of_commit(showing).await?;
    }
    Ok(())
}

/// In the thread of each card: the message's key makes it one, however many states could not be shown.
async fn tell_once(job: &Job<'_>, refused: &[String]) -> Result<(), Trouble> {
    let release = job.release;
    let lines = refused.iter().map(|why| Line::default().untrusted(why.clone()));
    let body = Message::answer(Line::plain("GitHub does not show this release. It goes on all the same."), lines);
    let asked_in = &release.request.origin.channel;
    let configured = job.executor.setup.channels(&release.request.key.service);
    let channels = configured.iter().chain([asked_in].into_iter().filter(|asked| !configured.contains(*asked)));
    let mut tx = job.executor.store.begin().await?;
    for channel in channels.filter(|channel| direct::has_threads(channel)) {
        let said = NewMessage::said(channel.as_str(), format!("not-on-github/{}", release.id), body.clone());
        let said = NewMessage { thread_of: Some(card_key(&release.id)), ..said.about(&release.id) };
        job.executor.store.message_put(&mut tx, &said).await?;
    }
    tx.commit().await.map_err(crate::store::StoreError::from)?;
    job.executor.signals.messages.notify_one();
    Ok(())
}

/// `https://staging.goals.acme.dev` of any address there.
fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next().filter(|host| !host.is_empty() && !host.contains('@'))?;
    Some(format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::origin_of;

    #[test]
    fn an_environment_answers_at_its_origin() {
        assert_eq!(origin_of("https://a.dev/healthz?x").as_deref(), Some("https://a.dev"));
        assert_eq!(origin_of("http://127.0.0.1:80").as_deref(), Some("http://127.0.0.1:80"));
        assert_eq!(origin_of("https://u:p@a.dev/"), None);
    }
}
