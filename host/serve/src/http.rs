//! MCP over HTTP, for clients that do not start us themselves.
//!
//! ```text
//! socket ── connection ── gate.rs      meant for us, from no strange page, with the token
//!                            ├── /health, /metrics
//!                            └── /mcp ── body.rs ── rmcp      read whole, within the bounds
//! ```
//!
//! Everything that a client can make us hold is bounded: connections, requests, the bytes of their bodies, sessions, and how long it may take
//! to say what it wants or to take what it asked for. Nobody waits for room: there is some, or the client is told to come again.

mod body;
mod gate;

pub use gate::Token;

use crate::metrics::{Metrics, Now};
use crate::server::{House, Server};
use crate::{GRACE, PATIENCE};
use body::{Held, Metered, memory, whole};
use bytes::Bytes;
use gate::{Closed, Gate};
use http_body_util::Full;
use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rmcp::transport::streamable_http_server::session::local::{LocalSessionManager, SessionConfig};
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;
use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Where MCP is.
pub const PATH: &str = "/mcp";

/// Who is answered, and what they may use.
#[derive(Debug)]
pub struct Front(Gate);

impl Front {
    /// For a server at `address`. Beyond this machine a token is needed.
    ///
    /// # Errors
    /// Why not, in one sentence.
    pub fn new(
        address: SocketAddr,
        hosts: &[String],
        origins: &[String],
        token: Option<Token>,
    ) -> Result<Front, String> {
        if token.is_none() && !address.ip().to_canonical().is_loopback() {
            return Err(format!(
                "{address} can be reached from other machines: give a token with --token-file or CUSTOMS_TOKEN"
            ));
        }
        Gate::new(address.ip(), hosts, origins, token).map(Front)
    }
}

/// What all clients together may make us hold.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    connections: usize,
    /// Connections beyond that are told so; more are closed.
    turned_away: usize,
    requests: usize,
    sessions: usize,
    /// The lines of a request, with the time that a connection may say nothing.
    head: Duration,
    /// A body, and each piece of it.
    body: Duration,
    piece: Duration,
    /// Answers that are not taken.
    stall: Duration,
    /// A session in which nothing happens.
    idle: Duration,
}

const BOUNDS: Bounds = Bounds {
    connections: 256,
    turned_away: 16,
    requests: 256,
    sessions: 128,
    // Clients keep a connection for a few seconds; theirs should end first.
    head: Duration::from_secs(15),
    body: Duration::from_secs(120),
    piece: Duration::from_secs(10),
    stall: Duration::from_secs(30),
    idle: Duration::from_secs(30 * 60),
};

/// The lines of a request, in bytes and in number.
const MAX_HEAD: usize = 64 << 10;
const MAX_HEADERS: usize = 100;
/// Body bytes that there is room for beside one request of the largest size.
const BESIDE: usize = 16 << 20;
/// What a message has beside its arguments.
const SLACK: usize = 64 << 10;
/// Connections may take so long to end when the server does.
const DRAIN: Duration = Duration::from_millis(200);

type Answer = Response<BoxBody<Bytes, Infallible>>;

/// What connections share.
struct Door {
    house: Arc<House>,
    gate: Gate,
    bounds: Bounds,
    metrics: Arc<Metrics>,
    service: StreamableHttpService<Server, LocalSessionManager>,
    sessions: Arc<LocalSessionManager>,
    connections: Arc<Semaphore>,
    places: Arc<Semaphore>,
    memory: Arc<Semaphore>,
}

/// Serves until `stop` says so, then ends within two seconds.
pub(crate) async fn serve(
    house: &Arc<House>,
    listener: TcpListener,
    front: Front,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    serve_within(house, listener, front, stop, BOUNDS).await
}

async fn serve_within(
    house: &Arc<House>,
    listener: TcpListener,
    front: Front,
    stop: impl Future<Output = ()>,
    bounds: Bounds,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let door = Arc::new(Door::new(house, front, bounds));
    let turned_away = Arc::new(Semaphore::new(bounds.turned_away));
    let (closing, closed) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            Some(_) = tasks.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, mostly: some will be closed.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (place, away) = match Arc::clone(&door.connections).try_acquire_owned() {
            Ok(place) => (place, false),
            Err(_) => match Arc::clone(&turned_away).try_acquire_owned() {
                Ok(place) => (place, true),
                Err(_) => continue,
            },
        };
        let (door, closed) = (Arc::clone(&door), closed.clone());
        tasks.spawn(async move {
            connection(door, stream, away, closed).await;
            drop(place);
        });
    }
    drop(listener);
    // Nothing begins any more; what runs may end by itself and be answered.
    house.desk.close();
    closing.send_replace(true);
    house.flights.all_end(GRACE, PATIENCE).await;
    door.service.config.cancellation_token.cancel();
    let ended = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, ended).await.is_err() {
        tasks.abort_all();
    }
    Ok(())
}

async fn connection(door: Arc<Door>, stream: TcpStream, away: bool, mut closed: watch::Receiver<bool>) {
    // Answers are small and complete: waiting for more of them would cost 40 ms each.
    stream.set_nodelay(true).ok();
    let stall = u32::try_from(door.bounds.stall.as_millis()).unwrap_or(u32::MAX);
    rustix::net::sockopt::set_tcp_user_timeout(&stream, stall).ok();
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(door.bounds.head)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .keep_alive(!away);
    let service = service_fn(move |request| {
        let door = Arc::clone(&door);
        async move {
            Ok::<_, Infallible>(if away {
                door.metrics.requests.fetch_add(1, Ordering::Relaxed);
                let answer = door.busy("connections", "too many connections are open; try again later");
                door.metered(answer, None)
            } else {
                door.answer(request).await
            })
        }
    });
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = connection.as_mut() => return,
        // An error is a sender that is gone, which is an end as well.
        _ = closed.wait_for(|closed| *closed) => {}
    }
    connection.as_mut().graceful_shutdown();
    // How a client's connection ended is its own affair.
    connection.await.ok();
}

impl Door {
    fn new(house: &Arc<House>, front: Front, bounds: Bounds) -> Door {
        // Shorter than a call may take, a session would end under it.
        let longest = house.shelf().subjects.iter().map(|s| s.session.policy().limits().timeout).max();
        let mut config = SessionConfig::default();
        config.keep_alive = Some(bounds.idle.max(longest.unwrap_or_default() + bounds.head));
        // Answers that were sent are not kept for a client that lost its connection: nobody could say how many.
        config.completed_cache_ttl = Duration::ZERO;
        let mut sessions = LocalSessionManager::default();
        sessions.session_config = config;
        let sessions = Arc::new(sessions);

        // Hosts and origins are ours to check, for every path; bodies come to it whole.
        let config = StreamableHttpServerConfig::default()
            .disable_allowed_hosts()
            .disable_allowed_origins()
            .with_json_response(true)
            .with_max_request_body_bytes(usize::MAX);
        let serving = Arc::clone(house);
        let service =
            StreamableHttpService::new(move || Ok(Server::new(Arc::clone(&serving))), Arc::clone(&sessions), config);
        let metrics = Arc::new(Metrics::default());
        house.observers.count(&metrics);
        Door {
            gate: front.0,
            bounds,
            metrics,
            service,
            sessions,
            connections: Arc::new(Semaphore::new(bounds.connections)),
            places: Arc::new(Semaphore::new(bounds.requests)),
            memory: memory(most(house) + BESIDE),
            house: Arc::clone(house),
        }
    }

    async fn answer(self: &Arc<Self>, request: Request<Incoming>) -> Response<Metered> {
        self.metrics.requests.fetch_add(1, Ordering::Relaxed);
        let (mut parts, body) = request.into_parts();
        let page = match self.gate.meant(&parts.uri, &parts.headers) {
            Ok(page) => page.cloned(),
            Err(closed) => return self.metered(self.closed(closed), None),
        };
        let mut held = None;
        let mut answer = if page.is_some() && parts.method == Method::OPTIONS {
            preflight(&parts.headers)
        } else {
            match parts.uri.path() {
                "/health" => self.health(&parts).await,
                "/metrics" => self.numbers(&parts).await,
                PATH => match self.gate.may(&parts.headers) {
                    Err(closed) => self.closed(closed),
                    Ok(()) => {
                        // What comes after has no use for it, and what is not there is not shown.
                        parts.headers.remove(header::AUTHORIZATION);
                        self.mcp(parts, body, &mut held).await
                    }
                },
                _ => whole(StatusCode::NOT_FOUND, TEXT, "there is nothing here; MCP is at /mcp\n"),
            }
        };
        if let Some(page) = page {
            let headers = answer.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, page);
            headers.insert(header::VARY, HeaderValue::from_static("origin"));
            let shown = HeaderValue::from_static("mcp-session-id, www-authenticate");
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, shown);
        }
        self.metered(answer, held)
    }

    async fn mcp(self: &Arc<Self>, mut parts: Parts, body: Incoming, held: &mut Option<Arc<Held>>) -> Answer {
        if parts.method != Method::POST {
            return self.service.handle(Request::from_parts(parts, Full::<Bytes>::default())).await;
        }
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return self.busy("requests", "too many requests are under way; try again later");
        };
        if opens_session(&parts.headers) && self.sessions.sessions.read().await.len() >= self.bounds.sessions {
            return self.busy("sessions", "too many sessions are open; end one or try again later");
        }
        let (body, bytes) = match body::read(body, most(&self.house), self).await {
            Ok(read) => read,
            Err(why) => {
                let (status, reason, sentence) = why.answer();
                return self.refuse(status, reason, sentence);
            }
        };
        let holds = Held::new(place, bytes);
        *held = Some(Arc::clone(&holds));
        // It goes with the call, which may outlive its connection.
        parts.extensions.insert(holds);
        self.service.handle(Request::from_parts(parts, Full::new(body))).await
    }

    async fn health(&self, parts: &Parts) -> Answer {
        if let Err(closed) = self.gate.may_ask_for_health(&parts.headers) {
            return self.closed(closed);
        }
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return not_allowed();
        }
        self.house.refresh().await;
        let trouble = self.house.trouble();
        let status = if trouble.is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        let tools = self.house.shelf().offers.len();
        whole(status, "application/json", format!("{}\n", json!({"status": trouble.unwrap_or("ok"), "tools": tools})))
    }

    async fn numbers(&self, parts: &Parts) -> Answer {
        if let Err(closed) = self.gate.may(&parts.headers) {
            return self.closed(closed);
        }
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return not_allowed();
        }
        let now = Now {
            tools: self.house.shelf().offers.len(),
            in_flight: self.house.flights.count(),
            connections: self.bounds.connections.saturating_sub(self.connections.available_permits()),
            requests: self.bounds.requests.saturating_sub(self.places.available_permits()),
            sessions: self.sessions.sessions.read().await.len(),
            well: self.house.trouble().is_none(),
        };
        whole(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", self.metrics.text(now))
    }

    fn closed(&self, closed: Closed) -> Answer {
        let mut answer = self.refuse(closed.status(), closed.reason(), closed.sentence());
        if closed == Closed::Token {
            let scheme = HeaderValue::from_static("Bearer realm=\"customs\"");
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        answer
    }

    fn busy(&self, reason: &'static str, sentence: &str) -> Answer {
        let mut answer = self.refuse(StatusCode::SERVICE_UNAVAILABLE, reason, sentence);
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        answer
    }

    fn refuse(&self, status: StatusCode, reason: &'static str, sentence: &str) -> Answer {
        self.metrics.refused(reason);
        whole(status, TEXT, format!("{sentence}\n"))
    }

    fn metered(self: &Arc<Self>, answer: Answer, held: Option<Arc<Held>>) -> Response<Metered> {
        let mut answer = answer.map(|body| Metered::new(body, self, held));
        let headers = answer.headers_mut();
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        answer
    }
}

impl House {
    /// Why no call would run now, in a word for machines.
    fn trouble(&self) -> Option<&'static str> {
        if self.broken.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return Some("the ledger cannot be written");
        }
        self.reload.is_refused().then_some("the policy cannot be enforced")
    }
}

const TEXT: &str = "text/plain; charset=utf-8";

/// The longest message: the largest arguments of any tool, escaped a little or in base64.
fn most(house: &House) -> usize {
    let limits = house.shelf().subjects.iter().map(|s| s.session.policy().limits().max_input).max();
    let arguments = usize::try_from(limits.unwrap_or_default()).unwrap_or(usize::MAX / 4);
    arguments.saturating_add(arguments / 3).saturating_add(SLACK)
}

/// Whether a request without a session may open one: those of the newest revision name their method, and have none.
fn opens_session(headers: &HeaderMap) -> bool {
    !headers.contains_key("mcp-session-id") && headers.get("mcp-method").is_none_or(|method| method == "initialize")
}

fn not_allowed() -> Answer {
    let mut answer = whole(StatusCode::METHOD_NOT_ALLOWED, TEXT, "this can only be read\n");
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    answer
}

/// A page of an allowed origin asks whether it may send what it wants to.
fn preflight(headers: &HeaderMap) -> Answer {
    let mut answer = whole(StatusCode::NO_CONTENT, TEXT, "");
    let given = answer.headers_mut();
    given.remove(header::CONTENT_TYPE);
    given.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, DELETE"));
    given.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if let Some(asked) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).and_then(|h| h.to_str().ok()) {
        let known = asked.split(',').map(str::trim).filter(|name| is_known(name));
        if let Ok(value) = HeaderValue::from_str(&known.collect::<Vec<_>>().join(", ")) {
            given.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, value);
        }
    }
    answer
}

/// What MCP clients send. The arguments that the newest revision repeats in headers have names of the tools' own.
fn is_known(name: &str) -> bool {
    const KNOWN: [&str; 8] = [
        "accept",
        "authorization",
        "content-type",
        "last-event-id",
        "mcp-method",
        "mcp-name",
        "mcp-protocol-version",
        "mcp-session-id",
    ];
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { return false };
    KNOWN.contains(&name.as_str()) || name.as_str().starts_with("mcp-param-") || name == "traceparent"
}
