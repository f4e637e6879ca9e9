//! What the network boundary costs: the same guest and a server on loopback, under bare wasmtime-wasi-http and under customs, in turn, in one
//! process.
//!
//! The bare side sends as wasmtime-wasi-http's own sender does (resolve and connect in one step, HTTP/1.1 by hyper, a connection for each
//! request); that sender itself is not compiled into this workspace, so that no unchecked path to the network can exist.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a measurement, not the program"
)]

use customs_boundary::network::{Network, Secrets, Tls};
use customs_boundary::{Context, Resolver, Roots};
use customs_engine::load::{Allocation, Compiler, Fuel, engine, read_component};
use customs_engine::{Host, Program, Session};
use customs_ledger::{Component as Named, Event, Ledger, Open, RunKey};
use customs_policy::{HostView, Layer, Origin, PathKind, Policy, RawGrants, RawLimits};
use http_body_util::BodyExt as _;
use serde_json::json;
use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

const ROUNDS: usize = 9;
const BIG: usize = 100 << 20;

struct Real;

impl HostView for Real {
    fn canonical(&self, path: &Path) -> Result<(PathBuf, PathKind), String> {
        Ok((path.canonicalize().map_err(|e| e.to_string())?, PathKind::Dir))
    }
    fn env(&self) -> Vec<(OsString, OsString)> {
        Vec::new()
    }
    fn home(&self) -> Option<PathBuf> {
        None
    }
}

struct Nobody;

impl Resolver for Nobody {
    fn lookup(&self, _: &str) -> customs_boundary::network::Lookup {
        Box::pin(async { Err(std::io::ErrorKind::NotFound.into()) })
    }
}

/// Answers `/small` with a hundred bytes and anything else with a hundred MiB; one request on each connection.
fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let big = vec![b'x'; 1 << 20];
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(&mut stream.unwrap(), &big).ok();
        }
    });
    address
}

fn answer(stream: &mut TcpStream, big: &[u8]) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = [0; 4096];
    let mut read = 0;
    while !request[..read].ends_with(b"\r\n\r\n") {
        match stream.read(&mut request[read..])? {
            0 => return Ok(()),
            n => read += n,
        }
    }
    let small = request.starts_with(b"GET /small");
    let length = if small { 100 } else { BIG };
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    if small {
        return stream.write_all(&[head.as_bytes(), &big[..100]].concat());
    }
    stream.write_all(head.as_bytes())?;
    (0..BIG / big.len()).try_for_each(|_| stream.write_all(big))
}

struct Plain;

type Sent = (http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl WasiHttpHooks for Plain {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        Box::new(send(request))
    }
}

async fn send(mut request: http::Request<WasiBody>) -> Result<Sent, Error> {
    let authority = request.uri().authority().unwrap().to_string();
    let stream = tokio::net::TcpStream::connect(&authority).await.map_err(Error::Connect)?;
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new().handshake(TokioIo::new(stream)).await?;
    *request.uri_mut() = http::Uri::builder().path_and_query(request.uri().path()).build().unwrap();
    let driver = wasmtime_wasi::runtime::spawn(async move {
        connection.await.ok();
    });
    let response = sender.send_request(request).await?;
    let response = response.map(|body| body.map_err(Error::from).boxed_unsync());
    let driver = async move {
        driver.await;
        Ok(())
    };
    Ok((response, Box::new(driver)))
}

struct Bare {
    ctx: WasiCtx,
    table: ResourceTable,
    http: WasiHttpCtx,
    hooks: Plain,
}

impl WasiView for Bare {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.ctx, table: &mut self.table }
    }
}

impl WasiHttpView for Bare {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}

async fn bare_get(pre: &InstancePre<Bare>, index: &ComponentExportIndex, url: &str, times: u32) -> u64 {
    let ctx = WasiCtxBuilder::new().build();
    let bare = Bare { ctx, table: ResourceTable::new(), http: WasiHttpCtx::new(), hooks: Plain };
    let mut store = Store::new(pre.engine(), bare);
    store.set_epoch_deadline(1 << 40);
    let instance = pre.instantiate_async(&mut store).await.unwrap();
    let get = instance.get_typed_func::<(&str, u32), (Result<u64, String>,)>(&mut store, index).unwrap();
    get.call_async(&mut store, (url, times)).await.unwrap().0.unwrap()
}

fn policy(origin: &str) -> Policy {
    let raw = RawGrants {
        allow_net: vec![origin.to_owned()],
        limits: RawLimits {
            max_input: Some("8GiB".to_owned()),
            max_requests: Some("1000000".to_owned()),
            timeout: Some("10m".to_owned()),
            ..RawLimits::default()
        },
        ..RawGrants::default()
    };
    Policy::build(&[Layer { raw, base: PathBuf::from("/"), origin: Origin::Flags }], &Real).unwrap()
}

fn session(program: &Arc<Program>, policy: &Arc<Policy>, data: &Path, n: usize) -> Session {
    let empty = data.join("empty");
    std::fs::create_dir_all(&empty).unwrap();
    let roots = Arc::new(Roots::open(policy, std::fs::File::open(&empty).unwrap()).unwrap());
    let dir = cap_std::fs::Dir::open_ambient_dir(data, cap_std::ambient_authority()).unwrap();
    let mut ledger = Ledger::create(&dir, &format!("ledger-{n}.jsonl")).unwrap();
    let open = Open {
        run: "0",
        time: "",
        customs: "",
        wasmtime: "",
        component: Named { name: "fetchbench.wasm", sha256: program.sha256() },
        policy: policy.digest(),
        grants: policy.grants(),
        warnings: &[],
    };
    ledger.append(&Event::Open(open)).unwrap();
    let tls = Tls::trusting(|| Ok(rustls::RootCertStore::empty()));
    let network = Arc::new(Network::new(Arc::new(Nobody), tls, Secrets::none()));
    let key = Arc::new(RunKey::random().unwrap());
    let ledger = Arc::new(Mutex::new(ledger));
    Session::new(Arc::clone(program), Arc::clone(policy), roots, network, ledger, key, Instant::now())
}

async fn our_get(session: &Session, policy: &Policy, url: &str, times: u32) -> u64 {
    let serde_json::Value::Object(args) = json!({"url": url, "times": times}) else { return 0 };
    let prepared = Session::prepare(session.program(), policy, "get-n", args).unwrap();
    let report = session.call(prepared, Context::default()).await.unwrap();
    let Some(result) = report.result else {
        println!("a call ended badly: {}", report.ending);
        return 0;
    };
    result.structured.unwrap()["result"].as_u64().unwrap_or(0)
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

/// The most memory that this process had at once, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let wasm = root.join("guests/dist/fetchbench.wasm");
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().canonicalize().unwrap();

    let host = Host::new(Fuel::Off, Allocation::Pooling).unwrap();
    let wasm = read_component(std::fs::File::open(&wasm).unwrap(), "fetchbench.wasm", None).unwrap();
    let loaded = Compiler::InProcess.load(host.engine(), None, &wasm, &|_| {}).unwrap();
    let program = Arc::new(Program::new(&host, loaded).unwrap());

    let bare_engine = engine(Fuel::Off, Allocation::Pooling).unwrap();
    let component = Component::new(&bare_engine, wasm.bytes()).unwrap();
    let mut linker = Linker::<Bare>::new(&bare_engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).unwrap();
    let pre = linker.instantiate_pre(&component).unwrap();
    let api = component.get_export_index(None, "customs:fetchbench/bench@0.1.0").unwrap();
    let index = component.get_export_index(Some(&api), "get-n").unwrap();

    let address = serve();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().enable_io().build().unwrap();
    let origin = format!("http://{address}");
    let policy = Arc::new(policy(&origin));
    let side = |n: usize| session(&program, &policy, &data, n);

    let n = 200;
    let url = format!("{origin}/small");
    let (mut plain, mut ours) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let t = Instant::now();
        assert_eq!(runtime.block_on(bare_get(&pre, &index, &url, n)), 100 * u64::from(n));
        plain.push(t.elapsed());
        let session = side(round);
        let t = Instant::now();
        assert_eq!(runtime.block_on(our_get(&session, &policy, &url, n)), 100 * u64::from(n));
        ours.push(t.elapsed());
    }
    let (plain, ours) = (median(plain) * 1e6 / f64::from(n), median(ours) * 1e6 / f64::from(n));
    println!(
        "small GET on loopback      bare {plain:>8.1} us     customs {ours:>8.1} us     ratio {:.2}x   goal 1.30x",
        ours / plain
    );

    let url = format!("{origin}/big");
    let (mut plain, mut ours) = (Vec::new(), Vec::new());
    let mut peaks = Vec::new();
    for round in 0..ROUNDS {
        let t = Instant::now();
        assert_eq!(runtime.block_on(bare_get(&pre, &index, &url, 1)), BIG as u64);
        plain.push(t.elapsed());
        let session = side(100 + round);
        let t = Instant::now();
        assert_eq!(runtime.block_on(our_get(&session, &policy, &url, 1)), BIG as u64);
        ours.push(t.elapsed());
        peaks.push(peak());
    }
    let (plain, ours) = (median(plain), median(ours));
    let mib = |seconds: f64| 100.0 / seconds;
    println!(
        "100 MiB download           bare {:>6.0} MiB/s   customs {:>6.0} MiB/s   {:.0} %   goal 80 %",
        mib(plain),
        mib(ours),
        100.0 * plain / ours
    );
    let session = side(1_000);
    let before = peak();
    assert_eq!(runtime.block_on(our_get(&session, &policy, &url, 8)), 8 * BIG as u64);
    println!(
        "peak memory                after one download {} MiB, after each of 8 more in one call {} MiB",
        before,
        peak()
    );
}
