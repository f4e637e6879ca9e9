//! `customs serve`: tools for MCP clients, until the client goes.

use super::{Runtime, load_with, shared, shown_name};
use crate::cli::Serve;
use crate::exit::{Exit, Fault};
use crate::grants::{Read, build, read_policy, refuse_self_reference};
use crate::{machine, output, show};
use cap_std::fs::Dir;
use customs_boundary::{Hidden, Roots};
use customs_engine::load::{Allocation, Fuel, POOL_MAX_MEMORY};
use customs_engine::{CallError, Host, Program, Report, Session};
use customs_ledger::{Component, Event, Ledger, Open, RunKey, run_id};
use customs_policy::{FlowDefaults, Layer, Policy};
use customs_serve::{Ground, Served, Subject, Tools};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

pub(crate) fn run(args: &Serve) -> Result<Exit, Fault> {
    let protocol = Runtime::new()?;
    let workers = tokio::runtime::Builder::new_multi_thread()
        .enable_time()
        .enable_io()
        .build()
        .map_err(|e| Fault::Internal(format!("no threads can be started: {e}")))?;
    let kitchen = Kitchen::new(args)?;
    let subjects = protocol.block_on(kitchen.subjects())??;
    let ledgers: Vec<_> = subjects.iter().map(|s| Arc::clone(&s.ledger)).collect();
    let tools = Tools::new(subjects, workers.handle().clone(), args.max_calls, Arc::new(Person::default()));

    let served = protocol.block_on(async {
        let (input, output) = machine::stdio()?;
        tokio::select! {
            served = tools.serve_stdio(input, output) => served.map_err(Fault::internal),
            () = machine::asked_to_stop() => Ok(tools.end().await),
        }
    })?;
    workers.shutdown_background();
    for ledger in ledgers {
        let closed = ledger.lock().unwrap_or_else(PoisonError::into_inner).close();
        closed.map_err(|e| Fault::Internal(format!("the ledger could not be closed: {e}")))?;
    }
    match served? {
        Served::Done => Ok(Exit::Returned),
        Served::Fault(why) => Err(Fault::Internal(why)),
    }
}

/// Where subjects are made.
struct Kitchen<'a> {
    args: &'a Serve,
    state: machine::State,
    ledgers: Option<(Dir, PathBuf)>,
    /// One engine for each kind of code and memory.
    hosts: Mutex<BTreeMap<(bool, bool), Arc<Host>>>,
}

/// A component to serve, before it is read.
struct Wanted<'a> {
    name: String,
    path: PathBuf,
    layer: Option<Layer>,
    sha256: Option<[u8; 32]>,
    expose: Option<&'a [String]>,
}

impl<'a> Kitchen<'a> {
    fn new(args: &'a Serve) -> Result<Kitchen<'a>, Fault> {
        let state = machine::state()?;
        if let Some(warning) = &state.warning {
            output::person(&format!("warning  {warning}\n"));
        }
        let ledgers = args.ledger.as_deref().map(machine::directory).transpose()?;
        Ok(Kitchen { args, state, ledgers, hosts: Mutex::default() })
    }

    async fn subjects(&self) -> Result<Vec<Subject>, Fault> {
        let read = self.args.policy.as_deref().map(read_policy).transpose()?;
        if read.as_ref().is_some_and(|read| read.weak) {
            output::person("warning  others may write the policy file: whoever does decides what these tools may do\n");
        }
        let mut subjects = Vec::new();
        for wanted in self.wanted(read.as_ref())? {
            subjects.push(self.subject(&wanted, read.as_ref()).await?);
        }
        Ok(subjects)
    }

    /// The components named, each with its table of the policy file; with none named, all that the file names.
    fn wanted<'r>(&self, read: Option<&'r Read>) -> Result<Vec<Wanted<'r>>, Fault> {
        let mut all = Vec::new();
        for path in &self.args.components {
            let entry = read.map(|read| read.entry(None, Some(path))).transpose()?.flatten();
            all.push(Wanted {
                name: entry.map_or_else(|| stem(path), |(name, _)| name.to_owned()),
                path: path.clone(),
                layer: entry.and_then(|(name, _)| read.and_then(|read| read.layer(name))),
                sha256: entry.and_then(|(_, e)| e.sha256),
                expose: entry.and_then(|(_, e)| e.expose.as_deref()),
            });
        }
        if let (true, Some(read)) = (all.is_empty(), read) {
            for (name, entry) in &read.file.tools {
                let Some(component) = &entry.component else {
                    return Err(Fault::Refused(format!(
                        "[tool.{name}] names no component, so there is nothing to serve"
                    )));
                };
                all.push(Wanted {
                    name: name.clone(),
                    path: read.beside(component),
                    layer: read.layer(name),
                    sha256: entry.sha256,
                    expose: entry.expose.as_deref(),
                });
            }
        }
        if all.is_empty() {
            return Err(Fault::Refused(
                "nothing to serve: name a component, or a policy file that names some".to_owned(),
            ));
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = all.iter().find(|wanted| !names.insert(wanted.name.as_str())) {
            return Err(Fault::Refused(format!(
                "two components are called {:?}; name them in a policy file",
                twice.name
            )));
        }
        Ok(all)
    }

    async fn subject(&self, wanted: &Wanted<'_>, read: Option<&Read>) -> Result<Subject, Fault> {
        let policy = Arc::new(build(wanted.layer.clone(), self.args.grants.raw(&self.args.limits))?);
        self.refuse_self_references(&policy, &wanted.path, read)?;
        let fuel = if policy.limits().fuel.is_some() { Fuel::Counted } else { Fuel::Off };
        let pooled = policy.limits().max_memory <= POOL_MAX_MEMORY as u64;
        let host = self.host(fuel, pooled)?;
        let program = Arc::new(load_with(&host, &wanted.path, wanted.sha256, self.state.cache.as_ref())?);

        let empty = || self.state.empty.try_clone().map_err(Fault::internal);
        let roots = Arc::new(Roots::open(&policy, empty()?).map_err(Fault::refused)?);
        let network = Arc::new(machine::network(&policy)?);
        let hidden = Hidden::of(&policy, network.secrets());
        let key = Arc::new(RunKey::random().map_err(Fault::internal)?);
        let component = shown_name(&wanted.path);
        let (run, ledger) = self.ledger(&wanted.name, &component, &program, &policy)?;
        for warning in policy.warnings() {
            output::person(&format!("warning  {}: {}\n", wanted.name, show::text::clean(warning)));
        }
        let session =
            Session::new(program, Arc::clone(&policy), roots, network, Arc::clone(&ledger), key, Instant::now())
                .with_defaults(FlowDefaults::Serve);
        let nothing = Arc::new(Policy::build(&[], &machine::Machine).map_err(Fault::internal)?);
        let no_roots = Arc::new(Roots::open(&nothing, empty()?).map_err(Fault::internal)?);
        let mut tools = session.list(&nothing, &no_roots).await.map_err(|error| match error {
            CallError::Guest(why) => Fault::Refused(format!("{component}: {why}")),
            other => Fault::internal(other),
        })?;
        if let Some(expose) = wanted.expose {
            if let Some(missing) = expose.iter().find(|name| tools.iter().all(|tool| tool.name != **name)) {
                return Err(Fault::Refused(format!("{component} has no tool {missing:?}, which the policy exposes")));
            }
            tools.retain(|tool| expose.contains(&tool.name));
        }
        if tools.is_empty() {
            return Err(Fault::Refused(format!("{component} has no tool that can be called")));
        }
        Ok(Subject { name: wanted.name.clone(), component, session, tools, run, ledger, hidden })
    }

    /// What decides about the tool must not be the tool's to change.
    fn refuse_self_references(&self, policy: &Policy, component: &Path, read: Option<&Read>) -> Result<(), Fault> {
        if let Some(read) = read {
            refuse_self_reference(policy, "the policy file", &read.real)?;
        }
        refuse_self_reference(policy, "this program", &machine::own_program()?)?;
        if let Some(real) = machine::canonical(component) {
            refuse_self_reference(policy, "the component", &real)?;
        }
        if let Some((_, real)) = &self.ledgers {
            refuse_self_reference(policy, "the directory of ledgers", real)?;
        }
        match &self.state.place {
            Some(place) => refuse_self_reference(policy, "the directory of compiled code", place),
            None => Ok(()),
        }
    }

    fn host(&self, fuel: Fuel, pooled: bool) -> Result<Arc<Host>, Fault> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (fuel == Fuel::Counted, pooled);
        if let Some(host) = hosts.get(&key) {
            return Ok(Arc::clone(host));
        }
        let allocation = if pooled { Allocation::Pooling } else { Allocation::OnDemand };
        let host = Host::new(fuel, allocation).map_err(Fault::internal)?;
        hosts.insert(key, Arc::clone(&host));
        Ok(host)
    }

    fn ledger(
        &self,
        name: &str,
        component: &str,
        program: &Program,
        policy: &Policy,
    ) -> Result<(String, Arc<Mutex<Ledger>>), Fault> {
        let run = run_id().map_err(Fault::internal)?;
        let mut ledger = match &self.ledgers {
            Some((dir, _)) => {
                let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
                let file =
                    format!("{}-{run}.jsonl", name.chars().map(plain).collect::<String>().trim_start_matches('.'));
                Ledger::create(dir, &file).map_err(Fault::refused)?
            }
            None => Ledger::memory(),
        };
        let event = Event::Open(Open {
            run: &run,
            time: &machine::now(),
            customs: env!("CARGO_PKG_VERSION"),
            wasmtime: "48.0.8",
            component: Component { name: component, sha256: program.sha256() },
            policy: policy.digest(),
            grants: policy.grants(),
            warnings: policy.warnings(),
        });
        ledger.append(&event).and_then(|_| ledger.barrier()).map_err(Fault::refused)?;
        Ok((run, shared(ledger)))
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| shown_name(path), |stem| stem.to_string_lossy().into_owned())
}

/// Tells the person, on stderr: each line once, because clients keep what we say in their logs.
#[derive(Default)]
struct Person(Mutex<BTreeSet<String>>);

/// Lines that are remembered, to be told once.
const MAX_TOLD: usize = 10_000;

impl Ground for Person {
    fn finished(&self, subject: &Subject, report: &Report) {
        if report.denials.is_empty() && report.findings.is_empty() && !report.ending.is_stop() {
            return;
        }
        let told = show::text::served(report, subject.session.policy());
        let told = subject.hidden.cover(&told);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for line in told.lines() {
            let line = format!("{}: {line}", subject.name);
            if !known.contains(&line) {
                let _infallible = writeln!(text, "{line}");
                if known.len() < MAX_TOLD {
                    known.insert(line);
                }
            }
        }
        output::person(&text);
    }

    fn tell(&self, sentence: &str) {
        output::person(&format!("warning  {}\n", show::text::clean(sentence)));
    }
}
