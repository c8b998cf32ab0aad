//! `slipway completions`.

use super::{Cli, Refused, screen};
use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

/// Arguments of `slipway completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Whose: bash reads it with `source <(slipway completions bash)`
    pub shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs) -> Result<(), Refused> {
    screen::say(&script(args.shell));
    Ok(())
}

fn script(shell: Shell) -> String {
    let (mut command, mut script) = (Cli::command(), Vec::new());
    let name = command.get_name().to_owned();
    generate(shell, &mut command, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum as _;

    #[test]
    fn every_command_is_completed() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            for command in Cli::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
        }
        let bash = script(Shell::Bash);
        for words in ["verify", "replay", "baseline", "--config", "powershell"] {
            assert!(bash.contains(words), "{words}\n{bash}");
        }
    }

    #[test]
    fn shells_that_nobody_knows_are_wrong_usage() {
        assert_eq!(Cli::from_words(["slipway", "completions", "dos"]).unwrap_err().exit_code(), 2);
        assert!(Cli::from_words(["slipway", "completions", "fish"]).is_ok());
    }
}
