//! Text in known sizes.

use super::{clean, label, shortened};

#[test]
fn text_is_cut_between_what_is_read_as_one() {
    let cut = |text: &str, limit| shortened(text, limit);
    assert_eq!(cut("12345", 5), "12345");
    assert_eq!(cut("123456", 5), "1234…");
    assert_eq!(cut("1 3456", 3), "1…");
    // An accent of its own, a flag, a skin tone, and what is two columns wide.
    assert_eq!(cut("abe\u{301}def", 4), "ab…");
    assert_eq!(cut("a\u{1f1e9}\u{1f1ea}bcdef", 4), "a\u{1f1e9}\u{1f1ea}…");
    assert_eq!(cut("a\u{1f1e9}\u{1f1ea}bcdef", 3), "a…");
    assert_eq!(cut("\u{1f44d}\u{1f3fd}bcdef", 4), "…");
    assert_eq!(cut("漢字漢字", 4), "漢…");
}

#[test]
fn what_could_hide_or_run_over_is_gone() {
    let clean = |text: &str| clean(text).collect::<String>();
    assert_eq!(clean("a\tb\r\nc\u{2028}d"), "a b  c d");
    assert_eq!(clean("a\u{202e}b\u{200b}c\u{feff}d"), "abcd");
    assert_eq!(clean("a\u{7}\u{1b}[1m\0"), "a\u{fffd}\u{fffd}[1m\u{fffd}");
    assert_eq!(clean(&format!("a{}", "\u{301}".repeat(50))), format!("a{}", "\u{301}".repeat(3)));
}

#[test]
fn a_label_is_never_empty() {
    assert_eq!([" \n", "", "\u{200b} "].map(|text| label(text, 9, "–")), ["–", "–", "–"]);
    assert_eq!(label("  a label that is long  ", 9, "–"), "a label…");
}
