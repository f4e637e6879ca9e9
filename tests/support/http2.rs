//! A server that offers HTTP/2, and HTTP/1.1 beside it: what the client picked is remembered with each request.

use super::certificates::Certificate;
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it was understood.
#[derive(Clone, Debug)]
pub struct Understood {
    /// `HTTP/2.0`
    pub version: String,
    pub method: String,
    /// As the client gave it: absolute in HTTP/2.
    pub uri: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub trailers: Option<HeaderMap>,
}

/// `/endless` streams 10 GiB, `/large` 5 MiB, `/silent` never answers, `/long-header` has one of 400,000 bytes; every other path is answered
/// with `understood PATH` and a trailer.
pub struct Http2 {
    at: SocketAddr,
    connections: Arc<AtomicUsize>,
    heard: Arc<Mutex<Vec<Understood>>>,
    // Dropping it ends every task of the server.
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Http2 {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Http2 {
    pub fn new(certificate: &Certificate) -> Http2 {
        let acceptor = tokio_rustls::TlsAcceptor::from(certificate.server(&["h2", "http/1.1"]));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let at = listener.local_addr().unwrap();
        let (connections, heard) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (counter, log) = (Arc::clone(&connections), Arc::clone(&heard));
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::Relaxed);
                let (acceptor, log) = (acceptor.clone(), Arc::clone(&log));
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let two = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                    let service = hyper::service::service_fn(move |request| answer(Arc::clone(&log), request));
                    let io = TokioIo::new(stream);
                    if two {
                        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                        server.serve_connection(io, service).await.ok();
                    } else {
                        hyper::server::conn::http1::Builder::new().serve_connection(io, service).await.ok();
                    }
                });
            }
        });
        Http2 { at, connections, heard, runtime: Some(runtime) }
    }

    pub fn origin_as(&self, host: &str) -> String {
        format!("https://{host}:{}", self.at.port())
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub fn heard(&self) -> Vec<Understood> {
        self.heard.lock().unwrap().clone()
    }
}

type Body = BoxBody<Bytes, Infallible>;

async fn answer(log: Arc<Mutex<Vec<Understood>>>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    if path == "/silent" {
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    let Ok(body) = body.collect().await else { return Ok(Response::new(text("the body broke off"))) };
    let trailers = body.trailers().cloned();
    log.lock().unwrap().push(Understood {
        version: format!("{:?}", parts.version),
        method: parts.method.to_string(),
        uri: parts.uri.to_string(),
        headers: parts.headers,
        body: body.to_bytes().to_vec(),
        trailers,
    });
    if path == "/endless" || path == "/large" {
        return Ok(Response::new(Letters(if path == "/large" { 5 << 20 } else { 10 << 30 }).boxed()));
    }
    if path == "/long-header" {
        return Ok(Response::builder().header("x-long", "v".repeat(400_000)).body(text("long")).unwrap());
    }
    let mut after = HeaderMap::new();
    after.insert("x-after", "said at the end".parse().unwrap());
    let body = text(&format!("understood {path}")).with_trailers(async move { Some(Ok(after)) });
    Ok(Response::builder().header("x-server", "two").body(body.boxed()).unwrap())
}

fn text(text: &str) -> Body {
    Full::new(Bytes::from(text.to_owned())).boxed()
}

/// So many letters x.
struct Letters(u64);

impl hyper::body::Body for Letters {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.0 == 0 {
            return std::task::Poll::Ready(None);
        }
        self.0 = self.0.saturating_sub(64 << 10);
        std::task::Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b'x'; 64 << 10])))))
    }
}
