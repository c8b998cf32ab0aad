//! Ways around the gate: a workflow that itself migrates, deploys or pushes the tag that a target follows, and a target
//! that deploys by itself.
//!
//! Workflow files are read line by line and not as YAML: a finding has to name the line, and what is looked for are
//! commands inside of texts. Actions of the same repository are read like workflows. What hides behind a script, an action
//! of another repository or a variable is not seen.

mod database;
mod lines;
mod tools;

use lines::Workflow;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Said of what deploys when Slipway shows a release on GitHub.
const BY_DEPLOYMENTS: &str = "started by the deployments that Slipway writes on GitHub";
/// How many findings one file may have; more say nothing more.
const FINDINGS_LIMIT: usize = 20;

/// One way around the gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bypass {
    /// The workflow file in the repository, or the target's name. Untrusted text.
    pub place: String,
    /// The line of the file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What happens there.
    pub kind: BypassKind,
}

/// What happens past the gate. None of the texts is copied out of a command, which could hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "bypass", rename_all = "snake_case")]
pub enum BypassKind {
    /// The target deploys whatever is pushed.
    AutomaticDeployments {
        /// The tag that it follows, where its image is named by one.
        tag: Option<String>,
    },
    /// The workflow changes a database's schema.
    Migrates {
        /// By which tool.
        tool: String,
    },
    /// The workflow deploys.
    Deploys {
        /// By which command or action.
        with: String,
    },
    /// The workflow pushes a tag that a target follows.
    PushesTag {
        /// Which. Untrusted text.
        tag: String,
    },
    /// The file could not be looked at, so nobody knows what it does.
    Unread {
        /// Why.
        why: String,
    },
}

impl Bypass {
    /// A file that could not be looked at.
    #[must_use]
    pub fn unread(place: String, why: String) -> Self {
        Self { place, line: None, kind: BypassKind::Unread { why } }
    }

    /// What happens, after the place: `deploys by itself (aws apprunner update-service)`.
    #[must_use]
    pub fn says(&self) -> String {
        match &self.kind {
            BypassKind::AutomaticDeployments { tag: Some(tag) } => {
                format!("deploys by itself whatever is pushed as {tag}")
            }
            BypassKind::AutomaticDeployments { tag: None } => "has automatic deployments switched on".to_owned(),
            BypassKind::Migrates { tool } => format!("migrates past the gate ({tool})"),
            BypassKind::Deploys { with } => format!("deploys past the gate ({with})"),
            BypassKind::PushesTag { tag } => format!("pushes {tag}, which a target follows"),
            BypassKind::Unread { why } => format!("was not looked at: {why}"),
        }
    }

    /// The edit that mends it, without an end mark.
    #[must_use]
    pub fn mend(&self) -> String {
        match &self.kind {
            BypassKind::AutomaticDeployments { .. } => {
                "set its deployment trigger to manual (AutoDeploymentsEnabled=false)".to_owned()
            }
            BypassKind::Migrates { .. } => "remove this step: Slipway runs it".to_owned(),
            BypassKind::Deploys { .. } => "remove this step: Slipway deploys".to_owned(),
            BypassKind::PushesTag { tag } => {
                format!("push the commit's tag alone; promote = \"{tag}\" moves this one after a release")
            }
            BypassKind::Unread { .. } => "make it a plain file of readable size".to_owned(),
        }
    }

    /// `.github/workflows/build.yaml:41`, or the target's name.
    #[must_use]
    pub fn place_with_line(&self) -> String {
        self.line.map_or_else(|| self.place.clone(), |line| format!("{}:{line}", self.place))
    }
}

/// The tag of `registry/goals:latest`; `None` for an image that is named by its digest.
#[must_use]
pub fn tag_of_image(image: &str) -> Option<&str> {
    let (_, tag) = image.rsplit_once(':').filter(|_| !image.contains('@'))?;
    (!tag.contains('/')).then_some(tag)
}

/// The targets that deploy by themselves, of their names, images and whether they do, and the tags that they follow.
pub fn of_targets<'a>(targets: impl Iterator<Item = (&'a str, &'a str, bool)>) -> (Vec<Bypass>, BTreeSet<String>) {
    let automatic = targets.filter(|(.., automatic)| *automatic).map(|(name, image, _)| {
        let tag = tag_of_image(image).map(str::to_owned);
        Bypass { place: name.to_owned(), line: None, kind: BypassKind::AutomaticDeployments { tag } }
    });
    let found: Vec<Bypass> = automatic.collect();
    let tags = found.iter().filter_map(|bypass| match &bypass.kind {
        BypassKind::AutomaticDeployments { tag } => tag.clone(),
        _ => None,
    });
    let tags = tags.collect();
    (found, tags)
}

/// The actions of the same repository that a workflow or an action uses, by their folders from its root, each once. None of
/// one that only ever runs for pull requests, and none that a comment lets be. Workflows that are called are files of their own among the workflows.
#[must_use]
pub fn local_actions(text: &str) -> Vec<String> {
    let workflow = Workflow::read(text);
    if workflow.only_for_pull_requests() {
        return vec![];
    }
    let mut found: Vec<String> = Vec::new();
    for command in workflow.commands().filter(|command| !command.allowed) {
        let [uses, action] = &command.words[..] else { continue };
        let Some(folder) = action.strip_prefix("./").filter(|_| uses == "uses:") else { continue };
        let folder = folder.trim_matches('/').to_owned();
        if !found.contains(&folder) {
            found.push(folder);
        }
    }
    found
}

/// The ways around the gate in one workflow file. `followed` are the tags that targets deploy by themselves.
///
/// A migration of a throw-away database is none, neither is anything in a file that runs for pull requests alone, nor a
/// line with the comment `slipway:allow` and a reason, on itself or alone on the line above.
#[must_use]
pub fn bypasses(file: &str, text: &str, followed: &BTreeSet<String>) -> Vec<Bypass> {
    let workflow = Workflow::read(text);
    if workflow.only_for_pull_requests() {
        return vec![];
    }
    let (mut found, listens) = (Vec::new(), workflow.listens_for_deployments());
    for command in workflow.commands().filter(|command| !command.allowed) {
        let mut add = |kind| {
            let line = u32::try_from(command.line).ok();
            let bypass = Bypass { place: file.to_owned(), line, kind };
            if !found.contains(&bypass) {
                found.push(bypass);
            }
        };
        if let Some(with) = tools::deploys(&command) {
            let with = if listens { format!("{with}, {BY_DEPLOYMENTS}") } else { with };
            add(BypassKind::Deploys { with });
        }
        if let Some(tag) = tools::pushes(&command, &workflow, followed) {
            add(BypassKind::PushesTag { tag });
        }
        if let Some(tool) = tools::migrates(&command)
            && !database::is_thrown_away(&workflow, &command)
        {
            add(BypassKind::Migrates { tool });
        }
        if found.len() >= FINDINGS_LIMIT {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests;
