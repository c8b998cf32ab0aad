//! Makes cargo notice a new file among the bot's own migrations.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
