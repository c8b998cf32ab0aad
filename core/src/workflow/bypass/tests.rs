use super::*;

const FILE: &str = ".github/workflows/build.yaml";

fn found(text: &str) -> Vec<String> {
    following(text, &["latest"])
}

fn following(text: &str, tags: &[&str]) -> Vec<String> {
    let followed = tags.iter().map(|tag| (*tag).to_owned()).collect();
    let told = |found: Bypass| {
        assert_eq!(found.place, FILE);
        format!("{}: {}", found.line.unwrap_or_default(), found.says())
    };
    bypasses(FILE, text, &followed).into_iter().map(told).collect()
}

/// A workflow that runs for pushes, with these lines as the one step of its one job.
fn step(lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("      {line}\n")).collect();
    format!("on:\n  push:\n    branches: [main]\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n{lines}")
}

fn run(command: &str) -> Vec<String> {
    found(&step(&format!("- run: {command}")))
}

/// A makefile, goose, a throw-away database first and the real one afterwards, and App Runner that watches latest.
const ONE_DEVELOPER: &str = r#"name: build
on:
  push:
    branches: [main]
  workflow_dispatch:
jobs:
  build:
    runs-on: ubuntu-latest
    services:
      db:
        image: postgres:16
        env: { POSTGRES_PASSWORD: "${{ secrets.TEST_DB_PASSWORD }}" }
    steps:
      - uses: actions/checkout@v4
      - name: Run goose up on a throw-away database
        run: make migrate-up
        env:
          GOOSE_DBSTRING: postgres://postgres:postgres@localhost:5432/postgres
      - run: docker build -t "$REGISTRY/goals:$GITHUB_SHA" . && docker push "$REGISTRY/goals:$GITHUB_SHA"
      - name: Migrate
        if: github.ref == 'refs/heads/main'
        run: |
          # goose up was done by hand before
          make migrate-up
        env:
          GOOSE_DBSTRING: ${{ secrets.GOOSE_DBSTRING }}
      - run: |
          docker tag "$REGISTRY/goals:$GITHUB_SHA" "$REGISTRY/goals:latest"
          docker push "$REGISTRY/goals:latest"
"#;

#[test]
fn the_workflow_of_one_developer_goes_around_in_two_places() {
    assert_eq!(
        found(ONE_DEVELOPER),
        ["24: migrates past the gate (make …migrat…)", "29: pushes latest, which a target follows"]
    );
    assert_eq!(following(ONE_DEVELOPER, &[]).len(), 1, "a tag that nobody follows may move");
}

#[test]
fn a_workflow_that_deploys_app_runner_is_named() {
    let text = step(
        "- uses: awslabs/amazon-app-runner-deploy@v3\n  with: { service: goals }\n- run: |\n    set -e\n    \
         aws --region us-west-2 apprunner update-service \\\n      --service-arn \"$ARN\"\n    aws apprunner list-operations",
    );
    assert_eq!(
        found(&text),
        [
            "8: deploys past the gate (awslabs/amazon-app-runner-deploy)",
            "12: deploys past the gate (aws apprunner update-service)"
        ]
    );
}

#[test]
fn a_workflow_that_deploys_to_ecs_is_named() {
    let text = step(
        "- name: deploy\n  uses: \"aws-actions/amazon-ecs-deploy-task-definition@v2\"\n- run: aws ecs \
         update-express-gateway-service --service-arn $ARN\n- run: aws ecs describe-services",
    );
    assert_eq!(
        found(&text),
        [
            "9: deploys past the gate (aws-actions/amazon-ecs-deploy-task-definition)",
            "10: deploys past the gate (aws ecs update-express-gateway-service)"
        ]
    );
    assert_eq!(run("make deploy-production"), ["8: deploys past the gate (make …deploy…)"]);
    assert_eq!(run("bash ./scripts/deploy.sh production"), ["8: deploys past the gate (a script …deploy…)"]);
    assert_eq!(run("npm run deploy:docs"), [""; 0]);
}

#[test]
fn actions_that_build_and_push_are_read_with_their_inputs() {
    let push = |with: &str| found(&step(&format!("- uses: docker/build-push-action@v6\n  with:\n{with}")));
    let pushes = ["8: pushes latest, which a target follows"];
    assert_eq!(
        push("    push: true\n    tags: |\n      goals:${{ github.sha }}\n      ${{ env.R }}/goals:latest"),
        pushes
    );
    assert_eq!(push("    push: true\n    tags: a/goals:${{ github.sha }},a/goals:latest"), pushes);
    assert_eq!(push("    push: false\n    tags: a/goals:latest"), [""; 0]);
    assert_eq!(push("    push: true\n    tags: a/goals:${{ github.sha }}\n    cache-from: a/goals:cache"), [""; 0]);
    let metadata =
        step("- uses: docker/metadata-action@v5\n  with:\n    tags: |\n      type=raw,value=latest\n      type=sha");
    assert_eq!(found(&metadata), pushes);
}

#[test]
fn every_way_to_push_a_followed_tag_is_known() {
    for command in [
        "docker push a/goals:latest",
        "docker push $REGISTRY/goals",
        "docker buildx build --push -t a/goals:$SHA -t a/goals:latest .",
        "docker buildx imagetools create -t a/goals:latest a/goals:$SHA",
        "crane tag a/goals:$SHA latest",
        "skopeo copy docker://a/goals:$SHA docker://a/goals:latest",
        "aws ecr put-image --repository-name goals --image-tag latest --image-manifest \"$MANIFEST\"",
    ] {
        assert_eq!(run(command), ["8: pushes latest, which a target follows"], "{command}");
    }
    for command in [
        "docker push a/goals:$SHA",
        "docker push $IMAGE",
        "docker pull a/goals:latest",
        "docker build -t a/goals:latest .",
    ] {
        assert_eq!(run(command), [""; 0], "{command}");
    }
}

#[test]
fn every_tool_that_migrates_is_known() {
    for (command, tool) in [
        ("goose -dir migrations postgres \"$DSN\" up", "goose"),
        ("go run github.com/pressly/goose/v3/cmd/goose@v3.24.1 up", "goose"),
        ("docker run --rm ghcr.io/amacneil/dbmate:2 --url \"$URL\" up", "dbmate"),
        ("migrate -path db -database \"$URL\" up", "migrate"),
        ("docker run migrate/migrate:v4 -database \"$URL\" up 1", "migrate"),
        ("cargo sqlx migrate run", "sqlx"),
        ("flyway -url=\"$URL\" migrate", "flyway"),
        ("psql \"$URL\" -f schema.sql", "psql"),
        ("psql \"$URL\" -c \"ALTER TABLE users ADD bio text\"", "psql"),
        ("npx prisma migrate deploy", "prisma"),
        ("python manage.py migrate", "manage.py"),
        ("DATABASE_URL=$URL make db-migrate", "make …migrat…"),
        ("./scripts/migrate.sh", "a script …migrat…"),
    ] {
        assert_eq!(run(command), [format!("8: migrates past the gate ({tool})")], "{command}");
    }
    for command in [
        "goose -dir migrations validate",
        "goose create users sql",
        "make test-migrations",
        "psql --version",
        "echo goose up",
        "go install github.com/pressly/goose/v3/cmd/goose@latest",
        "make lint build",
    ] {
        assert_eq!(run(command), [""; 0], "{command}");
    }
}

#[test]
fn a_command_over_several_lines_is_one() {
    let text = step("- run: >-\n    goose\n    -dir migrations\n    up\n  shell: bash");
    assert_eq!(found(&text), ["9: migrates past the gate (goose)"]);
    let text = step("- run: |\n    goose -dir migrations \\\n      up\n    true");
    assert_eq!(found(&text), ["9: migrates past the gate (goose)"]);
}

#[test]
fn which_database_is_meant_is_decided_by_the_nearest_place() {
    let job = |services: &str, env: &str, step: &str| {
        found(&format!("on: push\njobs:\n  test:\n{services}{env}    steps:\n      - run: goose up\n{step}"))
    };
    let real = |line: usize| vec![format!("{line}: migrates past the gate (goose)")];
    let services = "    services:\n      db:\n        image: postgres:16\n";
    let local = "    env:\n      GOOSE_DBSTRING: postgres://u:p@localhost/x\n";
    let secret = "    env:\n      GOOSE_DBSTRING: ${{ secrets.DSN }}\n";
    let of_step = |env: &str| env.lines().map(|line| format!("    {line}\n")).collect::<String>();
    assert_eq!(job("", "", ""), real(5));
    assert_eq!(job(services, "", ""), [""; 0], "what it changes is the job's own");
    assert_eq!(job("", local, ""), [""; 0]);
    assert_eq!(job(services, secret, ""), real(10));
    assert_eq!(job("", local, &of_step(secret)), real(7), "the step outweighs the job");
    assert_eq!(job(services, secret, &of_step(local)), [""; 0]);
    let by_name = "    env:\n      GOOSE_DBSTRING: postgres://u:p@db:5432/x\n";
    assert_eq!(job(services, by_name, ""), [""; 0]);
    let passed_on = "      - run: echo \"GOOSE_DBSTRING=$(aws secretsmanager get-secret-value)\" >> $GITHUB_ENV\n";
    assert_eq!(job(services, "", passed_on), real(8), "another step has set it");
}

#[test]
fn what_runs_for_pull_requests_alone_is_left_alone() {
    let on = |on: &str| found(&format!("{on}\njobs:\n  a:\n    steps:\n    - run: goose up\n")).len();
    for alone in ["on: pull_request", "on: [pull_request, merge_group]", "on:\n  pull_request:\n    branches: [main]"] {
        assert_eq!(on(alone), 0, "{alone}");
    }
    for also in
        ["on: [push, pull_request]", "\"on\":\n  pull_request:\n  workflow_dispatch:", "on:\n  - push", "name: x"]
    {
        assert_eq!(on(also), 1, "{also}");
    }
}

#[test]
fn a_comment_with_a_reason_lets_a_line_be() {
    let of = |lines: &str| found(&step(lines)).len();
    assert_eq!(of("- run: goose up # slipway:allow another service's database"), 0);
    assert_eq!(of("- run: |\n    # slipway:allow another service's database\n    goose up"), 0);
    assert_eq!(of("- run: goose up # slipway:allow"), 1, "without a reason");
    assert_eq!(of("- run: |\n    # slipway:allow reason\n    true\n    goose up"), 1, "for one line");
    assert_eq!(of("- run: echo '# slipway:allow x'; goose up"), 1, "a quoted text is no comment");
}

#[test]
fn nothing_but_commands_is_read() {
    let text = step(
        "- name: goose up, then aws apprunner update-service\n  env:\n    NOTE: docker push a/goals:latest\n  run: |\n    true # goose up",
    );
    assert_eq!(found(&text), [""; 0]);
    for broken in [
        "",
        "jobs:",
        "jobs:\n  a:\n    steps:\n",
        "\u{feff}on: push",
        "jobs:\n- x\n-",
        "on:\njobs:\n  a:\n    steps: []",
    ] {
        assert_eq!(found(broken), [""; 0], "{broken:?}");
    }
}

#[test]
fn findings_are_bounded_and_hold_no_text_of_commands() {
    let many: String = (0..100).map(|_| "    goose postgres://u:hunter2@db/x up\n").collect();
    let followed = BTreeSet::new();
    let found = bypasses(FILE, &step(&format!("- run: |\n{many}")), &followed);
    assert_eq!(found.len(), FINDINGS_LIMIT);
    assert!(!serde_json::to_string(&found).unwrap().contains("hunter2"));
}

#[test]
fn each_kind_says_what_mends_it() {
    let of = |kind| Bypass { place: "goals-production".into(), line: None, kind };
    let target = of(BypassKind::AutomaticDeployments { tag: Some("latest".into()) });
    assert_eq!(target.place_with_line(), "goals-production");
    assert_eq!(target.says(), "deploys by itself whatever is pushed as latest");
    assert!(target.mend().contains("AutoDeploymentsEnabled=false"));
    let pushes = of(BypassKind::PushesTag { tag: "latest".into() });
    assert!(pushes.mend().contains("promote = \"latest\""));
    for kind in [BypassKind::Migrates { tool: "goose".into() }, BypassKind::Deploys { with: "aws".into() }] {
        assert!(of(kind).mend().starts_with("remove this step"));
    }
}

#[test]
fn targets_that_deploy_by_themselves_are_found_with_the_tags_they_follow() {
    let image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals";
    let (tagged, pinned) = (format!("{image}:latest"), format!("{image}@sha256:{}", "0".repeat(64)));
    let targets = [("a", tagged.as_str(), true), ("b", &pinned, true), ("c", &tagged, false)];
    let (found, followed) = of_targets(targets.into_iter());
    let says: Vec<_> = found.iter().map(|bypass| format!("{} {}", bypass.place, bypass.says())).collect();
    assert_eq!(says, ["a deploys by itself whatever is pushed as latest", "b has automatic deployments switched on"]);
    assert_eq!(followed, ["latest".to_owned()].into());
    assert_eq!(tag_of_image("localhost:5000/goals"), None);
}

#[test]
fn what_runs_when_a_pull_request_is_closed_runs_after_the_merge() {
    let job = "jobs:\n  deploy:\n    steps:\n      - run: goose -dir migrations postgres \"$DSN\" up\n";
    let found = |on: &str| bypasses("deploy.yaml", &format!("{on}{job}"), &BTreeSet::new()).len();
    assert_eq!(found("on:\n  pull_request:\n"), 0);
    assert_eq!(found("on:\n  pull_request:\n    types: [opened, synchronize]\n"), 0);
    assert_eq!(found("on:\n  pull_request:\n    types: [closed]\n"), 1);
    assert_eq!(found("on:\n  pull_request:\n    types:\n      - closed\n"), 1);
}

#[test]
fn actions_of_the_same_repository_are_read_like_workflows() {
    let workflow = "on: push\njobs:\n  ship:\n    steps:\n      - uses: actions/checkout@v4\n      - uses: ./.github/actions/ship\n      \
        - uses: \"./tools/ship/\"\n      - uses: ./.github/actions/ship\n";
    assert_eq!(local_actions(workflow), [".github/actions/ship", "tools/ship"]);
    assert_eq!(local_actions(&workflow.replace("on: push", "on: pull_request")), [""; 0]);
    let action = "name: ship\nruns:\n  using: composite\n  steps:\n    - uses: ./deeper\n    - shell: bash\n      run: |\n        \
        aws apprunner start-deployment --service-arn x\n";
    assert_eq!(local_actions(action), ["deeper"]);
    let found = bypasses(".github/actions/ship/action.yml", action, &BTreeSet::new());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].line, found[0].says()),
        (Some(8), "deploys past the gate (aws apprunner start-deployment)".into())
    );
}

#[test]
fn what_deploys_when_a_release_is_shown_on_github_is_called_so() {
    for on in ["on: deployment\n", "on: [push, deployment_status]\n", "on:\n  deployment:\n"] {
        let text =
            format!("{on}jobs:\n  ship:\n    steps:\n      - run: aws apprunner start-deployment --service-arn x\n");
        let says = bypasses("ship.yaml", &text, &BTreeSet::new()).first().map(Bypass::says).unwrap_or_default();
        assert!(says.ends_with("started by the deployments that Slipway writes on GitHub)"), "{on}: {says}");
        let harmless = text.replace("aws apprunner start-deployment --service-arn x", "curl https://chat.acme.dev");
        assert_eq!(bypasses("tell.yaml", &harmless, &BTreeSet::new()), []);
    }
}
