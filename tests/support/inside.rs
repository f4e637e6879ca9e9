//! The program's engine in this process, for tests that must watch it from within: a session on a guest, with directories granted.

use customs_boundary::{Context, Roots};
use customs_engine::load::{Allocation, Compiler, Fuel, read_component};
use customs_engine::{Host, Program, Report, Session};
use customs_ledger::{Component, Event, Ledger, Open, RunKey};
use customs_policy::{HostView, Layer, Origin, PathKind, Policy, RawGrants};
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// A guest as `make guests` left it, by its file name without `.wasm`.
pub fn guest(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/dist").join(format!("{name}.wasm"));
    assert!(path.is_file(), "{} is missing: run make guests", path.display());
    path
}

/// What the policy sees of the machine. The environment is the test's own.
struct Machine(Vec<(OsString, OsString)>);

impl HostView for Machine {
    fn canonical(&self, path: &Path) -> Result<(PathBuf, PathKind), String> {
        let real = path.canonicalize().map_err(|e| e.to_string())?;
        let kind = if real.is_dir() { PathKind::Dir } else { PathKind::File };
        Ok((real, kind))
    }

    fn env(&self) -> Vec<(OsString, OsString)> {
        self.0.clone()
    }

    fn home(&self) -> Option<PathBuf> {
        None
    }
}

pub struct Inside {
    runtime: tokio::runtime::Runtime,
    host: Arc<Host>,
}

impl Inside {
    pub fn new() -> Inside {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        Inside { runtime, host: Host::new(Fuel::Off, Allocation::OnDemand).unwrap() }
    }

    /// A guest, and the component that it was made of.
    pub fn program(&self, name: &str) -> (Arc<Program>, wasmtime::component::Component) {
        let path = guest(name);
        let wasm = read_component(std::fs::File::open(path).unwrap(), name, None).unwrap();
        let loaded = Compiler::InProcess.load(self.host.engine(), None, &wasm, &|_| {}).unwrap();
        let component = loaded.component.clone();
        (Arc::new(Program::new(&self.host, loaded).unwrap()), component)
    }

    /// One call and the records it left. `grants` are flags of the command line without their dashes: `("allow-write", "/host::/guest")`.
    pub fn call(
        &self,
        program: &Arc<Program>,
        tool: &str,
        arguments: &Value,
        grants: &[(&str, &str)],
    ) -> (Report, Vec<Value>) {
        let mut raw = RawGrants::default();
        for (key, value) in grants {
            let list = match *key {
                "allow-read" => &mut raw.allow_read,
                "allow-write" => &mut raw.allow_write,
                "env" => &mut raw.env,
                other => panic!("{other} is not prepared here"),
            };
            list.push((*value).to_owned());
        }
        let layer = Layer { raw, base: PathBuf::from("/"), origin: Origin::Flags };
        let policy = Arc::new(Policy::build(&[layer], &Machine(Vec::new())).unwrap());
        let empty = tempfile::tempdir().unwrap();
        let roots = Arc::new(Roots::open(&policy, std::fs::File::open(empty.path()).unwrap()).unwrap());
        let ledger = Arc::new(Mutex::new(Ledger::memory_keeping()));
        let open = Event::Open(Open {
            run: "00000000000000000000000000000000",
            time: "2000-01-01T00:00:00Z",
            customs: "test",
            wasmtime: "test",
            component: Component { name: "guest", sha256: program.sha256() },
            policy: policy.digest(),
            grants: policy.grants(),
            warnings: policy.warnings(),
        });
        ledger.lock().unwrap().append(&open).unwrap();
        let key = Arc::new(RunKey::random().unwrap());
        let arguments = arguments.as_object().unwrap().clone();
        let prepared = Session::prepare(program, &policy, tool, arguments).unwrap();
        let session = Session::new(Arc::clone(program), policy, roots, Arc::clone(&ledger), key, Instant::now());
        let report = self.runtime.block_on(session.call(prepared, Context::default())).unwrap();
        let ledger = ledger.lock().unwrap();
        let records = ledger.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (report, records)
    }
}
