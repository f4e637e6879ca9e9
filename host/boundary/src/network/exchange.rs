//! One request and its answer: resolved, connected, sent, received; each part seen as it crosses.

use super::Network;
use super::body::{HeldBody, InBody, Incoming, OutBody, broken};
use super::connect::{Failed, connect};
use super::mask::Masker;
use super::secrets::lines;
use crate::flow::Way;
use crate::record::{Recorder, Stop};
use customs_ledger::material::{SinkKind, SourceKind};
use customs_policy::{Capability, Endpoint, Permit, Scheme};
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt as _;
use hyper::rt::Executor;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn};
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// How long looking up, connecting and the TLS handshake may take together where the guest does not say.
const CONNECT: Duration = Duration::from_secs(10);
/// Bytes of header lines and their number that are taken from a server.
const MAX_HEAD: usize = 256 * 1024;
const MAX_HEADERS: usize = 256;
/// How much is read ahead of the guest.
const READ_AHEAD: usize = 256 * 1024;

/// What the guest asked of the clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    connect: Option<Duration>,
    first_byte: Option<Duration>,
    between_bytes: Option<Duration>,
}

impl From<Option<RequestOptions>> for Options {
    fn from(options: Option<RequestOptions>) -> Self {
        let options = options.unwrap_or_default();
        Options {
            connect: options.connect_timeout,
            first_byte: options.first_byte_timeout,
            between_bytes: options.between_bytes_timeout,
        }
    }
}

/// A request that was decided and recorded, ready to go.
pub(crate) struct Exchange {
    pub(crate) recorder: Recorder,
    pub(crate) network: Arc<Network>,
    /// Bounds the connections of a call.
    pub(crate) places: Arc<Semaphore>,
    pub(crate) permit: Permit,
    pub(crate) endpoint: Endpoint,
    /// The ledger record of the decision.
    pub(crate) of: u64,
    pub(crate) request: Request<WasiBody>,
    pub(crate) options: Options,
}

pub(crate) type Connection = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl Exchange {
    /// Sends the request and gives the answer's head; its body follows as the guest reads it.
    pub(crate) async fn run(self) -> Result<(Response<WasiBody>, Connection), Error> {
        let (recorder, of) = (self.recorder.clone(), self.of);
        match self.attempt().await {
            Ok(answer) => {
                recorder.outcome(of, None).map_err(|s| Failed::from(s).guest)?;
                Ok(answer)
            }
            Err(failed) => {
                // A record that cannot be written has stopped the call: the guest hears of the failure either way.
                recorder.outcome(of, Some(&failed.record)).ok();
                Err(failed.guest)
            }
        }
    }

    async fn attempt(self) -> Result<(Response<WasiBody>, Connection), Failed> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| Failed::new(Error::ConnectionLimitReached, "no more connections"))?;
        let wait = self.options.connect.unwrap_or(CONNECT);
        let late = |_| Failed::new(Error::ConnectionTimeout, "no connection in time");
        let connecting = async {
            let stream = connect(&self.recorder, &self.network, &self.permit, &self.endpoint).await?;
            if self.endpoint.scheme == Some(Scheme::Https) {
                let stream = self.network.tls.handshake(&self.endpoint.host, stream).await?;
                let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                Ok::<_, Failed>((Wire::new(stream), http2))
            } else {
                Ok((Wire::new(stream), false))
            }
        };
        let (wire, http2) = tokio::time::timeout(wait, connecting).await.map_err(late)??;
        let wait = self.options.first_byte;
        let sending = self.send(wire, http2);
        let (response, driver) = match wait {
            None => sending.await?,
            Some(wait) => {
                let late = |_| Failed::new(Error::ConnectionReadTimeout, "no answer in time");
                tokio::time::timeout(wait, sending).await.map_err(late)??
            }
        };
        // The connection, and its place, are given back when the answer's body is read or dropped.
        let connection = async move {
            driver.await;
            drop(place);
            Ok(())
        };
        Ok((response, Box::new(connection)))
    }

    async fn send(self, wire: Wire, http2: bool) -> Result<(Response<WasiBody>, AbortOnDropJoinHandle<()>), Failed> {
        let name = format!("{}{}", self.endpoint, self.request.uri().path());
        let (mut parts, body) = self.request.into_parts();
        let line = format!("{} {}{}", parts.method, self.endpoint, path_of(&parts.uri));
        let sink = Way::Out(SinkKind::HttpRequest);
        let promised = parts.headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());

        // From here on the headers hold what the guest must not see; they are seen by nobody but the server.
        let injected = self.network.secrets.inject(self.recorder.policy(), &self.endpoint, &mut parts.headers);
        let masker = Masker::new(injected.forms.iter().cloned());
        let rule = injected.secrets.first().map(|s| Arc::clone(&s.rule));
        let authority = self.endpoint.authority();
        parts.uri = if http2 {
            let scheme = self.endpoint.scheme.map_or("https", Scheme::as_str);
            let uri = Uri::builder().scheme(scheme).authority(authority.as_str()).path_and_query(path_of(&parts.uri));
            uri.build().map_err(|_| unwritable())?
        } else {
            parts.headers.insert(HOST, HeaderValue::from_str(&authority).map_err(|_| unwritable())?);
            Uri::builder().path_and_query(path_of(&parts.uri)).build().map_err(|_| unwritable())?
        };

        let body = if self.recorder.judges(SinkKind::HttpRequest) {
            judged(&self.recorder, self.of, body, &name, line.as_bytes(), &injected.shown).await?
        } else {
            body
        };
        // The connection stands: now the bytes leave.
        self.recorder.whole(self.of, sink, &format!("{name}#line"), line.as_bytes())?;
        if !injected.shown.is_empty() {
            self.recorder.whole(self.of, sink, &format!("{name}#headers"), &injected.shown)?;
        }
        let body = OutBody::new(body, self.recorder.clone(), self.of, name.clone(), promised);
        let request = Request::from_parts(parts, body);
        let (response, driver) =
            if http2 { speak_http2(wire, request).await? } else { speak_http1(wire, request).await? };

        let (mut parts, body) = response.into_parts();
        if parts.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Failed::new(Error::HttpUpgradeFailed, "the server wants another protocol (101)"));
        }
        let mut about = Incoming {
            recorder: self.recorder.clone(),
            of: self.of,
            name,
            masker,
            rule,
            between: self.options.between_bytes,
        };
        about.headers(&mut parts.headers);
        about.tell_masked()?;
        let head = [parts.status.as_str().as_bytes(), b"\r\n", &lines(&parts.headers)].concat();
        let source = Way::In(SourceKind::HttpResponse);
        self.recorder.whole(self.of, source, &format!("{}#head", about.name), &head)?;
        let body = WasiBody::new(InBody::new(body, about));
        Ok((Response::from_parts(parts, body), driver))
    }
}

/// Waits for all of the body and shows it, with what goes before it, to whoever judges. The connection stands by then, and nothing has
/// been sent on it.
async fn judged(
    recorder: &Recorder,
    of: u64,
    mut body: WasiBody,
    name: &str,
    line: &[u8],
    headers: &[u8],
) -> Result<WasiBody, Failed> {
    let most = recorder.policy().limits().max_output;
    let mut data = Vec::new();
    let mut trailers = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| Failed::new(e, "the body was not finished"))?;
        match frame.into_data() {
            Ok(bytes) if (data.len() + bytes.len()) as u64 <= most => data.extend_from_slice(&bytes),
            Ok(_) => {
                let observed = format!("a request body of more than {most} bytes");
                return Err(recorder.stop(Stop::Limit { limit: "output", observed }).into());
            }
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    let end = trailers.as_ref().map(lines).unwrap_or_default();
    let parts: [(&str, &[u8]); 4] = [("line", line), ("headers", headers), ("body", &data), ("trailers", &end)];
    let there = parts.into_iter().filter(|(_, bytes)| !bytes.is_empty());
    let parts: Vec<(String, &[u8])> = there.map(|(part, bytes)| (format!("{name}#{part}"), bytes)).collect();
    match recorder.judge(of, SinkKind::HttpRequest, Capability::HttpRequest, "send", &parts)? {
        Some(denial) => Err(Failed::new(Error::HttpRequestDenied, denial.code.sentence())),
        None => Ok(WasiBody::new(HeldBody::new(data.into(), trailers))),
    }
}

fn unwritable() -> Failed {
    Failed::new(Error::HttpRequestUriInvalid, "the request cannot be written")
}

/// Path and query in origin form.
fn path_of(uri: &Uri) -> &str {
    uri.path_and_query().map(http::uri::PathAndQuery::as_str).filter(|p| !p.is_empty()).unwrap_or("/")
}

type Spoken = (Response<hyper::body::Incoming>, AbortOnDropJoinHandle<()>);

async fn speak_http1(wire: Wire, request: Request<OutBody>) -> Result<Spoken, Failed> {
    let mut builder = hyper::client::conn::http1::Builder::new();
    builder.max_headers(MAX_HEADERS).max_buf_size(READ_AHEAD);
    let (mut sender, connection) = builder.handshake(TokioIo::new(wire)).await.map_err(|e| failed(&e))?;
    let driver = spawn(async move {
        // How a connection ends shows in the answer.
        connection.await.ok();
    });
    let response = sender.send_request(request).await.map_err(|e| failed(&e))?;
    Ok((response, driver))
}

async fn speak_http2(wire: Wire, request: Request<OutBody>) -> Result<Spoken, Failed> {
    let tasks = Tasks::default();
    let mut builder = hyper::client::conn::http2::Builder::new(tasks.clone());
    builder.max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX));
    builder.initial_stream_window_size(1 << 20).initial_connection_window_size(1 << 20);
    let (mut sender, connection) = builder.handshake(TokioIo::new(wire)).await.map_err(|e| failed(&e))?;
    let driver = spawn(async move {
        connection.await.ok();
        // It ends with the last request; what reads and writes for it goes on until the answer has been read.
        while let Some(task) = tasks.take() {
            task.await;
        }
    });
    let response = sender.send_request(request).await.map_err(|e| failed(&e))?;
    // No second request will come; the connection ends with this one.
    drop(sender);
    Ok((response, driver))
}

fn failed(error: &hyper::Error) -> Failed {
    // What a body of ours refused is the reason, not that the connection broke of it.
    let ours = std::error::Error::source(error).and_then(|e| e.downcast_ref::<Error>());
    let guest = match ours {
        Some(Error::HttpRequestBodySize(size)) => Error::HttpRequestBodySize(*size),
        Some(Error::HttpRequestDenied) => Error::HttpRequestDenied,
        _ => broken(error),
    };
    Failed::new(guest, format!("http: {error}"))
}

/// What HTTP/2 does beside the connection itself. Dropping the last of these ends it.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<Vec<AbortOnDropJoinHandle<()>>>>);

impl Tasks {
    fn take(&self) -> Option<AbortOnDropJoinHandle<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, future: F) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(spawn(future));
    }
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection with or without TLS.
struct Wire(Box<dyn Duplex>);

impl Wire {
    fn new(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Wire {
        Wire(Box::new(stream))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
