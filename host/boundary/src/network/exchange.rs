//! One request and its answer: resolved, connected, sent, received; each part seen as it crosses.

use super::Network;
use super::body::{HeldBody, InBody, Incoming, Origin, OutBody, broken};
use super::connect::{Failed, connect};
use super::mask::Masker;
use super::notes::{Fields, Head, fields, headers};
use super::peer::{Asked, Peer};
use super::secrets::lines;
use crate::flow::Way;
use crate::record::{Recorder, Stop};
use crate::tape::wire::Failure as _;
use crate::tape::{Extent, Tape, key};
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
    /// Which exchange it is, for notes.
    pub(crate) name: String,
    /// Who writes what is seen of the two bodies.
    pub(crate) sending: Recorder,
    pub(crate) receiving: Recorder,
}

/// Who answers.
enum Line {
    /// A connection, and whether it speaks HTTP/2.
    Wire(Wire, bool),
    Peer(Arc<dyn Peer>),
    Tape,
}

type Driver = Option<AbortOnDropJoinHandle<()>>;

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
        let tape = self.recorder.tape().clone();
        let (mut place, name) = (None, self.name.clone());
        let waiting = async {
            let given = Arc::clone(&self.places).acquire_owned().await;
            place = Some(given.map_err(|_| Failed::new(Error::ConnectionLimitReached, "no more connections"))?);
            Ok::<_, Failed>(())
        };
        tape.later(key!("http.place", name), waiting).await?;
        let late = |_| Failed::new(Error::ConnectionTimeout, "no connection in time");
        let line = Exchange::line(&self.recorder, &self.network, &self.permit, &self.endpoint, self.of, &self.name);
        let line =
            in_time(&tape, "http.connected", &name, self.options.connect.or(Some(CONNECT)), line, late).await??;
        let wait = self.options.first_byte;
        let late = |_| Failed::new(Error::ConnectionReadTimeout, "no answer in time");
        let (response, driver) = in_time(&tape, "http.answered", &name, wait, self.send(line), late).await??;
        // The connection, and its place, are given back when the answer's body is read or dropped.
        let connection = async move {
            if let Some(driver) = driver {
                driver.await;
            }
            drop(place);
            Ok(())
        };
        Ok((response, Box::new(connection)))
    }

    /// Gets to whoever answers.
    async fn line(
        recorder: &Recorder,
        network: &Network,
        permit: &Permit,
        endpoint: &Endpoint,
        of: u64,
        name: &str,
    ) -> Result<Line, Failed> {
        let stream = connect(recorder, network, permit, endpoint, of, name).await?;
        let mut line = match &network.peer {
            Some(peer) => Line::Peer(Arc::clone(peer)),
            None => Line::Tape,
        };
        if endpoint.scheme != Some(Scheme::Https) {
            if let Some(stream) = stream {
                line = Line::Wire(Wire::new(stream), false);
            }
            return Ok(line);
        }
        let mut made = None;
        let shaking = async {
            let Some(stream) = stream else { return Ok(()) };
            let stream = network.tls.handshake(&endpoint.host, stream).await?;
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            made = Some((Wire::new(stream), http2));
            Ok::<_, Failed>(())
        };
        recorder.tape().later(key!("http.tls", name), shaking).await?;
        Ok(made.map_or(line, |(wire, http2)| Line::Wire(wire, http2)))
    }

    async fn send(self, to: Line) -> Result<(Response<WasiBody>, Driver), Failed> {
        let http2 = matches!(to, Line::Wire(_, true));
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
        let of_body = (self.sending.clone(), self.name.clone());
        let body = OutBody::new(body, of_body, self.of, name.clone(), promised);
        let mut about = Incoming {
            recorder: self.receiving.clone(),
            of: self.of,
            name,
            exchange: self.name.clone(),
            masker,
            rule,
            between: self.options.between_bytes,
        };
        let tape = self.recorder.tape().clone();
        // On a replay the guest's body is seen again, as much of it as was sent.
        let mut body = Some(body);
        if tape.is_playing() {
            body.take().map(|body| tape.detach(body.drain()).ok());
        }
        let (mut from, mut driver) = (Origin::Tape, None);
        let asking = async {
            let Some(body) = body else { return Err(Failed::absent()) };
            let head = match to {
                Line::Wire(wire, http2) => {
                    let request = Request::from_parts(parts, body);
                    let spoken =
                        if http2 { speak_http2(wire, request).await? } else { speak_http1(wire, request).await? };
                    let (mut parts, body) = spoken.0.into_parts();
                    about.headers(&mut parts.headers);
                    (from, driver) = (Origin::Server(body), Some(spoken.1));
                    Head {
                        status: parts.status.as_u16(),
                        fields: fields(&parts.headers),
                        masked: about.masker.take_hits(),
                    }
                }
                Line::Peer(peer) => {
                    let url = line.split_once(' ').map_or_else(String::new, |(_, url)| url.to_owned());
                    let body =
                        body.collect().await.map_err(|e| Failed::new(e, "the body was not finished"))?.to_bytes();
                    let headers = shown_fields(&injected.shown);
                    let given = peer.answer(&Asked { method: parts.method.to_string(), url, headers, body });
                    from = Origin::Peer(given.body);
                    let fields = given.headers.into_iter().map(|(name, value)| (name, value.into())).collect();
                    Head { status: given.status, fields, masked: 0 }
                }
                // Only asked where a tape that plays has put nothing in place of a connection.
                Line::Tape => return Err(Failed::absent()),
            };
            if head.status == StatusCode::SWITCHING_PROTOCOLS.as_u16() {
                return Err(Failed::new(Error::HttpUpgradeFailed, "the server wants another protocol (101)"));
            }
            Ok::<_, Failed>(head)
        };
        let head = tape.later(key!("http.head", self.name), asking).await?;
        about.tell_masked(head.masked)?;
        let status =
            StatusCode::from_u16(head.status).map_err(|_| Failed::new(Error::HttpProtocolError, "http: no status"))?;
        let source = format!("{}#head", about.name);
        let headers = headers(&changed(&tape, &source, head.status, head.fields));
        let text = [status.as_str().as_bytes(), b"\r\n", &lines(&headers)].concat();
        self.recorder.whole(self.of, Way::In(SourceKind::HttpResponse), &source, &text)?;
        let mut response = Response::new(WasiBody::new(InBody::new(from, about)));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok((response, driver))
    }
}

/// The header fields as they are recorded, for a peer.
fn shown_fields(lines: &[u8]) -> Vec<(String, Vec<u8>)> {
    let lines = lines.split(|byte| *byte == b'\n').filter_map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let at = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at_checked(at)?;
        Some((String::from_utf8_lossy(name).into_owned(), value.get(1..)?.trim_ascii().to_vec()))
    });
    lines.collect()
}

/// Fields that say how the rest is to be read: a change of an answer's head leaves them alone.
const FRAMING: [&str; 4] = ["content-length", "transfer-encoding", "content-encoding", "content-type"];

/// The fields of an answer's head, changed where this replay changes that source.
fn changed(tape: &Tape, source: &str, status: u16, mut fields: Fields) -> Fields {
    let Some(change) = tape.change(SourceKind::HttpResponse, source) else { return fields };
    let mut at = status.to_string().len() as u64 + 2;
    for (name, value) in &mut fields {
        at += name.len() as u64 + 2;
        let length = value.len() as u64;
        if !FRAMING.contains(&name.as_str()) && matches!(change.extent, Extent::Content(_)) {
            *value = change.bytes(at, value).into();
        }
        at += length + 2;
    }
    fields
}

/// Waits no longer than that. On a replay what was late is late, and nothing else is.
async fn in_time<T>(
    tape: &Tape,
    what: &str,
    name: &str,
    wait: Option<Duration>,
    work: impl Future<Output = T>,
    late: impl FnOnce(tokio::time::error::Elapsed) -> Failed,
) -> Result<T, Failed> {
    let of = key!(what, name);
    let wait = if tape.is_playing() {
        // Everything that was answered is there at once.
        matches!(tape.noted(&of()), Some(crate::tape::Answer::Flag(false))).then_some(Duration::ZERO)
    } else {
        wait
    };
    let done = match wait {
        Some(wait) => tokio::time::timeout(wait, work).await,
        None => Ok(work.await),
    };
    tape.note(of, || crate::tape::Answer::Flag(done.is_ok()));
    done.map_err(late)
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
