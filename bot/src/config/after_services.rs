//! `after_services`: the order of services that are deployed together.

use super::leak::shown;
use super::section::{Checker, Place, Section, alike};
use super::service::SERVICES_BEFORE_LIMIT;
use super::values;
use slipway_core::ids::ServiceName;
use std::collections::BTreeSet;

/// A service that comes before another.
pub(super) struct Before {
    service: String,
    before: String,
    place: Place,
}

/// Reads the list of one service.
pub(super) fn read(
    c: &mut Checker<'_>,
    section: &Section<'_, '_>,
    service: &str,
    befores: &mut Vec<Before>,
) -> Vec<ServiceName> {
    let listed = section.list(c, "after_services", SERVICES_BEFORE_LIMIT, values::service_name);
    let before = |(name, place): &(String, Place)| Before {
        service: service.to_owned(),
        before: name.clone(),
        place: place.clone(),
    };
    befores.extend(listed.iter().map(before));
    listed.into_iter().map(|(name, _)| ServiceName::new(name)).collect()
}

/// Every name must be a service's, and none may come before itself, however many are between.
pub(super) fn check(c: &mut Checker<'_>, befores: &[Before], services: &BTreeSet<String>) {
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for Before { service, before, place } in befores {
        if before == service {
            c.error(place, format!("{service} would come before itself"), "remove it");
        } else if !services.contains(before) {
            let names = services.iter().filter(|name| *name != service).map(String::as_str);
            let mend = match alike(before, names.clone()) {
                Some(meant) => format!("write {meant:?}"),
                None => match names.map(|name| format!("{name:?}")).collect::<Vec<_>>().join(" or ") {
                    all if all.is_empty() => "remove it: there is no other service".to_owned(),
                    all => format!("write {all}, or remove it"),
                },
            };
            c.absent(place, format!("there is no service {}", shown(before)), mend);
        } else if let Some(circle) = circle(befores, service, before)
            && !circle.iter().any(|name| told.contains(name))
        {
            let message = format!("{} → {} would wait for each other for ever", circle.join(" → "), circle[0]);
            c.error(place, message, "remove one of these from after_services");
            told.extend(circle);
        }
    }
}

/// The way from a service over one before it back to itself, if there is one.
fn circle<'a>(befores: &'a [Before], service: &'a str, before: &'a str) -> Option<Vec<&'a str>> {
    let mut ways: Vec<Vec<&str>> = vec![vec![service, before]];
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    while let Some(way) = ways.pop() {
        let last = *way.last()?;
        if last == service {
            return Some(way[..way.len() - 1].to_vec());
        }
        if seen.insert(last) {
            let next = befores.iter().filter(|edge| edge.service == last && edge.before != last);
            ways.extend(next.map(|edge| way.iter().copied().chain([edge.before.as_str()]).collect()));
        }
    }
    None
}
