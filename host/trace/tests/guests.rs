//! Real guests, traced: which bytes of what they give come from which source.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    clippy::print_stdout,
    missing_debug_implementations,
    reason = "a test that fails panics, its guests are files of this folder, and it shows the table"
)]

mod guests {
    mod branches;
    mod interpreted;
    mod place;
    mod proof;
    pub mod rig;
    mod shared;
    mod table;
    mod transforms;
    mod unchanged;
}
