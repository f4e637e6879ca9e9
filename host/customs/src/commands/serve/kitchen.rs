//! Where components become subjects: read, compiled, bound to their policy and to a ledger of their own.

use super::granting::{Given, as_raw};
use crate::cli;
use crate::commands::{load_as, shared, shown_name, tracing};
use crate::exit::Fault;
use crate::grants::{Read, build, refuse_self_reference};
use crate::machine::{self, Stamp};
use crate::{output, show};
use cap_std::fs::Dir;
use customs_boundary::{Hidden, Roots};
use customs_engine::load::{Allocation, Fuel, POOL_MAX_MEMORY, Tracing};
use customs_engine::{CallError, Host, Listed, Program, Session};
use customs_flow::Lineage;
use customs_ledger::{Component, Event, Ledger, Open, RunKey, run_id};
use customs_policy::{FlowDefaults, Layer, Origin, Policy, RawGrants};
use customs_serve::{Held, Subject};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

/// What all subjects are made with.
pub(super) struct Kitchen {
    components: Vec<PathBuf>,
    unseen: crate::commands::front::Unseen,
    flags: RawGrants,
    state: machine::State,
    ledgers: Option<(Dir, PathBuf)>,
    /// One engine for each kind of code and memory.
    hosts: Mutex<BTreeMap<(bool, bool), Arc<Host>>>,
    open: Mutex<Vec<Opened>>,
    /// What left in earlier calls of any tool: a client carries it from one to the next.
    lineage: Arc<Mutex<Lineage>>,
}

/// A ledger that is not closed, and the subject whose calls are in it.
type Opened = (Weak<Subject>, Arc<Mutex<Ledger>>);

/// A component to serve, before it is read.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// Its table of the policy file.
    pub(super) layer: Option<Layer>,
    pub(super) sha256: Option<[u8; 32]>,
    expose: Option<Vec<String>>,
}

/// A component that is served.
pub(super) struct Served {
    pub(super) wanted: Wanted,
    /// What its file looked like before it was read; none where there was no file.
    pub(super) stamp: Option<Stamp>,
    pub(super) subject: Arc<Subject>,
    /// What a person granted since the policy was read.
    pub(super) given: Vec<Given>,
    /// What the person was told last of its file.
    pub(super) told: String,
}

impl Kitchen {
    pub(super) fn new(args: &cli::Serve) -> Result<Kitchen, Fault> {
        let state = machine::state()?;
        if let Some(warning) = &state.warning {
            output::person(&format!("warning  {warning}\n"));
        }
        Ok(Kitchen {
            components: args.components.clone(),
            unseen: crate::commands::front::Unseen::of(args),
            flags: args.grants.raw(&args.limits),
            state,
            ledgers: args.ledger.as_deref().map(machine::directory).transpose()?,
            hosts: Mutex::default(),
            open: Mutex::default(),
            lineage: Arc::default(),
        })
    }

    /// The components named, each with its table of the policy file; with none named, all that the file names.
    pub(super) fn wanted(&self, read: Option<&Read>) -> Result<Vec<Wanted>, Fault> {
        let mut all = Vec::new();
        for path in &self.components {
            let entry = read.map(|read| read.entry(None, Some(path))).transpose()?.flatten();
            all.push(Wanted {
                name: entry.map_or_else(|| stem(path), |(name, _)| name.to_owned()),
                path: path.clone(),
                layer: entry.and_then(|(name, _)| read.and_then(|read| read.layer(name))),
                sha256: entry.and_then(|(_, e)| e.sha256),
                expose: entry.and_then(|(_, e)| e.expose.clone()),
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
                    expose: entry.expose.clone(),
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

    /// Reads, compiles and lists a component. `known` are the bytes that were served from this path before: others are taken only where the
    /// policy names them, and `None` says that they were not.
    pub(super) async fn served(
        &self,
        wanted: Wanted,
        policy_file: Option<&Path>,
        known: Option<[u8; 32]>,
    ) -> Result<Option<Served>, Fault> {
        let policy = self.policy(&wanted, &[], policy_file)?;
        let fuel = if policy.limits().fuel.is_some() { Fuel::Counted } else { Fuel::Off };
        let tracing = tracing(None, &policy);
        // A traced component has memories besides its own, which the pool is not sized for.
        let pooled = policy.limits().max_memory <= POOL_MAX_MEMORY as u64 && tracing == Tracing::Off;
        let host = self.host(fuel, pooled)?;
        // Before it is read: what comes later is another file.
        let stamp = machine::stamp(&wanted.path);
        let cache = self.state.cache.as_ref();
        let program = Arc::new(load_as(tracing, &host, &wanted.path, wanted.sha256, cache)?);
        if wanted.sha256.is_none() && known.is_some_and(|known| known != program.sha256()) {
            return Ok(None);
        }
        for warning in policy.warnings() {
            output::person(&format!("warning  {}: {}\n", wanted.name, show::text::clean(warning)));
        }
        let component = shown_name(&wanted.path);
        let made = self.session(&wanted.name, &component, program, policy, &[])?;
        let nothing = Arc::new(Policy::build(&[], &machine::Machine).map_err(Fault::internal)?);
        let no_roots = Arc::new(Roots::open(&nothing, self.empty()?).map_err(Fault::internal)?);
        let mut tools = made.session.list(&nothing, &no_roots).await.map_err(|error| match error {
            CallError::Guest(why) => Fault::Refused(format!("{component}: {why}")),
            other => Fault::internal(other),
        })?;
        if let Some(expose) = &wanted.expose {
            if let Some(missing) = expose.iter().find(|name| tools.iter().all(|tool| tool.name != **name)) {
                return Err(Fault::Refused(format!("{component} has no tool {missing:?}, which the policy exposes")));
            }
            tools.retain(|tool| expose.contains(&tool.name));
        }
        for (tool, why) in tools.iter().filter_map(|tool| Some((tool, tool.refused()?))) {
            let told = show::text::clean(&format!("{}: {} is not offered: {why}", wanted.name, tool.name));
            output::person(&format!("warning  {told}\n"));
        }
        tools.retain(|tool| tool.refused().is_none());
        if tools.is_empty() {
            return Err(Fault::Refused(format!("{component} has no tool that can be called")));
        }
        let subject = self.subject(made, &wanted.name, component, tools);
        Ok(Some(Served { wanted, stamp, subject, given: Vec::new(), told: String::new() }))
    }

    /// The same component, with a ledger of its own, under its policy and what a person granted besides. The policy must be that of
    /// [`Kitchen::policy`].
    pub(super) fn again(&self, subject: &Subject, policy: Arc<Policy>, given: &[Given]) -> Result<Arc<Subject>, Fault> {
        let program = Arc::clone(subject.session.program());
        let made = self.session(&subject.name, &subject.component, program, policy, given)?;
        Ok(self.subject(made, &subject.name, subject.component.clone(), subject.tools.clone()))
    }

    /// What a component may do: its table, what was granted besides, and the flags.
    pub(super) fn policy(
        &self,
        wanted: &Wanted,
        given: &[Given],
        policy_file: Option<&Path>,
    ) -> Result<Arc<Policy>, Fault> {
        let besides = Layer {
            raw: as_raw(given.iter().map(|given| &given.grant)),
            // Its paths are absolute.
            base: PathBuf::from("/"),
            origin: Origin::Flags,
        };
        let layers = wanted.layer.iter().cloned().chain([besides]);
        let policy = Arc::new(build(layers, self.flags.clone())?);
        self.refuse_self_references(&policy, &wanted.path, policy_file)?;
        Ok(policy)
    }

    /// What decides about the tool must not be the tool's to change.
    fn refuse_self_references(
        &self,
        policy: &Policy,
        component: &Path,
        policy_file: Option<&Path>,
    ) -> Result<(), Fault> {
        self.unseen.refuse_sight(policy)?;
        if let Some(real) = policy_file {
            refuse_self_reference(policy, "the policy file", real)?;
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

    fn empty(&self) -> Result<std::fs::File, Fault> {
        self.state.empty.try_clone().map_err(Fault::internal)
    }

    fn session(
        &self,
        name: &str,
        component: &str,
        program: Arc<Program>,
        policy: Arc<Policy>,
        given: &[Given],
    ) -> Result<Made, Fault> {
        let roots = Arc::new(Roots::open(&policy, self.empty()?).map_err(Fault::refused)?);
        let network = Arc::new(machine::network(&policy)?);
        let hidden = Hidden::of(&policy, network.secrets());
        let key = Arc::new(RunKey::random().map_err(Fault::internal)?);
        let (run, ledger) = self.ledger(name, component, &program, &policy, given)?;
        let session = Session::new(program, policy, roots, network, Arc::clone(&ledger), key, Instant::now())
            .with_defaults(FlowDefaults::Serve)
            .sharing(Arc::clone(&self.lineage));
        Ok(Made { session, run, ledger, hidden })
    }

    fn subject(&self, made: Made, name: &str, component: String, tools: Vec<Listed>) -> Arc<Subject> {
        let Made { session, run, ledger, hidden } = made;
        let kept = Arc::clone(&ledger);
        let held = Held::default();
        let subject = Arc::new(Subject { name: name.to_owned(), component, session, tools, run, ledger, hidden, held });
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.push((Arc::downgrade(&subject), kept));
        subject
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
        given: &[Given],
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
        let mut grants = policy.grants().to_vec();
        // A person gave these, and not the policy.
        grants.extend(given.iter().map(Given::note));
        let event = Event::Open(Open {
            run: &run,
            time: &machine::now(),
            customs: env!("CARGO_PKG_VERSION"),
            wasmtime: "48.0.8",
            component: Component { name: component, sha256: program.sha256() },
            policy: policy.digest(),
            grants: &grants,
            warnings: policy.warnings(),
        });
        ledger.append(&event).and_then(|_| ledger.barrier()).map_err(Fault::refused)?;
        Ok((run, shared(ledger)))
    }

    /// Closes the ledgers of subjects that nobody calls any more, or with `all` every one. The first that could not be closed is told.
    pub(super) fn close_ledgers(&self, all: bool) -> Result<(), Fault> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut done = Ok(());
        open.retain(|(subject, ledger)| {
            if !all && subject.strong_count() > 0 {
                return true;
            }
            if let Err(why) = ledger.lock().unwrap_or_else(PoisonError::into_inner).close() {
                done = Err(Fault::Internal(format!("the ledger could not be closed: {why}")));
            }
            false
        });
        done
    }
}

/// A session, before its tools are known.
struct Made {
    session: Session,
    run: String,
    ledger: Arc<Mutex<Ledger>>,
    hidden: Hidden,
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| shown_name(path), |stem| stem.to_string_lossy().into_owned())
}
