//! `paths`: which files of a repository concern a service that shares it with others.

use super::leak::shown;
use super::model::Migrations;
use super::section::{Checker, Section, Wrong};
use slipway_core::paths::{PATTERNS_LIMIT, Paths, Pattern};

/// Reads the patterns of one service.
pub(super) fn read(c: &mut Checker<'_>, section: &Section<'_, '_>, migrations: Option<&Migrations>) -> Option<Paths> {
    let (value, place) = section.value("paths")?;
    let pattern =
        |text: &str| Pattern::parse(text).map_err(|bad| Wrong::new(format!("{} {}", shown(text), bad.what), bad.mend));
    let listed = section.list(c, "paths", PATTERNS_LIMIT, pattern);
    let items = value.get_ref().as_array()?;
    if items.is_empty() {
        c.error(&place, "is empty", "write paths = [\"web/**\"], or remove it: then every file concerns the service");
    } else if listed.len() == items.len() && listed.iter().all(|(pattern, _)| pattern.takes_out()) {
        c.error(&place, "takes no file in", "write \"**\" before what is taken out again with !");
    }
    Paths::new(listed.into_iter().map(|(pattern, _)| pattern).collect(), migrations.map(|at| at.dir.as_str()))
}
