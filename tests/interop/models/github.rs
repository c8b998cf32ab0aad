//! GitHub: paths, parameters, bodies and answers, by its OpenAPI description.

use super::{calls, none_of, place, play};
use jsonschema::{Draft, Registry, Resource, Validator};
use serde_json::{Value, json};
use slipway_sandbox::traffic::Exchange;
use std::collections::HashMap;
use std::fs;

/// The description's address for references into it.
const DESCRIPTION: &str = "https://api.github.com/description.json";

/// Asked for in the media type `raw`, which the description leaves out.
const NOT_DESCRIBED: &[&str] = &["/git/blobs/"];

struct Description {
    paths: Value,
    registry: Registry<'static>,
    validators: HashMap<String, Validator>,
}

impl Description {
    fn read() -> Self {
        let text = fs::read(place("SLIPWAY_GITHUB_OPENAPI")).unwrap();
        let mut description: Value = serde_json::from_slice(&text).unwrap();
        as_json_schema(&mut description);
        let paths = description["paths"].clone();
        let resource = Resource::from_contents(description);
        let registry = Registry::new().draft(Draft::Draft202012).add(DESCRIPTION, resource).unwrap().prepare().unwrap();
        Self { paths, registry, validators: HashMap::new() }
    }

    fn wrong(&mut self, exchange: &Exchange) -> Vec<String> {
        let (method, address) = exchange.call.split_once(' ').unwrap();
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        if NOT_DESCRIBED.iter().any(|part| path.contains(part)) {
            return vec![];
        }
        let Some(template) = self.template(path, method) else { return vec![format!("{method} {path}: no such path")] };
        let operation = self.paths[&template][method.to_lowercase()].clone();
        let at = format!("{method} {template}");
        let mut wrong = self.query(&operation, query, &at);
        let pointer = |rest: &str| {
            let method = method.to_lowercase();
            format!("/paths/{}/{method}/{rest}", escaped(&template))
        };
        let status = exchange.status.to_string();
        let declared = &operation["responses"][&status];
        // What every path may answer is not listed at each.
        if declared.is_null() && !matches!(exchange.status, 304 | 401 | 403 | 404 | 422 | 429 | 500..) {
            wrong.push(format!("{at}: {status} is none of its answers"));
        }
        if exchange.status < 300 {
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            if !exchange.request.is_null() && body.is_null() {
                wrong.push(format!("{at}: takes no body"));
            }
            if !body.is_null() && (!exchange.request.is_null() || operation["requestBody"]["required"] == true) {
                let schema = pointer("requestBody/content/application~1json/schema");
                wrong.extend(self.against(&schema, &exchange.request, &format!("{at} request")));
                wrong.extend(unknown(body, &exchange.request, &at));
            }
            let described = self.described(declared, &pointer(&format!("responses/{status}")));
            if let Some(schema) = described {
                wrong.extend(self.against(&schema, &exchange.answer, &format!("{at} answer")));
            }
        }
        wrong
    }

    /// The description's path for a request's.
    fn template(&self, path: &str, method: &str) -> Option<String> {
        let fits = |template: &str| {
            let (mut wanted, mut given) = (template.split('/').peekable(), path.split('/'));
            loop {
                match (wanted.next(), given.next()) {
                    (None, None) => return true,
                    // The last part of a reference or of a file's path has slashes in it.
                    (Some("{ref}" | "{path}" | "{branch}"), Some(_)) if wanted.peek().is_none() => return true,
                    (Some(a), Some(b)) if a == b => {}
                    (Some(a), Some(b)) if a.contains('{') && !b.is_empty() => {}
                    _ => return false,
                }
            }
        };
        let paths = self.paths.as_object()?;
        let fitting = paths.iter().filter(|(template, methods)| {
            fits(template) && methods.get(method.to_lowercase()).is_some_and(Value::is_object)
        });
        // Of two that fit, the one that says more.
        fitting.map(|(template, _)| template.clone()).max_by_key(|template| {
            let parts = template.split('/').count();
            (parts, parts - template.matches('{').count())
        })
    }

    fn query(&self, operation: &Value, query: &str, at: &str) -> Vec<String> {
        let resolved = |parameter: &Value| match parameter["$ref"].as_str() {
            Some(reference) => reference.rsplit('/').next().unwrap_or_default().to_owned(),
            None => parameter["name"].as_str().unwrap_or_default().to_owned(),
        };
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let known: Vec<_> = parameters.map(|parameter| resolved(parameter).replace('-', "_")).collect();
        let named = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
        let given = query.split('&').filter(|pair| !pair.is_empty()).map(named);
        // A reference is named by its key in the components, which may say more than the parameter's name.
        let is_known = |name: &String| known.iter().any(|known| known == name || known.ends_with(&format!("_{name}")));
        given.filter(|name| !is_known(name)).map(|name| format!("{at}: no parameter {name}")).collect()
    }

    /// Where the schema of an answer is.
    fn described(&self, declared: &Value, pointer: &str) -> Option<String> {
        match declared["$ref"].as_str() {
            Some(reference) => Some(format!("{}/content/application~1json/schema", reference.strip_prefix('#')?)),
            None => {
                let there = !declared["content"]["application/json"]["schema"].is_null();
                there.then(|| format!("{pointer}/content/application~1json/schema"))
            }
        }
    }

    fn against(&mut self, pointer: &str, value: &Value, at: &str) -> Vec<String> {
        if !self.validators.contains_key(pointer) {
            let schema = json!({ "$ref": format!("{DESCRIPTION}#{pointer}") });
            let options = jsonschema::options().with_draft(Draft::Draft202012).with_registry(&self.registry);
            self.validators.insert(pointer.to_owned(), options.build(&schema).unwrap());
        }
        let errors = self.validators[pointer].iter_errors(value);
        errors.map(|error| format!("{at}{}: {error}", error.instance_path())).collect()
    }
}

/// Members of a body that the description does not name: a misspelt one would be ignored by GitHub without a word.
fn unknown(schema: &Value, body: &Value, at: &str) -> Vec<String> {
    let Some(known) = schema["properties"].as_object() else { return vec![] };
    let given = body.as_object().into_iter().flatten().map(|(name, _)| name);
    given.filter(|name| !known.contains_key(*name)).map(|name| format!("{at}: the body has no {name}")).collect()
}

fn escaped(path: &str) -> String {
    // A reference is an address: braces and slashes of the path are written otherwise in it.
    path.replace('~', "~0").replace('/', "~1").replace('{', "%7B").replace('}', "%7D")
}

/// OpenAPI 3.0 says `nullable` where JSON Schema says that null is one of the types.
fn as_json_schema(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(as_json_schema),
        Value::Object(members) => {
            members.values_mut().for_each(as_json_schema);
            if members.get("nullable") != Some(&Value::Bool(true)) {
                return;
            }
            members.remove("nullable");
            if let Some(Value::Array(words)) = members.get_mut("enum")
                && !words.contains(&Value::Null)
            {
                words.push(Value::Null);
            }
            match members.get("type").cloned() {
                Some(Value::String(kind)) => {
                    members.insert("type".into(), json!([kind, "null"]));
                }
                _ => {
                    let without = Value::Object(std::mem::take(members));
                    members.insert("anyOf".into(), json!([without, { "type": "null" }]));
                }
            }
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_github_fits_its_description() {
    let exchanges = play::everything().await.github;
    let mut description = Description::read();
    none_of(exchanges.iter().flat_map(|exchange| description.wrong(exchange)));
    let made = calls(&exchanges);
    for part in [
        "/dispatches",
        "/actions/runs/",
        "/check-runs",
        "/compare/",
        "/git/trees/",
        "/deployments",
        "/statuses/",
        "GET /repos/acme/goals/pulls",
        "/pulls/51/files",
        "POST /repos/acme/goals/check-runs",
        "PATCH /repos/acme/goals/check-runs/",
        "/reviews",
        "/merge",
    ] {
        assert!(made.iter().any(|call| call.contains(part)), "{part} was not asked for: {made:?}");
    }
}

#[test]
fn a_wrong_request_is_found() {
    let mut description = Description::read();
    let exchange =
        |call: &str, request: Value, status, answer: Value| Exchange { call: call.into(), request, status, answer };
    let dispatch = "POST /repos/acme/goals/actions/workflows/build.yaml/dispatches";
    let good = exchange(dispatch, json!({ "ref": "main", "return_run_details": true }), 204, Value::Null);
    assert_eq!(description.wrong(&good), [""; 0]);
    let found = [
        exchange(dispatch, json!({ "inputs": {} }), 204, Value::Null),
        exchange(dispatch, json!({ "ref": 7 }), 204, Value::Null),
        exchange(dispatch, json!({ "ref": "main", "input": {} }), 204, Value::Null),
        exchange(dispatch, json!({ "ref": "main" }), 201, Value::Null),
        exchange("GET /repos/acme/goals/branches?perpage=3", Value::Null, 200, json!([])),
        exchange("GET /repos/acme/goals/branches", Value::Null, 200, json!([{ "name": 7 }])),
        exchange("GET /repos/acme/goals/brunches", Value::Null, 200, json!([])),
    ];
    for exchange in found {
        assert!(!description.wrong(&exchange).is_empty(), "{exchange:?}");
    }
}
