//! What an `UpdateService` sends besides the image, as the plan shows and digests it.

use aws_sdk_apprunner::types::{ImageConfiguration, SourceConfiguration};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Separates these hashes from any other SHA-256.
const SETTING_DOMAIN: &str = "slipway-setting-v1";

/// Shorter values are not taken out of messages: they would be found in innocent words.
pub(super) const REDACTED_MIN_CHARS: usize = 4;

/// The settings by dotted name. The service's ARN salts the hashes, so that equal values in two services do
/// not look equal; a short value can still be guessed by whoever sees its hash and tries.
pub(crate) fn of(source: &SourceConfiguration, arn: &str) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    if let Some(on) = source.auto_deployments_enabled() {
        settings.insert("auto_deployments".to_owned(), on.to_string());
    }
    if let Some(authentication) = source.authentication_configuration() {
        if let Some(role) = authentication.access_role_arn() {
            settings.insert("access_role".to_owned(), role.to_owned());
        }
        if let Some(connection) = authentication.connection_arn() {
            settings.insert("connection".to_owned(), connection.to_owned());
        }
    }
    if let Some(image) = source.image_repository() {
        settings.insert("image.type".to_owned(), image.image_repository_type().as_str().to_owned());
        if let Some(configuration) = image.image_configuration() {
            of_image(configuration, arn, &mut settings);
        }
    }
    settings
}

fn of_image(configuration: &ImageConfiguration, arn: &str, settings: &mut BTreeMap<String, String>) {
    if let Some(port) = configuration.port() {
        settings.insert("image.port".to_owned(), port.to_owned());
    }
    if let Some(command) = configuration.start_command() {
        settings.insert("image.start_command".to_owned(), hashed(arn, "image.start_command", command));
    }
    for (name, value) in configuration.runtime_environment_variables().into_iter().flatten() {
        let name = format!("env.{name}");
        let value = hashed(arn, &name, value);
        settings.insert(name, value);
    }
    // These values are references (the ARN of a secret or parameter), not secrets.
    for (name, reference) in configuration.runtime_environment_secrets().into_iter().flatten() {
        settings.insert(format!("secret.{name}"), reference.clone());
    }
}

pub(super) fn hashed(arn: &str, name: &str, value: &str) -> String {
    let mut hash = Sha256::new();
    for part in [SETTING_DOMAIN, arn, name, value] {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digits: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// Every text in the settings that may be a secret: to be taken out of whatever AWS says.
pub(crate) fn sensitive(source: &SourceConfiguration) -> Vec<&str> {
    let Some(configuration) = source.image_repository().and_then(|image| image.image_configuration()) else {
        return Vec::new();
    };
    let values = configuration.runtime_environment_variables().into_iter().flat_map(|map| map.values());
    values
        .map(String::as_str)
        .chain(configuration.start_command())
        .filter(|value| value.chars().count() >= REDACTED_MIN_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_apprunner::types::{AuthenticationConfiguration, ImageRepository, ImageRepositoryType};

    const ARN: &str = "arn:aws:apprunner:us-west-2:123456789012:service/goals/8fe1e10304f84fd2b0df550fe98a71fa";

    fn source(password: &str) -> SourceConfiguration {
        let configuration = ImageConfiguration::builder()
            .port("8080")
            .start_command("serve --password hunter2")
            .runtime_environment_variables("PASSWORD", password)
            .runtime_environment_secrets("DSN", "arn:aws:secretsmanager:us-west-2:123456789012:secret:goals-AbCdEf")
            .build();
        let image = ImageRepository::builder()
            .image_identifier("123456789012.dkr.ecr.us-west-2.amazonaws.com/goals:latest")
            .image_repository_type(ImageRepositoryType::Ecr)
            .image_configuration(configuration)
            .build()
            .unwrap();
        SourceConfiguration::builder()
            .image_repository(image)
            .auto_deployments_enabled(true)
            .authentication_configuration(
                AuthenticationConfiguration::builder().access_role_arn("arn:aws:iam::123456789012:role/ecr").build(),
            )
            .build()
    }

    #[test]
    fn everything_is_named_and_no_value_shown() {
        let settings = of(&source("hunter2"), ARN);
        let names: Vec<_> = settings.keys().map(String::as_str).collect();
        let all = "access_role auto_deployments env.PASSWORD image.port image.start_command image.type secret.DSN";
        assert_eq!(names.join(" "), all);
        assert!(!format!("{settings:?}").contains("hunter2"));
        assert_eq!(settings["image.port"], "8080");
    }

    #[test]
    fn a_changed_value_changes_its_hash_and_two_services_do_not_compare() {
        let one = of(&source("hunter2"), ARN);
        assert_ne!(one["env.PASSWORD"], of(&source("hunter3"), ARN)["env.PASSWORD"]);
        assert_ne!(one["env.PASSWORD"], of(&source("hunter2"), "arn:other")["env.PASSWORD"]);
        assert_eq!(one["env.PASSWORD"], of(&source("hunter2"), ARN)["env.PASSWORD"]);
    }

    #[test]
    fn short_values_stay_in_messages() {
        assert_eq!(sensitive(&source("1")), ["serve --password hunter2"]);
    }
}
