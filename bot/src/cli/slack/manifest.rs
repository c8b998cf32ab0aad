//! `slipway slack manifest`.

use super::Refused;
use crate::cli::load;
use crate::config::Config;
use crate::slack_app;
use std::io::Write as _;
use std::path::Path;

pub(super) fn run(path: &Path) -> Result<(), Refused> {
    let text = text(&load(path)?)?;
    // Whoever does not listen any more needs no error.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    Ok(())
}

/// One JSON document, and nothing beside it: it is pasted or piped as it is.
fn text(config: &Config) -> Result<String, Refused> {
    let manifest = slack_app::manifest(config).map_err(|error| Refused(error.to_string()))?;
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| Refused(error.to_string()))?;
    Ok(text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(slack: &str) -> Config {
        let file = format!("{slack}\n[store]\nurl = \"sqlite://slipway.db\"\n");
        Config::check(file.as_bytes(), Path::new("slipway.toml")).unwrap().0
    }

    #[test]
    fn it_is_json_with_a_line_end_or_a_sentence() {
        let text = text(&config("[slack]\nmode = \"socket\"")).unwrap();
        assert!(text.ends_with("}\n"));
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["settings"]["socket_mode_enabled"], true);
        let refused = super::text(&config("[slack]")).unwrap_err().to_string();
        assert!(refused.contains("public_url"), "{refused}");
    }
}
