//! Spans to an OpenTelemetry collector: OTLP over HTTP, as JSON.
//!
//! The protocol's JSON form needs nothing that is not here already; the SDK and its exporter would bring ten more crates, and a client that does
//! not run in the SDK's own thread. Spans wait in a bounded queue, and what does not fit is left out: a collector that is slow or gone costs a
//! call nothing.

use super::{Ended, Spans};
use bytes::Bytes;
use customs_ledger::hex;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, Uri, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// Spans that wait.
const QUEUE: usize = 2_048;
/// Spans in one request, and how long the first of them waits for others.
const BATCH: usize = 512;
const PAUSE: Duration = Duration::from_secs(1);
/// A request to the collector.
const PATIENCE: Duration = Duration::from_secs(5);

/// The wall clock at some moment: nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    pub moment: Instant,
    pub nanoseconds: u64,
}

impl Clock {
    fn at(&self, moment: Instant) -> u64 {
        let since = moment.saturating_duration_since(self.moment).as_nanos();
        self.nanoseconds.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
    }
}

/// Where spans are sent.
#[derive(Clone, Debug)]
pub struct Collector {
    host: String,
    port: u16,
    path: String,
    service: String,
}

impl Collector {
    /// `endpoint` is the address of a collector, `/v1/traces` is added to it. `service` is what spans are said to be from.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn new(endpoint: &str, service: &str) -> Result<Collector, String> {
        let uri: Uri = endpoint.parse().map_err(|_| format!("{endpoint:?} is no address of a collector"))?;
        if uri.scheme_str() != Some("http") {
            return Err("spans are sent to a collector over plain http:// only; run one on this machine".to_owned());
        }
        let host = uri.host().filter(|h| !h.is_empty()).ok_or_else(|| format!("{endpoint:?} names no host"))?;
        let path = format!("{}/v1/traces", uri.path().trim_end_matches('/'));
        let port = uri.port_u16().unwrap_or(80);
        Ok(Collector { host: host.to_owned(), port, path, service: service.to_owned() })
    }

    async fn send(&self, spans: Vec<Value>) -> Result<(), ()> {
        let service = json!([attribute("service.name", &json!({"stringValue": self.service}))]);
        let scope = json!({"name": "customs", "version": env!("CARGO_PKG_VERSION")});
        let body = json!({"resourceSpans": [{"resource": {"attributes": service},
            "scopeSpans": [{"scope": scope, "spans": spans}]}]});
        let host = self.host.trim_matches(['[', ']']);
        let stream = TcpStream::connect((host, self.port)).await.map_err(drop)?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(drop)?;
        let request = Request::post(&self.path)
            .header(header::HOST, format!("{}:{}", self.host, self.port))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(drop)?;
        let exchange = async {
            let answer = sender.send_request(request).await.map_err(drop)?;
            let taken = answer.status().is_success();
            Limited::new(answer.into_body(), 64 << 10).collect().await.map_err(drop)?;
            if taken { Ok(()) } else { Err(()) }
        };
        tokio::select! {
            done = exchange => done,
            _ = connection => Err(()),
        }
    }
}

/// Queues spans for a task that sends them.
#[derive(Debug)]
pub struct Exporter {
    queue: mpsc::Sender<Value>,
    clock: Clock,
    random: [u8; 16],
    next: AtomicU64,
}

impl Exporter {
    /// The task runs on `runtime`. `random` must be: ids of traces that nobody began are derived from it.
    #[must_use]
    pub fn start(collector: Collector, clock: Clock, random: [u8; 16], runtime: &tokio::runtime::Handle) -> Exporter {
        let (queue, spans) = mpsc::channel(QUEUE);
        runtime.spawn(forward(collector, spans));
        Exporter { queue, clock, random, next: AtomicU64::new(0) }
    }

    /// 16 bytes that no other span has.
    fn id(&self) -> [u8; 16] {
        use sha2::{Digest as _, Sha256};
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let digest = Sha256::new().chain_update(self.random).chain_update(number.to_le_bytes()).finalize();
        std::array::from_fn(|at| digest.get(at).copied().unwrap_or_default())
    }
}

impl Spans for Exporter {
    fn ended(&self, ended: &Ended<'_>) {
        // Who calls decides whether the trace is recorded.
        if ended.trace.is_some_and(|trace| !trace.sampled()) {
            return;
        }
        let id = self.id();
        let end = self.clock.at(Instant::now());
        let took = ended.took.unwrap_or_default() + ended.waited;
        let span = span(ended, &id, end, end.saturating_sub(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)));
        // Full, or the task is gone.
        self.queue.try_send(span).ok();
    }
}

fn attribute(key: &str, value: &Value) -> Value {
    json!({"key": key, "value": value})
}

/// As OTLP's JSON has it: ids in hexadecimal digits, 64-bit numbers as strings.
fn span(ended: &Ended<'_>, id: &[u8; 16], end: u64, start: u64) -> Value {
    let text = |key: &str, value: &str| attribute(key, &json!({"stringValue": value}));
    let number = |key: &str, value: u64| attribute(key, &json!({"intValue": value.to_string()}));
    let mut attributes = vec![
        text("mcp.method.name", "tools/call"),
        text("gen_ai.tool.name", ended.tool),
        text("customs.component", ended.component),
        text("customs.ending", ended.ending),
        number("customs.waited_us", u64::try_from(ended.waited.as_micros()).unwrap_or(u64::MAX)),
    ];
    if let Some(report) = ended.report {
        attributes.push(number("customs.denials", report.denials.iter().map(|row| row.count).sum()));
        attributes.push(number("customs.findings", report.findings.len() as u64));
        attributes.extend(report.ending.limit().map(|limit| text("customs.limit", limit)));
    }
    let well = ended.ending == "returned";
    if !well {
        attributes.push(text("error.type", ended.ending));
    }
    let (high, low) = id.split_at(8);
    let own: Vec<u8> = high.iter().zip(low).map(|(a, b)| a ^ b).collect();
    let mut span = json!({
        "traceId": ended.trace.map_or_else(|| hex(id), |trace| trace.trace().to_owned()),
        "spanId": hex(&own),
        "name": format!("tools/call {}", ended.tool),
        // A server's.
        "kind": 2,
        "startTimeUnixNano": start.to_string(),
        "endTimeUnixNano": end.to_string(),
        "attributes": attributes,
        "status": if well { json!({}) } else { json!({"code": 2}) },
    });
    if let (Some(members), Some(trace)) = (span.as_object_mut(), ended.trace) {
        members.insert("parentSpanId".to_owned(), json!(trace.span()));
    }
    span
}

async fn forward(collector: Collector, mut spans: mpsc::Receiver<Value>) {
    let mut batch = Vec::new();
    while spans.recv_many(&mut batch, BATCH).await > 0 {
        let full = tokio::time::sleep(PAUSE);
        let mut full = std::pin::pin!(full);
        while batch.len() < BATCH {
            let room = BATCH - batch.len();
            tokio::select! {
                () = full.as_mut() => break,
                more = spans.recv_many(&mut batch, room) => if more == 0 { break },
            }
        }
        // A collector that does not take them is no reason to keep them.
        tokio::time::timeout(PATIENCE, collector.send(std::mem::take(&mut batch))).await.ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Traceparent;
    use std::io::{Read as _, Write as _};

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a collector on this machine")]
    fn a_span_reaches_the_collector_under_its_parent() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}/base/", listener.local_addr().unwrap());
        let collector = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut got = Vec::new();
            let mut chunk = [0; 4_096];
            loop {
                let n = stream.read(&mut chunk).unwrap();
                got.extend_from_slice(&chunk[..n]);
                let text = String::from_utf8_lossy(&got).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).unwrap();
                if body.len() == length.parse::<usize>().unwrap() {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
                    return (head.to_owned(), serde_json::from_str::<Value>(body).unwrap());
                }
            }
        });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let clock = Clock { moment: Instant::now(), nanoseconds: 1_000_000_000_000 };
        let exporter = Exporter::start(Collector::new(&endpoint, "tools").unwrap(), clock, [7; 16], runtime.handle());
        let sampled = Traceparent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
        let unsampled = Traceparent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00").unwrap();
        for (tool, trace) in [("left-out", Some(&unsampled)), ("child", Some(&sampled)), ("root", None)] {
            let took = Some(Duration::from_millis(2));
            let ended = "limit";
            exporter.ended(&Ended {
                component: "c",
                tool,
                ending: ended,
                report: None,
                waited: Duration::from_millis(1),
                took,
                trace,
            });
        }
        let (head, body) = collector.join().unwrap();
        assert!(head.starts_with("POST /base/v1/traces HTTP/1.1"), "{head}");
        let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
        let names: Vec<_> = spans.iter().map(|span| span["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["tools/call child", "tools/call root"]);
        assert_eq!(spans[0]["traceId"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(spans[0]["parentSpanId"], "b7ad6b7169203331");
        assert_eq!(spans[0]["spanId"].as_str().unwrap().len(), 16);
        assert_eq!((spans[1]["traceId"].as_str().unwrap().len(), &spans[1]["parentSpanId"]), (32, &Value::Null));
        assert_ne!(spans[0]["spanId"], spans[1]["spanId"]);
        let time = |key: &str| spans[0][key].as_str().unwrap().parse::<u64>().unwrap();
        assert_eq!(time("endTimeUnixNano") - time("startTimeUnixNano"), 3_000_000);
        let ending = json!({"key": "customs.ending", "value": {"stringValue": "limit"}});
        assert!(spans[0]["attributes"].as_array().unwrap().contains(&ending));
        assert_eq!(spans[0]["status"]["code"], 2);
    }

    #[test]
    fn a_collector_that_is_gone_costs_a_call_nothing() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let clock = Clock { moment: Instant::now(), nanoseconds: 0 };
        let nowhere = Collector::new("http://127.0.0.1:1", "tools").unwrap();
        let exporter = Exporter::start(nowhere, clock, [7; 16], runtime.handle());
        let begin = Instant::now();
        for _ in 0..QUEUE * 2 {
            let (waited, took) = (Duration::ZERO, None);
            exporter.ended(&Ended {
                component: "c",
                tool: "t",
                ending: "returned",
                report: None,
                waited,
                took,
                trace: None,
            });
        }
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
        assert!(Collector::new("https://collector.example", "tools").is_err());
        assert!(Collector::new("collector", "tools").is_err());
    }
}
