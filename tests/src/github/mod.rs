//! A strict small model of GitHub, served from a real git repository.
