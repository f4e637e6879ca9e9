//! A server for MCP's conformance runner: `conformance COMPONENT...`, until standard input ends.
//!
//! The runner calls tools, prompts and resources by names of its own. Tools come from the components, through the server of this crate.
//! What customs does not offer (prompts, completion, questions of any form) is in [`fixture`], around it: so the runner also sees that the
//! rest stays right beside it. The address is told on stderr, as `customs serve --http` does; docs/conformance.md says which answers are whose.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a fixture for tests, not the program"
)]

mod asks;
mod fixture;
mod guests;
mod texts;

use axum::Router;
use axum::serve::ListenerExt as _;
use fixture::{Fixture, Shared};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

fn main() {
    let components: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    assert!(!components.is_empty(), "which components?");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(serve(&components));
    runtime.shutdown_background();
}

async fn serve(components: &[PathBuf]) {
    let tools = guests::open(components).await;
    let shared = Arc::new(Shared::new());
    // As `customs serve --http` has them.
    let mut sessions = LocalSessionManager::default();
    sessions.session_config.completed_cache_ttl = Duration::ZERO;
    let service = StreamableHttpService::new(
        move || Ok(Fixture::new(tools.handler(), Arc::clone(&shared))),
        Arc::new(sessions),
        StreamableHttpServerConfig::default().with_json_response(true),
    );
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    eprintln!("serving  http://{}/mcp", listener.local_addr().unwrap());
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    // Whoever started us has gone when there is nothing more to read.
    let gone = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    let router = Router::new().nest_service("/mcp", service);
    tokio::select! {
        served = axum::serve(listener, router).into_future() => served.unwrap(),
        _ = gone => {}
    }
}
