//! Serving tools to MCP clients.
//!
//! ```text
//! client ── stdio.rs | http.rs ── rmcp ── server.rs ── shelf.rs      which tool
//!                                            │
//!                                         desk.rs ── customs-engine   the call, under the component's own policy
//!                                            │
//!                          answer.rs, provenance.rs                   the result, its labels, its record
//! ```
//!
//! A call runs in a store of its own under its component's policy. What a tool says meanwhile goes through [`voice`]; calls that are
//! under way are known to [`flights`], so that they end when the client goes.

mod answer;
mod ask;
mod desk;
mod flights;
mod http;
mod hygiene;
mod metrics;
mod provenance;
mod reload;
mod server;
mod shelf;
mod stdio;
mod trace;
mod voice;
mod watch;

pub use ask::{DEFAULT_TIME as DEFAULT_ASK_TIME, Grant, Hold, Proposal};
pub use http::{Front, PATH, Token};
pub use reload::Renewed;
pub use server::Ground;
pub use shelf::{Held, Subject};
#[cfg(feature = "otel")]
pub use trace::{Clock, Collector, Exporter};
pub use trace::{Ended, Spans, Traceparent};

use crate::ask::Ask;
use crate::desk::Desk;
use crate::flights::Flights;
use crate::provenance::Runs;
use crate::reload::Reload;
use crate::server::{House, Server};
use crate::shelf::Shelf;
use crate::stdio::Stdio;
use crate::watch::Observers;
use rmcp::{ServerHandler, ServiceExt as _};
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// Calls at once, unless said otherwise. Each may use as much memory as its policy lets it.
pub const DEFAULT_CALLS: usize = 16;
/// The longest message that is read: the largest arguments by default, escaped a little.
const MAX_LINE: usize = 80 << 20;
/// Calls that are under way when the client has gone may end by themselves for so long; then they are cancelled.
const GRACE: Duration = Duration::from_millis(800);
/// And then they are waited for so long.
const PATIENCE: Duration = Duration::from_millis(700);

/// Tools, ready to be served.
#[derive(Clone)]
pub struct Tools(Arc<House>);

impl std::fmt::Debug for Tools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tools").finish_non_exhaustive()
    }
}

/// How serving ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Served {
    /// The client went, and every call had ended.
    Done,
    /// Some call could not be recorded, or did not end.
    Fault(String),
}

impl Tools {
    /// Calls run on the current thread and go on among `workers`, `calls` of them at once.
    pub fn new(
        subjects: impl IntoIterator<Item = impl Into<Arc<Subject>>>,
        workers: tokio::runtime::Handle,
        calls: usize,
        ground: Arc<dyn Ground>,
    ) -> Tools {
        let subjects: Vec<Arc<Subject>> = subjects.into_iter().map(Into::into).collect();
        let shelf = Shelf::new(&subjects);
        for warning in &shelf.warnings {
            ground.tell(warning);
        }
        Tools(Arc::new(House {
            shelf: RwLock::new(Arc::new(shelf)),
            desk: Desk::new(workers, calls),
            runs: Runs::default(),
            flights: Arc::default(),
            ground,
            reload: Reload::default(),
            ask: None,
            broken: Mutex::new(None),
            observers: Observers::default(),
        }))
    }

    /// A person may be asked for grants, through clients that can show a form, and has so long to answer. Before anything is served.
    #[must_use]
    pub fn with_ask(self, time: Duration) -> Tools {
        match Arc::try_unwrap(self.0) {
            Ok(house) => Tools(Arc::new(House { ask: Ask::new(time), ..house })),
            // It is served already: then nobody is asked.
            Err(shared) => Tools(shared),
        }
    }

    /// What answers one client, for a program that brings its own transport.
    #[must_use]
    pub fn handler(&self) -> impl ServerHandler + Clone + use<> {
        Server::new(Arc::clone(&self.0))
    }

    /// Serves one client over two descriptors until it closes its end.
    ///
    /// # Errors
    /// When the descriptors cannot be used.
    pub async fn serve_stdio(&self, input: OwnedFd, output: OwnedFd) -> io::Result<Served> {
        let flights: Arc<Flights> = Arc::clone(&self.0.flights);
        let server = Server::new(Arc::clone(&self.0));
        let gone = server.gone.clone();
        // rmcp waits for answers that are under way before it ends; they must not take longer than we give them.
        let closed = Box::new(move || {
            gone.cancel();
            tokio::spawn(async move { flights.all_end(GRACE, PATIENCE).await });
        });
        let transport = Stdio::new(input, output, MAX_LINE, closed)?;
        // A client that leaves before it has said hello is no error.
        if let Ok(running) = server.serve(transport).await {
            running.waiting().await.ok();
        }
        Ok(self.end().await)
    }

    /// Serves clients over HTTP, at [`PATH`], until `stop`. Then what is under way may end for a moment.
    ///
    /// # Errors
    /// When the socket cannot be used.
    pub async fn serve_http(
        &self,
        listener: TcpListener,
        front: Front,
        stop: impl Future<Output = ()>,
    ) -> io::Result<Served> {
        http::serve(&self.0, listener, front, stop).await?;
        Ok(self.end().await)
    }

    /// Each call that ends from now on is told to `spans`. The first one holds.
    pub fn trace(&self, spans: Arc<dyn Spans>) {
        self.0.observers.trace(spans);
    }

    /// Ends what is under way, and says how it went.
    pub async fn end(&self) -> Served {
        let ended = self.0.flights.all_end(Duration::ZERO, PATIENCE).await;
        self.0.desk.close();
        match self.0.broken.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(why) => Served::Fault(why),
            None if !ended => Served::Fault("a call did not end".to_owned()),
            None => Served::Done,
        }
    }
}
