//! Whether the commands are registered as this version has them.

use super::super::ProbeResult;
use super::{Row, within_limit};
use slipway_deploy::discord::{Change, CommandChange, Discord, changes, registration};

/// How many commands are named.
const NAMED_LIMIT: usize = 10;

/// The commands of the server, and those of all servers: both are shown there.
pub(super) async fn commands(client: &Discord, application: &str, guild: Option<&str>) -> Row {
    let asked = async {
        let everywhere = changes(&registration(true), &client.commands(application, None).await?);
        let here = match guild {
            Some(guild) => Some(changes(&registration(false), &client.commands(application, Some(guild)).await?)),
            None => None,
        };
        Ok((here, everywhere))
    };
    let answer = match within_limit(asked).await {
        Ok((here, everywhere)) => judged(here.as_deref(), &everywhere),
        Err(failed) => failed,
    };
    ("Discord commands".to_owned(), answer)
}

/// `here`: how those of the server differ; none where no server is named.
fn judged(here: Option<&[CommandChange]>, everywhere: &[CommandChange]) -> ProbeResult {
    const REGISTER: &str = "slipway discord register";
    let count = registration(true).len();
    let is_absent =
        |differing: &[CommandChange]| differing.iter().filter(|change| change.how == Change::Added).count() == count;
    let stale = |differing: &[CommandChange], mend: &str| {
        let named: Vec<_> = differing.iter().take(NAMED_LIMIT).map(|change| format!("/{}", change.name)).collect();
        ProbeResult::fail(format!("are not as this version has them: {}", named.join(", ")), format!("run {mend}"))
    };
    let global = format!("{REGISTER} --global");
    match here {
        Some(here) if !is_absent(here) && !is_absent(everywhere) => {
            let says = "are registered in the server and everywhere, so each is shown twice";
            let mend = format!("run {REGISTER} --global --remove, or {REGISTER} --remove");
            ProbeResult { ok: true, says: says.to_owned(), mend }
        }
        Some([]) => ProbeResult::ok("are registered in the server, as this version has them"),
        Some(here) if !is_absent(here) => stale(here, REGISTER),
        _ if everywhere.is_empty() => ProbeResult::ok("are registered everywhere, as this version has them"),
        _ if !is_absent(everywhere) => stale(everywhere, &global),
        Some(_) => ProbeResult::fail("are not registered, so nobody can type them", format!("run {REGISTER}")),
        None => ProbeResult::fail("are not registered, so nobody can type them", format!("run {global}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::*;
    use expect_test::expect;
    use serde_json::Value;

    #[test]
    fn what_is_registered_is_compared() {
        let (ours, all) = (registration(false), registration(true));
        let mut older = ours.clone();
        older[0]["description"] = "x".into();
        let differ = |ours: &[Value], theirs: &[Value]| changes(ours, theirs);
        let (right, none, stale) = (differ(&ours, &ours), differ(&ours, &[]), differ(&ours, &older));
        let (global, no_global) = (differ(&all, &all), differ(&all, &[]));
        let stale_global = differ(&all, &all[1..]);
        let rows = [
            judged(Some(&right), &no_global),
            judged(Some(&stale), &no_global),
            judged(Some(&none), &no_global),
            judged(Some(&none), &global),
            judged(Some(&right), &global),
            judged(None, &global),
            judged(None, &stale_global),
            judged(None, &no_global),
        ];
        expect![[r#"
            ok    Discord commands  are registered in the server, as this version has them
            FAIL  Discord commands  are not as this version has them: /deploy
                  → run slipway discord register
            FAIL  Discord commands  are not registered, so nobody can type them
                  → run slipway discord register
            ok    Discord commands  are registered everywhere, as this version has them
            warn  Discord commands  are registered in the server and everywhere, so each is shown twice
                  → run slipway discord register --global --remove, or slipway discord register --remove
            ok    Discord commands  are registered everywhere, as this version has them
            FAIL  Discord commands  are not as this version has them: /deploy
                  → run slipway discord register --global
            FAIL  Discord commands  are not registered, so nobody can type them
                  → run slipway discord register --global"#]]
        .assert_eq(&shown(&rows.map(|row| ("Discord commands".to_owned(), row))));
    }
}
