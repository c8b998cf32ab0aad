//! The configuration in Secrets Manager, looked at by the real client and the real bot.

use crate::support::{Player, text};
use serde_json::json;
use slipway::store::TerminalMessage;
use slipway_core::release::Phase;
use slipway_deploy::aws::secrets::Secrets;
use slipway_deploy::config_store::{ConfigStore, ConfigStoreError, FingerprintKey, Wanted, Which};
use slipway_sandbox::aws::{AwsOptions, AwsSandbox, Fault, FaultKind};
use slipway_sandbox::world::{CONFIG_HMAC_KEY, Options, Pace, TargetOption, World};
use std::time::Duration;

fn key(of: &str) -> FingerprintKey {
    FingerprintKey::new(of.repeat(32).into()).unwrap()
}

async fn store() -> (AwsSandbox, Secrets) {
    slipway_deploy::install_crypto_provider();
    let aws = AwsSandbox::start(AwsOptions::default()).await.unwrap();
    let secrets = Secrets::new(aws.clients());
    (aws, secrets)
}

fn denied(aws: &AwsSandbox, action: &str) {
    aws.inject(Fault { action: action.into(), kind: FaultKind::Denied, times: 1 });
}

#[tokio::test]
async fn each_version_has_a_hash_for_each_key() {
    let (aws, secrets) = store().await;
    let first = aws.put_secret("goals/staging", &json!({ "SMTP_HOST": "smtp.acme.dev", "PORT": 25 }));
    let seen = secrets.fingerprints("goals/staging", None, &key("k")).await.unwrap();
    assert_eq!(seen.version_id, first);
    assert!(seen.stored_at.is_some());
    assert_eq!(seen.fingerprints.of.keys().collect::<Vec<_>>(), ["PORT", "SMTP_HOST"]);
    let second = aws.put_secret("goals/staging", &json!({ "SMTP_HOST": "mail.acme.dev", "PORT": 25 }));
    let now = secrets.fingerprints("goals/staging", None, &key("k")).await.unwrap();
    assert_eq!(now.version_id, second);
    assert_eq!(ConfigStore::current_version(&secrets, "goals/staging").await.unwrap(), second);
    assert_eq!(now.fingerprints.of["PORT"], seen.fingerprints.of["PORT"]);
    assert_ne!(now.fingerprints.of["SMTP_HOST"], seen.fingerprints.of["SMTP_HOST"]);
    // The first is there still, by its id.
    assert_eq!(secrets.fingerprints("goals/staging", Some(&first), &key("k")).await.unwrap(), seen);
    assert!(!format!("{seen:?}{now:?}").contains("acme"));
}

#[tokio::test]
async fn what_a_service_needs_is_there_or_is_named() {
    let (aws, secrets) = store().await;
    aws.put_secret("goals/staging", &json!({ "SMTP_HOST": "smtp.acme.dev", "NESTED": { "a": "b" } }));
    let arn = aws.secret_arn("goals/staging").unwrap();
    let has = async |reference: &str| match Wanted::from_arn(reference) {
        Some(wanted) => secrets.has_key(&wanted).await,
        None => panic!("{reference}"),
    };
    for there in [arn.clone(), format!("{arn}:SMTP_HOST::"), format!("{arn}:NESTED::"), format!("{arn}::AWSCURRENT:")] {
        assert_eq!(has(&there).await, Ok(()), "{there}");
    }
    let missing = async |reference: String| match has(&reference).await {
        Err(ConfigStoreError::Missing(why)) => why.replace(&arn, "ARN"),
        other => panic!("{reference}: {other:?}"),
    };
    assert_eq!(missing(format!("{arn}:SENTRY_DSN::")).await, r#"the secret "ARN" has no key "SENTRY_DSN""#);
    let no_version = r#"the secret "ARN" has no version "AWSPREVIOUS"; name one that it has"#;
    assert_eq!(missing(format!("{arn}:SMTP_HOST:AWSPREVIOUS:")).await, no_version);
    assert_eq!(missing(format!("{arn}::AWSPREVIOUS:")).await, no_version);
    let nobody = missing(arn.replace("staging", "nobody")).await;
    assert!(nobody.starts_with("Secrets Manager has no secret "), "{nobody}");
    let gone = Wanted {
        secret: "goals/staging".into(),
        key: None,
        which: Which::Version("00000000-0000-4000-8000-000000000000".into()),
    };
    assert!(matches!(secrets.has_key(&gone).await, Err(ConfigStoreError::Missing(_))));
}

#[tokio::test]
async fn a_permission_that_is_missing_is_named() {
    let (aws, secrets) = store().await;
    aws.put_secret("goals/staging", &json!({ "SMTP_HOST": "smtp.acme.dev" }));
    denied(&aws, "SecretsManager.GetSecretValue");
    let error = secrets.has_key(&Wanted::key("goals/staging", "SMTP_HOST")).await.unwrap_err();
    assert!(
        matches!(&error, ConfigStoreError::Denied(why) if why.contains("secretsmanager:GetSecretValue")),
        "{error}"
    );
    denied(&aws, "SecretsManager.DescribeSecret");
    let error = ConfigStore::current_version(&secrets, "goals/staging").await.unwrap_err();
    assert!(
        matches!(&error, ConfigStoreError::Denied(why) if why.contains("secretsmanager:DescribeSecret")),
        "{error}"
    );
}

async fn world() -> World {
    World::new(Options { pace: Pace::Fast, ..Options::default() }).await.unwrap()
}

/// Somebody edits the secret of staging by hand; what they leave out stays.
fn edit(world: &World, smtp_host: Option<&str>) {
    let mut secret =
        json!({ "GOOSE_DBSTRING": world.staging_database, "SENTRY_DSN": "https://hunter2@sentry.acme.dev/7" });
    if let Some(host) = smtp_host {
        secret["SMTP_HOST"] = json!(host);
    }
    world.aws.put_secret("goals/staging", &secret);
}

/// Asks for the status until it says something, as a look at the outside has to come first.
async fn until_status_says(player: &mut Player, words: &str) -> TerminalMessage {
    let mut asked = 0;
    loop {
        player.say("ana", "/release status").await;
        asked += 1;
        player.watch_for(Duration::from_millis(400)).await;
        let says = |m: &TerminalMessage| m.key.starts_with("answer/") && text(m).contains(words);
        if let Some(found) = player.seen.iter().find(|message| says(message)) {
            return found.clone();
        }
        assert!(asked < 100, "no status says \"{words}\"");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_key_is_named_deployed_alone_and_its_value_is_nowhere() {
    let world = world().await;
    let mut player = Player::new(&world, "drift");
    player.say("ana", "/deploy staging").await;
    let deployed = player.until_end().await;
    assert_eq!(player.release(&world, &deployed).await.phase, Phase::Succeeded, "{}", text(&deployed));
    edit(&world, Some("mail.acme.dev"));
    until_status_says(&mut player, "config changed: SENTRY_DSN, SMTP_HOST").await;
    player.say("ana", "/release config staging").await;
    let keys = player.until_told("ana", "config changed since").await;
    let keys = text(&keys);
    for line in ["SMTP_HOST", "SENTRY_DSN", "GOOSE_DBSTRING", "To deploy it: /deploy staging --config"] {
        assert!(keys.contains(line), "{keys}");
    }
    player.say("ana", "/deploy staging --config").await;
    let alone = player.until_end_of_another(&[&deployed]).await;
    let release = player.release(&world, &alone).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&alone), world.bot.log());
    let card = text(&alone);
    assert!(card.contains("goals → staging · configuration only · "), "{card}");
    assert!(card.contains("goals/staging: SENTRY_DSN added, SMTP_HOST changed"), "{card}");
    let operations = world.aws.deployment_operations(&world.staging_arn);
    let kinds: Vec<_> = operations.iter().map(|operation| operation.kind).collect();
    assert_eq!(kinds, ["UPDATE_SERVICE", "START_DEPLOYMENT"], "the same image, once more");
    assert_eq!(operations[0].image, operations[1].image);
    player.say("ana", "/deploy staging --config").await;
    let nothing = player.until_end_of_another(&[&deployed, &alone]).await;
    assert!(text(&nothing).contains("nothing to deploy: unchanged since"), "{}", text(&nothing));
    nothing_tells(&world, &player, &["smtp.acme.dev", "mail.acme.dev", "hunter2", CONFIG_HMAC_KEY]).await;
}

/// No file of the bot's, no message and no line of the log has any of these.
async fn nothing_tells(world: &World, player: &Player, secrets: &[&str]) {
    let mut looked_at = 0;
    for file in std::fs::read_dir(world.folder()).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("slipway.") {
            continue;
        }
        looked_at += 1;
        let bytes = std::fs::read(&path).unwrap();
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {name}");
        }
    }
    assert!(looked_at >= 3, "the store, its log and the bot's log are there");
    let messages = serde_json::to_string(&player.seen).unwrap();
    for secret in secrets {
        assert!(!messages.contains(secret) && !world.bot.log().contains(secret), "{secret} was told");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_does_not_start_when_the_service_would_not() {
    let world = world().await;
    edit(&world, None);
    let mut player = Player::new(&world, "missing");
    player.say("ana", "/deploy staging").await;
    let card = player.until_end().await;
    let said = text(&card);
    assert_eq!(player.release(&world, &card).await.phase, Phase::Failed, "{said}");
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "-staging reads SMTP_HOST from the secret goals/staging, and would not start.",
        "has no key \"SMTP_HOST\"",
        "nothing was started",
    ] {
        assert!(flat.contains(words), "{said}");
    }
    assert!(world.aws.deployment_operations(&world.staging_arn).is_empty());
    // Once it is there the same request goes through.
    edit(&world, Some("mail.acme.dev"));
    player.say("ana", "/release retry").await;
    let again = player.until_end_of_another(&[&card]).await;
    assert_eq!(player.release(&world, &again).await.phase, Phase::Succeeded, "{}", text(&again));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_approved_is_what_the_service_reads() {
    let world = world().await;
    let mut player = Player::new(&world, "approved");
    player.say("ana", "/deploy staging").await;
    let staging = player.until_end().await;
    player.say("ana", "/deploy production").await;
    let card = player.until_asked_for_approval().await;
    let secret = json!({ "GOOSE_DBSTRING": world.production_database, "SMTP_HOST": "mail.acme.dev" });
    world.aws.put_secret("goals/production", &secret);
    player.react("bob", &card, "✅").await;
    player.react("dora", &card, "✅").await;
    let ended = player.until_end_of_another(&[&staging]).await;
    let said = text(&ended).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("The secret goals/production was stored again since the plan was made."), "{said}");
    assert!(world.aws.deployment_operations(&world.production_arn).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_from_which_no_deployment_follows_is_no_success() {
    let target = TargetOption::EcsExpress;
    let world = World::new(Options { pace: Pace::Fast, sqlite: true, target, ..Options::default() }).await.unwrap();
    let mut player = Player::new(&world, "same");
    player.say("ana", "/deploy staging").await;
    let first = player.until_end().await;
    assert_eq!(player.release(&world, &first).await.phase, Phase::Succeeded, "{}", text(&first));
    world.aws.ignore_same(&world.staging_arn);
    let edited = json!({ "GOOSE_DBSTRING": world.staging_database, "SMTP_HOST": "mail.acme.dev" });
    world.aws.put_secret("goals/staging", &edited);
    player.say("ana", "/deploy staging --config").await;
    let card = player.until_end_of_another(&[&first]).await;
    let said = text(&card).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("AWS began no new deployment on"), "{}", text(&card));
    assert!(said.contains("keeps running, with the settings that it has read"), "{}", text(&card));
    let status = player.release(&world, &card).await;
    assert_eq!(status.phase, Phase::Failed);
    // What was stored is still told as not read.
    player.say("ana", "/release status").await;
    player.until_told("ana", "config changed: SMTP_HOST").await;
}
