//! Block Kit: what is taken, and what is refused with which place.

use super::rig::{RELEASES, Rig, card, form, rig};
use serde_json::{Value, json};
use std::fmt::Write as _;

fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text })
}

fn button(more: Value) -> Value {
    let mut button = json!({ "type": "button", "text": plain("Go"), "action_id": "go" });
    button.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    button
}

fn actions(elements: Value) -> Value {
    json!({ "type": "actions", "elements": elements })
}

fn line(elements: Value) -> Value {
    json!({ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": elements }] })
}

fn options(count: usize) -> Value {
    (0..count).map(|n| json!({ "text": plain("o"), "value": n.to_string() })).collect()
}

async fn refused(rig: &Rig, cases: Vec<(&str, Value)>) -> String {
    let mut said = String::new();
    for (name, blocks) in cases {
        let blocks = if blocks.is_array() { blocks } else { json!([blocks]) };
        let call = json!({ "channel": RELEASES, "text": "x", "blocks": blocks });
        writeln!(said, "{name}: {}", rig.refusal("chat.postMessage", call).await).unwrap();
    }
    said
}

#[tokio::test]
async fn blocks_that_are_refused() {
    let rig = rig().await;
    let long = "x".repeat(3_001);
    let cases = vec![
        ("no type", json!({ "text": plain("x") })),
        ("unknown type", json!({ "type": "marquee" })),
        ("51 blocks", (0..51).map(|_| json!({ "type": "divider" })).collect()),
        ("long block id", json!({ "type": "divider", "block_id": "b".repeat(256) })),
        ("same block id", json!([{ "type": "divider", "block_id": "b" }, { "type": "divider", "block_id": "b" }])),
        ("more than a divider", json!({ "type": "divider", "text": plain("x") })),
        ("header of markup", json!({ "type": "header", "text": { "type": "mrkdwn", "text": "x" } })),
        ("long header", json!({ "type": "header", "text": plain(&long[..151]) })),
        ("empty section", json!({ "type": "section" })),
        ("section of a string", json!({ "type": "section", "text": "x" })),
        ("section of no text", json!({ "type": "section", "text": plain("") })),
        ("long section", json!({ "type": "section", "text": plain(&long) })),
        ("11 fields", json!({ "type": "section", "fields": vec![plain("x"); 11] })),
        ("long field", json!({ "type": "section", "fields": [plain(&long[..2_001])] })),
        ("emoji in markup", json!({ "type": "section", "text": { "type": "mrkdwn", "text": "x", "emoji": true } })),
        ("input beside", json!({ "type": "section", "text": plain("x"), "accessory": { "type": "plain_text_input" } })),
        ("no context", json!({ "type": "context", "elements": [] })),
        ("11 in a context", json!({ "type": "context", "elements": vec![plain("x"); 11] })),
        ("button in a context", json!({ "type": "context", "elements": [button(json!({}))] })),
        ("image without url", json!({ "type": "image", "alt_text": "x" })),
        ("image of what", json!({ "type": "image", "image_url": "file.png", "alt_text": "x" })),
        ("image without words", json!({ "type": "image", "image_url": "https://a.b/c.png" })),
        ("input of nothing", json!({ "type": "input", "label": plain("x") })),
        ("input by button", json!({ "type": "input", "label": plain("x"), "element": button(json!({})) })),
    ];
    expect_test::expect![[r#"
        no type: invalid_blocks [ERROR] missing required field: type [json-pointer:/blocks/0]
        unknown type: invalid_blocks [ERROR] unsupported type: marquee [json-pointer:/blocks/0/type]
        51 blocks: invalid_blocks [ERROR] no more than 50 items allowed [json-pointer:/blocks]
        long block id: invalid_blocks [ERROR] must be less than 256 characters [json-pointer:/blocks/0/block_id]
        same block id: invalid_blocks [ERROR] `block_id` "b" already exists [json-pointer:/blocks/1/block_id]
        more than a divider: invalid_blocks [ERROR] invalid additional property: text [json-pointer:/blocks/0]
        header of markup: invalid_blocks [ERROR] unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]
        long header: invalid_blocks [ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]
        empty section: invalid_blocks [ERROR] must define either `fields` or `text` [json-pointer:/blocks/0]
        section of a string: invalid_blocks [ERROR] must provide an object [json-pointer:/blocks/0/text]
        section of no text: invalid_blocks [ERROR] must be more than 0 characters [json-pointer:/blocks/0/text/text]
        long section: invalid_blocks [ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]
        11 fields: invalid_blocks [ERROR] no more than 10 items allowed [json-pointer:/blocks/0/fields]
        long field: invalid_blocks [ERROR] must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]
        emoji in markup: invalid_blocks [ERROR] invalid additional property: emoji [json-pointer:/blocks/0/text]
        input beside: invalid_blocks [ERROR] unsupported type: plain_text_input [json-pointer:/blocks/0/accessory/type]
        no context: invalid_blocks [ERROR] no fewer than 1 items allowed [json-pointer:/blocks/0/elements]
        11 in a context: invalid_blocks [ERROR] no more than 10 items allowed [json-pointer:/blocks/0/elements]
        button in a context: invalid_blocks [ERROR] unsupported type: button [json-pointer:/blocks/0/elements/0/type]
        image without url: invalid_blocks [ERROR] missing required field: image_url [json-pointer:/blocks/0]
        image of what: invalid_blocks [ERROR] must be a valid url [json-pointer:/blocks/0/image_url]
        image without words: invalid_blocks [ERROR] missing required field: alt_text [json-pointer:/blocks/0]
        input of nothing: invalid_blocks [ERROR] missing required field: element [json-pointer:/blocks/0]
        input by button: invalid_blocks [ERROR] unsupported type: button [json-pointer:/blocks/0/element/type]
    "#]]
    .assert_eq(&refused(&rig, cases).await);
}

#[tokio::test]
async fn elements_that_are_refused() {
    let rig = rig().await;
    let many: Vec<_> = (0..26).map(|n| button(json!({ "action_id": n.to_string() }))).collect();
    let select = |more: Value| {
        let mut select = json!({ "type": "static_select", "action_id": "s", "options": options(2) });
        select.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        actions(json!([select]))
    };
    let confirm = |more: Value| {
        let mut confirm = json!({ "title": plain("?"), "text": plain("?"), "confirm": plain("y"), "deny": plain("n") });
        confirm.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        actions(json!([button(json!({ "confirm": confirm }))]))
    };
    let cases = vec![
        ("no actions", actions(json!([]))),
        ("26 actions", actions(json!(many))),
        ("same action id", actions(json!([button(json!({})), button(json!({}))]))),
        ("section in actions", actions(json!([{ "type": "section" }]))),
        ("long action id", actions(json!([button(json!({ "action_id": "a".repeat(256) }))]))),
        ("button without text", actions(json!([{ "type": "button", "action_id": "a" }]))),
        ("button of markup", actions(json!([button(json!({ "text": { "type": "mrkdwn", "text": "x" } }))]))),
        ("long button", actions(json!([button(json!({ "text": plain(&"b".repeat(76)) }))]))),
        ("long value", actions(json!([button(json!({ "value": "v".repeat(2_001) }))]))),
        ("number as value", actions(json!([button(json!({ "value": 1 }))]))),
        ("odd style", actions(json!([button(json!({ "style": "default" }))]))),
        ("odd url", actions(json!([button(json!({ "url": "javascript:x" }))]))),
        ("no such field", actions(json!([button(json!({ "colour": "red" }))]))),
        ("long question", confirm(json!({ "title": plain(&"t".repeat(101)) }))),
        ("long explanation", confirm(json!({ "text": plain(&"t".repeat(301)) }))),
        ("long yes", confirm(json!({ "confirm": plain(&"y".repeat(31)) }))),
        ("no no", confirm(json!({ "deny": null }))),
        ("no options", select(json!({ "options": [] }))),
        ("101 options", select(json!({ "options": options(101) }))),
        ("options twice", select(json!({ "option_groups": [] }))),
        ("long option", select(json!({ "options": [{ "text": plain(&"o".repeat(76)), "value": "v" }] }))),
        ("long option value", select(json!({ "options": [{ "text": plain("o"), "value": "v".repeat(151) }] }))),
        ("option without value", select(json!({ "options": [{ "text": plain("o") }] }))),
        ("strange initial", select(json!({ "initial_option": { "text": plain("p"), "value": "9" } }))),
        ("long placeholder", select(json!({ "placeholder": plain(&"p".repeat(151)) }))),
        ("6 in an overflow", actions(json!([{ "type": "overflow", "options": options(6) }]))),
        ("11 radio buttons", actions(json!([{ "type": "radio_buttons", "options": options(11) }]))),
        ("date picker", actions(json!([{ "type": "datepicker", "action_id": "d" }]))),
    ];
    expect_test::expect![[r#"
        no actions: invalid_blocks [ERROR] no fewer than 1 items allowed [json-pointer:/blocks/0/elements]
        26 actions: invalid_blocks [ERROR] no more than 25 items allowed [json-pointer:/blocks/0/elements]
        same action id: invalid_blocks [ERROR] `action_id` "go" already exists [json-pointer:/blocks/0/elements/1/action_id]
        section in actions: invalid_blocks [ERROR] unsupported type: section [json-pointer:/blocks/0/elements/0/type]
        long action id: invalid_blocks [ERROR] must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]
        button without text: invalid_blocks [ERROR] missing required field: text [json-pointer:/blocks/0/elements/0]
        button of markup: invalid_blocks [ERROR] unsupported type: mrkdwn [json-pointer:/blocks/0/elements/0/text/type]
        long button: invalid_blocks [ERROR] must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]
        long value: invalid_blocks [ERROR] must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]
        number as value: invalid_blocks [ERROR] must be a string [json-pointer:/blocks/0/elements/0/value]
        odd style: invalid_blocks [ERROR] must be one of: primary, danger [json-pointer:/blocks/0/elements/0/style]
        odd url: invalid_blocks [ERROR] must be a valid url [json-pointer:/blocks/0/elements/0/url]
        no such field: invalid_blocks [ERROR] invalid additional property: colour [json-pointer:/blocks/0/elements/0]
        long question: invalid_blocks [ERROR] must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]
        long explanation: invalid_blocks [ERROR] must be less than 301 characters [json-pointer:/blocks/0/elements/0/confirm/text/text]
        long yes: invalid_blocks [ERROR] must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/confirm/text]
        no no: invalid_blocks [ERROR] missing required field: deny [json-pointer:/blocks/0/elements/0/confirm]
        no options: invalid_blocks [ERROR] no fewer than 1 items allowed [json-pointer:/blocks/0/elements/0/options]
        101 options: invalid_blocks [ERROR] no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]
        options twice: invalid_blocks [ERROR] may define only one of `options` and `option_groups` [json-pointer:/blocks/0/elements/0]
        long option: invalid_blocks [ERROR] must be less than 76 characters [json-pointer:/blocks/0/elements/0/options/0/text/text]
        long option value: invalid_blocks [ERROR] must be less than 151 characters [json-pointer:/blocks/0/elements/0/options/0/value]
        option without value: invalid_blocks [ERROR] missing required field: value [json-pointer:/blocks/0/elements/0/options/0]
        strange initial: invalid_blocks [ERROR] the initial option must match one of the options [json-pointer:/blocks/0/elements/0]
        long placeholder: invalid_blocks [ERROR] must be less than 151 characters [json-pointer:/blocks/0/elements/0/placeholder/text]
        6 in an overflow: invalid_blocks [ERROR] no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]
        11 radio buttons: invalid_blocks [ERROR] no more than 10 items allowed [json-pointer:/blocks/0/elements/0/options]
        date picker: invalid_blocks [ERROR] unsupported type: datepicker [json-pointer:/blocks/0/elements/0/type]
    "#]].assert_eq(&refused(&rig, cases).await);
}

#[tokio::test]
async fn rich_text_that_is_refused() {
    let rig = rig().await;
    let part = |part: Value| json!({ "type": "rich_text", "elements": [part] });
    let text = json!({ "type": "text", "text": "x" });
    let section = json!({ "type": "rich_text_section", "elements": [text] });
    let cases = vec![
        ("no parts", json!({ "type": "rich_text", "elements": [] })),
        ("text as part", part(text.clone())),
        ("empty line", line(json!([]))),
        ("empty text", line(json!([{ "type": "text", "text": "" }]))),
        ("odd element", line(json!([{ "type": "button", "text": plain("x") }]))),
        ("odd style", line(json!([{ "type": "text", "text": "x", "style": { "blink": true } }]))),
        ("style no flag", line(json!([{ "type": "text", "text": "x", "style": { "bold": "yes" } }]))),
        ("user by name", line(json!([{ "type": "user", "user_id": "ana" }]))),
        ("channel by name", line(json!([{ "type": "channel", "channel_id": "#releases" }]))),
        ("odd broadcast", line(json!([{ "type": "broadcast", "range": "all" }]))),
        ("link to nowhere", line(json!([{ "type": "link", "text": "x" }]))),
        ("odd link", line(json!([{ "type": "link", "url": "releases/1" }]))),
        ("date without format", line(json!([{ "type": "date", "timestamp": 1 }]))),
        ("date as text", line(json!([{ "type": "date", "timestamp": "1", "format": "{time}" }]))),
        ("odd format", line(json!([{ "type": "date", "timestamp": 1, "format": "{year}" }]))),
        ("format of words", line(json!([{ "type": "date", "timestamp": 1, "format": "today" }]))),
        ("list of what", part(json!({ "type": "rich_text_list", "elements": [section] }))),
        ("odd list", part(json!({ "type": "rich_text_list", "style": "dots", "elements": [section] }))),
        ("text in a list", part(json!({ "type": "rich_text_list", "style": "bullet", "elements": [text] }))),
        ("deep list", part(json!({ "type": "rich_text_list", "style": "bullet", "indent": 9, "elements": [section] }))),
        (
            "user in code",
            part(json!({ "type": "rich_text_preformatted",
            "elements": [{ "type": "user", "user_id": "U1" }] })),
        ),
        ("thick border", part(json!({ "type": "rich_text_quote", "border": 2, "elements": [text] }))),
    ];
    expect_test::expect![[r#"
        no parts: invalid_blocks [ERROR] no fewer than 1 items allowed [json-pointer:/blocks/0/elements]
        text as part: invalid_blocks [ERROR] unsupported type: text [json-pointer:/blocks/0/elements/0/type]
        empty line: invalid_blocks [ERROR] no fewer than 1 items allowed [json-pointer:/blocks/0/elements/0/elements]
        empty text: invalid_blocks [ERROR] must be more than 0 characters [json-pointer:/blocks/0/elements/0/elements/0/text]
        odd element: invalid_blocks [ERROR] unsupported type: button [json-pointer:/blocks/0/elements/0/elements/0/type]
        odd style: invalid_blocks [ERROR] invalid additional property: blink [json-pointer:/blocks/0/elements/0/elements/0/style]
        style no flag: invalid_blocks [ERROR] must be a boolean [json-pointer:/blocks/0/elements/0/elements/0/style/bold]
        user by name: invalid_blocks [ERROR] must be an id [json-pointer:/blocks/0/elements/0/elements/0/user_id]
        channel by name: invalid_blocks [ERROR] must be an id [json-pointer:/blocks/0/elements/0/elements/0/channel_id]
        odd broadcast: invalid_blocks [ERROR] must be one of: here, channel, everyone [json-pointer:/blocks/0/elements/0/elements/0/range]
        link to nowhere: invalid_blocks [ERROR] missing required field: url [json-pointer:/blocks/0/elements/0/elements/0]
        odd link: invalid_blocks [ERROR] must be a valid url [json-pointer:/blocks/0/elements/0/elements/0/url]
        date without format: invalid_blocks [ERROR] missing required field: format [json-pointer:/blocks/0/elements/0/elements/0]
        date as text: invalid_blocks [ERROR] must be an integer [json-pointer:/blocks/0/elements/0/elements/0/timestamp]
        odd format: invalid_blocks [ERROR] must be made of date tokens [json-pointer:/blocks/0/elements/0/elements/0/format]
        format of words: invalid_blocks [ERROR] must be made of date tokens [json-pointer:/blocks/0/elements/0/elements/0/format]
        list of what: invalid_blocks [ERROR] missing required field: style [json-pointer:/blocks/0/elements/0]
        odd list: invalid_blocks [ERROR] must be one of: bullet, ordered [json-pointer:/blocks/0/elements/0/style]
        text in a list: invalid_blocks [ERROR] unsupported type: text [json-pointer:/blocks/0/elements/0/elements/0/type]
        deep list: invalid_blocks [ERROR] must be at most 8 [json-pointer:/blocks/0/elements/0/indent]
        user in code: invalid_blocks [ERROR] unsupported type: user [json-pointer:/blocks/0/elements/0/elements/0/type]
        thick border: invalid_blocks [ERROR] must be at most 1 [json-pointer:/blocks/0/elements/0/border]
    "#]].assert_eq(&refused(&rig, cases).await);
}

#[tokio::test]
async fn views_that_are_refused() {
    let rig = rig().await;
    rig.slack.type_text("U0ANA0001", RELEASES, "/release help", None).await.unwrap();
    let trigger = rig.app.got()[0].form()["trigger_id"].clone();
    let cases = [
        ("no view", "", Value::Null),
        ("home as form", "type", json!("home")),
        ("no title", "title", Value::Null),
        ("long title", "title", plain(&"t".repeat(25))),
        ("title of markup", "title", json!({ "type": "mrkdwn", "text": "x" })),
        ("long submit", "submit", plain(&"s".repeat(25))),
        ("no submit", "submit", Value::Null),
        ("long close", "close", plain(&"c".repeat(25))),
        ("long metadata", "private_metadata", json!("m".repeat(3_001))),
        ("long callback id", "callback_id", json!("c".repeat(256))),
        ("no blocks", "blocks", Value::Null),
        ("101 blocks", "blocks", (0..101).map(|_| json!({ "type": "divider" })).collect()),
        ("odd block", "blocks", json!([{ "type": "marquee" }])),
        (
            "odd length",
            "blocks",
            json!([{ "type": "input", "label": plain("x"),
            "element": { "type": "plain_text_input", "min_length": 5, "max_length": 2 } }]),
        ),
        (
            "endless",
            "blocks",
            json!([{ "type": "input", "label": plain("x"),
            "element": { "type": "plain_text_input", "max_length": 3_001 } }]),
        ),
        ("no such field", "footer", plain("x")),
    ];
    let mut said = String::new();
    for (name, field, value) in cases {
        let mut view = form();
        match field {
            "" => view = json!("{}"),
            field if value.is_null() => drop(view.as_object_mut().unwrap().remove(field)),
            field => view[field] = value,
        }
        let refusal = rig.refusal("views.open", json!({ "trigger_id": trigger, "view": view })).await;
        writeln!(said, "{name}: {refusal}").unwrap();
    }
    expect_test::expect![[r#"
        no view: invalid_arguments [ERROR] missing required field: type [json-pointer:/view]
        home as form: invalid_arguments [ERROR] unsupported type: home [json-pointer:/view/type]
        no title: invalid_arguments [ERROR] missing required field: title [json-pointer:/view]
        long title: invalid_arguments [ERROR] must be less than 25 characters [json-pointer:/view/title/text]
        title of markup: invalid_arguments [ERROR] unsupported type: mrkdwn [json-pointer:/view/title/type]
        long submit: invalid_arguments [ERROR] must be less than 25 characters [json-pointer:/view/submit/text]
        no submit: invalid_arguments [ERROR] missing required field: submit, which a view with an input needs [json-pointer:/view]
        long close: invalid_arguments [ERROR] must be less than 25 characters [json-pointer:/view/close/text]
        long metadata: invalid_arguments [ERROR] must be less than 3001 characters [json-pointer:/view/private_metadata]
        long callback id: invalid_arguments [ERROR] must be less than 256 characters [json-pointer:/view/callback_id]
        no blocks: invalid_arguments [ERROR] missing required field: blocks [json-pointer:/view]
        101 blocks: invalid_arguments [ERROR] no more than 100 items allowed [json-pointer:/view/blocks]
        odd block: invalid_arguments [ERROR] unsupported type: marquee [json-pointer:/view/blocks/0/type]
        odd length: invalid_arguments [ERROR] min_length must not be more than max_length [json-pointer:/view/blocks/0/element]
        endless: invalid_arguments [ERROR] must be at most 3000 [json-pointer:/view/blocks/0/element/max_length]
        no such field: invalid_arguments [ERROR] invalid additional property: footer [json-pointer:/view]
    "#]].assert_eq(&said);
    let opened = rig.call("views.open", json!({ "trigger_id": trigger, "view": form() })).await;
    assert_eq!(opened["ok"], true, "what is refused uses up no trigger: {opened}");
}

#[tokio::test]
async fn everything_at_its_limit_is_taken() {
    let rig = rig().await;
    let long = "x".repeat(3_000);
    let all = json!([
        { "type": "header", "text": plain(&long[..150]) },
        { "type": "section", "text": { "type": "mrkdwn", "text": long, "verbatim": true } },
        { "type": "section", "fields": vec![plain("x"); 10], "accessory": button(json!({ "style": "danger" })) },
        { "type": "context", "elements": [{ "type": "mrkdwn", "text": "x" },
            { "type": "image", "image_url": "https://a.b/c.png", "alt_text": "c" }] },
        { "type": "divider", "block_id": "b".repeat(255) },
        { "type": "image", "image_url": "https://a.b/c.png", "alt_text": "c", "title": plain("C") },
        { "type": "rich_text", "elements": [
            { "type": "rich_text_section", "elements": [
                { "type": "text", "text": "x", "style": { "bold": true, "code": true } },
                { "type": "link", "url": "https://a.b", "text": "a", "style": { "italic": true } },
                { "type": "emoji", "name": "tada" }, { "type": "color", "value": "#F405B3" },
                { "type": "channel", "channel_id": "C0RELEASES" }, { "type": "usergroup", "usergroup_id": "S1" },
                { "type": "date", "timestamp": 1_720_710_212, "format": "{date_short_pretty} at {time}",
                  "fallback": "then" },
            ] },
            { "type": "rich_text_list", "style": "ordered", "indent": 8, "border": 1,
              "elements": [{ "type": "rich_text_section", "elements": [{ "type": "text", "text": "one" }] }] },
            { "type": "rich_text_quote", "elements": [{ "type": "text", "text": "said" }] },
            { "type": "rich_text_preformatted", "border": 0, "elements": [{ "type": "text", "text": "a\nb" }] },
        ] },
        actions(json!([
            { "type": "static_select", "action_id": "s", "options": options(3),
              "initial_option": { "text": plain("o"), "value": "1" } },
            { "type": "checkboxes", "action_id": "c", "options": options(10) },
            { "type": "users_select", "action_id": "u", "placeholder": plain("Who") },
            button(json!({ "value": "v".repeat(2_000) })),
        ])),
    ]);
    rig.post(RELEASES, json!({ "blocks": all })).await;
    let shown = rig.slack.transcript(RELEASES).join("\n").replace(&long, "LONG").replace(&long[..150], "HEADER");
    expect_test::expect![[r#"
        slipway: HEADER
            LONG
            x
            x
            x
            x
            x
            x
            x
            x
            x
            x
            [Go]
            x  [c]
            ———
            [c]
            xa:tada:#F405B3#C0RELEASES@S1then
                            1. one
            > said
            | a
            | b
            [o / o / o] [o / o / o / o / o / o / o / o / o / o] [users_select] [Go]"#]]
    .assert_eq(&shown);
}

#[tokio::test]
async fn all_blocks_together_have_a_limit() {
    let rig = rig().await;
    let sized = |chars: usize| {
        let mut blocks = json!([line(json!([{ "type": "text", "text": "" }]))]);
        let room = chars - blocks.to_string().len();
        blocks[0]["elements"][0]["elements"][0]["text"] = json!("ü".repeat(room));
        json!({ "channel": RELEASES, "text": "x", "blocks": blocks })
    };
    assert_eq!(rig.call("chat.postMessage", sized(10_000)).await["ok"], true);
    assert_eq!(rig.refusal("chat.postMessage", sized(10_001)).await, "msg_blocks_too_long");
    assert_eq!(rig.call("chat.postMessage", json!({ "channel": RELEASES, "blocks": card() })).await["ok"], true);
}
