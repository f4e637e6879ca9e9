//! Running a call on its recording. Nothing is opened, looked up or connected: the grants lead to files of nothing, the network has no
//! resolver, and everything that a guest is told comes from the tape.

use super::{Recording, parted};
use crate::report::Report;
use crate::{CallError, Program, Session};
use customs_boundary::tape::{Change, Recorded, Tape};
use customs_boundary::{Assignment, Context, Network, Roots, Secrets};
use customs_ledger::material::SourceKind;
use customs_ledger::{Component, Event, Head, Ledger, Open, RunKey};
use customs_policy::{HostView, PathKind, Policy};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// How a recording is played.
#[derive(Clone, Debug, Default)]
pub struct How {
    /// Insist on the recorded order. Otherwise each question takes the next answer to the same question.
    pub in_order: bool,
    /// A source with other bytes.
    pub change: Option<Change>,
    /// Which sources have labels, where the component is a traced one. Left out, they have them as they come.
    pub plan: Option<Assignment>,
    /// The name and the time of the run in its `open` record; those of the recording where left out.
    pub stamp: Option<(String, String)>,
}

impl How {
    #[must_use]
    pub fn in_order() -> How {
        How { in_order: true, ..How::default() }
    }
}

/// What a replay gave.
#[derive(Debug)]
pub struct Played {
    pub report: Report,
    pub policy: Arc<Policy>,
    /// The ledger as a file would hold it.
    pub ledger: Vec<u8>,
    pub head: Head,
    /// What was asked that the recording does not have, and how often. Each was refused.
    pub missing: BTreeMap<String, u64>,
    /// It left the recorded order and was stopped there.
    pub parted: bool,
}

impl Played {
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.ledger
            .split(|byte| *byte == b'\n')
            .filter_map(|line| std::str::from_utf8(line).ok())
            .filter(|l| !l.is_empty())
    }
}

/// Why nothing was played.
#[derive(Debug)]
pub enum NotPlayed {
    /// The component cannot be called as the recording says; a sentence.
    Refused(String),
    Call(CallError),
}

impl From<CallError> for NotPlayed {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Guest(why) => NotPlayed::Refused(why),
            other => NotPlayed::Call(other),
        }
    }
}

impl std::fmt::Display for NotPlayed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NotPlayed::Refused(why) => f.write_str(why),
            NotPlayed::Call(error) => write!(f, "{error}"),
        }
    }
}

/// A host that has nothing.
struct Nowhere;

impl HostView for Nowhere {
    fn canonical(&self, _: &Path) -> Result<(PathBuf, PathKind), String> {
        Err("no such file or directory".to_owned())
    }

    fn env(&self) -> Vec<(OsString, OsString)> {
        Vec::new()
    }

    fn home(&self) -> Option<PathBuf> {
        None
    }
}

/// Plays a recording with `program`, which is its component or another version of it.
pub async fn play(program: &Arc<Program>, recording: &Recording, how: &How) -> Result<Played, NotPlayed> {
    let mut policy = Arc::clone(&recording.policy);
    let (mut placeholders, mut arguments) = (recording.placeholders.clone(), recording.arguments.clone());
    if let Some(change) = &how.change {
        match change.kind {
            SourceKind::Env => {
                if let Some(held) = policy.env().iter().find(|v| v.name == change.name) {
                    policy = Arc::new(policy.with_value(&change.name, &change.text(&held.value)));
                }
                for (_, text) in placeholders.iter_mut().filter(|(name, _)| *name == change.name) {
                    *text = change.text(text);
                }
            }
            SourceKind::Argument => change_argument(&mut arguments, change),
            // These pass the tape.
            _ => {}
        }
    }
    let internal = |e: String| NotPlayed::Call(CallError::Internal(e));
    let roots = Roots::of_recording(&policy, &recording.identities).map_err(|e| internal(e.to_string()))?;
    let network = Network::of_recording(Secrets::of_recording(&policy, &placeholders));
    let ledger = Arc::new(Mutex::new(Ledger::memory_keeping()));
    open(&ledger, program, recording, &policy, how)?;
    let tape = |recorded: &Recorded| Tape::plays(recorded, how.in_order, how.change.clone());
    let call = tape(&recording.call);
    let listing = recording.listed.as_ref().map(tape);
    let tapes: Vec<Tape> = listing.into_iter().chain([call.clone()]).collect();
    let session = Session::new(
        Arc::clone(program),
        Arc::clone(&policy),
        Arc::new(roots),
        Arc::new(network),
        Arc::clone(&ledger),
        Arc::new(RunKey::of_recording(recording.key)),
        Instant::now(),
    );
    let session = session.with_defaults(recording.defaults).playing(tapes).labelling(how.plan.clone());
    let prepared = if program.catalogue().form.describes_itself() {
        let nothing = Arc::new(Policy::build(&[], &Nowhere).map_err(|e| internal(e.to_string()))?);
        let no_roots = Roots::of_recording(&nothing, &[]).map_err(|e| internal(e.to_string()))?;
        let listed = session.list_dynamic(&nothing, &Arc::new(no_roots)).await?;
        match listed.iter().find(|one| one.name == recording.tool) {
            Some(one) => Session::prepare_listed(program, &policy, one, arguments),
            None => Err(format!("there is no tool {:?} any more", recording.tool)),
        }
    } else {
        Session::prepare(program, &policy, &recording.tool, arguments)
    };
    let prepared = prepared.map_err(NotPlayed::Refused)?;
    let report = session.call(prepared, Context::default()).await?;
    let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    let head = ledger.close().map_err(|e| CallError::Ledger(e.to_string()))?;
    let parted = parted(&report.ending);
    Ok(Played { report, policy, ledger: ledger.kept().to_vec(), head, missing: call.missing(), parted })
}

fn open(
    ledger: &Mutex<Ledger>,
    program: &Program,
    recording: &Recording,
    policy: &Policy,
    how: &How,
) -> Result<(), CallError> {
    let first: Value = recording.lines.first().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
    let text = |key: &str| first.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (run, time) = how.stamp.clone().unwrap_or_else(|| (text("run"), text("time")));
    let name = first.pointer("/component/name").and_then(Value::as_str).unwrap_or_default();
    let event = Event::Open(Open {
        run: &run,
        time: &time,
        customs: &text("customs"),
        wasmtime: &text("wasmtime"),
        component: Component { name, sha256: program.sha256() },
        policy: policy.digest(),
        grants: policy.grants(),
        warnings: policy.warnings(),
    });
    let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    ledger.append(&event).map(drop).map_err(|e| CallError::Ledger(e.to_string()))
}

/// Changes the argument that a source names: `/city`, or `/args/0` of a command.
fn change_argument(arguments: &mut Map<String, Value>, change: &Change) {
    let (key, at) = match change.name.strip_prefix("/args/").and_then(|at| at.parse::<usize>().ok()) {
        Some(at) => ("args".to_owned(), Some(at)),
        None => (change.name.trim_start_matches('/').replace("~1", "/").replace("~0", "~"), None),
    };
    let value = arguments.get_mut(&key);
    let value = match at {
        Some(at) => value.and_then(|value| value.get_mut(at)),
        None => value,
    };
    match value {
        Some(Value::String(text)) => *text = change.text(text),
        Some(value @ Value::Number(_)) => {
            if let Ok(number) = serde_json::from_str(&change.text(&value.to_string())) {
                *value = number;
            }
        }
        _ => {}
    }
}
