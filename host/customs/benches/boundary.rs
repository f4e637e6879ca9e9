//! What the boundary costs: the same guest and files under bare wasmtime-wasi and under customs, in turn, in one process.
//!
//! Each row is the median of several rounds; the two sides alternate within a round, so that a busy machine slows both. Run it with
//! `make bench`; `docs/performance.md` says how to read it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a measurement, not the program"
)]

use customs_boundary::{Context, Network, Roots};
use customs_engine::load::{Allocation, Compiler, Fuel, engine, read_component};
use customs_engine::{Host, Program, Session};
use customs_ledger::{Component as Named, Event, Ledger, Open, RunKey};
use customs_policy::{HostView, Layer, Origin, PathKind, Policy, RawGrants, RawLimits};
use serde_json::json;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use wasmtime::Store;
use wasmtime::component::{Component, InstancePre, Linker, ResourceTable};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

const ROUNDS: usize = 9;

struct Real;

impl HostView for Real {
    fn canonical(&self, path: &Path) -> Result<(PathBuf, PathKind), String> {
        let real = std::fs::canonicalize(path).map_err(|e| e.to_string())?;
        let kind = if real.is_dir() { PathKind::Dir } else { PathKind::File };
        Ok((real, kind))
    }

    fn env(&self) -> Vec<(OsString, OsString)> {
        Vec::new()
    }

    fn home(&self) -> Option<PathBuf> {
        None
    }
}

struct Bare {
    ctx: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Bare {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.ctx, table: &mut self.table }
    }
}

/// The guest without us: a fresh store for each call, as we do.
struct BareSide {
    pre: InstancePre<Bare>,
    data: PathBuf,
    api: String,
}

impl BareSide {
    fn store(&self) -> Store<Bare> {
        let mut builder = WasiCtxBuilder::new();
        builder.allow_blocking_current_thread(true);
        builder.preopened_dir(&self.data, "/data", FsPerms::ReadWrite).unwrap();
        let mut store = Store::new(self.pre.engine(), Bare { ctx: builder.build(), table: ResourceTable::new() });
        store.set_epoch_deadline(1 << 40);
        store
    }

    fn index(&self, function: &str) -> wasmtime::component::ComponentExportIndex {
        let component = self.pre.component();
        if self.api.is_empty() {
            return component.get_export_index(None, function).unwrap();
        }
        let api = component.get_export_index(None, &self.api).unwrap();
        component.get_export_index(Some(&api), function).unwrap()
    }

    async fn add(&self, index: &wasmtime::component::ComponentExportIndex) -> u32 {
        let mut store = self.store();
        let instance = self.pre.instantiate_async(&mut store).await.unwrap();
        let add = instance.get_typed_func::<(u32, u32), (u32,)>(&mut store, index).unwrap();
        add.call_async(&mut store, (1, 2)).await.unwrap().0
    }

    async fn read(&self, index: &wasmtime::component::ComponentExportIndex, path: &str, times: u32) -> u64 {
        let mut store = self.store();
        let instance = self.pre.instantiate_async(&mut store).await.unwrap();
        let read = instance.get_typed_func::<(&str, u32), (Result<u64, String>,)>(&mut store, index).unwrap();
        read.call_async(&mut store, (path, times)).await.unwrap().0.unwrap()
    }
}

fn policy(data: &Path) -> Policy {
    let raw = RawGrants {
        allow_write: vec![format!("{}::/data", data.display())],
        limits: RawLimits {
            max_input: Some("8GiB".to_owned()),
            timeout: Some("10m".to_owned()),
            ..RawLimits::default()
        },
        ..RawGrants::default()
    };
    Policy::build(&[Layer { raw, base: data.to_path_buf(), origin: Origin::Flags }], &Real).unwrap()
}

fn session(program: &Arc<Program>, data: &Path, n: usize) -> Session {
    let policy = Arc::new(policy(data));
    let empty = data.join("empty");
    std::fs::create_dir_all(&empty).unwrap();
    let roots = Arc::new(Roots::open(&policy, std::fs::File::open(&empty).unwrap()).unwrap());
    let dir = cap_std::fs::Dir::open_ambient_dir(data, cap_std::ambient_authority()).unwrap();
    let mut ledger = Ledger::create(&dir, &format!("ledger-{n}.jsonl")).unwrap();
    let component = Named { name: "bench.wasm", sha256: program.sha256() };
    let open = Open {
        run: "0",
        time: "",
        customs: "",
        wasmtime: "",
        component,
        policy: policy.digest(),
        grants: policy.grants(),
        warnings: &[],
    };
    ledger.append(&Event::Open(open)).unwrap();
    let key = Arc::new(RunKey::random().unwrap());
    Session::new(
        Arc::clone(program),
        policy,
        roots,
        Arc::new(Network::none()),
        Arc::new(Mutex::new(ledger)),
        key,
        Instant::now(),
    )
}

async fn call(session: &Session, policy: &Policy, tool: &str, args: serde_json::Value) -> serde_json::Value {
    let serde_json::Value::Object(args) = args else { return args };
    let prepared = Session::prepare(session.program(), policy, tool, args).unwrap();
    let report = session.call(prepared, Context::default()).await.unwrap();
    let result = report.result.unwrap_or_else(|| std::process::exit(fail(&report.ending.to_string())));
    result.structured.unwrap()
}

fn fail(why: &str) -> i32 {
    println!("a call ended badly: {why}");
    1
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[expect(clippy::cast_precision_loss, reason = "durations of a benchmark")]
fn micros(d: Duration, n: u32) -> f64 {
    d.as_nanos() as f64 / 1_000.0 / f64::from(n)
}

fn row(what: &str, unit: &str, bare: f64, ours: f64, goal: &str) {
    println!(
        "{what:<44} bare {bare:>9.2} {unit}   customs {ours:>9.2} {unit}   ratio {:>5.2}x   goal {goal}",
        ours / bare
    );
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let wasm_path = root.join("guests/dist/bench.wasm");
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().canonicalize().unwrap();
    std::fs::write(data.join("small.txt"), "a small file of some note\n").unwrap();
    std::fs::write(data.join("big.bin"), vec![7_u8; 4 << 20]).unwrap();

    let host = Host::new(Fuel::Off, Allocation::Pooling).unwrap();
    let wasm = read_component(std::fs::File::open(&wasm_path).unwrap(), "bench.wasm", None).unwrap();
    let loaded = Compiler::InProcess.load(host.engine(), None, &wasm, &|_| {}).unwrap();
    let program = Arc::new(Program::new(&host, loaded).unwrap());

    let bare_engine = engine(Fuel::Off, Allocation::Pooling).unwrap();
    let component = Component::new(&bare_engine, wasm.bytes()).unwrap();
    let api = component
        .component_type()
        .exports(&bare_engine)
        .map(|(name, _)| name.to_owned())
        .find(|name| name.contains('/'))
        .unwrap_or_default();
    let mut linker = Linker::<Bare>::new(&bare_engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
    let bare = BareSide { pre: linker.instantiate_pre(&component).unwrap(), data: data.clone(), api };

    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(compare(&program, &bare, &data));
    starts(&wasm_path, &data);
}

async fn compare(program: &Arc<Program>, bare: &BareSide, data: &Path) {
    let policy = policy(data);
    let (add, read) = (bare.index("add"), bare.index("read-n"));

    let (mut plain, mut ours) = (Vec::new(), Vec::new());
    let n = 2_000;
    for round in 0..ROUNDS {
        let session = session(program, data, round);
        let t = Instant::now();
        for _ in 0..n {
            assert_eq!(bare.add(&add).await, 3);
        }
        plain.push(t.elapsed());
        let t = Instant::now();
        for _ in 0..n {
            let sum = call(&session, &policy, "add", json!({"a": 1, "b": 2})).await;
            assert_eq!(sum["result"], 3);
        }
        ours.push(t.elapsed());
    }
    row("fresh store, instantiate, typed call", "us", micros(median(plain), n), micros(median(ours), n), "1.11x");

    for (name, times, calls, goal) in [("small.txt", 1_000, 5, "1.50x"), ("big.bin", 8, 1, "1.30x")] {
        let (mut plain, mut ours) = (Vec::new(), Vec::new());
        let path = format!("/data/{name}");
        let expected = std::fs::metadata(data.join(name)).unwrap().len() * u64::from(times);
        for round in 0..ROUNDS {
            let session = session(program, data, 1_000 + round + name.len() * 100);
            let t = Instant::now();
            for _ in 0..calls {
                assert_eq!(bare.read(&read, &path, times).await, expected);
            }
            plain.push(t.elapsed());
            let t = Instant::now();
            for _ in 0..calls {
                let got = call(&session, &policy, "read-n", json!({"path": path, "times": times})).await;
                assert_eq!(got["result"], expected);
            }
            ours.push(t.elapsed());
        }
        let n = times * calls;
        row(&format!("open, read, close {name}"), "us", micros(median(plain), n), micros(median(ours), n), goal);
    }
}

/// Whole processes: an empty one, and ours with the code cached.
fn starts(wasm: &Path, data: &Path) {
    let program = env!("CARGO_BIN_EXE_customs");
    let empty = || Command::new("/bin/true").stdout(Stdio::null()).status().unwrap();
    let ours = || {
        let mut command = Command::new(program);
        command.arg("run").arg(wasm).args(["add", "--args", r#"{"a":1,"b":2}"#]);
        command.env("CUSTOMS_CACHE_DIR", data.join("cache")).stdout(Stdio::null());
        let status = command.status().unwrap();
        assert!(status.success());
        status
    };
    ours();
    let (mut nothing, mut run) = (Vec::new(), Vec::new());
    for _ in 0..60 {
        let t = Instant::now();
        empty();
        nothing.push(t.elapsed());
        let t = Instant::now();
        ours();
        run.push(t.elapsed());
    }
    let (nothing, run) = (micros(median(nothing), 1_000), micros(median(run), 1_000));
    println!(
        "process start to result, cached small tool    empty {nothing:>6.2} ms   customs {run:>6.2} ms   difference {:>5.2} ms   goal 5 ms",
        run - nothing
    );
}
