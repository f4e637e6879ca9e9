//! `customs scan`: skills, looked through by the scanner guest, which is granted nothing.

mod collect;
mod tell;

use super::{Runtime, load, shared, shown_name};
use crate::cli::{Scan, ScanFailOn, ScanFormat};
use crate::exit::{Exit, Fault};
use crate::show::text::clean;
use crate::{machine, output};
use collect::{Collected, Skill};
use customs_boundary::{Context, Roots};
use customs_engine::load::Fuel;
use customs_engine::{Program, Session};
use customs_ledger::{Component, Event, Ledger, Open, RunKey, run_id};
use customs_policy::{Policy, RawGrants};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// Time for one skill: a thousand honest files take a tenth of it.
const TIMEOUT: &str = "60s";
/// The tool of the scanner guest.
const TOOL: &str = "scan";

/// What the guest said of one skill, or why it said nothing.
struct Scanned {
    name: String,
    /// The guest's report, an object.
    report: Result<Value, String>,
}

impl Scanned {
    fn findings(&self) -> &[Value] {
        let list = self.report.as_ref().ok().and_then(|report| report.get("findings")).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }
}

pub(crate) fn run(args: &Scan) -> Result<Exit, Fault> {
    let scanner = scanner(args)?;
    let collected = collect::collect(&args.path)?;
    let state = machine::state()?;
    if let Some(warning) = &state.warning {
        output::person(&format!("warning  {warning}\n"));
    }
    let mut raw = RawGrants::default();
    raw.limits.timeout = Some(TIMEOUT.to_owned());
    let policy = Arc::new(crate::grants::build(None, raw)?);
    let program = Arc::new(load(&scanner, None, Fuel::Off, state.cache.as_ref())?);
    if program.tool(TOOL).is_none() {
        return Err(Fault::Refused(format!("{} has no tool {TOOL:?}: it is not a scanner", scanner.display())));
    }
    let roots = Arc::new(Roots::open(&policy, state.empty).map_err(Fault::refused)?);
    let runtime = Runtime::new()?;

    let mut scanned = Vec::new();
    let mut progress = Progress::new(collected.skills.len());
    for skill in &collected.skills {
        progress.at(&skill.name);
        scanned.push(one(skill, &scanner, &program, &policy, &roots, &runtime)?);
    }
    progress.done();

    let text = match args.output {
        ScanFormat::Text => tell::text(&scanned, &collected),
        ScanFormat::Json => tell::json(&scanned, &collected, &scanner, program.sha256()),
        ScanFormat::Sarif => tell::sarif(&scanned, &collected),
    };
    output::result(&text)?;
    Ok(exit(&args.fail_on, &scanned))
}

/// One skill, in a store of its own.
fn one(
    skill: &Skill,
    scanner: &std::path::Path,
    program: &Arc<Program>,
    policy: &Arc<Policy>,
    roots: &Arc<Roots>,
    runtime: &Runtime,
) -> Result<Scanned, Fault> {
    let files: Vec<Value> = skill.files.iter().map(|file| json!({"path": file.path, "text": file.text})).collect();
    let mut arguments = Map::new();
    arguments.insert("skill".to_owned(), json!({"name": skill.name, "files": files}));
    let refused = |why: String| Scanned { name: skill.name.clone(), report: Err(why) };
    let prepared = match Session::prepare(program, policy, TOOL, arguments) {
        Ok(prepared) => prepared,
        Err(why) => return Ok(refused(why)),
    };
    let ledger = shared(Ledger::memory());
    let run = run_id().map_err(Fault::internal)?;
    let name = shown_name(scanner);
    let event = Event::Open(Open {
        run: &run,
        time: &machine::now(),
        customs: env!("CARGO_PKG_VERSION"),
        wasmtime: "48.0.8",
        component: Component { name: &name, sha256: program.sha256() },
        policy: policy.digest(),
        grants: policy.grants(),
        warnings: policy.warnings(),
    });
    ledger.lock().unwrap_or_else(PoisonError::into_inner).append(&event).map_err(Fault::internal)?;
    let key = Arc::new(RunKey::random().map_err(Fault::internal)?);
    let network = Arc::new(machine::network(policy)?);
    let session =
        Session::new(Arc::clone(program), Arc::clone(policy), Arc::clone(roots), network, ledger, key, Instant::now());
    // It may say nothing while it runs: it has no import to say it through.
    let report = runtime.block_on(session.call(prepared, Context::new(Arc::new(|_| {}))))?.map_err(Fault::internal)?;
    let structured =
        report.result.as_ref().filter(|result| !result.is_error).and_then(|result| result.structured.as_ref());
    let report =
        structured.filter(|report| report.get("findings").is_some_and(Value::is_array)).cloned().ok_or_else(|| {
            format!("the scanner was stopped ({})", report.ending.limit().unwrap_or_else(|| report.ending.kind()))
        });
    Ok(Scanned { name: skill.name.clone(), report })
}

/// The scanner: as named, as the environment says, beside the program, or where a checkout has it.
fn scanner(args: &Scan) -> Result<PathBuf, Fault> {
    if let Some(path) = &args.scanner {
        return Ok(path.clone());
    }
    if let Some(path) = machine::variable("CUSTOMS_SCANNER")? {
        return Ok(PathBuf::from(path));
    }
    let program = machine::own_program()?;
    let beside = program.parent().map(|dir| dir.join("scanner.wasm"));
    // target/debug/customs
    let checkout = program.ancestors().skip(1).take(4).map(|dir| dir.join("guests").join("dist").join("scanner.wasm"));
    let mut places = beside.into_iter().chain(checkout);
    places.find(|path| machine::canonical(path).is_some()).ok_or_else(|| {
        Fault::Refused(
            "the scanner (scanner.wasm) is not here: name it with --scanner or CUSTOMS_SCANNER; `make guests` builds it"
                .to_owned(),
        )
    })
}

/// What was not looked at counts as the gravest.
fn exit(fail_on: &[ScanFailOn], scanned: &[Scanned]) -> Exit {
    let stopped = scanned.iter().any(|one| one.report.is_err());
    let has = |severities: &[&str]| {
        let mut all = scanned.iter().flat_map(Scanned::findings);
        stopped || all.any(|finding| severities.contains(&tell::field(finding, "severity")))
    };
    let occurred = |kind: &ScanFailOn| match kind {
        ScanFailOn::High => has(&["critical", "high"]),
        ScanFailOn::Medium => has(&["critical", "high", "medium"]),
        ScanFailOn::Finding => has(&["critical", "high", "medium", "low"]),
    };
    if fail_on.iter().any(occurred) {
        Exit::FailOn
    } else if stopped {
        Exit::Stopped
    } else {
        Exit::Returned
    }
}

/// A bar on a terminal; elsewhere a line at each tenth of the way, where there is much to do.
struct Progress {
    all: usize,
    done: usize,
    terminal: bool,
    width: usize,
}

impl Progress {
    fn new(all: usize) -> Progress {
        Progress { all, done: 0, terminal: output::stderr_is_terminal(), width: 0 }
    }

    fn at(&mut self, name: &str) {
        let tenth = self.all.div_ceil(10).max(1);
        if self.terminal {
            const CELLS: usize = 20;
            let full = self.done.saturating_mul(CELLS).checked_div(self.all).unwrap_or(0);
            let name: String = clean(name).chars().take(40).collect();
            let bar = format!("{}{}", "#".repeat(full), ".".repeat(CELLS.saturating_sub(full)));
            let line = format!("[{bar}] {}/{} {name}", self.done, self.all);
            let long = line.chars().count();
            output::person(&format!("\r{line}{}", " ".repeat(self.width.saturating_sub(long))));
            self.width = long;
        } else if self.all > 10 && self.done > 0 && self.done.is_multiple_of(tenth) {
            output::person(&format!("scanning {}/{}\n", self.done, self.all));
        }
        self.done = self.done.saturating_add(1);
    }

    fn done(&self) {
        if self.terminal {
            output::person(&format!("\r{:width$}\r", "", width = self.width));
        }
    }
}

/// What was left aside, for every format.
fn skipped(collected: &Collected) -> Value {
    let counts = &collected.skipped;
    json!({"binary": counts.binary, "large": counts.large, "links": counts.links, "special": counts.special, "beyond": counts.beyond,
        "unreadable": counts.unreadable, "history": counts.history})
}
