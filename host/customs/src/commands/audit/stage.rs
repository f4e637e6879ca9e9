//! Calls: a tool, its arguments and a scene in; what the boundary saw out. Each call has a session and a ledger of its own, in memory, so that
//! nothing of one call is in the next but what it left on the ground.

use super::scene::{GRANTED, Scene};
use super::seen::Seen;
use crate::commands::{Runtime, shared};
use crate::exit::Fault;
use crate::machine;
use customs_boundary::Context;
use customs_engine::replay::{Causes, Named, NotPlayed, causes};
use customs_engine::{CallError, Listed, Program, Report, Session};
use customs_ledger::{Component, Event, Ledger, Open, RunKey, run_id};
use customs_report::Accesses;
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A component that is ready to be called.
pub(super) struct Stage {
    pub(super) program: Arc<Program>,
    pub(super) name: String,
    run: String,
    time: String,
    key: Arc<RunKey>,
    runtime: Runtime,
}

impl Stage {
    pub(super) fn new(program: Arc<Program>, name: String) -> Result<Stage, Fault> {
        Ok(Stage {
            program,
            name,
            run: run_id().map_err(Fault::internal)?,
            time: machine::now(),
            key: Arc::new(RunKey::random().map_err(Fault::internal)?),
            runtime: Runtime::new()?,
        })
    }

    /// A session and its ledger. The open record of a call in memory is read by nobody but a replay, which wants it whole.
    fn session(&self, scene: &Scene, whole: bool) -> Result<(Session, Arc<Mutex<Ledger>>), Fault> {
        let policy = &scene.policy;
        let mut ledger = Ledger::memory_keeping();
        let event = Event::Open(Open {
            run: &self.run,
            time: &self.time,
            customs: env!("CARGO_PKG_VERSION"),
            wasmtime: "48.0.8",
            component: Component { name: &self.name, sha256: self.program.sha256() },
            policy: policy.digest(),
            grants: if whole { policy.grants() } else { &[] },
            warnings: if whole { policy.warnings() } else { &[] },
        });
        ledger.append(&event).map_err(Fault::internal)?;
        let ledger = shared(ledger);
        let (program, policy, roots) = (Arc::clone(&self.program), Arc::clone(policy), Arc::clone(&scene.roots));
        let (network, key) = (Arc::clone(&scene.network), Arc::clone(&self.key));
        Ok((Session::new(program, policy, roots, network, Arc::clone(&ledger), key, Instant::now()), ledger))
    }

    /// The tools as a client would see them. A component that describes its own is asked, with nothing granted.
    pub(super) fn tools(&self, nothing: &Scene) -> Result<Vec<Listed>, Fault> {
        let (session, _ledger) = self.session(nothing, false)?;
        self.runtime.block_on(session.list(&nothing.policy, &nothing.roots))?.map_err(|error| match error {
            CallError::Guest(why) => Fault::Refused(format!("{}: {why}", self.name)),
            other => Fault::internal(other),
        })
    }

    /// Makes a call, and then again and again on its recording with one source changed: what do they decide? `choose` says which sources. The
    /// inner error says why there is no verdict.
    pub(super) fn causes(
        &self,
        scene: &Scene,
        nothing: &Scene,
        tool: &Listed,
        arguments: &Map<String, Value>,
        choose: impl Fn(&Report) -> Vec<Named>,
    ) -> Result<Result<Option<Causes>, String>, Fault> {
        let (session, ledger) = self.session(scene, true)?;
        let session = session.recording();
        // A replay asks for the tools first, where the component has to be asked.
        if self.program.catalogue().form.describes_itself() {
            self.runtime.block_on(session.list(&nothing.policy, &nothing.roots))?.map_err(Fault::internal)?;
        }
        let prepared = match Session::prepare_listed(&self.program, &scene.policy, tool, arguments.clone()) {
            Ok(prepared) => prepared,
            Err(why) => return Ok(Err(why)),
        };
        let report = self.runtime.block_on(session.call(prepared, Context::default()))?.map_err(Fault::internal)?;
        let named = choose(&report);
        if named.is_empty() {
            return Ok(Ok(None));
        }
        ledger.lock().unwrap_or_else(PoisonError::into_inner).close().map_err(Fault::internal)?;
        let recording = session.recorded(self.name.clone(), arguments.clone(), &report, None);
        let recording = self.runtime.block_on(recording)?.map_err(Fault::internal)?;
        if let Some(why) = recording.unplayable() {
            return Ok(Err(why));
        }
        match self.runtime.block_on(causes(&self.program, &recording, &named))? {
            Ok(found) if found.divergence.is_some() => Ok(Err(
                "the same call on its own recording does something else, so that nothing can be said".to_owned(),
            )),
            Ok(found) => Ok(Ok(Some(found))),
            Err(NotPlayed::Refused(why)) => Ok(Err(why)),
            Err(NotPlayed::Call(error)) => Err(Fault::internal(error)),
        }
    }

    /// Makes a call. What does not fit the tool is an error in a sentence: nothing ran.
    pub(super) fn call(
        &self,
        scene: &Scene,
        tool: &Listed,
        arguments: &Map<String, Value>,
    ) -> Result<Result<Seen, String>, Fault> {
        let prepared = match Session::prepare_listed(&self.program, &scene.policy, tool, arguments.clone()) {
            Ok(prepared) => prepared,
            Err(why) => return Ok(Err(why)),
        };
        let (session, ledger) = self.session(scene, false)?;
        let report = self.runtime.block_on(session.call(prepared, Context::default()))?.map_err(Fault::internal)?;
        let ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = Seen::of(&ledger, report, arguments);
        if scene.name == GRANTED {
            seen.needs = Accesses::read(ledger.kept()).accesses;
        }
        Ok(Ok(seen))
    }
}
