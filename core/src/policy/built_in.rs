//! The schema and the rules that Slipway comes with: the repository's `policies/`.

/// The schema, without the enumerations that the vocabulary gives.
pub const SCHEMA: &str = include_str!("../../../policies/schema.cedarschema");

/// The rules: file name and text.
pub const FILES: [(&str, &str); 7] = [
    ("freeze.cedar", include_str!("../../../policies/freeze.cedar")),
    ("override.cedar", include_str!("../../../policies/override.cedar")),
    ("production.cedar", include_str!("../../../policies/production.cedar")),
    ("run.cedar", include_str!("../../../policies/run.cedar")),
    ("soak.cedar", include_str!("../../../policies/soak.cedar")),
    ("votes.cedar", include_str!("../../../policies/votes.cedar")),
    ("who.cedar", include_str!("../../../policies/who.cedar")),
];

/// The teams that the rules name.
pub const TEAMS: [&str; 4] = ["dba", "developers", "release", "sre"];

/// The environments that the rules name.
pub const ENVIRONMENTS: [&str; 1] = ["production"];
