//! The program's engine in this process, for tests that must watch it from within: a session on a guest, with directories granted.

use customs_boundary::{Context, Network, Roots};
use customs_engine::load::{Allocation, Cache, Compiler, Fuel, read_component};
use customs_engine::{Host, Listed, Program, Report, Session};
use customs_ledger::{Component, Event, Ledger, Open, RunKey};
use customs_policy::{HostView, Layer, Origin, PathKind, Policy, RawGrants};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::DirBuilderExt as _;
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
    /// What components say of their tools that describe them themselves, by their digest.
    listed: RefCell<BTreeMap<[u8; 32], Vec<Listed>>>,
}

impl Inside {
    pub fn new() -> Inside {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().enable_io().build().unwrap();
        let host = Host::new(Fuel::Off, Allocation::OnDemand).unwrap();
        Inside { runtime, host, listed: RefCell::default() }
    }

    /// A guest, and the component that it was made of. Its code is kept for the next test of this build.
    pub fn program(&self, name: &str) -> (Arc<Program>, wasmtime::component::Component) {
        let path = guest(name);
        let wasm = read_component(std::fs::File::open(path).unwrap(), name, None).unwrap();
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("inside");
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&kept).unwrap();
        let kept = cap_std::fs::Dir::open_ambient_dir(kept, cap_std::ambient_authority()).unwrap();
        let kept = Cache::open(kept).unwrap();
        let loaded = Compiler::InProcess.load(self.host.engine(), Some(&kept), &wasm, &|_| {}).unwrap();
        let component = loaded.component.clone();
        let program = Arc::new(Program::new(&self.host, loaded).unwrap());
        if program.catalogue().form.describes_itself() {
            self.list(&program);
        }
        (program, component)
    }

    /// Asks a component for its tools, with a ledger of its own.
    fn list(&self, program: &Arc<Program>) {
        let nothing = Arc::new(Policy::build(&[], &Machine(Vec::new())).unwrap());
        let empty = tempfile::tempdir().unwrap();
        let roots = Arc::new(Roots::open(&nothing, std::fs::File::open(empty.path()).unwrap()).unwrap());
        let ledger = Arc::new(Mutex::new(Ledger::memory()));
        let open = Event::Open(opened(program, &nothing));
        ledger.lock().unwrap().append(&open).unwrap();
        let (network, key) = (Arc::new(Network::none()), Arc::new(RunKey::random().unwrap()));
        let policy = Arc::clone(&nothing);
        let session =
            Session::new(Arc::clone(program), policy, Arc::clone(&roots), network, ledger, key, Instant::now());
        let listed = self.runtime.block_on(session.list_dynamic(&nothing, &roots)).unwrap();
        self.listed.borrow_mut().insert(program.sha256(), listed);
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
                "allow-net" => &mut raw.allow_net,
                "allow-tcp" => &mut raw.allow_tcp,
                "allow-udp" => &mut raw.allow_udp,
                "allow-listen" => &mut raw.allow_listen,
                "env" => &mut raw.env,
                other => panic!("{other} is not prepared here"),
            };
            list.push((*value).to_owned());
        }
        let layer = Layer { raw, base: PathBuf::from("/"), origin: Origin::Flags };
        let (report, bytes) = self.call_under(program, tool, layer, |_| Network::none(), |_| arguments.clone());
        let text = String::from_utf8(bytes).unwrap();
        (report, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    /// One call under a policy of one layer, over a network of the caller's own, and the ledger it left. The arguments may depend on the network:
    /// it has made the placeholders of secrets.
    pub fn call_under(
        &self,
        program: &Arc<Program>,
        tool: &str,
        layer: Layer,
        network: impl FnOnce(&Policy) -> Network,
        arguments: impl FnOnce(&Network) -> Value,
    ) -> (Report, Vec<u8>) {
        let policy = Arc::new(Policy::build(&[layer], &Machine(Vec::new())).unwrap());
        let empty = tempfile::tempdir().unwrap();
        let roots = Arc::new(Roots::open(&policy, std::fs::File::open(empty.path()).unwrap()).unwrap());
        let network = Arc::new(network(&policy));
        let ledger = Arc::new(Mutex::new(Ledger::memory_keeping()));
        let open = Event::Open(opened(program, &policy));
        ledger.lock().unwrap().append(&open).unwrap();
        let key = Arc::new(RunKey::random().unwrap());
        let arguments = arguments(&network).as_object().unwrap().clone();
        let listed = self.listed.borrow();
        let listed = listed.get(&program.sha256()).and_then(|tools| tools.iter().find(|one| one.name == tool));
        let prepared = match listed {
            Some(listed) => Session::prepare_listed(program, &policy, listed, arguments),
            None => Session::prepare(program, &policy, tool, arguments),
        };
        let prepared = prepared.unwrap();
        let shared = Arc::clone(&ledger);
        let session = Session::new(Arc::clone(program), policy, roots, network, shared, key, Instant::now());
        let report = self.runtime.block_on(session.call(prepared, Context::default())).unwrap();
        let mut ledger = ledger.lock().unwrap();
        ledger.close().unwrap();
        (report, ledger.kept().to_vec())
    }
}

fn opened<'a>(program: &Program, policy: &'a Policy) -> Open<'a> {
    Open {
        run: "00000000000000000000000000000000",
        time: "2000-01-01T00:00:00Z",
        customs: "test",
        wasmtime: "test",
        component: Component { name: "guest", sha256: program.sha256() },
        policy: policy.digest(),
        grants: policy.grants(),
        warnings: policy.warnings(),
    }
}
