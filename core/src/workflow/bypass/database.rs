//! Whether a migration of a workflow changes a database that is thrown away afterwards.

use super::lines::{Command, Workflow};

/// Where such a database is.
const NEAR: [&str; 6] = ["localhost", "127.0.0.1", "[::1]", "host.docker.internal", "sqlite:", "file::memory:"];
/// From where the address of a real one comes.
const KEPT: [&str; 5] = ["secrets.", "vars.", "secretsmanager", "ssm get-parameter", "$(aws "];
/// What a line about a database has in it.
const ABOUT: [&str; 9] = ["DATABASE", "DB", "DSN", "PG", "POSTGRES", "MYSQL", "GOOSE", "FLYWAY", "SQL"];
/// Images of databases.
const IMAGES: [&str; 7] = ["postgres", "postgis", "pgvector", "timescale", "mysql", "mariadb", "cockroach"];

/// The nearest place that says which database it is decides: the command, its step, its job, the file. Where none does,
/// a database among the job's services is meant; without one it counts as real.
pub(super) fn is_thrown_away(workflow: &Workflow, command: &Command) -> bool {
    let services = workflow.block(&command.job, "services");
    let rows =
        |range: std::ops::Range<usize>| range.filter_map(|at| workflow.rows.get(at)).map(|row| row.text.as_str());
    let names: Vec<String> = rows(services.clone())
        .filter_map(|row| row.strip_suffix(':'))
        .flat_map(|name| [format!("@{name}:"), format!("@{name}/"), format!("host={name}")])
        .collect();
    let own = command.words.join(" ");
    let in_services: Vec<&str> = rows(services).collect();
    let places: [Vec<&str>; 4] = [
        vec![&own],
        rows(command.step.clone()).collect(),
        workflow.beside_steps(&command.job).map(|row| row.text.as_str()).filter(|r| !in_services.contains(r)).collect(),
        workflow.beside_jobs().map(|row| row.text.as_str()).collect(),
    ];
    let told = places.iter().find_map(|place| thrown_away_by(place, &names));
    told.unwrap_or_else(|| {
        let is_database = |row: &&str| row.starts_with("image:") && IMAGES.iter().any(|image| row.contains(image));
        in_services.iter().any(is_database)
    })
}

/// What a place says of its database. A real one beside a near one counts: nobody knows which is meant.
fn thrown_away_by(place: &[&str], services: &[String]) -> Option<bool> {
    let about = |row: &&&str| {
        let row = row.to_ascii_uppercase();
        ABOUT.iter().any(|word| row.contains(word))
    };
    let kept = place.iter().filter(about).any(|row| KEPT.iter().any(|word| row.contains(word)));
    if kept {
        return Some(false);
    }
    let near =
        |row: &&str| NEAR.iter().any(|word| row.contains(word)) || services.iter().any(|name| row.contains(name));
    place.iter().any(near).then_some(true)
}
