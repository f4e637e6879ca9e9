//! The operations, one module a capability. Each gives `None` for a name that it does not know.

mod abuse;
mod clocks;
mod environment;
mod filesystem;
mod http;
mod random;
mod sockets;
mod stdio;
mod streams;

use crate::{args::Args, handles::Handles, outcome::Outcome};

pub fn run(name: &str, args: &Args, handles: &mut Handles) -> Option<Outcome> {
    filesystem::run(name, args, handles)
        .or_else(|| streams::run(name, args, handles))
        .or_else(|| environment::run(name))
        .or_else(|| stdio::run(name, args, handles))
        .or_else(|| clocks::run(name, args, handles))
        .or_else(|| random::run(name, args))
        .or_else(|| sockets::run(name, args, handles))
        .or_else(|| http::run(name, args, handles))
        .or_else(|| abuse::run(name, args, handles))
}
