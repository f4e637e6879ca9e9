//! The components as tools, granted nothing: as `customs serve` has them without a policy.

use customs_boundary::{Hidden, Network, Roots};
use customs_engine::load::{Allocation, Compiler, Fuel, read_component};
use customs_engine::{Host, Program, Report, Session};
use customs_ledger::{Component, Event, Ledger, Open, RunKey, run_id};
use customs_policy::{FlowDefaults, HostView, PathKind, Policy};
use customs_serve::{DEFAULT_CALLS, Ground, Held, Subject, Tools};
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// A machine that a policy without grants asks nothing of.
struct Nowhere;

impl HostView for Nowhere {
    fn canonical(&self, _path: &Path) -> Result<(PathBuf, PathKind), String> {
        Err("there is nothing".to_owned())
    }

    fn env(&self) -> Vec<(OsString, OsString)> {
        Vec::new()
    }

    fn home(&self) -> Option<PathBuf> {
        None
    }
}

struct Person;

impl Ground for Person {
    fn finished(&self, subject: &Subject, report: &Report) {
        eprintln!("{}: {:?}", subject.name, report.ending);
    }

    fn tell(&self, sentence: &str) {
        eprintln!("{sentence}");
    }
}

pub async fn open(components: &[PathBuf]) -> Tools {
    let host = Host::new(Fuel::Off, Allocation::Pooling).unwrap();
    let mut subjects = Vec::new();
    for component in components {
        subjects.push(subject(&host, component).await);
    }
    Tools::new(subjects, tokio::runtime::Handle::current(), DEFAULT_CALLS, Arc::new(Person))
}

async fn subject(host: &Arc<Host>, path: &Path) -> Subject {
    let component = path.file_name().unwrap().to_string_lossy().into_owned();
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let wasm = read_component(File::open(path).unwrap(), &component, None).unwrap();
    let loaded = Compiler::InProcess.load(host.engine(), None, &wasm, &|_| {}).unwrap();
    let program = Arc::new(Program::new(host, loaded).unwrap());

    let nothing = Arc::new(Policy::build(&[], &Nowhere).unwrap());
    let empty = tempfile::tempdir().unwrap();
    let roots = Arc::new(Roots::open(&nothing, File::open(empty.path()).unwrap()).unwrap());
    let network = Arc::new(Network::none());
    let hidden = Hidden::of(&nothing, network.secrets());

    let run = run_id().unwrap();
    let mut ledger = Ledger::memory();
    let event = Event::Open(Open {
        run: &run,
        time: "2000-01-01T00:00:00Z",
        customs: "fixture",
        wasmtime: "fixture",
        component: Component { name: &component, sha256: program.sha256() },
        policy: nothing.digest(),
        grants: nothing.grants(),
        warnings: nothing.warnings(),
    });
    ledger.append(&event).unwrap();
    let ledger = Arc::new(Mutex::new(ledger));

    let (key, policy) = (Arc::new(RunKey::random().unwrap()), Arc::clone(&nothing));
    let session = Session::new(program, policy, Arc::clone(&roots), network, Arc::clone(&ledger), key, Instant::now())
        .with_defaults(FlowDefaults::Serve);
    let tools = session.list(&nothing, &roots).await.unwrap();
    Subject { name, component, session, tools, run, ledger, hidden, held: Held::default() }
}
