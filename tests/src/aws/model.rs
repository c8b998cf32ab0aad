//! The shapes of the requests, from AWS's published service models: `apprunner` 2020-05-15, `ecr` 2015-09-21,
//! `secretsmanager` 2017-10-17. Only the operations that the sandbox answers.

use super::shape::{Member, Shape, may, must};

const fn text(min: usize, max: usize) -> Shape {
    Shape::Text { min, max, pattern: None }
}

const fn pattern(min: usize, max: usize, pattern: &'static str) -> Shape {
    Shape::Text { min, max, pattern: Some(pattern) }
}

static TRUTH: Shape = Shape::Truth;
static OBJECT: Shape = Shape::Object;
static TEXT: Shape = text(0, 51_200);

static ARN: Shape =
    pattern(1, 1011, r"arn:aws(-(?-u:\w)+)*:[a-z0-9\-\\.]{0,63}:[a-z0-9\-\\.]{0,63}:[0-9]{12}:(?-u:\w|\/|-){1,1011}");
static ROLE_ARN: Shape = pattern(
    29,
    1024,
    r"arn:(aws|aws-us-gov|aws-cn|aws-iso|aws-iso-b):iam::[0-9]{12}:(role|role\/service-role)\/(?-u:[\w+=,.@\-/]){1,1000}",
);

// `(?-u:…)`: AWS means ASCII, and a thousand repetitions of any script's letters are too large to compile.

/// As published, alternatives and all: a digest may only have word characters and colons.
pub(super) const IMAGE_IDENTIFIER: &str = concat!(
    r"([0-9]{12}.dkr.ecr.[a-z\-]+-[0-9]{1}.amazonaws.com\/((?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-]",
    r"[a-z0-9]+)*)(:([\w\d+\-=._:\/@])+|@([\w\d\:]+))?)",
    r"|(^public\.ecr\.aws\/.+\/((?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*)",
    r"(:([\w\d+\-=._:\/@])+|@([\w\d\:]+))?)"
);
static IMAGE: Shape = pattern(1, 1024, IMAGE_IDENTIFIER);
static IMAGE_TYPE: Shape = Shape::OneOf(&["ECR", "ECR_PUBLIC"]);
static COMMAND: Shape = pattern(0, 51_200, r"[^\x0a\x0d]+");

static VARIABLE_NAME: Shape = text(1, 51_200);
static VARIABLES: Shape = Shape::Map { key: &VARIABLE_NAME, value: &TEXT };
static SECRET_TEXT: Shape = text(1, 2048);
static SECRETS: Shape = Shape::Map { key: &SECRET_TEXT, value: &SECRET_TEXT };

static IMAGE_CONFIGURATION: Shape = Shape::Members(&[
    may("RuntimeEnvironmentVariables", &VARIABLES),
    may("StartCommand", &COMMAND),
    may("Port", &TEXT),
    may("RuntimeEnvironmentSecrets", &SECRETS),
]);
static IMAGE_REPOSITORY: Shape = Shape::Members(&[
    must("ImageIdentifier", &IMAGE),
    may("ImageConfiguration", &IMAGE_CONFIGURATION),
    must("ImageRepositoryType", &IMAGE_TYPE),
]);
static AUTHENTICATION: Shape = Shape::Members(&[may("ConnectionArn", &ARN), may("AccessRoleArn", &ROLE_ARN)]);
static SOURCE: Shape = Shape::Members(&[
    may("CodeRepository", &OBJECT),
    may("ImageRepository", &IMAGE_REPOSITORY),
    may("AutoDeploymentsEnabled", &TRUTH),
    may("AuthenticationConfiguration", &AUTHENTICATION),
]);

static CPU: Shape = pattern(3, 9, "256|512|1024|2048|4096|(0.25|0.5|1|2|4) vCPU");
static MEMORY: Shape = pattern(3, 6, "512|1024|2048|3072|4096|6144|8192|10240|12288|(0.5|1|2|3|4|6|8|10|12) GB");
static INSTANCE: Shape = Shape::Members(&[may("Cpu", &CPU), may("Memory", &MEMORY), may("InstanceRoleArn", &ROLE_ARN)]);

static PROTOCOL: Shape = Shape::OneOf(&["TCP", "HTTP"]);
static PATH: Shape = text(1, 51_200);
static UP_TO_20: Shape = Shape::Whole { min: 1, max: 20 };
static HEALTH_CHECK: Shape = Shape::Members(&[
    may("Protocol", &PROTOCOL),
    may("Path", &PATH),
    may("Interval", &UP_TO_20),
    may("Timeout", &UP_TO_20),
    may("HealthyThreshold", &UP_TO_20),
    may("UnhealthyThreshold", &UP_TO_20),
]);

static EGRESS_TYPE: Shape = Shape::OneOf(&["DEFAULT", "VPC"]);
static EGRESS: Shape = Shape::Members(&[may("EgressType", &EGRESS_TYPE), may("VpcConnectorArn", &ARN)]);
static INGRESS: Shape = Shape::Members(&[may("IsPubliclyAccessible", &TRUTH)]);
static IP_TYPE: Shape = Shape::OneOf(&["IPV4", "DUAL_STACK"]);
static NETWORK: Shape = Shape::Members(&[
    may("EgressConfiguration", &EGRESS),
    may("IngressConfiguration", &INGRESS),
    may("IpAddressType", &IP_TYPE),
]);
static OBSERVABILITY: Shape =
    Shape::Members(&[must("ObservabilityEnabled", &TRUTH), may("ObservabilityConfigurationArn", &ARN)]);

static ONE_SERVICE: [Member; 1] = [must("ServiceArn", &ARN)];
pub(super) static DESCRIBE_SERVICE: Shape = Shape::Members(&ONE_SERVICE);
pub(super) static START_DEPLOYMENT: Shape = Shape::Members(&ONE_SERVICE);
pub(super) static UPDATE_SERVICE: Shape = Shape::Members(&[
    must("ServiceArn", &ARN),
    may("SourceConfiguration", &SOURCE),
    may("InstanceConfiguration", &INSTANCE),
    may("AutoScalingConfigurationArn", &ARN),
    may("HealthCheckConfiguration", &HEALTH_CHECK),
    may("NetworkConfiguration", &NETWORK),
    may("ObservabilityConfiguration", &OBSERVABILITY),
]);
pub(super) static LIST_OPERATIONS: Shape =
    Shape::Members(&[must("ServiceArn", &ARN), may("NextToken", &TEXT), may("MaxResults", &UP_TO_20)]);

static REGISTRY: Shape = pattern(12, 12, "[0-9]{12}");
static REPOSITORY: Shape = pattern(2, 256, r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*");
/// The model gives no pattern for a digest; ECR itself refuses anything else.
static DIGEST: Shape = pattern(71, 71, "sha256:[0-9a-f]{64}");
static TAG: Shape = text(1, 300);
static IMAGE_ID: Shape = Shape::Members(&[may("imageDigest", &DIGEST), may("imageTag", &TAG)]);
static IMAGE_IDS: Shape = Shape::List { of: &IMAGE_ID, min: 1, max: 100 };
static UP_TO_1000: Shape = Shape::Whole { min: 1, max: 1000 };
static TAG_STATUS: Shape = Shape::OneOf(&["TAGGED", "UNTAGGED", "ANY"]);
static IMAGE_STATUS: Shape = Shape::OneOf(&["ACTIVE", "ARCHIVED", "ACTIVATING", "ANY"]);
static FILTER: Shape = Shape::Members(&[may("tagStatus", &TAG_STATUS), may("imageStatus", &IMAGE_STATUS)]);
pub(super) static DESCRIBE_IMAGES: Shape = Shape::Members(&[
    may("registryId", &REGISTRY),
    must("repositoryName", &REPOSITORY),
    may("imageIds", &IMAGE_IDS),
    may("nextToken", &TEXT),
    may("maxResults", &UP_TO_1000),
    may("filter", &FILTER),
]);

static SCAN_PAGE: Shape = Shape::Whole { min: 1, max: 1000 };
pub(super) static DESCRIBE_IMAGE_SCAN_FINDINGS: Shape = Shape::Members(&[
    may("registryId", &REGISTRY),
    must("repositoryName", &REPOSITORY),
    must("imageId", &IMAGE_ID),
    may("nextToken", &TEXT),
    may("maxResults", &SCAN_PAGE),
]);
static MEDIA_TYPE: Shape = text(1, 255);
static MEDIA_TYPES: Shape = Shape::List { of: &MEDIA_TYPE, min: 1, max: 100 };
pub(super) static BATCH_GET_IMAGE: Shape = Shape::Members(&[
    may("registryId", &REGISTRY),
    must("repositoryName", &REPOSITORY),
    must("imageIds", &IMAGE_IDS),
    may("acceptedMediaTypes", &MEDIA_TYPES),
]);
static MANIFEST: Shape = text(1, 4_194_304);
pub(super) static PUT_IMAGE: Shape = Shape::Members(&[
    may("registryId", &REGISTRY),
    must("repositoryName", &REPOSITORY),
    must("imageManifest", &MANIFEST),
    may("imageManifestMediaType", &TEXT),
    may("imageTag", &TAG),
    may("imageDigest", &DIGEST),
]);

static SECRET_ID: Shape = text(1, 2048);
static VERSION_ID: Shape = text(32, 64);
static STAGE: Shape = text(1, 256);
pub(super) static DESCRIBE_SECRET: Shape = Shape::Members(&[must("SecretId", &SECRET_ID)]);
pub(super) static GET_SECRET_VALUE: Shape =
    Shape::Members(&[must("SecretId", &SECRET_ID), may("VersionId", &VERSION_ID), may("VersionStage", &STAGE)]);

#[cfg(test)]
mod tests {
    use super::super::shape::matches;
    use super::*;
    use serde_json::json;

    const SERVICE: &str = "arn:aws:apprunner:us-west-2:123456789012:service/goals/8fe1e10304f84fd2b0df550fe98a71fa";

    fn refused(shape: &Shape, request: serde_json::Value) -> String {
        shape.check(&request, "InvalidRequestException").unwrap_err().to_string()
    }

    #[test]
    fn images_match_the_published_pattern() {
        let host = "123456789012.dkr.ecr.us-west-2.amazonaws.com";
        let digest = format!("sha256:{}", "0f".repeat(32));
        for good in ["goals", "goals:latest", "team/goals:1.4", &format!("goals@{digest}")] {
            assert!(matches(IMAGE_IDENTIFIER, &format!("{host}/{good}")), "{good}");
        }
        assert!(matches(IMAGE_IDENTIFIER, "public.ecr.aws/aws-containers/hello-app-runner:latest"));
        for bad in ["docker.io/goals", &format!("{host}/Goals"), &format!("{host}/goals@"), &format!("x{host}/goals")] {
            assert!(!matches(IMAGE_IDENTIFIER, bad), "{bad}");
        }
    }

    #[test]
    fn roles_match_the_published_pattern() {
        let role = |text: &str| ROLE_ARN.check(&json!(text), "InvalidRequestException").is_ok();
        assert!(role("arn:aws:iam::123456789012:role/service-role/AppRunnerECRAccessRole"));
        assert!(!role("arn:aws:iam::123456789012:user/somebody-with-a-name"));
    }

    #[test]
    fn requests_are_checked_to_the_last_member() {
        let good = json!({ "ServiceArn": SERVICE, "MaxResults": 20 });
        assert!(LIST_OPERATIONS.check(&good, "InvalidRequestException").is_ok());
        let list = &LIST_OPERATIONS;
        assert!(refused(list, json!({})).contains("must not be null"));
        assert!(refused(list, json!({ "ServiceArn": "goals" })).contains("regular expression"));
        assert!(refused(list, json!({ "ServiceArn": SERVICE, "MaxResults": 21 })).contains("between 1 and 20"));
        assert!(refused(list, json!({ "ServiceArn": SERVICE, "MaxResults": "5" })).contains("wrong JSON type"));
        assert!(refused(list, json!({ "ServiceArn": SERVICE, "Max": 5 })).contains("unknown member Max"));
        let image = |kind: &str| {
            json!({ "ServiceArn": SERVICE, "SourceConfiguration": { "ImageRepository": {
                "ImageIdentifier": "public.ecr.aws/acme/goals:1", "ImageRepositoryType": kind } } })
        };
        assert!(UPDATE_SERVICE.check(&image("ECR_PUBLIC"), "InvalidRequestException").is_ok());
        assert!(refused(&UPDATE_SERVICE, image("DOCKER")).contains("enum value set"));
    }
}
