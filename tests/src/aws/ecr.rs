//! ECR: `DescribeImages`.

use super::ACCOUNT;
use super::members::{is_digest, only, optional_text, text};
use super::server::Refusal;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Repositories by name, each with its tags and images.
#[derive(Debug, Default)]
pub(super) struct Registry {
    repositories: BTreeMap<String, Repository>,
}

#[derive(Debug, Default)]
struct Repository {
    tags: BTreeMap<String, String>,
    pushed_ms: BTreeMap<String, i64>,
}

impl Registry {
    pub(super) fn push(&mut self, uri: &str, tag: &str, digest: &str, now_ms: i64) {
        let name = uri.split_once('/').map_or(uri, |(_, name)| name);
        let repository = self.repositories.entry(name.to_owned()).or_default();
        repository.tags.insert(tag.to_owned(), digest.to_owned());
        repository.pushed_ms.entry(digest.to_owned()).or_insert(now_ms);
    }

    /// Whether `registry/name@sha256:…` or `registry/name:tag` is there; gives its digest.
    pub(super) fn digest_of(&self, image: &str) -> Option<String> {
        let (_, rest) = image.split_once('/')?;
        if let Some((name, digest)) = rest.split_once('@') {
            return self.repositories.get(name)?.pushed_ms.contains_key(digest).then(|| digest.to_owned());
        }
        let (name, tag) = rest.split_once(':')?;
        self.repositories.get(name)?.tags.get(tag).cloned()
    }

    /// A tag of a digest.
    pub(super) fn tag_of(&self, digest: &str) -> Option<String> {
        let tags = self.repositories.values().flat_map(|repository| &repository.tags);
        tags.into_iter().find(|(_, found)| *found == digest).map(|(tag, _)| tag.clone())
    }
}

pub(super) fn describe_images(registry: &Registry, body: &Value) -> Result<Value, Refusal> {
    let known = ["registryId", "repositoryName", "imageIds", "nextToken", "maxResults", "filter"];
    let request = only(body, &known)?;
    if let Some(id) = optional_text(request, "registryId")?
        && id != ACCOUNT
    {
        return Err(Refusal::new(400, "RepositoryNotFoundException", &format!("no registry with id '{id}'")));
    }
    let name = text(request, "repositoryName")?;
    let repository = registry.repositories.get(name).ok_or_else(|| {
        let what = format!("The repository with name '{name}' does not exist in the registry with id '{ACCOUNT}'");
        Refusal::new(400, "RepositoryNotFoundException", &what)
    })?;
    let ids = request.get("imageIds").and_then(Value::as_array).cloned().unwrap_or_default();
    if ids.is_empty() || ids.len() > 100 {
        return Err(Refusal::invalid("imageIds: this stand-in wants 1 to 100 of them"));
    }
    let details: Result<Vec<Value>, Refusal> = ids.iter().map(|id| detail(repository, name, id)).collect();
    Ok(json!({ "imageDetails": details? }))
}

fn detail(repository: &Repository, name: &str, id: &Value) -> Result<Value, Refusal> {
    let id = only(id, &["imageDigest", "imageTag"])?;
    let not_found = |what: String| {
        let what = format!("The image with imageId {what} does not exist within the repository with name '{name}'");
        Refusal::new(400, "ImageNotFoundException", &what)
    };
    let digest = match (optional_text(id, "imageTag")?, optional_text(id, "imageDigest")?) {
        (Some(tag), _) => repository.tags.get(tag).ok_or_else(|| not_found(format!("{{imageTag:'{tag}'}}")))?.clone(),
        (None, Some(digest)) if !is_digest(digest) => return Err(Refusal::invalid("imageDigest is malformed")),
        (None, Some(digest)) => digest.to_owned(),
        (None, None) => return Err(Refusal::invalid("imageId needs a tag or a digest")),
    };
    let pushed = repository.pushed_ms.get(&digest).ok_or_else(|| not_found(format!("{{imageDigest:'{digest}'}}")))?;
    let tags: Vec<_> = repository.tags.iter().filter(|(_, found)| **found == digest).map(|(tag, _)| tag).collect();
    #[expect(clippy::cast_precision_loss, reason = "AWS sends seconds with fractions")]
    let pushed_at = *pushed as f64 / 1000.0;
    Ok(json!({
        "registryId": ACCOUNT, "repositoryName": name, "imageDigest": digest, "imageTags": tags,
        "imageSizeInBytes": 31_457_280, "imagePushedAt": pushed_at,
    }))
}
