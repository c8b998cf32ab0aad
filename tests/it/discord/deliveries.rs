//! Interactions on their way to the app: how they are signed, and what can go wrong.

use super::rig::{ANA, APP, GUILD, RELEASES, Reply, START_S, rig};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use serde_json::json;
use slipway_sandbox::discord::{DeliveryAnswer, Mischief, Order};

#[tokio::test]
async fn they_are_signed_with_the_apps_key() {
    let rig = rig().await;
    rig.register().await;
    let all = [Mischief::Tampered, Mischief::OtherKey, Mischief::Stale, Mischief::Unsigned];
    rig.discord.type_text(ANA, RELEASES, "/deploy staging").await.unwrap();
    for mischief in all {
        rig.discord.spoil_next(mischief);
        rig.discord.type_text(ANA, RELEASES, "/deploy staging").await.unwrap();
    }
    let key = hex::decode(rig.discord.public_key()).unwrap();
    let key = UnparsedPublicKey::new(&ED25519, key);
    let right: Vec<_> = rig
        .app
        .got()
        .iter()
        .map(|got| {
            let signed = [got.header("x-signature-timestamp").as_bytes(), &got.body].concat();
            let signature = hex::decode(got.header("x-signature-ed25519")).unwrap();
            key.verify(&signed, &signature).is_ok()
        })
        .collect();
    assert_eq!(right, [true, false, false, true, false]);
    let times: Vec<_> = rig.app.got().iter().map(|got| got.header("x-signature-timestamp").to_owned()).collect();
    assert_eq!(
        (times[0].as_str(), times[3].as_str(), times[4].as_str()),
        (START_S.to_string().as_str(), (START_S - 600).to_string().as_str(), "")
    );
    let got = rig.app.got()[0].json();
    assert_eq!(
        (&got["type"], &got["application_id"], &got["guild_id"], &got["channel_id"]),
        (&json!(2), &json!(APP), &json!(GUILD), &json!(RELEASES))
    );
    assert_eq!((&got["member"]["user"]["id"], got.get("user")), (&json!(ANA), None));
    assert_eq!(got["data"]["name"], "deploy");
}

#[tokio::test]
async fn whoever_gets_no_answer_reads_so() {
    let rig = rig().await;
    rig.register().await;
    // Each is to get there before it is over.
    rig.waits_ms(2_000);
    let nothing = [Reply::Never, Reply::Body(500, String::new()), Reply::Body(200, "{\"type\":6}".to_owned())];
    for reply in nothing {
        rig.app.will(reply);
        let refused = rig.discord.type_text(ANA, RELEASES, "/deploy staging").await.unwrap_err();
        assert_eq!(refused.shown.as_deref(), Some("The application did not respond"));
    }
    let told = rig.discord.only_for(ANA);
    assert_eq!((told.len(), &told[0]["author"]), (3, &json!("discord")));
    assert_eq!(rig.app.got().len(), 3, "nothing is sent again");
    // It is too late now.
    let lost = rig.app.got()[0].json();
    let path = format!("interactions/{}/{}/callback", lost["id"].as_str().unwrap(), lost["token"].as_str().unwrap());
    let (status, refused) = rig.open("POST", &path, json!({ "type": 5 })).await;
    assert_eq!((status, &refused["code"]), (404, &json!(10_062)));
}

#[tokio::test]
async fn the_clock_ends_it_too() {
    let rig = rig().await;
    rig.register().await;
    rig.waits_ms(2_000);
    rig.discord.hold();
    rig.discord.type_text(ANA, RELEASES, "/deploy staging").await.unwrap();
    rig.pass_ms(3_001);
    rig.discord.let_go(Order::AsTheyCame).await;
    assert_eq!(rig.discord.only_for(ANA).len(), 0, "the app's answer is not taken");
    assert_eq!(rig.app.got().len(), 1);
}

#[tokio::test]
async fn one_that_comes_twice_is_answered_once() {
    let rig = rig().await;
    rig.register().await;
    rig.discord.spoil_next(Mischief::Twice);
    rig.discord.type_text(ANA, RELEASES, "/deploy staging").await.unwrap();
    rig.discord.settled().await;
    let ids: Vec<_> = rig.app.got().iter().map(|got| got.json()["id"].clone()).collect();
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
    assert_eq!(rig.discord.only_for(ANA).len(), 1);
    assert_eq!(rig.discord.resend(0).await, Some(DeliveryAnswer::Status(200)));
    assert_eq!((rig.discord.only_for(ANA).len(), rig.discord.deliveries().len()), (1, 3));
}

#[tokio::test]
async fn an_address_is_tried_before_it_is_taken() {
    let rig = rig().await;
    let pong = Reply::Body(200, "{\"type\":1}".to_owned());
    rig.app.will(pong.clone());
    rig.app.will(pong.clone());
    let refused = rig.discord.save_interactions_url(&rig.app_url).await.unwrap_err();
    assert_eq!(refused.error, "url_not_valid", "a wrong signature was taken");
    rig.app.will(pong);
    rig.app.will(Reply::Body(401, String::new()));
    rig.discord.save_interactions_url(&rig.app_url).await.unwrap();
    assert_eq!(rig.app.last()["type"], 1);
}
