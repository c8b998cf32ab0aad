//! ECR: `DescribeImages`, what scans found, and tags that are moved by `BatchGetImage` and `PutImage`.

mod put;
mod scan;

pub(super) use put::{batch_get_image, put_image};
pub(super) use scan::describe_image_scan_findings;

use super::answer::{Answer, Refusal};
use super::operation::seconds;
use super::state::State;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How many images a listing has when the request does not say.
const PAGE_SIZE: usize = 100;

#[derive(Debug)]
struct Image {
    tags: BTreeSet<String>,
    pushed_at: Timestamp,
    scan: Option<Scan>,
}

/// What a scan of an image came to.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    /// `COMPLETE`, `ACTIVE`, `IN_PROGRESS`, …
    pub(super) status: String,
    /// How many findings of each severity.
    pub(super) counts: BTreeMap<String, u32>,
}

/// The registry of one account in one region.
#[derive(Debug)]
pub(super) struct Registry {
    account: String,
    host: String,
    /// Repository → digest → image.
    repositories: BTreeMap<String, BTreeMap<String, Image>>,
    /// Repositories whose tags stay where they are.
    immutable: BTreeSet<String>,
}

impl Registry {
    pub(super) fn new(account: &str, region: &str) -> Self {
        let host = format!("{account}.dkr.ecr.{region}.amazonaws.com");
        Self { account: account.to_owned(), host, repositories: BTreeMap::new(), immutable: BTreeSet::new() }
    }

    /// `123456789012.dkr.ecr.us-west-2.amazonaws.com/goals`.
    pub(super) fn uri(&self, repository: &str) -> String {
        format!("{}/{repository}", self.host)
    }

    /// Pushes an image. A tag that another image has moves.
    pub(super) fn push(&mut self, repository: &str, tag: &str, digest: &str, at: Timestamp) {
        let images = self.repositories.entry(repository.to_owned()).or_default();
        for image in images.values_mut() {
            image.tags.remove(tag);
        }
        let image = images.entry(digest.to_owned()).or_insert_with(|| Image {
            tags: BTreeSet::new(),
            pushed_at: at,
            scan: None,
        });
        image.tags.insert(tag.to_owned());
    }

    /// What the scan of an image comes to from now on.
    pub(super) fn scanned(&mut self, digest: &str, scan: &Scan) {
        for image in self.repositories.values_mut().filter_map(|images| images.get_mut(digest)) {
            image.scan = Some(scan.clone());
        }
    }

    /// Lets the tags of a repository stay where they are.
    pub(super) fn make_immutable(&mut self, repository: &str) {
        self.immutable.insert(repository.to_owned());
    }

    /// The repository that a request names, as far as this registry has it.
    fn named(&self, request: &Value) -> Result<(&str, &BTreeMap<String, Image>), Refusal> {
        let name = request["repositoryName"].as_str().unwrap_or_default();
        let account = request["registryId"].as_str().unwrap_or(&self.account);
        let found = self.repositories.get_key_value(name).filter(|_| account == self.account);
        found.map(|(name, images)| (name.as_str(), images)).ok_or_else(|| {
            let text = format!("The repository with name '{name}' does not exist in the registry with id '{account}'");
            Refusal::new("RepositoryNotFoundException", text)
        })
    }

    /// The digest behind an image identifier, if this registry has it.
    pub(super) fn resolve(&self, identifier: &str) -> Option<String> {
        let rest = identifier.strip_prefix(self.host.as_str())?.strip_prefix('/')?;
        if let Some((repository, digest)) = rest.split_once('@') {
            return self.repositories.get(repository)?.contains_key(digest).then(|| digest.to_owned());
        }
        let (repository, tag) = rest.split_once(':').unwrap_or((rest, "latest"));
        let mut images = self.repositories.get(repository)?.iter();
        images.find(|(_, image)| image.tags.contains(tag)).map(|(digest, _)| digest.clone())
    }

    /// The commit that an image was built from: that one of its tags which is 40 hex digits.
    pub(super) fn commit(&self, digest: &str) -> Option<&str> {
        let images = self.repositories.values().filter_map(|images| images.get(digest));
        let commit = |tag: &&String| tag.len() == 40 && tag.bytes().all(|b| b.is_ascii_hexdigit());
        images.flat_map(|image| &image.tags).find(commit).map(String::as_str)
    }
}

pub(super) fn describe_images(state: &mut State, request: &Value) -> Answer {
    let registry = &state.registry;
    let (name, images) = registry.named(request)?;
    let detail = |(digest, image): (&String, &Image)| {
        let mut detail = json!({
            "registryId": registry.account,
            "repositoryName": name,
            "imageDigest": digest,
            "imageSizeInBytes": 14_680_064,
            "imagePushedAt": seconds(image.pushed_at),
            "imageManifestMediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "artifactMediaType": "application/vnd.docker.container.image.v1+json",
        });
        if !image.tags.is_empty() {
            detail["imageTags"] = json!(image.tags);
        }
        detail
    };
    let Some(ids) = request["imageIds"].as_array() else {
        return listing(request, images.iter().map(detail).collect());
    };
    if !request["maxResults"].is_null() || !request["nextToken"].is_null() {
        let text = "maxResults and nextToken cannot be used with imageIds";
        return Err(Refusal::new("InvalidParameterException", text));
    }
    let mut details = Vec::new();
    for id in ids {
        let (digest, tag) = (id["imageDigest"].as_str(), id["imageTag"].as_str());
        if digest.is_none() && tag.is_none() {
            return Err(Refusal::new("InvalidParameterException", "an image id needs a digest or a tag"));
        }
        let found = find(images, id).map(detail).ok_or_else(|| not_found(registry, name, id))?;
        details.push(found);
    }
    Ok(json!({ "imageDetails": details }))
}

/// The image that an image id names.
fn find<'a>(images: &'a BTreeMap<String, Image>, id: &Value) -> Option<(&'a String, &'a Image)> {
    let (digest, tag) = (id["imageDigest"].as_str(), id["imageTag"].as_str());
    images.iter().find(|(candidate, image)| {
        digest.is_none_or(|digest| digest == candidate.as_str()) && tag.is_none_or(|tag| image.tags.contains(tag))
    })
}

fn not_found(registry: &Registry, name: &str, id: &Value) -> Refusal {
    let word = |key: &str| id[key].as_str().unwrap_or("null").to_owned();
    let (digest, tag, account) = (word("imageDigest"), word("imageTag"), &registry.account);
    let text = format!(
        "The image with imageId {{imageDigest:'{digest}', imageTag:'{tag}'}} does not exist within the repository with \
         name '{name}' in the registry with id '{account}'"
    );
    Refusal::new("ImageNotFoundException", text)
}

fn listing(request: &Value, details: Vec<Value>) -> Answer {
    let limit = request["maxResults"].as_u64().and_then(|max| usize::try_from(max).ok()).unwrap_or(PAGE_SIZE);
    let from = match request["nextToken"].as_str() {
        None => 0,
        Some(token) => token
            .parse::<usize>()
            .map_err(|_| Refusal::new("InvalidParameterException", "Invalid parameter at 'nextToken'"))?,
    };
    let more = details.len() > from.saturating_add(limit);
    let page: Vec<_> = details.into_iter().skip(from).take(limit).collect();
    let mut answer = json!({ "imageDetails": page });
    if more {
        answer["nextToken"] = json!((from + limit).to_string());
    }
    Ok(answer)
}
