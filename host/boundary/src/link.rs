//! The linker: every interface a guest may import, by name. What is not named here is not there, and a component that imports it is
//! refused. wasmtime-wasi's own `add_to_linker` is never called, because it would bring functions that nothing guards.

use crate::context::bindings as context;
use crate::state::{Guarded, State, view};
use wasmtime::component::Linker;
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, random, sockets};
use wasmtime_wasi_http::p2::bindings::http;
use wasmtime_wasi_io::bindings::wasi::io;

/// Links the boundary.
pub fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let network = sockets::network::LinkOptions::default();
    io::error::add_to_linker::<State, Guarded>(linker, view)?;
    io::poll::add_to_linker::<State, Guarded>(linker, view)?;
    io::streams::add_to_linker::<State, Guarded>(linker, view)?;
    clocks::wall_clock::add_to_linker::<State, Guarded>(linker, view)?;
    clocks::monotonic_clock::add_to_linker::<State, Guarded>(linker, view)?;
    random::random::add_to_linker::<State, Guarded>(linker, view)?;
    random::insecure::add_to_linker::<State, Guarded>(linker, view)?;
    random::insecure_seed::add_to_linker::<State, Guarded>(linker, view)?;
    filesystem::preopens::add_to_linker::<State, Guarded>(linker, view)?;
    filesystem::types::add_to_linker::<State, Guarded>(linker, view)?;
    cli::environment::add_to_linker::<State, Guarded>(linker, view)?;
    cli::exit::add_to_linker::<State, Guarded>(linker, view)?;
    cli::stdin::add_to_linker::<State, Guarded>(linker, view)?;
    cli::stdout::add_to_linker::<State, Guarded>(linker, view)?;
    cli::stderr::add_to_linker::<State, Guarded>(linker, view)?;
    cli::terminal_input::add_to_linker::<State, Guarded>(linker, view)?;
    cli::terminal_output::add_to_linker::<State, Guarded>(linker, view)?;
    cli::terminal_stdin::add_to_linker::<State, Guarded>(linker, view)?;
    cli::terminal_stdout::add_to_linker::<State, Guarded>(linker, view)?;
    cli::terminal_stderr::add_to_linker::<State, Guarded>(linker, view)?;
    sockets::instance_network::add_to_linker::<State, Guarded>(linker, view)?;
    sockets::network::add_to_linker::<State, Guarded>(linker, &network, view)?;
    sockets::tcp_create_socket::add_to_linker::<State, Guarded>(linker, view)?;
    sockets::udp_create_socket::add_to_linker::<State, Guarded>(linker, view)?;
    sockets::ip_name_lookup::add_to_linker::<State, Guarded>(linker, view)?;
    context::add_to_linker::<State, Guarded>(linker, view)?;
    sockets::tcp::add_to_linker::<State, Guarded>(linker, view)?;
    sockets::udp::add_to_linker::<State, Guarded>(linker, view)?;
    http::types::add_to_linker::<State, Guarded>(linker, &http::types::LinkOptions::default(), view)?;
    http::outgoing_handler::add_to_linker::<State, Guarded>(linker, view)?;
    Ok(())
}
