//! What an `UpdateExpressGatewayService` sends besides the image, as the plan shows and digests it.

use super::super::settings::{REDACTED_MIN_CHARS, hashed};
use aws_sdk_ecs::types::{ExpressGatewayContainer, ExpressGatewayServiceConfiguration};
use std::collections::BTreeMap;

/// The settings by dotted name. What can hold a secret is hashed, with the service's ARN as salt.
pub(super) fn of(configuration: &ExpressGatewayServiceConfiguration, arn: &str) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            settings.insert(name.to_owned(), value);
        }
    };
    put("execution_role", configuration.execution_role_arn().map(str::to_owned));
    put("task_role", configuration.task_role_arn().map(str::to_owned));
    put("cpu", configuration.cpu().map(str::to_owned));
    put("memory", configuration.memory().map(str::to_owned));
    put("cpu_architecture", configuration.cpu_architecture().map(|architecture| architecture.as_str().to_owned()));
    put("health_check_path", configuration.health_check_path().map(str::to_owned));
    if let Some(network) = configuration.network_configuration() {
        put("network.security_groups", listed(network.security_groups()));
        put("network.subnets", listed(network.subnets()));
    }
    if let Some(scaling) = configuration.scaling_target() {
        put("scaling.min", scaling.min_task_count().map(|count| count.to_string()));
        put("scaling.max", scaling.max_task_count().map(|count| count.to_string()));
        put("scaling.metric", scaling.auto_scaling_metric().map(|metric| metric.as_str().to_owned()));
        put("scaling.target", scaling.auto_scaling_target_value().map(|value| value.to_string()));
    }
    if let Some(container) = configuration.primary_container() {
        of_container(container, arn, &mut settings);
    }
    settings
}

fn of_container(container: &ExpressGatewayContainer, arn: &str, settings: &mut BTreeMap<String, String>) {
    if let Some(port) = container.container_port() {
        settings.insert("image.port".to_owned(), port.to_string());
    }
    if let Some(logs) = container.aws_logs_configuration() {
        settings.insert("logs.group".to_owned(), logs.log_group().to_owned());
        settings.insert("logs.prefix".to_owned(), logs.log_stream_prefix().to_owned());
    }
    // The name of a secret, not the secret.
    if let Some(parameter) = container.repository_credentials().and_then(|with| with.credentials_parameter()) {
        settings.insert("image.credentials".to_owned(), parameter.to_owned());
    }
    if !container.command().is_empty() {
        let command = serde_json::json!(container.command()).to_string();
        settings.insert("image.command".to_owned(), hashed(arn, "image.command", &command));
    }
    for variable in container.environment() {
        let name = format!("env.{}", variable.name().unwrap_or_default());
        let value = hashed(arn, &name, variable.value().unwrap_or_default());
        settings.insert(name, value);
    }
    // These values are references (the ARN of a secret or parameter), not secrets.
    for secret in container.secrets() {
        settings.insert(format!("secret.{}", secret.name()), secret.value_from().to_owned());
    }
}

/// The same for the same members in another order, as AWS does not promise one.
fn listed(members: &[String]) -> Option<String> {
    let mut members = members.to_vec();
    members.sort();
    (!members.is_empty()).then(|| members.join(" "))
}

/// Every text in the settings that may be a secret: to be taken out of whatever AWS or the service says.
pub(super) fn sensitive(configuration: &ExpressGatewayServiceConfiguration) -> Vec<&str> {
    let Some(container) = configuration.primary_container() else { return Vec::new() };
    let values = container.environment().iter().filter_map(|variable| variable.value());
    // The program and the names of its options are no secrets, and words that the log may well have.
    let command = container.command().iter().skip(1).filter_map(|word| match word.split_once('=') {
        Some((_, value)) => Some(value),
        None => Some(word.as_str()).filter(|word| !word.starts_with('-')),
    });
    values.chain(command).filter(|value| value.chars().count() >= REDACTED_MIN_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ecs::types::{ExpressGatewayServiceNetworkConfiguration, KeyValuePair, Secret};

    const ARN: &str = "arn:aws:ecs:us-west-2:123456789012:service/default/goals";

    fn configuration(password: &str, subnets: [&str; 2]) -> ExpressGatewayServiceConfiguration {
        let secret = Secret::builder().name("DSN").value_from("arn:aws:secretsmanager:us-west-2:1:secret:goals-AbCdEf");
        let container = ExpressGatewayContainer::builder()
            .image("123456789012.dkr.ecr.us-west-2.amazonaws.com/goals:latest")
            .container_port(8080)
            .command("serve")
            .command("--password=hunter2")
            .environment(KeyValuePair::builder().name("PASSWORD").value(password).build())
            .secrets(secret.build().unwrap())
            .build()
            .unwrap();
        let network = ExpressGatewayServiceNetworkConfiguration::builder();
        ExpressGatewayServiceConfiguration::builder()
            .cpu("256")
            .network_configuration(subnets.into_iter().fold(network, |network, id| network.subnets(id)).build())
            .primary_container(container)
            .build()
    }

    #[test]
    fn everything_is_named_and_no_value_shown() {
        let settings = of(&configuration("hunter2", ["subnet-b", "subnet-a"]), ARN);
        let names: Vec<_> = settings.keys().map(String::as_str).collect();
        assert_eq!(names.join(" "), "cpu env.PASSWORD image.command image.port network.subnets secret.DSN");
        assert!(!format!("{settings:?}").contains("hunter2"));
        assert_eq!(settings["network.subnets"], "subnet-a subnet-b");
        assert_eq!(settings, of(&configuration("hunter2", ["subnet-a", "subnet-b"]), ARN));
        assert_ne!(settings["env.PASSWORD"], of(&configuration("hunter3", ["a", "b"]), ARN)["env.PASSWORD"]);
    }

    #[test]
    fn values_of_variables_and_of_the_command_are_taken_out_of_messages() {
        assert_eq!(sensitive(&configuration("s3cr3t", ["a", "b"])), ["s3cr3t", "hunter2"]);
    }
}
