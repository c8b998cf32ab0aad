//! Pages for people, made here and without scripts: a release, and what runs where.

mod access;
mod elsewhere;
mod frame;
mod home;
mod html;
mod markup;
mod release;
mod trail;

pub(super) use access::guard;
pub(super) use home::page as home;
pub(super) use release::page as release;
