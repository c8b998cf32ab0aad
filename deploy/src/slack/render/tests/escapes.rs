//! Escapes in known sizes.

use super::super::escape::escaped;

#[test]
fn escapes_count_and_are_whole() {
    assert_eq!(escaped("a < b & c > d", 300), "a &lt; b &amp; c &gt; d");
    for limit in 1..40 {
        for text in ["<!channel> & so on", "&&&&&&&&&&&&", "plain words and more", "<><><><>x"] {
            let short = escaped(text, limit);
            assert!(!short.is_empty() && (short.chars().count() <= limit || short == "…"), "{limit}: {short}");
            let rest = short.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "");
            assert!(!rest.contains(['&', '<', '>', ';']), "{limit}: {short}");
        }
    }
}
