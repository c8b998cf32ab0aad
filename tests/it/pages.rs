//! The pages of the real bot: what a browser gets by the links that Slipway gives out.

use crate::support::{Player, text};
use reqwest::{Response, StatusCode};
use slipway::store::TerminalMessage;
use slipway_core::message::{Mark, Span};
use slipway_core::release::Release;
use slipway_sandbox::github::CiMode;
use slipway_sandbox::world::{API_TOKEN, Options, Pace, World};

const SCRIPT: &str = "<script>alert(1)</script>";

async fn world() -> World {
    World::new(Options { pace: Pace::Fast, sqlite: true, ..Options::default() }).await.unwrap()
}

async fn released(world: &World, player: &mut Player) -> (TerminalMessage, Release) {
    player.say("ana", "/deploy staging").await;
    let card = player.until_end().await;
    assert_eq!(card.message.mark, Mark::Live, "{}", text(&card));
    let release = player.release(world, &card).await;
    (card, release)
}

/// A page, and what a reader sees of it.
async fn opened(url: &str) -> (String, String) {
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{url}");
    let page = answer.text().await.unwrap();
    (page.clone(), seen(&page))
}

fn seen(page: &str) -> String {
    let mut seen = String::new();
    for piece in page.split('<').skip(1) {
        seen.push_str(piece.split_once('>').map_or("", |(_, text)| text));
    }
    let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    plain.iter().fold(seen, |seen, (coded, plain)| seen.replace(coded, plain))
}

/// The words of the card's first line.
fn first_line(card: &TerminalMessage) -> String {
    let words = |span: &Span| match span {
        Span::Plain(text) | Span::Untrusted(text) | Span::Strong(text) | Span::Code(text) => text.clone(),
        Span::Person(person) | Span::Mention(person) => person.to_string(),
        Span::Link { text, .. } => text.clone(),
        Span::Time(_) => String::new(),
    };
    card.message.headline.0.iter().map(words).collect()
}

/// Asks for a page with these headers.
async fn asked(url: &str, headers: &[(&'static str, String)]) -> Response {
    let request = reqwest::Client::new().get(url);
    headers.iter().fold(request, |request, (name, value)| request.header(*name, value)).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_of_a_release_leads_to_what_its_card_says() {
    let world = world().await;
    let mut player = Player::new(&world, "pages");
    let (card, release) = released(&world, &mut player).await;
    let link = world.github.deployments()[0].statuses.last().unwrap().log_url.clone().unwrap();
    let (page, seen) = opened(&link).await;
    let plan = release.plan.as_ref().unwrap();
    for words in [
        first_line(&card).as_str(),
        "asked by ana",
        plan.digest().as_str(),
        plan.image.digest.as_str(),
        &plan.commits[0].title,
        &plan.migrations[0].file,
        "requested → planning",
        "step succeeded: deploy → running",
        release.id.as_str(),
    ] {
        assert!(seen.contains(words), "{words:?} is not on\n{seen}");
    }
    assert!(!page.contains("<script"), "{page}");
    // As short as the chat shows it, and however it is typed.
    let short = format!("{}/releases/{}", world.url, release.id.short().to_ascii_lowercase());
    assert!(opened(&short).await.1.contains(&first_line(&card)));
    let (home, here) = opened(&format!("{}/", world.url)).await;
    let own = format!("<a href=\"/releases/{}\">{}</a>", release.id, plan.commit.short());
    assert!(home.contains(&own) && here.contains(&format!("{} → production", world.service)), "{home}");
    for unknown in ["01JD7Q4N5V0000000000000000", "01", "x%27%20OR%201", "%3Cscript%3E"] {
        let answer = asked(&format!("{}/releases/{unknown}", world.url), &[]).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{unknown}");
        assert!(answer.text().await.unwrap().contains("/release history"), "{unknown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_says_where_a_release_stands_while_it_waits() {
    let world = world().await;
    let mut player = Player::new(&world, "pages");
    let (_, first) = released(&world, &mut player).await;
    player.say("ana", "/deploy production").await;
    let card = player.until_asked_for_approval().await;
    let release = player.release(&world, &card).await;
    let (_, seen) = opened(&format!("{}/releases/{}", world.url, release.id)).await;
    assert!(seen.contains("waiting for approval") && seen.contains("Who can approve"), "{seen}");
    player.say("bob", "/release lock staging \"load <test>\" --for 2h").await;
    player.until_told("bob", "locked").await;
    let (home, here) = opened(&format!("{}/", world.url)).await;
    assert!(home.contains(&format!("<a href=\"/releases/{}\">", release.id)), "{home}");
    assert!(home.contains(&format!("<a href=\"/releases/{}\">", first.id)), "{home}");
    assert!(here.contains("load <test>") && home.contains("load &lt;test&gt;"), "{home}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_wrote_is_text_on_a_page() {
    let world = world().await;
    let mut player = Player::new(&world, "pages");
    world.merge(SCRIPT, 77, CiMode::Green).unwrap();
    player.say("ana", &format!("/deploy staging --reason \"{}\"", SCRIPT.replace("alert", "why"))).await;
    let card = player.until_end().await;
    let release = player.release(&world, &card).await;
    assert_eq!(release.plan.as_ref().unwrap().commits[0].title, SCRIPT);
    let (page, seen) = opened(&format!("{}/releases/{}", world.url, release.id)).await;
    assert!(seen.contains(SCRIPT) && seen.contains("<script>why(1)</script>"), "{seen}");
    assert!(!page.contains("<script"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_for_who_has_the_token_or_sits_at_the_machine() {
    let mut world = world().await;
    let (home, release) = (format!("{}/", world.url), format!("{}/releases/01JD7Q4N5V0000000000000000", world.url));
    let from_elsewhere = || vec![("host", "slipway.acme.dev".to_owned())];
    let with = |credentials: &str| [from_elsewhere(), vec![("authorization", credentials.to_owned())]].concat();
    let own = asked(&home, &[]).await;
    assert_eq!(own.status(), StatusCode::OK);
    for (name, value) in
        [("cache-control", "no-store"), ("x-frame-options", "DENY"), ("referrer-policy", "no-referrer")]
    {
        assert_eq!(own.headers()[name], value);
    }
    // "any:sandbox-api-token", "any:sandbox-api-tokem".
    let (right, wrong) = ("Basic YW55OnNhbmRib3gtYXBpLXRva2Vu", "Basic YW55OnNhbmRib3gtYXBpLXRva2Vt");
    for page in [&home, &release] {
        let refused = asked(page, &from_elsewhere()).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(refused.headers()["www-authenticate"], "Basic realm=\"Slipway\"");
        assert!(refused.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
        assert!(refused.text().await.unwrap().contains("SLIPWAY_API_TOKEN"));
        for bad in [wrong, "Bearer wrong", "Bearer "] {
            assert_eq!(asked(page, &with(bad)).await.status(), StatusCode::UNAUTHORIZED, "{bad}");
        }
        let by_address = format!("{page}?token={API_TOKEN}");
        assert_eq!(asked(&by_address, &from_elsewhere()).await.status(), StatusCode::UNAUTHORIZED);
    }
    for good in [right.to_owned(), format!("Bearer {API_TOKEN}")] {
        assert_eq!(asked(&home, &with(&good)).await.status(), StatusCode::OK, "{good}");
        assert_eq!(asked(&release, &with(&good)).await.status(), StatusCode::NOT_FOUND, "{good}");
    }
    // What a browser sends by itself opens no API.
    let api = format!("{}/api/v1/policies", world.url);
    assert_eq!(asked(&api, &with(right)).await.status(), StatusCode::UNAUTHORIZED);

    world.bot.kill().unwrap();
    world.bot.unset("SLIPWAY_API_TOKEN");
    let config = std::fs::read_to_string(&world.config).unwrap();
    let public =
        config.replacen(&format!("public_url = \"{}\"", world.url), "public_url = \"https://slipway.acme.dev\"", 1);
    assert_ne!(config, public);
    std::fs::write(&world.config, public).unwrap();
    world.bot.start().await.unwrap();
    // People are sent to a proxy, so whoever comes may have come through it.
    for headers in [vec![], from_elsewhere(), with(right)] {
        let closed = asked(&home, &headers).await;
        assert_eq!(closed.status(), StatusCode::FORBIDDEN);
        assert!(closed.text().await.unwrap().contains("SLIPWAY_API_TOKEN is not set"));
    }
}
