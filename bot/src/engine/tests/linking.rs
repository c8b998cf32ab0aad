//! Accounts in other chats become one person's, when both sides have said so, and what somebody may try instead.

use super::chat::CONFIG;
use super::*;
use crate::config::Config;
use slipway_core::person::Identity;
use slipway_core::plan::Plan;

const MINUTE_S: i64 = 60;

fn discord(id: &str) -> Identity {
    Identity::Discord(id.to_owned())
}

/// Bob's account in the other chat, which nobody has heard of.
fn bobs() -> Identity {
    discord("80351110224678912")
}

fn mallorys() -> Identity {
    discord("99999999999999999")
}

/// Somebody asks for a code, and reads it.
async fn code(chat: &mut Chat, who: &str) -> String {
    let answer = chat.says(who, "/release link").await;
    let code = answer.strip_prefix("Your code is ").and_then(|rest| rest.split('.').next());
    code.unwrap_or_else(|| panic!("{answer}")).to_owned()
}

async fn claims(chat: &mut Chat, who: Identity, code: &str) -> String {
    chat.types(who, &format!("/release link {code}")).await
}

/// Bob's two accounts say that they are one person.
async fn linked(chat: &mut Chat) {
    let code = code(chat, "bob").await;
    claims(chat, bobs(), &code).await;
    let answer = chat.says("bob", "/release link confirm").await;
    assert!(answer.starts_with("Discord account 80351110224678912 is yours now."), "{answer}");
}

/// Eve's section with one more line.
fn with_discord(line: &str) -> String {
    format!("[discord]\napplication_id = \"845027738276462632\"\n[person.eve]\n{line}\n")
}

/// The account can do nothing.
async fn is_nobodys(chat: &mut Chat, who: Identity) {
    let answer = chat.types(who, "/release status").await;
    assert!(answer.starts_with("Slipway does not know you."), "{answer}");
}

fn kinds(records: &[slipway_core::audit::Record]) -> Vec<&str> {
    records.iter().map(|record| record.kind.as_str()).collect()
}

#[tokio::test]
async fn a_code_typed_there_and_confirmed_here_links() {
    let mut chat = Chat::open().await;
    is_nobodys(&mut chat, bobs()).await;
    let code = code(&mut chat, "bob").await;
    let answer = claims(&mut chat, bobs(), &code).await;
    assert!(answer.starts_with("The code is bob's. This account becomes theirs when they confirm it"), "{answer}");
    is_nobodys(&mut chat, bobs()).await;
    let [told] = &chat.private("bob").await[..] else { panic!("he is told") };
    assert!(told.starts_with("Discord account 80351110224678912 has typed your code."), "{told}");
    chat.says("bob", "/release link confirm").await;
    assert_eq!(chat.private("80351110224678912").await, ["This account belongs to bob now."]);
    // At once, and he sees both.
    let answer = chat.types(bobs(), "/release link").await;
    assert!(answer.contains("You are terminal account bob, Discord account 80351110224678912."), "{answer}");
    let audit = chat.audit().await;
    assert_eq!(kinds(&audit), ["unknown_person", "link_requested", "link_claimed", "linked", "link_requested"]);
    assert_eq!(audit[3].body["identity"]["id"], "80351110224678912");
    assert_eq!(audit[3].body["confirmed_by"]["id"], "bob");
}

#[tokio::test]
async fn the_code_is_in_no_message_but_one_and_in_no_record() {
    let mut chat = Chat::open().await;
    let code = code(&mut chat, "bob").await;
    claims(&mut chat, mallorys(), &code).await;
    claims(&mut chat, Identity::Terminal("ana".into()), &code).await;
    chat.says("bob", &format!("/release link confirm {code}")).await;
    chat.says("bob", &format!("/release lnk {code}")).await;
    chat.says("bob", "/release link").await;
    chat.says("bob", "/release link refuse").await;
    for code in [code.clone(), code.replace('-', "")] {
        let pattern = format!("%{code}%");
        for (query, expected) in [
            ("SELECT count(*) FROM messages WHERE body LIKE $1", i64::from(code.contains('-'))),
            ("SELECT count(*) FROM audit WHERE record LIKE $1", 0),
            // Only lines that were no command stand there as they were typed, until they are forgotten.
            (
                "SELECT count(*) FROM inbox WHERE body LIKE $1 AND body NOT LIKE '%confirm%' AND body NOT LIKE '%lnk%'",
                0,
            ),
            ("SELECT count(*) FROM link_codes WHERE state LIKE $1 OR code LIKE $1", 0),
        ] {
            assert_eq!(chat.count(query, &pattern).await, expected, "{query}");
        }
    }
}

#[tokio::test]
async fn right_after_linking_two_accounts_have_one_vote() {
    let mut chat = Chat::open().await;
    // Nobody can tell what it changes, so two approvals are needed.
    let unknown = Plan { base: None, commits: vec![], commits_total: 0, ..plan("production", 1, 3) };
    let release = chat.planned("ana", &unknown).await;
    chat.says("bob", "/release approve").await;
    linked(&mut chat).await;
    assert_eq!(chat.types(bobs(), "/release approve").await, "");
    assert_eq!(chat.release(&release).await.votes.len(), 1);
    assert_eq!(chat.refused_by(&release).await, ["unknown-change"]);
    chat.says("cem", "/release approve").await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn who_asked_and_who_wrote_it_stay_that_in_the_other_chat() {
    let mut chat = Chat::open().await;
    let release = chat.planned("bob", &plan("production", 1, 3)).await;
    linked(&mut chat).await;
    let answer = chat.types(bobs(), "/release approve").await;
    assert!(answer.contains("Nobody approves a release that they asked for"), "{answer}");
    // Cem has written it all.
    let code = code(&mut chat, "cem").await;
    claims(&mut chat, discord("7"), &code).await;
    chat.says("cem", "/release link confirm").await;
    let answer = chat.types(discord("7"), "/release approve").await;
    assert!(answer.contains("Nobody approves a release that contains a commit of their own"), "{answer}");
    assert_eq!(chat.release(&release).await.votes, []);
    // And the owner of a lock passes it from both.
    chat.says("bob", "/release lock staging \"mine\"").await;
    assert!(chat.types(bobs(), "/release unlock staging").await.contains("is unlocked."));
}

#[tokio::test]
async fn a_stolen_code_links_nothing_when_it_is_refused() {
    let mut chat = Chat::open().await;
    let code = code(&mut chat, "bob").await;
    claims(&mut chat, mallorys(), &code).await;
    // Whoever stole it cannot say yes for Bob, and neither can anybody else.
    is_nobodys(&mut chat, mallorys()).await;
    chat.types(mallorys(), "/release link confirm").await;
    assert!(chat.says("eve", "/release link confirm").await.contains("No account waits to be confirmed"));
    let [told] = &chat.private("bob").await[..] else { panic!("he is told") };
    assert!(told.contains("99999999999999999 has typed your code."), "{told}");
    let answer = chat.says("bob", "/release link refuse").await;
    assert!(answer.contains("99999999999999999 is not linked, and the code is void."), "{answer}");
    assert_eq!(chat.private("99999999999999999").await, ["The link was refused. This account belongs to nobody."]);
    assert!(chat.says("bob", "/release link confirm").await.contains("No account waits"));
    let answer = claims(&mut chat, bobs(), &code).await;
    assert!(answer.contains("This code is not valid"), "{answer}");
    is_nobodys(&mut chat, mallorys()).await;
    let refused = chat.audit_of("link_refused").await;
    assert_eq!(refused[1].body["who"]["id"], "99999999999999999");
}

#[tokio::test]
async fn a_code_is_used_once() {
    let mut chat = Chat::open().await;
    let code = code(&mut chat, "bob").await;
    claims(&mut chat, bobs(), &code).await;
    let answer = claims(&mut chat, mallorys(), &code).await;
    assert!(answer.contains("This code is not valid"), "{answer}");
    assert_eq!(chat.private("bob").await.len(), 1, "of the first one only");
    chat.says("bob", "/release link confirm").await;
    let answer = claims(&mut chat, mallorys(), &code).await;
    assert!(answer.contains("This code is not valid"), "{answer}");
    assert!(chat.says("bob", "/release link confirm").await.contains("No account waits"));
    is_nobodys(&mut chat, mallorys()).await;
}

#[tokio::test]
async fn wrong_used_and_expired_codes_get_one_answer() {
    let mut chat = Chat::open().await;
    let first = code(&mut chat, "bob").await;
    let second = code(&mut chat, "bob").await;
    let void = claims(&mut chat, bobs(), &first).await;
    chat.wait_s(10 * MINUTE_S);
    let expired = claims(&mut chat, bobs(), &second).await;
    let wrong = claims(&mut chat, bobs(), "AAAA-AAAA").await;
    assert_eq!((&void, &expired), (&wrong, &wrong));
    assert!(wrong.starts_with("This code is not valid: mistyped, used, or too old."), "{wrong}");
    // What was typed in time must also be confirmed in time.
    let third = code(&mut chat, "bob").await;
    claims(&mut chat, bobs(), &third).await;
    chat.wait_s(10 * MINUTE_S);
    assert!(chat.says("bob", "/release link confirm").await.contains("or it has waited too long"));
    is_nobodys(&mut chat, bobs()).await;
}

#[tokio::test]
async fn guessing_ends_after_a_few_tries_even_with_the_right_code() {
    let mut chat = Chat::open().await;
    let right = code(&mut chat, "bob").await;
    for n in 0..5 {
        let answer = claims(&mut chat, mallorys(), &format!("AAAA-AAA{n}")).await;
        assert!(answer.contains("This code is not valid"), "{n}: {answer}");
        chat.wait_s(1);
    }
    let answer = claims(&mut chat, mallorys(), &right).await;
    assert!(answer.starts_with("Too many wrong codes. Try again in 10 min."), "{answer}");
    assert_eq!(chat.private("bob").await, [""; 0]);
    // Another account is not held up by that, and after a while neither is this one.
    assert!(claims(&mut chat, bobs(), "BBBB-BBBB").await.contains("This code is not valid"));
    chat.wait_s(10 * MINUTE_S);
    assert!(claims(&mut chat, mallorys(), "AAAA-AAA9").await.contains("This code is not valid"));
    let rows = "SELECT count(*) FROM link_tries WHERE identity <> $1";
    assert_eq!(chat.count(rows, "").await, 1, "what is older is forgotten");
}

#[tokio::test]
async fn an_account_that_is_somebodys_is_not_linked() {
    let config = CONFIG.replace("[person.eve]\n", &with_discord("discord = \"7777777777777777777\""));
    let mut chat = Chat::with(&config).await;
    let bobs_code = code(&mut chat, "bob").await;
    // By the configuration; one's own; by a link.
    for who in [discord("7777777777777777777"), Identity::Terminal("bob".into()), Identity::Terminal("ana".into())] {
        let answer = claims(&mut chat, who, &bobs_code).await;
        assert!(answer.starts_with("This account belongs to somebody already."), "{answer}");
    }
    claims(&mut chat, bobs(), &bobs_code).await;
    chat.says("bob", "/release link confirm").await;
    let anas_code = code(&mut chat, "ana").await;
    let answer = claims(&mut chat, bobs(), &anas_code).await;
    assert!(answer.starts_with("This account belongs to somebody already."), "{answer}");
    assert_eq!(chat.private("ana").await, [""; 0]);
    // Nor is the code of somebody used in a chat where they have an account.
    let eves_code = code(&mut chat, "eve").await;
    let answer = claims(&mut chat, mallorys(), &eves_code).await;
    assert!(answer.starts_with("A person has one Discord account"), "{answer}");
    let answer = claims(&mut chat, Identity::Terminal("mallory".into()), &eves_code).await;
    assert!(answer.starts_with("A person has one terminal account"), "{answer}");
    assert_eq!(chat.private("eve").await, [""; 0]);
}

#[tokio::test]
async fn an_account_that_typed_two_codes_becomes_one_persons() {
    let mut chat = Chat::open().await;
    for who in ["ana", "bob"] {
        let code = code(&mut chat, who).await;
        claims(&mut chat, bobs(), &code).await;
    }
    chat.says("bob", "/release link confirm").await;
    let answer = chat.says("ana", "/release link confirm").await;
    assert!(answer.starts_with("This account belongs to somebody already."), "{answer}");
    assert_eq!(chat.store.links().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_link_is_taken_away_by_its_person_and_an_account_of_the_configuration_is_not() {
    let mut chat = Chat::open().await;
    linked(&mut chat).await;
    let answer = chat.says("ana", "/release link remove discord").await;
    assert!(answer.contains("No Discord account is linked to you. Nothing was changed."), "{answer}");
    let answer = chat.says("bob", "/release link remove terminal").await;
    assert!(answer.contains("terminal account bob is yours by slipway.toml, not by a link."), "{answer}");
    let answer = chat.says("bob", "/release link remove discord").await;
    assert!(answer.contains("80351110224678912 is not yours any more."), "{answer}");
    is_nobodys(&mut chat, bobs()).await;
    let unlinked = chat.audit_of("unlinked").await.pop().unwrap().body;
    assert_eq!((&unlinked["by"]["id"], &unlinked["link"]["person"]), (&"bob".into(), &"bob".into()));
    // It can be linked again, by whoever it is.
    linked(&mut chat).await;
}

#[tokio::test]
async fn the_account_of_somebody_who_has_left_can_be_anothers() {
    let mut chat = Chat::open().await;
    linked(&mut chat).await;
    let without_bob = CONFIG.replace("[person.bob]\nterminal = \"bob\"\n", "[person.dan]\nterminal = \"dan\"\n");
    chat.configure(&without_bob);
    is_nobodys(&mut chat, bobs()).await;
    let code = code(&mut chat, "dan").await;
    claims(&mut chat, bobs(), &code).await;
    chat.says("dan", "/release link confirm").await;
    let links = chat.store.links().await.unwrap();
    assert_eq!(links.iter().map(|link| link.person.as_str()).collect::<Vec<_>>(), ["dan"]);
    assert_eq!(chat.audit_of("unlinked").await[0].body["link"]["person"], "bob");
    // When Bob comes back it stays Dan's.
    chat.configure(&(without_bob + "[person.bob]\nterminal = \"bob\"\n"));
    let answer = chat.types(bobs(), "/release link").await;
    assert!(answer.contains("terminal account dan"), "{answer}");
}

#[tokio::test]
async fn every_step_survives_the_process() {
    let mut chat = Chat::open().await;
    let code = code(&mut chat, "bob").await;
    chat = chat.restarts().await;
    claims(&mut chat, bobs(), &code).await;
    chat = chat.restarts().await;
    chat.says("bob", "/release link confirm").await;
    chat = chat.restarts().await;
    let answer = chat.types(bobs(), "/release link remove discord").await;
    assert!(answer.contains("is not yours any more"), "{answer}");
    chat = chat.restarts().await;
    is_nobodys(&mut chat, bobs()).await;
}

#[tokio::test]
async fn nothing_is_linked_when_its_transaction_is_undone() {
    let mut chat = Chat::open().await;
    let code = code(&mut chat, "bob").await;
    claims(&mut chat, bobs(), &code).await;
    chat.execute("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'disk full'); END".into()).await;
    let (who, channel) = (Identity::Terminal("bob".into()), "terminal:releases".to_owned());
    let typed = crate::engine::Incoming::Typed { who, channel, text: "/release link confirm".into() };
    chat.store.deliver("confirm", &typed, &chat.engine.clock).await.unwrap();
    let mut tx = chat.store.begin().await.unwrap();
    let row = chat.store.inbox_next(&mut tx).await.unwrap().unwrap();
    chat.engine.handle(tx, &row).await.unwrap_err();
    assert_eq!(chat.store.links().await.unwrap(), []);
    chat.execute("DROP TRIGGER full".into()).await;
    chat.handle_all().await;
    assert_eq!(chat.store.links().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_account_that_the_configuration_gives_to_another_is_neithers_until_one_lets_go() {
    let mut chat = Chat::open().await;
    linked(&mut chat).await;
    let disputed = CONFIG.replace("[person.eve]\n", &with_discord("discord = \"80351110224678912\""));
    chat.configure(&disputed);
    is_nobodys(&mut chat, bobs()).await;
    let (checked, _) = Config::check(disputed.as_bytes(), std::path::Path::new("slipway.toml")).unwrap();
    let links = chat.store.links().await.unwrap();
    let claim =
        slipway_core::link::disputed_by(&links[0], &checked.directory()).map(|person| person.id.to_string()).next();
    assert_eq!(claim.as_deref(), Some("eve"));
    chat.says("bob", "/release link remove discord").await;
    let answer = chat.types(bobs(), "/release link").await;
    assert!(answer.contains("You are Discord account 80351110224678912, terminal account eve."), "{answer}");
}
