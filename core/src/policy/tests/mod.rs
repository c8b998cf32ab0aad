//! Table tests over the very rules that are shipped in `policies/`.

mod deadlocks;
mod defaults;
mod explaining;
mod fixture;
mod guarantees;
mod loading;
mod own_change;
mod shipping;
mod taken_out;
mod traps;
