//! The shapes of the requests to ECS and CloudWatch Logs, from AWS's published service models: `ecs` 2014-11-13, `logs`
//! 2014-03-28. Only the operations that the sandbox answers. ECS publishes no lengths and patterns: what it says in
//! words stands here as a number.

use super::shape::{Shape, may, must};

const fn text(min: usize, max: usize) -> Shape {
    Shape::Text { min, max, pattern: None }
}

const fn pattern(min: usize, max: usize, pattern: &'static str) -> Shape {
    Shape::Text { min, max, pattern: Some(pattern) }
}

static TEXT: Shape = text(0, 51_200);
static NAME: Shape = text(1, 2_048);
static TRUTH: Shape = Shape::Truth;

static SERVICE_ARN: Shape = pattern(
    1,
    2_048,
    r"arn:aws(-[a-z]+)*:ecs:[a-z0-9\-]+:[0-9]{12}:service\/[A-Za-z0-9_\-]{1,255}\/[A-Za-z0-9_\-]{1,255}",
);
static ROLE_ARN: Shape = pattern(20, 2_048, r"arn:aws(-[a-z]+)*:iam::[0-9]{12}:role\/.+");
static PORT: Shape = Shape::Whole { min: 1, max: 65_535 };
static COUNT: Shape = Shape::Whole { min: 0, max: 100_000 };
static TEXTS: Shape = Shape::List { of: &TEXT, min: 0, max: 1_000 };

static LOGS: Shape = Shape::Members(&[must("logGroup", &NAME), must("logStreamPrefix", &TEXT)]);
static CREDENTIALS: Shape = Shape::Members(&[may("credentialsParameter", &NAME)]);
static VARIABLE: Shape = Shape::Members(&[may("name", &NAME), may("value", &TEXT)]);
static VARIABLES: Shape = Shape::List { of: &VARIABLE, min: 0, max: 1_000 };
static SECRET: Shape = Shape::Members(&[must("name", &NAME), must("valueFrom", &NAME)]);
static SECRETS: Shape = Shape::List { of: &SECRET, min: 0, max: 1_000 };
static CONTAINER: Shape = Shape::Members(&[
    must("image", &NAME),
    may("containerPort", &PORT),
    may("awsLogsConfiguration", &LOGS),
    may("repositoryCredentials", &CREDENTIALS),
    may("command", &TEXTS),
    may("environment", &VARIABLES),
    may("secrets", &SECRETS),
]);
static NETWORK: Shape = Shape::Members(&[may("securityGroups", &TEXTS), may("subnets", &TEXTS)]);
static METRIC: Shape = Shape::OneOf(&["AVERAGE_CPU", "AVERAGE_MEMORY", "REQUEST_COUNT_PER_TARGET"]);
static SCALING: Shape = Shape::Members(&[
    may("minTaskCount", &COUNT),
    may("maxTaskCount", &COUNT),
    may("autoScalingMetric", &METRIC),
    may("autoScalingTargetValue", &COUNT),
]);
static ARCHITECTURE: Shape = Shape::OneOf(&["X86_64", "ARM64"]);

static INCLUDE: Shape = Shape::OneOf(&["TAGS"]);
static INCLUDES: Shape = Shape::List { of: &INCLUDE, min: 0, max: 1 };
pub(super) static DESCRIBE_EXPRESS: Shape =
    Shape::Members(&[must("serviceArn", &SERVICE_ARN), may("include", &INCLUDES)]);
pub(super) static UPDATE_EXPRESS: Shape = Shape::Members(&[
    must("serviceArn", &SERVICE_ARN),
    may("executionRoleArn", &ROLE_ARN),
    may("healthCheckPath", &TEXT),
    may("primaryContainer", &CONTAINER),
    may("taskRoleArn", &ROLE_ARN),
    may("networkConfiguration", &NETWORK),
    may("cpu", &TEXT),
    may("memory", &TEXT),
    may("cpuArchitecture", &ARCHITECTURE),
    may("scalingTarget", &SCALING),
    may("taskDefinitionArn", &NAME),
]);

static STATUS: Shape = Shape::OneOf(&[
    "PENDING",
    "SUCCESSFUL",
    "STOPPED",
    "STOP_REQUESTED",
    "IN_PROGRESS",
    "ROLLBACK_REQUESTED",
    "ROLLBACK_IN_PROGRESS",
    "ROLLBACK_SUCCESSFUL",
    "ROLLBACK_FAILED",
]);
static STATUSES: Shape = Shape::List { of: &STATUS, min: 0, max: 9 };
static UP_TO_100: Shape = Shape::Whole { min: 1, max: 100 };
pub(super) static LIST_DEPLOYMENTS: Shape = Shape::Members(&[
    must("service", &NAME),
    may("cluster", &NAME),
    may("status", &STATUSES),
    may("nextToken", &TEXT),
    may("maxResults", &UP_TO_100),
]);
static SERVICES: Shape = Shape::List { of: &NAME, min: 1, max: 10 };
pub(super) static DESCRIBE_SERVICES: Shape =
    Shape::Members(&[may("cluster", &NAME), must("services", &SERVICES), may("include", &TEXTS)]);

static GROUP: Shape = pattern(1, 512, r"[\.\-_/#A-Za-z0-9]+");
static STREAM: Shape = pattern(1, 512, r"[^:*]*");
static STREAMS: Shape = Shape::List { of: &STREAM, min: 1, max: 100 };
static MOMENT_MS: Shape = Shape::Whole { min: 0, max: i64::MAX };
static UP_TO_10000: Shape = Shape::Whole { min: 1, max: 10_000 };
static FILTER: Shape = text(0, 1_024);
static TOKEN: Shape = text(1, 51_200);
pub(super) static FILTER_LOG_EVENTS: Shape = Shape::Members(&[
    must("logGroupName", &GROUP),
    may("logStreamNames", &STREAMS),
    may("logStreamNamePrefix", &STREAM),
    may("startTime", &MOMENT_MS),
    may("endTime", &MOMENT_MS),
    may("filterPattern", &FILTER),
    may("nextToken", &TOKEN),
    may("limit", &UP_TO_10000),
    may("startFromHead", &TRUTH),
]);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SERVICE: &str = "arn:aws:ecs:us-west-2:123456789012:service/main/goals";

    #[test]
    fn a_container_needs_its_image_and_a_service_its_cluster() {
        let check = |shape: &Shape, request| shape.check(&request, "InvalidParameterException");
        let good =
            json!({ "serviceArn": SERVICE, "primaryContainer": { "image": "goals@sha256:1", "containerPort": 80 } });
        assert!(check(&UPDATE_EXPRESS, good.clone()).is_ok());
        let mut bad = good;
        bad["primaryContainer"].as_object_mut().unwrap().remove("image");
        assert!(check(&UPDATE_EXPRESS, bad).unwrap_err().to_string().contains("primaryContainer.image"));
        let without = json!({ "serviceArn": "arn:aws:ecs:us-west-2:123456789012:service/goals" });
        assert!(check(&DESCRIBE_EXPRESS, without).unwrap_err().to_string().contains("regular expression"));
    }

    #[test]
    fn log_groups_have_the_published_pattern() {
        let check =
            |group: &str| FILTER_LOG_EVENTS.check(&json!({ "logGroupName": group }), "InvalidParameterException");
        assert!(check("/aws/apprunner/goals/8fe1e10304f8/service").is_ok());
        assert!(check("/aws/ecs goals").is_err() && check("").is_err());
    }
}
