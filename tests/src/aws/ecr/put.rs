//! `BatchGetImage` and `PutImage`: an image's own manifest, put once more under another tag.

use super::super::answer::{Answer, Refusal};
use super::super::state::State;
use super::find;
use serde_json::{Value, json};

const MEDIA_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// Digests are the caller's choice here, so the manifest carries its own.
fn manifest(digest: &str) -> String {
    json!({ "schemaVersion": 2, "mediaType": MEDIA_TYPE, "config": { "digest": digest }, "layers": [] }).to_string()
}

fn image(account: &str, name: &str, digest: &str, tag: Option<&str>) -> Value {
    let mut id = json!({ "imageDigest": digest });
    if let Some(tag) = tag {
        id["imageTag"] = json!(tag);
    }
    json!({
        "registryId": account,
        "repositoryName": name,
        "imageId": id,
        "imageManifest": manifest(digest),
        "imageManifestMediaType": MEDIA_TYPE,
    })
}

pub(in super::super) fn batch_get_image(state: &mut State, request: &Value) -> Answer {
    let registry = &state.registry;
    let (name, images) = registry.named(request)?;
    let accepted = request["acceptedMediaTypes"].as_array();
    if accepted.is_some_and(|accepted| !accepted.iter().any(|of| of == MEDIA_TYPE)) {
        // ECR would make another manifest of it, with another digest.
        let text = "the sandbox makes no manifest of another form: accept the image's own";
        return Err(Refusal::new("InvalidParameterException", text));
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for id in request["imageIds"].as_array().into_iter().flatten() {
        match find(images, id) {
            Some((digest, _)) => found.push(image(&registry.account, name, digest, id["imageTag"].as_str())),
            None => failures.push(json!({
                "imageId": id,
                "failureCode": "ImageNotFound",
                "failureReason": "Requested image not found",
            })),
        }
    }
    Ok(json!({ "images": found, "failures": failures }))
}

pub(in super::super) fn put_image(state: &mut State, request: &Value) -> Answer {
    let registry = &mut state.registry;
    let (name, images) = registry.named(request)?;
    let name = name.to_owned();
    let text = request["imageManifest"].as_str().unwrap_or_default();
    let Some(digest) = images.keys().find(|digest| manifest(digest) == text).cloned() else {
        return Err(Refusal::new("LayersNotFoundException", "The layers of this manifest are not in the repository"));
    };
    if request["imageDigest"].as_str().is_some_and(|given| given != digest) {
        let text = "The digest is not the one of the manifest";
        return Err(Refusal::new("ImageDigestDoesNotMatchException", text));
    }
    let Some(tag) = request["imageTag"].as_str() else {
        return Err(Refusal::new(
            "ImageAlreadyExistsException",
            format!("Image with digest '{digest}' already exists"),
        ));
    };
    let named = images.iter().find(|(_, image)| image.tags.contains(tag)).map(|(digest, _)| digest.clone());
    match named {
        Some(named) if named == digest => {
            let text =
                format!("Image with digest '{digest}' and tag '{tag}' already exists in the repository '{name}'");
            return Err(Refusal::new("ImageAlreadyExistsException", text));
        }
        Some(_) if registry.immutable.contains(&name) => {
            let text =
                format!("The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten");
            return Err(Refusal::new("ImageTagAlreadyExistsException", text));
        }
        _ => {}
    }
    for (candidate, image) in registry.repositories.get_mut(&name).into_iter().flatten() {
        image.tags.remove(tag);
        if *candidate == digest {
            image.tags.insert(tag.to_owned());
        }
    }
    Ok(json!({ "image": image(&registry.account, &name, &digest, Some(tag)) }))
}
