//! The order of services that are deployed together.

use super::{PERSON, SERVICE, STAGING, STORE, TERMINAL, check, said};

/// A file with these services, each with its `after_services`.
fn services(all: &[(&str, &str)]) -> String {
    let service = |(n, (name, after)): (usize, &(&str, &str))| {
        let staging = STAGING.replace("8fe1e103", &format!("{n:08x}"));
        let image = SERVICE.replace("amazonaws.com/goals", &format!("amazonaws.com/{name}"));
        format!("{image}after_services = {after}\n{staging}").replace("service.goals", &format!("service.{name}"))
    };
    let services: String = all.iter().enumerate().map(service).collect();
    [STORE, TERMINAL, &services, PERSON].concat()
}

#[test]
fn names_and_circles_are_told_with_their_place() {
    let right = services(&[("api", "[]"), ("web", r#"["api"]"#), ("jobs", r#"["web", "api"]"#)]);
    let (config, report) = check(&right).unwrap();
    assert_eq!(report.to_string(), "");
    let jobs = config.services.values().find(|service| service.name.as_str() == "jobs").unwrap();
    assert_eq!(jobs.after_services, ["web".into(), "api".into()]);
    let lines = |all: &[(&str, &str)]| said(&services(all));
    for (all, expected) in [
        (&[("api", "[]"), ("web", r#"["apl"]"#)][..], r#"there is no service "apl"  → write "api""#),
        (&[("api", "[]"), ("web", r#"["billing"]"#)], r#"there is no service "billing"  → write "api", or remove it"#),
        (&[("web", r#"["web"]"#)], "web would come before itself  → remove it"),
    ] {
        let said = lines(all);
        assert!(said.contains(expected) && said.lines().count() == 1, "{said}");
    }
    let said = lines(&[("api", r#"["jobs"]"#), ("web", r#"["api"]"#), ("jobs", r#"["web"]"#), ("ui", r#"["web"]"#)]);
    assert_eq!(said.lines().count(), 1, "once: {said}");
    assert!(said.starts_with("slipway.toml:10:"), "{said}");
    assert!(said.contains("api → jobs → web → api would wait for each other for ever"), "{said}");
}
