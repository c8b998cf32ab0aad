//! Moving a tag on the server side: the image's own manifest is put once more, under the tag.

use super::{Ecr, RegistryError, Repository};
use crate::aws::{AwsError, AwsErrorKind};
use aws_sdk_ecr::types::{Image, ImageIdentifier};
use slipway_core::ids::ImageDigest;
use thiserror::Error;

const GET: &str = "ecr:BatchGetImage";
const PUT: &str = "ecr:PutImage";
/// Every form of manifest: another one than the image's own would have another digest.
const MEDIA_TYPES: [&str; 4] = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
];

/// Why a tag was not, or perhaps not, moved. Each text is for people.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PromoteError {
    /// Nothing was moved, and trying again is safe.
    #[error("{0}")]
    Passing(String),
    /// The registry said no, and will say it again.
    #[error("{0}")]
    Refused(String),
    /// No answer, or a broken one: it may have been moved. Observe before doing anything.
    #[error("it is not known whether the tag was moved: {0}")]
    Unknown(String),
}

impl From<RegistryError> for PromoteError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Aws(error) if error.may_pass() => Self::Passing(error.to_string()),
            other => Self::Refused(other.to_string()),
        }
    }
}

impl Ecr {
    /// Lets `tag` name the image with this digest. Sent at most once.
    ///
    /// # Errors
    /// Only after [`PromoteError::Unknown`] may something have been moved.
    pub async fn promote(&self, repository_uri: &str, digest: &ImageDigest, tag: &str) -> Result<(), PromoteError> {
        let repository = Repository::parse(repository_uri)?;
        let image = self.manifest(repository, digest).await?;
        let Some(manifest) = image.image_manifest else {
            return Err(PromoteError::Refused("ECR gives no manifest of this image.".to_owned()));
        };
        let Repository { registry, region, name } = repository;
        let request = self.clients.ecr_once(region).put_image().registry_id(registry).repository_name(name);
        let request = request.image_manifest(manifest).set_image_manifest_media_type(image.image_manifest_media_type);
        let error = match request.image_tag(tag).image_digest(digest.as_str()).send().await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        let of_service = error.as_service_error();
        if of_service.is_some_and(|e| e.is_image_already_exists_exception()) {
            return Ok(());
        }
        if of_service.is_some_and(|e| e.is_image_tag_already_exists_exception()) {
            let mend = "make the repository's tags mutable, at least for this one";
            return Err(PromoteError::Refused(format!("tags of {name} are immutable; {mend}")));
        }
        if of_service.is_some_and(|e| e.is_repository_not_found_exception()) {
            return Err(repository.missing().into());
        }
        let error = AwsError::from_sdk(PUT, &error, &[]);
        Err(match error.kind {
            AwsErrorKind::Throttled => PromoteError::Passing(error.to_string()),
            _ if error.surely_without_effect() => PromoteError::Refused(error.to_string()),
            _ => PromoteError::Unknown(error.to_string()),
        })
    }

    async fn manifest(&self, repository: Repository<'_>, digest: &ImageDigest) -> Result<Image, RegistryError> {
        let Repository { registry, region, name } = repository;
        let id = ImageIdentifier::builder().image_digest(digest.as_str()).build();
        let request = self.clients.ecr(region).batch_get_image().registry_id(registry).repository_name(name);
        let media_types = MEDIA_TYPES.map(str::to_owned).to_vec();
        match request.image_ids(id).set_accepted_media_types(Some(media_types)).send().await {
            Ok(answer) => {
                let images = answer.images.ok_or_else(|| AwsError::lacks(GET, "images"))?;
                images.into_iter().next().ok_or_else(|| {
                    let text = format!("{name} has no image {digest} any more");
                    AwsError::new(GET, AwsErrorKind::NotFound, text).into()
                })
            }
            Err(error) if error.as_service_error().is_some_and(|e| e.is_repository_not_found_exception()) => {
                Err(repository.missing())
            }
            Err(error) => Err(AwsError::from_sdk(GET, &error, &[]).into()),
        }
    }
}
