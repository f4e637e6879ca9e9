//! End-to-end tests, one module for each boundary. They run the program itself on real guests and look at the host afterwards.
//!
//! `support` builds a world (directories with canaries, a scripted run of the `puppet` guest) and reads what the run said and left.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_debug_implementations,
    reason = "a test that fails panics, and tests build their world on the machine's file system"
)]

mod support;

mod audit;
mod clocks;
mod compatibility;
mod contract;
mod environment;
mod evidence;
mod filesystem;
mod findings;
mod gallery;
mod least;
mod ledger;
mod limits;
mod loading;
mod network;
mod new;
mod picture;
mod policy_files;
mod replay;
mod report;
mod scan;
mod serve;
mod serve_ask;
mod serve_http;
mod serve_reload;
mod serve_schemas;
mod serve_trace;
mod streams;
mod trace;
