//! AWS: shapes with required members, types, enums, patterns and bounds, and the errors that an operation may have.

use super::{calls, none_of, place, play};
use regex::bytes::{Regex, RegexBuilder};
use serde_json::Value;
use slipway_sandbox::traffic::Exchange;
use std::collections::{BTreeMap, HashMap};
use std::fs;

/// Errors of the front door, which models leave out.
const COMMON_ERRORS: &[&str] = &[
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "SerializationException",
    "ThrottlingException",
    "UnrecognizedClientException",
    "ValidationException",
];

/// Where the model contradicts the service: a service's id has 32 hex digits without hyphens, the pattern wants them.
const KNOWN_WRONG_PATTERNS: &[&str] = &["ServiceId"];

/// The models by the name that the sandbox's calls begin with.
struct Models {
    models: BTreeMap<&'static str, Value>,
    /// Compiled once; none where this engine cannot.
    patterns: HashMap<String, Option<Regex>>,
}

impl Models {
    fn read() -> Self {
        let dir = place("SLIPWAY_BOTOCORE");
        let read = |(call, file): (&'static str, &str)| {
            let text = fs::read(dir.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            (call, serde_json::from_slice(&text).unwrap())
        };
        let files = [
            ("AppRunner", "apprunner.json"),
            ("ECR", "ecr.json"),
            ("ECS", "ecs.json"),
            ("Logs", "logs.json"),
            ("SecretsManager", "secretsmanager.json"),
        ];
        Self { models: files.into_iter().map(read).collect(), patterns: HashMap::new() }
    }

    fn wrong(&mut self, exchange: &Exchange) -> Vec<String> {
        let (service, operation) = exchange.call.split_once('.').unwrap();
        let Some(model) = self.models.get(service) else { return vec![format!("{service}: no model is read")] };
        let declared = &model["operations"][operation];
        if declared.is_null() {
            return vec![format!("{}: {service} has no such operation", exchange.call)];
        }
        let shape = |half: &str| declared[half]["shape"].as_str();
        let mut check = Check { shapes: &model["shapes"], patterns: &mut self.patterns, wrong: Vec::new() };
        if exchange.status == 200 {
            // What was refused may have been wrong on purpose.
            check.value(shape("input"), &exchange.request, &format!("{} request", exchange.call));
            check.value(shape("output"), &exchange.answer, &format!("{} answer", exchange.call));
            return check.wrong;
        }
        let code = exchange.answer["__type"].as_str().unwrap_or_default();
        let named = |error: &Value| {
            let shape = error["shape"].as_str().unwrap_or_default();
            shape == code || model["shapes"][shape]["error"]["code"] == code
        };
        let own = declared["errors"].as_array().is_some_and(|errors| errors.iter().any(named));
        if !own && !COMMON_ERRORS.contains(&code) {
            check.wrong.push(format!("{}: {code} is none of its errors", exchange.call));
        }
        check.wrong
    }
}

struct Check<'a> {
    shapes: &'a Value,
    patterns: &'a mut HashMap<String, Option<Regex>>,
    wrong: Vec<String>,
}

impl Check<'_> {
    fn value(&mut self, name: Option<&str>, value: &Value, path: &str) {
        let Some(name) = name else {
            if value.as_object().is_none_or(|members| !members.is_empty()) && !value.is_null() {
                self.wrong.push(format!("{path}: nothing is expected"));
            }
            return;
        };
        let shape = self.shapes[name].clone();
        let kind = shape["type"].as_str().unwrap_or_default();
        let fits = match kind {
            "structure" => value.is_object(),
            "list" => value.is_array(),
            "map" => value.is_object(),
            "string" | "blob" | "character" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" | "long" => value.is_i64() || value.is_u64(),
            "float" | "double" | "timestamp" => value.is_number(),
            _ => false,
        };
        if !fits {
            self.wrong.push(format!("{path}: {value} is no {kind} ({name})"));
            return;
        }
        match kind {
            "structure" => self.structure(&shape, value, path),
            "list" => self.list(&shape, value, path),
            "map" => self.map(&shape, value, path),
            "string" => self.text(name, &shape, value.as_str().unwrap_or_default(), path),
            "integer" | "long" => self.bounds(&shape, value.as_i64(), "value", path),
            _ => {}
        }
    }

    fn structure(&mut self, shape: &Value, value: &Value, path: &str) {
        let members = value.as_object().into_iter().flatten().filter(|(_, member)| !member.is_null());
        for (member, inner) in members {
            match shape["members"][member]["shape"].as_str() {
                Some(of) => self.value(Some(of), inner, &format!("{path}.{member}")),
                None => self.wrong.push(format!("{path}.{member}: no such member")),
            }
        }
        for needed in shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if value[needed].is_null() {
                self.wrong.push(format!("{path}.{needed}: is missing"));
            }
        }
    }

    fn list(&mut self, shape: &Value, value: &Value, path: &str) {
        let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
        self.bounds(shape, i64::try_from(items.len()).ok(), "length", path);
        for item in items {
            self.value(shape["member"]["shape"].as_str(), item, &format!("{path}[]"));
        }
    }

    fn map(&mut self, shape: &Value, value: &Value, path: &str) {
        for (key, inner) in value.as_object().into_iter().flatten() {
            self.value(shape["key"]["shape"].as_str(), &Value::from(key.as_str()), &format!("{path} key"));
            self.value(shape["value"]["shape"].as_str(), inner, &format!("{path}[{key}]"));
        }
    }

    fn text(&mut self, name: &str, shape: &Value, text: &str, path: &str) {
        self.bounds(shape, i64::try_from(text.chars().count()).ok(), "length", path);
        if let Some(words) = shape["enum"].as_array()
            && !words.iter().any(|word| word == text)
        {
            self.wrong.push(format!("{path}: {text:?} is none of {name}"));
        }
        let Some(pattern) = shape["pattern"].as_str().filter(|_| !KNOWN_WRONG_PATTERNS.contains(&name)) else { return };
        // A hyphen after a range is itself, which this engine wants to be told. Look-arounds it does without; those few
        // patterns are left out.
        let pattern = pattern.replace("0-9-\\", "0-9\\-\\");
        // Java's letters are those of ASCII.
        let compile = || RegexBuilder::new(&format!("^(?:{pattern})$")).unicode(false).build().ok();
        let compiled = self.patterns.entry(pattern.clone()).or_insert_with(compile);
        if let Some(compiled) = compiled
            && !compiled.is_match(text.as_bytes())
        {
            self.wrong.push(format!("{path}: {text:?} does not match {pattern} ({name})"));
        }
    }

    fn bounds(&mut self, shape: &Value, size: Option<i64>, what: &str, path: &str) {
        let Some(size) = size else { return };
        if shape["min"].as_i64().is_some_and(|min| size < min) || shape["max"].as_i64().is_some_and(|max| size > max) {
            self.wrong.push(format!("{path}: {what} {size} is out of bounds"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_aws_fits_its_models() {
    let exchanges = play::everything().await.aws;
    let mut models = Models::read();
    none_of(exchanges.iter().flat_map(|exchange| models.wrong(exchange)));
    let made = calls(&exchanges);
    for call in [
        "AppRunner.UpdateService",
        "AppRunner.StartDeployment",
        "ECR.DescribeImages",
        "ECR.DescribeImageScanFindings",
        "ECS.UpdateExpressGatewayService",
        "SecretsManager.GetSecretValue",
    ] {
        assert!(made.contains(call), "{call} was not made: {made:?}");
    }
}

const ID: &str = "17fe9f55-7e91-4097-b243-fcabbb69a4cf";

#[test]
fn a_wrong_request_is_found() {
    let mut models = Models::read();
    let exchange = |request: Value, answer: Value, status| Exchange {
        call: "AppRunner.ListOperations".into(),
        request,
        status,
        answer,
    };
    let arn = "arn:aws:apprunner:us-west-2:123456789012:service/goals-staging/8fe1e10304f84fd2b0df550fe98a71fa";
    let good = serde_json::json!({ "ServiceArn": arn, "MaxResults": 20 });
    let empty = serde_json::json!({});
    let operation = |status: &str| serde_json::json!({ "OperationSummaryList": [{ "Id": ID, "Status": status }] });
    assert_eq!(models.wrong(&exchange(good.clone(), operation("SUCCEEDED"), 200)), [""; 0]);
    let found = [
        exchange(empty.clone(), empty.clone(), 200),
        exchange(serde_json::json!({ "ServiceArn": "goals" }), empty.clone(), 200),
        exchange(serde_json::json!({ "ServiceArn": arn, "MaxResults": 21 }), empty.clone(), 200),
        exchange(serde_json::json!({ "ServiceArn": arn, "MaxResults": "20" }), empty.clone(), 200),
        exchange(serde_json::json!({ "ServiceArn": arn, "Max": 20 }), empty.clone(), 200),
        exchange(good.clone(), operation("DONE"), 200),
        exchange(good, serde_json::json!({ "__type": "NoSuchThing" }), 400),
    ];
    for exchange in found {
        assert!(!models.wrong(&exchange).is_empty(), "{exchange:?}");
    }
}
