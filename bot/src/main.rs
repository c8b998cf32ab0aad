//! The `slipway` binary.

use slipway::cli::Cli;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    slipway_deploy::install_crypto_provider();
    // Wrong usage ends here with exit status 2.
    let cli = Cli::from_command_line();
    match start(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            let _ = writeln!(std::io::stderr().lock(), "{reason}");
            ExitCode::FAILURE
        }
    }
}

fn start(cli: Cli) -> Result<(), String> {
    slipway::logging::install()?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("The runtime cannot start: {error}."))?;
    runtime.block_on(cli.run()).map_err(|refused| refused.to_string())
}
