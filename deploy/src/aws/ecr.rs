//! The image registry.

mod promote;
mod scan;

pub use promote::PromoteError;

use super::{AwsClients, AwsError, AwsErrorKind, is_account, is_region, timestamp};
use aws_sdk_ecr::types::{ImageDetail, ImageIdentifier};
use jiff::Timestamp;
use slipway_core::ids::ImageDigest;
use thiserror::Error;

const DESCRIBE: &str = "ecr:DescribeImages";

/// An image that a tag leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundImage {
    /// Its content address.
    pub digest: ImageDigest,
    /// The tag it was asked for by.
    pub tag: String,
    /// When it was pushed.
    pub pushed_at: Option<Timestamp>,
}

/// Why an image could not be looked up.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RegistryError {
    /// The configured repository is none of ECR's.
    #[error(
        "{0:?} is not an ECR repository; expected something like 123456789012.dkr.ecr.us-west-2.amazonaws.com/goals"
    )]
    NotARepository(String),
    /// ECR has no such repository.
    #[error("ECR has no repository {name} in account {registry}, region {region}; check `image` in the configuration")]
    NoRepository {
        /// Its name.
        name: String,
        /// The account.
        registry: String,
        /// The region.
        region: String,
    },
    /// AWS could not be asked, or its answer was not one.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

/// The parts of `123456789012.dkr.ecr.us-west-2.amazonaws.com/goals`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Repository<'a> {
    registry: &'a str,
    region: &'a str,
    name: &'a str,
}

impl<'a> Repository<'a> {
    fn parse(uri: &'a str) -> Result<Self, RegistryError> {
        let parts = || {
            let (host, name) = uri.split_once('/')?;
            let (registry, rest) = host.split_once(".dkr.ecr.")?;
            let region = rest.strip_suffix(".amazonaws.com").or_else(|| rest.strip_suffix(".amazonaws.com.cn"))?;
            let named = !name.is_empty()
                && name.split('/').all(|part| part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()))
                && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'/'));
            (named && is_account(registry) && is_region(region)).then_some(Self { registry, region, name })
        };
        parts().ok_or_else(|| RegistryError::NotARepository(uri.to_owned()))
    }

    fn missing(self) -> RegistryError {
        let Self { registry, region, name } = self;
        RegistryError::NoRepository { name: name.to_owned(), registry: registry.to_owned(), region: region.to_owned() }
    }
}

/// ECR, each repository asked in its own account and region.
#[derive(Clone, Debug)]
pub struct Ecr {
    clients: AwsClients,
}

impl Ecr {
    /// With these clients.
    #[must_use]
    pub fn new(clients: AwsClients) -> Self {
        Self { clients }
    }

    /// The image with this tag; `None` while there is none.
    ///
    /// # Errors
    /// When the repository does not exist or cannot be asked.
    pub async fn image_by_tag(&self, repository_uri: &str, tag: &str) -> Result<Option<FoundImage>, RegistryError> {
        let Some(detail) = self.describe(repository_uri, ImageIdentifier::builder().image_tag(tag).build()).await?
        else {
            return Ok(None);
        };
        let digest = ImageDigest::parse(detail.image_digest().unwrap_or_default())
            .map_err(|bad| AwsError::new(DESCRIBE, AwsErrorKind::Server, bad.to_string()))?;
        let pushed_at = detail.image_pushed_at().and_then(timestamp);
        Ok(Some(FoundImage { digest, tag: tag.to_owned(), pushed_at }))
    }

    /// All tags of an image, sorted; none when there is no such image.
    ///
    /// # Errors
    /// When the repository does not exist or cannot be asked.
    pub async fn tags_of(&self, repository_uri: &str, digest: &ImageDigest) -> Result<Vec<String>, RegistryError> {
        let id = ImageIdentifier::builder().image_digest(digest.as_str()).build();
        let detail = self.describe(repository_uri, id).await?;
        let mut tags = detail.and_then(|detail| detail.image_tags).unwrap_or_default();
        tags.sort();
        Ok(tags)
    }

    async fn describe(&self, uri: &str, id: ImageIdentifier) -> Result<Option<ImageDetail>, RegistryError> {
        let repository = Repository::parse(uri)?;
        let Repository { registry, region, name } = repository;
        let request = self.clients.ecr(region).describe_images().registry_id(registry).repository_name(name);
        match request.image_ids(id).send().await {
            Ok(answer) => {
                let details = answer.image_details.ok_or_else(|| AwsError::lacks(DESCRIBE, "images"))?;
                Ok(details.into_iter().next())
            }
            Err(error) => match error.as_service_error() {
                Some(e) if e.is_image_not_found_exception() => Ok(None),
                Some(e) if e.is_repository_not_found_exception() => Err(repository.missing()),
                _ => Err(AwsError::from_sdk(DESCRIBE, &error, &[]).into()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_taken_apart() {
        let uri = "123456789012.dkr.ecr.us-west-2.amazonaws.com/team/goals";
        let expected = Repository { registry: "123456789012", region: "us-west-2", name: "team/goals" };
        assert_eq!(Repository::parse(uri), Ok(expected));
        for bad in [
            "goals",
            "docker.io/library/nginx",
            "123.dkr.ecr.us-west-2.amazonaws.com/goals",
            "123456789012.dkr.ecr.us-west-2.amazonaws.com/",
            "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals:latest",
            "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals@sha256:00",
            "123456789012.dkr.ecr.us-west-2.evil.example/goals",
            "123456789012.dkr.ecr.us-west-2.amazonaws.com/a//b",
        ] {
            assert_eq!(Repository::parse(bad), Err(RegistryError::NotARepository(bad.to_owned())), "{bad}");
        }
    }
}
