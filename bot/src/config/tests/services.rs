//! Services and their environments.

use super::{SERVICE, STAGING, changed, check, minimal, said, says, with};
use expect_test::expect;

const ARN: &str = "arn:aws:apprunner:us-west-2:123456789012:service/goals-staging/8fe1e10304f84fd2b0df550fe98a71fa";
const HEADER: &str = "[service.goals.environment.staging]";

#[test]
fn repository_workflow_and_image() {
    let image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals";
    says(
        &[
            changed("\"acme/goals\"", "\"https://github.com/acme/goals.git\""),
            changed("\"acme/goals\"", "\"goals\""),
            changed("\"build.yaml\"", "\".github/workflows/build.yaml\""),
            changed("\"build.yaml\"", "\"build\""),
            changed(image, &format!("{image}:latest")),
            changed(image, "goals"),
            changed(image, "ghcr.io/acme/goals"),
            changed(image, "123456789012.dkr.ecr.us-west-2.amazonaws.com/Goals"),
            changed("repository = \"acme/goals\"\nworkflow = \"build.yaml\"\n", ""),
            changed("workflow =", "workfow ="),
        ],
        &expect![[r#"
            slipway.toml:6:14  error  service.goals.repository  "https://github.com/acme/goals.git" is no repository  → write "acme/goals"

            slipway.toml:6:14  error  service.goals.repository  "goals" is no repository  → write owner/name, such as "acme/goals"

            slipway.toml:7:12  error  service.goals.workflow  ".github/workflows/build.yaml" is no workflow file  → write "build.yaml"

            slipway.toml:7:12  error  service.goals.workflow  "build" is no workflow file  → write the file's name in .github/workflows, such as "build.yaml"

            slipway.toml:8:9  error  service.goals.image  has a tag or digest  → write "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals", and what follows it as tag

            slipway.toml:8:9  error  service.goals.image  "goals" is no ECR image repository  → write <12 digits>.dkr.ecr.<region>.amazonaws.com/<name>

            slipway.toml:8:9  error  service.goals.image  "ghcr.io/acme/goals" is no ECR image repository  → write <12 digits>.dkr.ecr.<region>.amazonaws.com/<name>

            slipway.toml:8:9  error  service.goals.image  "123456789012.dkr.ecr.us-west-2.amazonaws.com/Goals" is no ECR image repository  → use lower-case letters, digits, and - _ . / in its name

            slipway.toml:5:10  error  service.goals.repository  is missing  → add repository = "acme/goals"
            slipway.toml:5:10  error  service.goals.workflow  is missing  → add workflow = "build.yaml"

            slipway.toml:7:1  error  service.goals.workfow  there is no key of this name  → write workflow instead
        "#]],
    );
}

#[test]
fn tags_and_durations_and_migrations() {
    let line = |line: &str| with("[service.goals]", line);
    says(
        &[
            line("tag = \"latest\""),
            line("tag = \"v-{sha}\""),
            line("tag = \"-{commit}\""),
            line("vote_expiry = \"4 hours\""),
            line("vote_expiry = \"31d\""),
            line("vote_expiry = 4"),
            line("vote_expiry = \"99999999999999999999d\""),
            line("migrations = \"migrations\""),
            line("migrations = { dir = \"../migrations\", format = \"flyway\" }"),
            line("migrations = { dirs = \"migrations\" }"),
        ],
        &expect![[r#"
            slipway.toml:6:7  error  service.goals.tag  names the same image for every commit  → put {commit} (40 hex digits) or {short} (the first 7) into it

            slipway.toml:6:7  error  service.goals.tag  "{sha}" is no placeholder  → write {commit} (40 hex digits) or {short} (the first 7)

            slipway.toml:6:7  error  service.goals.tag  "-{commit}" is no image tag  → use letters, digits and - _ . (not first), at most 128 with the commit in place

            slipway.toml:6:15  error  service.goals.vote_expiry  "4 hours" is no duration  → write a whole number and s, m, h or d, such as "90s", "30m", "4h" or "2d"

            slipway.toml:6:15  error  service.goals.vote_expiry  "31d" is out of bounds  → write a duration from 1m to 30d

            slipway.toml:6:15  error  service.goals.vote_expiry  must be a text in quotes, and is a number  → write vote_expiry = "4h"

            slipway.toml:6:15  error  service.goals.vote_expiry  "99999999999999999999d" is no duration  → write a whole number and s, m, h or d, such as "90s", "30m", "4h" or "2d"

            slipway.toml:6:14  error  service.goals.migrations  must be a table, and is a text  → write migrations = { dir = "migrations", format = "goose" }

            slipway.toml:6:22  error  service.goals.migrations.dir  "../migrations" is no folder inside the repository  → write a folder as seen from the repository's root, such as "migrations"
            slipway.toml:6:48  error  service.goals.migrations.format  this version does not know the format "flyway"  → write "goose" or "dbmate" or "golang-migrate" or "sqlx" or "auto"

            slipway.toml:6:16  error  service.goals.migrations.dirs  there is no key of this name  → write dir instead
        "#]],
    );
}

#[test]
fn names() {
    says(
        &[
            minimal().replace("service.goals", "service.\"My Goals\""),
            minimal().replace("service.goals", "service.all"),
            changed("environment.staging", "environment.Staging"),
            minimal().replace("[service.", "[services."),
            changed(STAGING, ""),
            changed(SERVICE, "").replace(STAGING, ""),
            changed(STAGING, "[service.goals.environment]\n"),
        ],
        &expect![[r#"
            slipway.toml:5:10  error  service."My Goals"  "My Goals" is no name  → use 1 to 40 lower-case letters, digits and hyphens, such as my-goals

            slipway.toml:5:10  error  service.all  "all" means every service in commands  → give the service another name

            slipway.toml:10:28  error  service.goals.environment.Staging  "Staging" is no name  → use 1 to 40 lower-case letters, digits and hyphens, such as staging

            slipway.toml:5:2  error  services  there is no section of this name  → write service instead

            slipway.toml:5:10  error  service.goals  has no environment to release to  → add [service.goals.environment.staging]

            slipway.toml:1:1  warning  there is no [service.NAME] section, so there is nothing to release  → add one; docs/slipway.example.toml shows [service.…]

            slipway.toml:10:16  error  service.goals.environment  has no environment in it  → add one, such as staging
        "#]],
    );
}

const EXPRESS: &str = "arn:aws:ecs:us-west-2:123456789012:service/main/goals";

#[test]
fn targets() {
    let target = format!("target = {{ kind = \"app-runner\", service_arn = \"{ARN}\" }}");
    says(
        &[
            changed(&target, ""),
            changed(&target, "targets = []"),
            changed(&target, &format!("{target}\ntargets = [{}]", &target["target = ".len()..])),
            changed(&target, "target = \"goals-staging\""),
            changed("app-runner\"", "ecs-express\""),
            changed("app-runner\"", "kubernetes\""),
            changed(ARN, "arn:aws:ecs:us-west-2:123456789012:service/main/goals"),
            changed(&target, &target.replace("app-runner", "ecs-express").replace(ARN, EXPRESS)),
            changed(&target, &target.replace("app-runner", "ecs-express").replace(ARN, &EXPRESS.replace("main/", ""))),
            changed(&target, "target = { kind = \"dry\", name = \"goals\" }"),
            changed(&target, "target = { kind = \"dry\", service_arn = \"goals\" }"),
            changed(&target, "targets = [{ kind = \"dry\", name = \"a\" }, { kind = \"dry\", name = \"a\" }]"),
            changed(ARN, "…"),
            changed(", service_arn = ", ", arn = "),
            changed(&target, &format!("{target}\n[service.goals.environment.copy]\n{target}")),
        ],
        &expect![[r#"
            slipway.toml:10:28  error  service.goals.environment.staging.target  is missing  → add target = { kind = "app-runner", service_arn = "arn:aws:apprunner:…" }

            slipway.toml:11:11  error  service.goals.environment.staging.targets  is empty  → write targets = [{ kind = "app-runner", service_arn = "arn:aws:apprunner:…" }]

            slipway.toml:12:1  error  service.goals.environment.staging.targets  there is a target as well  → put that target into this list and remove target
            slipway.toml:12:49  error  service.goals.environment.staging.targets[0].service_arn  is also service.goals.environment.staging.target.service_arn (11:47)  → give each environment a target of its own

            slipway.toml:11:10  error  service.goals.environment.staging.target  must be a table, and is a text  → write target = { kind = "app-runner", service_arn = "arn:aws:apprunner:…" }

            slipway.toml:11:48  error  service.goals.environment.staging.target.service_arn  "arn:aws:apprunner:us-west-2:123456789012:service/goals-stagi…" is no ECS service  → copy it from ECS, with its cluster: arn:aws:ecs:<region>:<12 digits>:service/<cluster>/<name>

            slipway.toml:11:19  error  service.goals.environment.staging.target.kind  "kubernetes" is not one of the choices  → write "app-runner" or "ecs-express" or "dry"

            slipway.toml:11:47  error  service.goals.environment.staging.target.service_arn  "arn:aws:ecs:us-west-2:123456789012:service/main/goals" is no App Runner service  → copy it from App Runner: arn:aws:apprunner:<region>:<12 digits>:service/<name>/<32 hex digits>


            slipway.toml:11:48  error  service.goals.environment.staging.target.service_arn  "arn:aws:ecs:us-west-2:123456789012:service/goals" is no ECS service  → copy it from ECS, with its cluster: arn:aws:ecs:<region>:<12 digits>:service/<cluster>/<name>

            slipway.toml:11:19  note  service.goals.environment.staging.target.kind  runs nothing: what is released to it is deployed nowhere

            slipway.toml:11:10  error  service.goals.environment.staging.target.name  is missing  → add name = "goals"
            slipway.toml:11:19  note  service.goals.environment.staging.target.kind  runs nothing: what is released to it is deployed nowhere
            slipway.toml:11:26  error  service.goals.environment.staging.target.service_arn  is not used by a target of kind dry  → remove it

            slipway.toml:11:21  note  service.goals.environment.staging.targets[0].kind  runs nothing: what is released to it is deployed nowhere
            slipway.toml:11:51  note  service.goals.environment.staging.targets[1].kind  runs nothing: what is released to it is deployed nowhere
            slipway.toml:11:65  error  service.goals.environment.staging.targets[1].name  is also service.goals.environment.staging.targets[0].name (11:35)  → give each environment a target of its own

            slipway.toml:11:47  error  service.goals.environment.staging.target.service_arn  "…" is no App Runner service  → copy it from App Runner: arn:aws:apprunner:<region>:<12 digits>:service/<name>/<32 hex digits>

            slipway.toml:11:10  error  service.goals.environment.staging.target.service_arn  is missing  → add service_arn = "arn:aws:apprunner:…"
            slipway.toml:11:33  error  service.goals.environment.staging.target.arn  there is no key of this name  → remove it; the keys here are kind, service_arn, name

            slipway.toml:13:47  error  service.goals.environment.copy.target.service_arn  is also service.goals.environment.staging.target.service_arn (11:47)  → give each environment a target of its own
        "#]],
    );
}

#[test]
fn what_an_environment_reads() {
    let line = |line: &str| with(HEADER, line);
    let secret = "{ secret = \"goals/staging\", key = \"URL\" }";
    says(
        &[
            line("timezone = \"America/Los_Angles\""),
            line("timezone = \"Mars\""),
            line("database = { secret = \"arn:aws:secretsmanager:us-west-2:1:secret:x\", key = \"\" }"),
            line("database = { secret = \"goals/staging\" }"),
            line("config = [\"goals/staging\", \"goals staging\"]"),
            line("health_url = \"staging.goals.acme.dev\"\nhealth_bake = \"2h\""),
            line("health_bake = \"5s\""),
            line("rollback = \"automatic\""),
            line("rollback = \"automtic\""),
            line("auto_deploy = \"my branch\""),
            line("auto_deploy = true"),
            line(&format!("database = {secret}\nrehearse = {secret}")),
            line("rehearse = { secret = \"goals/rehearsal\", key = \"URL\", same_server = true }"),
            line("rehearse = { secret = \"goals/rehearsal\", same_server = \"yes\" }"),
            with("[service.goals]", "migrations = { dir = \"migrations\", format = \"goose\" }"),
        ],
        &expect![[r#"
            slipway.toml:11:12  error  service.goals.environment.staging.timezone  "America/Los_Angles" is no time zone  → write "America/Los_Angeles"

            slipway.toml:11:12  error  service.goals.environment.staging.timezone  "Mars" is no time zone  → write an IANA name, such as "America/Los_Angeles" or "UTC"

            slipway.toml:11:23  error  service.goals.environment.staging.database.secret  "arn:aws:secretsmanager:us-west-2:1:secret:x" is no name of a secret  → write the secret's name in Secrets Manager, not its ARN
            slipway.toml:11:76  error  service.goals.environment.staging.database.key  "" is no key  → write the key inside the secret, such as "DATABASE_URL"

            slipway.toml:11:1  error  service.goals.environment.staging.database.key  is missing  → add key = "DATABASE_URL"

            slipway.toml:11:28  error  service.goals.environment.staging.config[1]  "goals staging" is no name of a secret  → write its name in Secrets Manager: letters, digits and / _ + = . @ -

            slipway.toml:11:14  error  service.goals.environment.staging.health_url  "staging.goals.acme.dev" is no web address  → write an address that begins with https://
            slipway.toml:12:15  error  service.goals.environment.staging.health_bake  "2h" is out of bounds  → write a duration from 0s to 1h

            slipway.toml:11:15  warning  service.goals.environment.staging.health_bake  does nothing without health_url  → add health_url

            slipway.toml:11:12  warning  service.goals.environment.staging.rollback  does nothing without health_url: nothing is verified  → add health_url

            slipway.toml:11:12  error  service.goals.environment.staging.rollback  "automtic" is not one of the choices  → write "manual" or "automatic"

            slipway.toml:11:15  error  service.goals.environment.staging.auto_deploy  "my branch" is no branch  → write "main"

            slipway.toml:11:15  error  service.goals.environment.staging.auto_deploy  must be a text in quotes, and is true or false  → write auto_deploy = "main"

            slipway.toml:12:1  error  service.goals.environment.staging.rehearse  is also service.goals.environment.staging.database (11:1): a rehearsal must not touch it  → name a database that nobody depends on, or remove rehearse

            slipway.toml:11:55  note  service.goals.environment.staging.rehearse.same_server  migrations that nobody has approved yet run on the environment's own server: for laptops and tests

            slipway.toml:11:1  error  service.goals.environment.staging.rehearse.key  is missing  → add key = "DATABASE_URL"
            slipway.toml:11:56  error  service.goals.environment.staging.rehearse.same_server  must be true or false, and is a text  → write same_server = false

            slipway.toml:11:28  warning  service.goals.environment.staging  has no database, so the service's migrations do not run there  → add database = { secret = …, key = … }
        "#]],
    );
}

#[test]
fn the_order_of_environments() {
    let chain = |afters: &[(&str, &str)]| {
        let environments = afters.iter().enumerate().map(|(index, (name, after))| {
            let arn = ARN.replace("8fe1e103", &format!("{index:08x}"));
            format!(
                "[service.goals.environment.{name}]\nafter = \"{after}\"\ntarget = {{ kind = \"app-runner\", service_arn = \"{arn}\" }}\n"
            )
        });
        changed(STAGING, &format!("{STAGING}{}", environments.collect::<String>()))
    };
    says(
        &[
            chain(&[("production", "staging"), ("later", "production")]),
            chain(&[("production", "stagin")]),
            chain(&[("production", "qa")]),
            chain(&[("production", "production")]),
            chain(&[("c", "b"), ("b", "a"), ("a", "c"), ("d", "a")]),
        ],
        &expect![[r#"

            slipway.toml:13:9  error  service.goals.environment.production.after  goals has no environment "stagin"  → write "staging"

            slipway.toml:13:9  error  service.goals.environment.production.after  goals has no environment "qa"  → write "staging", or remove it

            slipway.toml:13:9  error  service.goals.environment.production.after  production would wait for itself  → remove it

            slipway.toml:13:9  error  service.goals.environment.c.after  c → b → a → c would wait for each other for ever  → remove one of these after keys
        "#]],
    );
}

#[test]
fn what_two_share() {
    let copy = minimal() + &format!("{SERVICE}{STAGING}").replace("service.goals", "service.copy");
    let database = "database = { secret = \"goals\", key = \"URL\" }\n";
    let shared = changed(STAGING, &format!("{STAGING}{database}"))
        + &STAGING.replace("environment.staging", "environment.qa").replace("8fe1", "0000")
        + database;
    says(
        &[copy, shared],
        &expect![[r#"
        slipway.toml:17:9  warning  service.copy.image  with its tag is also service.goals.image (8:9)  → give each service an image of its own, if that is not meant
        slipway.toml:20:47  error  service.copy.environment.staging.target.service_arn  is also service.goals.environment.staging.target.service_arn (11:47)  → give each environment a target of its own

        slipway.toml:17:1  warning  service.goals.environment.qa.database  is also service.goals.environment.staging.database (12:1): one database for two environments  → give each environment a database of its own, if that is not meant
    "#]],
    );
}

#[test]
fn what_a_service_needs_is_a_key_of_a_secret() {
    let line = |line: &str| with(HEADER, line);
    says(
        &[
            line("needs = [\"SMTP_HOST\"]"),
            line("needs = [\"arn:aws:secretsmanager:us-west-2:1:secret:x\"]"),
            line("needs = [\"goals staging:SMTP_HOST\", \"goals/staging:\"]"),
        ],
        &expect![[r#"
            slipway.toml:11:10  error  service.goals.environment.staging.needs[0]  "SMTP_HOST" is no key of a secret  → write the secret's name, a colon and the key, such as "goals/staging:SMTP_HOST"

            slipway.toml:11:10  error  service.goals.environment.staging.needs[0]  "arn:aws:secretsmanager:us-west-2:1:secret:x" is no key of a secret  → write the secret's name, a colon and the key, such as "goals/staging:SMTP_HOST"

            slipway.toml:11:10  error  service.goals.environment.staging.needs[0]  "goals staging" is no name of a secret  → write its name in Secrets Manager: letters, digits and / _ + = . @ -
            slipway.toml:11:37  error  service.goals.environment.staging.needs[1]  "" is no key  → write the key inside the secret, such as "DATABASE_URL"
        "#]],
    );
    let (config, _) = check(&line("needs = [\"goals/staging:a:b\"]")).unwrap();
    let environment = config.services.values().next().unwrap().environments.values().next().unwrap();
    let needed = &environment.needs[0];
    assert_eq!((needed.secret.as_str(), needed.key.as_str()), ("goals/staging", "a:b"));
}

#[test]
fn the_tag_that_is_moved_afterwards_is_a_tag() {
    let promote = |tag: &str| said(&with(HEADER, &format!("promote = \"{tag}\"")));
    for good in ["latest", "staging_1.2", "live-{short}", "{commit}"] {
        assert_eq!(promote(good), "", "{good}");
    }
    let long = "x".repeat(129);
    for bad in ["", "-latest", ".latest", "a b", "goals:latest", "{sha}", &long] {
        let said = promote(bad);
        assert!(said.contains("staging.promote  ") && said.contains("error"), "{bad}: {said}");
    }
}
