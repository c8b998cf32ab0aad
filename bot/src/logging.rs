//! Logs on standard error: for people on a terminal, JSON lines otherwise.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// What is logged when neither `SLIPWAY_LOG` nor `RUST_LOG` says.
pub const FILTER_DEFAULT: &str = slipway_deploy::LOG_FILTER;

/// Installs the process's log output. A second call does nothing.
///
/// # Errors
/// One sentence, when the variable is no filter.
pub fn install() -> Result<(), String> {
    let filter = filter(|name| std::env::var(name).ok())?;
    let human = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error means that a subscriber is there already.
    let _ = if human { builder.try_init() } else { builder.json().with_ansi(false).try_init() };
    Ok(())
}

fn filter(lookup: impl Fn(&str) -> Option<String>) -> Result<EnvFilter, String> {
    for name in ["SLIPWAY_LOG", "RUST_LOG"] {
        if let Some(text) = lookup(name).filter(|text| !text.trim().is_empty()) {
            return EnvFilter::try_new(&text)
                .map_err(|error| format!("{name} is no log filter: {error}. Write for example {name}=debug."));
        }
    }
    Ok(EnvFilter::new(FILTER_DEFAULT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_variable_comes_first_and_a_bad_one_is_named() {
        let both = |name: &str| Some(if name == "SLIPWAY_LOG" { "slipway=debug" } else { "warn" }.to_owned());
        assert_eq!(filter(both).unwrap().to_string(), "slipway=debug");
        assert_eq!(filter(|_| Some(String::new())).unwrap().to_string(), FILTER_DEFAULT);
        let said = filter(|name| (name == "RUST_LOG").then(|| "slipway=loud".to_owned())).unwrap_err();
        assert!(said.starts_with("RUST_LOG is no log filter"), "{said}");
    }
}
