//! Which files concern a service.

use super::{check, minimal, said, says, with};
use expect_test::expect;

fn paths(value: &str) -> String {
    with("[service.goals]", &format!("paths = {value}"))
}

#[test]
fn patterns_are_read_in_their_order_with_the_folder_of_the_migrations() {
    assert_eq!(check(&minimal()).unwrap().0.services.values().next().unwrap().paths, None);
    let file = paths("[\"web/**\", \"shared/**\", \"!web/docs/**\"]\nmigrations = { dir = \"db/migrations/\" }");
    let (config, _) = check(&file).unwrap();
    let paths = config.services.values().next().unwrap().paths.clone().unwrap();
    assert_eq!(paths.words(), "web/** or shared/** but for web/docs/**");
    assert!(paths.concern("web/docs.ts") && !paths.concern("web/docs/a.md") && !paths.concern("api/a.rs"));
    assert!(paths.concern("db/migrations/1_users.sql") && !paths.concern("db/seed.sql"));
}

#[test]
fn what_could_match_nothing_is_told_with_its_place() {
    says(
        &[
            paths("[]"),
            paths("\"web/**\""),
            paths("[\"/web/**\"]"),
            paths("[\"web/**\", \"shared/\"]"),
            paths("[\"web/[ab]/**\"]"),
            paths("[\"!web/**\"]"),
            paths("[\"web/**\", \"web/**\"]"),
        ],
        &expect![[r#"
            slipway.toml:6:9  error  service.goals.paths  is empty  → write paths = ["web/**"], or remove it: then every file concerns the service

            slipway.toml:6:9  error  service.goals.paths  must be a list, and is a text  → write paths = ["web/**", "shared/**"]

            slipway.toml:6:10  error  service.goals.paths[0]  "/web/**" is no path from the root of the repository to a file  → write "web/**"

            slipway.toml:6:20  error  service.goals.paths[1]  "shared/" is no path from the root of the repository to a file  → write "shared/**"

            slipway.toml:6:10  error  service.goals.paths[0]  "web/[ab]/**" has a character that is not supported here  → write * for any part of a name and ** for any way down; ? + [ ] { } \ are not supported

            slipway.toml:6:9  error  service.goals.paths  takes no file in  → write "**" before what is taken out again with !

            slipway.toml:6:20  warning  service.goals.paths[1]  "web/**" is in this list twice  → remove one of the two
        "#]],
    );
    let many: Vec<_> = (0..51).map(|n| format!("\"a{n}\"")).collect();
    assert!(said(&paths(&format!("[{}]", many.join(", ")))).contains("has 51 entries  → keep at most 50"));
    let long = "x".repeat(201);
    assert!(said(&paths(&format!("[\"{long}\"]"))).contains("is too long  → keep it within 200 characters"));
}
