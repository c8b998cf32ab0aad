//! The stand-in's answers have everything that octocrab's typed models require, and its rules are GitHub's.

use super::{TOKEN, rig};
use octocrab::models::RunId;
use octocrab::params::repos::{Commitish, Reference};
use serde_json::{Value, json};

#[tokio::test]
async fn typed_models_read_the_answers() {
    let rig = rig().await;
    slipway_deploy::install_crypto_provider();
    let crab = octocrab::Octocrab::builder().base_uri(rig.sandbox.api_url.as_str()).unwrap();
    let crab = crab.personal_token(TOKEN).build().unwrap();
    assert_eq!(crab.current().user().await.unwrap().login, "slipway-bot");
    let repo = crab.repos("acme", "goals");
    assert_eq!(repo.get().await.unwrap().default_branch.as_deref(), Some("main"));
    assert_eq!(repo.list_branches().send().await.unwrap().items.len(), 2);
    let tags = repo.list_tags().per_page(1).send().await.unwrap();
    assert_eq!((tags.items.len(), tags.next.is_some()), (1, true));
    assert!(repo.get_ref(&Reference::Tag("v1.8.0".into())).await.is_ok());
    assert_eq!(repo.list_commits().send().await.unwrap().items.len(), rig.sample.commits.len());
    let range = format!("{}...{}", rig.sample.staging, rig.sample.head);
    let compared = crab.commits("acme", "goals").compare_range(range).send().await.unwrap();
    assert_eq!((compared.ahead_by, compared.behind_by), (3, 0));
    let content = repo.get_content().path("migrations/20251104120000_likes.sql").send().await.unwrap();
    let on_disk = std::fs::read_to_string(rig.sample.path.join("migrations/20251104120000_likes.sql")).unwrap();
    assert_eq!(content.items[0].decoded_content(), Some(on_disk));

    let inputs = json!({});
    let actions = crab.actions();
    actions.create_workflow_dispatch("acme", "goals", "build.yaml", "main").inputs(inputs).send().await.unwrap();
    let runs = crab.workflows("acme", "goals").list_runs("build.yaml").send().await.unwrap();
    let id: RunId = runs.items[0].id;
    let jobs = crab.workflows("acme", "goals").list_jobs(id).send().await.unwrap();
    assert_eq!(jobs.items.len(), 2);
    rig.pass_ms(60_000);
    assert_eq!(crab.workflows("acme", "goals").get(id).await.unwrap().conclusion.as_deref(), Some("success"));
    let head = Commitish(rig.sample.head.clone());
    let checks = crab.checks("acme", "goals").list_check_runs_for_git_ref(head).send().await.unwrap();
    assert_eq!(checks.total_count, 2);
    let status = repo.combined_status_for_ref(&Reference::Branch("main".into())).await;
    assert!(status.is_ok(), "{status:?}");
}

/// The status and the message of a request made by hand.
async fn asked(rig: &super::Rig, method: &str, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> String {
    let url = format!("{}{path}", rig.sandbox.api_url);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.request(method.parse().unwrap(), url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
    let message = body["message"].as_str().unwrap_or_default();
    if !message.is_empty() {
        assert_eq!(body["status"], status.to_string(), "GitHub repeats the status as text");
    }
    format!("{status} {}", message.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[tokio::test]
async fn the_stand_in_is_as_strict_as_github() {
    slipway_deploy::install_crypto_provider();
    let rig = rig().await;
    let bearer = format!("Bearer {TOKEN}");
    let good = [("user-agent", "test"), ("authorization", bearer.as_str())];
    let dispatches = "/repos/acme/goals/actions/workflows/build.yaml/dispatches";
    let post = async |body| asked(&rig, "POST", dispatches, Some(body), &good).await;
    let said = [
        asked(&rig, "GET", "/user", None, &[("authorization", &bearer)]).await,
        asked(&rig, "GET", "/user", None, &[("user-agent", "test")]).await,
        asked(&rig, "GET", "/user", None, &[("user-agent", "test"), ("authorization", "Bearer x")]).await,
        asked(&rig, "GET", "/user", None, &[good[0], good[1], ("accept", "text/html")]).await,
        asked(&rig, "GET", "/repos/acme/other", None, &good).await,
        post(json!({ "ref": "nope" })).await,
        post(json!({ "ref": rig.sample.head })).await.replace(&rig.sample.head, "SHA"),
        post(json!({ "inputs": {} })).await,
        post(json!({ "ref": "main", "colour": 1 })).await,
        post(json!({ "ref": "main", "inputs": { "colour": "red" } })).await,
        post(json!({ "ref": "main" })).await,
        post(json!({ "ref": "v1.8.0", "return_run_details": true })).await,
    ];
    expect_test::expect![[r#"
        403 Request forbidden by administrative rules. Please make sure your request has a User-Agent header
        401 Requires authentication
        401 Bad credentials
        415 Unsupported 'Accept' header. Must accept 'application/json'.
        404 Not Found
        422 No ref found for: nope
        422 No ref found for: SHA
        422 Invalid request. "ref" wasn't supplied.
        422 Invalid request. "colour" is not a permitted key.
        422 Unexpected inputs provided: ["colour"]
        204 
        200 "#]]
    .assert_eq(&said.join("\n"));
}
