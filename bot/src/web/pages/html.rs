//! HTML that cannot be escaped from: elements and classes are words of the program, everything else goes in as text.

use jiff::Timestamp;

/// How long a link may be.
const URL_LIMIT_BYTES: usize = 2_000;

/// A piece of a page.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Adds text, whatever it holds.
    pub(super) fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
    }

    /// Adds an element with what is put into it.
    pub(super) fn element(&mut self, name: &'static str, inner: impl FnOnce(&mut Self)) {
        self.classed(name, "", inner);
    }

    /// Adds an element of a class; an empty class is none.
    pub(super) fn classed(&mut self, name: &'static str, class: &'static str, inner: impl FnOnce(&mut Self)) {
        self.open(name, &[("class", class)]);
        inner(self);
        self.close(name);
    }

    /// Adds an element with nothing but text in it.
    pub(super) fn words(&mut self, name: &'static str, class: &'static str, text: &str) {
        self.classed(name, class, |inner| inner.text(text));
    }

    /// Adds a cell of a table that says which column it is of, for where columns have no room beside each other.
    pub(super) fn cell(&mut self, column: &str, inner: impl FnOnce(&mut Self)) {
        self.open("td", &[("data-column", column)]);
        inner(self);
        self.close("td");
    }

    /// Adds a link to a page of Slipway's or to another site; where the address is neither, only its words.
    pub(super) fn link(&mut self, url: &str, text: &str) {
        let own = url.starts_with('/') && !url.starts_with("//");
        let elsewhere = url.starts_with("https://") || url.starts_with("http://");
        let odd = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
        if !(own || elsewhere) || url.len() > URL_LIMIT_BYTES || url.contains(odd) {
            return self.text(text);
        }
        self.open("a", &[("href", url)]);
        self.text(text);
        self.close("a");
    }

    /// Adds a moment, in UTC: without scripts nobody knows where the reader is.
    pub(super) fn time(&mut self, at: Timestamp) {
        self.open("time", &[("datetime", &at.to_string())]);
        self.text(&at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
        self.close("time");
    }

    /// Adds how far something has come, in thousandths.
    pub(super) fn progress(&mut self, permille: u16) {
        self.open("progress", &[("max", "1000"), ("value", &permille.min(1000).to_string())]);
        self.close("progress");
    }

    /// Adds a whole document's frame around a piece.
    pub(super) fn document(title: &str, style: &'static str, body: Self) -> String {
        let mut page = Self("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n".to_owned());
        page.0.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        page.words("title", "", title);
        // The program's own, and hashed as it is.
        page.0.push_str("<style>");
        page.0.push_str(style);
        page.0.push_str("</style>\n</head>\n<body>\n");
        page.0.push_str(&body.0);
        page.0.push_str("\n</body>\n</html>\n");
        page.0
    }

    fn open(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) {
        self.0.push('<');
        self.0.push_str(name);
        for (attribute, value) in attributes.iter().filter(|(_, value)| !value.is_empty()) {
            self.0.push(' ');
            self.0.push_str(attribute);
            self.0.push_str("=\"");
            self.text(value);
            self.0.push('"');
        }
        self.0.push('>');
    }

    fn close(&mut self, name: &'static str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(make: impl FnOnce(&mut Html)) -> String {
        let mut html = Html::default();
        make(&mut html);
        html.0
    }

    #[test]
    fn text_stays_text() {
        let said = of(|html| html.words("p", "note", "<script>alert('1')</script> & \"x\""));
        let text = "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x&quot;";
        assert_eq!(said, format!("<p class=\"note\">{text}</p>"));
        let page = Html::document("</title><script>", "p {}", Html::default());
        assert!(page.contains("<title>&lt;/title&gt;&lt;script&gt;</title>"), "{page}");
    }

    #[test]
    fn links_lead_to_pages_and_sites_alone() {
        assert_eq!(of(|html| html.link("/releases/01", "it")), "<a href=\"/releases/01\">it</a>");
        let quoted = of(|html| html.link("https://a.dev/\"onclick=\"x", "it"));
        assert_eq!(quoted, "<a href=\"https://a.dev/&quot;onclick=&quot;x\">it</a>");
        let long = format!("https://a.dev/{}", "x".repeat(URL_LIMIT_BYTES));
        for url in ["javascript:alert(1)", "//a.dev", "/\\a.dev", "data:text/html,x", "https://a.dev/ x", "", &long] {
            assert_eq!(of(|html| html.link(url, "<it>")), "&lt;it&gt;", "{url}");
        }
    }

    #[test]
    fn moments_are_read_by_people_and_machines() {
        let at: Timestamp = "2026-11-23T08:00:05Z".parse().unwrap();
        let said = "<time datetime=\"2026-11-23T08:00:05Z\">2026-11-23 08:00:05 UTC</time>";
        assert_eq!(of(|html| html.time(at)), said);
    }
}
