//! The database of an environment, and the server on which its migrations are rehearsed.

use super::{Row, within_limit};
use crate::config::Rehearse;
use crate::outside::Outside;
use crate::probe::ProbeResult;
use crate::setup::EnvironmentSetup;
use secrecy::ExposeSecret as _;
use slipway_deploy::database::{DatabaseUrl, RehearsalOptions, open, rehearsal_server};

pub(super) async fn look(outside: &Outside, service: &str, environment: &EnvironmentSetup) -> Vec<Row> {
    let Some((secret, key)) = &environment.database else { return vec![] };
    let name = format!("database {service} {}", environment.name);
    let url = match address(outside, secret, key).await {
        Ok(url) => url,
        Err(failed) => return vec![(name, failed)],
    };
    let reached = within_limit(async { open(&url).await?.formats().await });
    let answer = match reached.await {
        Ok(formats) => {
            let tools: Vec<_> = formats.iter().map(|format| format.name()).collect();
            let history = if tools.is_empty() { "no history of migrations yet".into() } else { tools.join(", ") };
            ProbeResult::ok(format!("{url} can be read: {history}"))
        }
        Err(failed) => failed,
    };
    let mut rows = vec![(name, answer)];
    if let Some(rehearse) = &environment.rehearse {
        let name = format!("rehearsal {service} {}", environment.name);
        rows.push((name, rehearsal(outside, &url, rehearse).await));
    }
    rows
}

async fn rehearsal(outside: &Outside, real: &DatabaseUrl, rehearse: &Rehearse) -> ProbeResult {
    let Rehearse { server, same_server } = rehearse;
    let on = match address(outside, &server.secret, &server.key).await {
        Ok(on) => on,
        Err(failed) => return failed,
    };
    let options = RehearsalOptions { same_server: *same_server };
    match within_limit(rehearsal_server(real, &on, &options)).await {
        Ok(()) => ProbeResult::ok(format!("{on} can be reached")),
        Err(failed) => failed,
    }
}

/// What a key of a secret holds, as an address. Its text is shown nowhere.
async fn address(outside: &Outside, secret: &str, key: &str) -> Result<DatabaseUrl, ProbeResult> {
    let value = within_limit(outside.secrets.value(secret, key)).await?;
    DatabaseUrl::parse(value.expose_secret()).map_err(|error| {
        ProbeResult::fail(error.to_string(), format!("write the database's address into {key} of the secret {secret}"))
    })
}
