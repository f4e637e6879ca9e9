//! Recording a call, and running it again on the recording alone.
//!
//! A session that records ([`Session::recording`]) notes for each call what came in from outside ([`customs_boundary::tape`]). From it and
//! the ledger's lines comes a [`Recording`]: all that the same component needs to do the same again, with files, network, environment, clocks
//! and random numbers gone. It lives in memory; [`file`] writes and reads it.
//!
//! ```text
//!  Session::recording -> call -> Session::recorded -> Recording -- play --> Played: report, ledger lines
//!                                                        |            in order: the same to the byte, or where it parts ([`compare`])
//!                                                        |            loosely: another version, or a changed source
//!                                                        +-- causes --> which sinks change with a source ([`causal`])
//! ```
//!
//! What cannot be replayed to the same end: a call that was stopped by its time or by its caller, because a replay takes another time; and one
//! that asked more questions than a recording keeps.

pub mod causal;
pub mod compare;
pub mod file;
pub mod passes;
mod play;

pub use causal::{Cause, Causes, Influence, Named, causes};
pub use compare::{Differences, Divergence};
pub use play::{How, NotPlayed, Played, play};

use crate::ending::Ending;
use crate::report::Report;
use crate::{CallError, Session};
use customs_boundary::Identity;
use customs_boundary::tape::{Recorded, Tape};
use customs_ledger::material::Source;
use customs_policy::{FlowDefaults, Layer, Policy, SeenHost};
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Turns that are given to what was dropped with a call, so that it can say how far it came.
const TURNS: u32 = 64;

/// Where the tapes of a session's calls come from and go to.
#[derive(Debug, Default)]
pub(crate) enum Taping {
    #[default]
    Off,
    Records(Mutex<Vec<Tape>>),
    Plays(Mutex<VecDeque<Tape>>),
}

impl Taping {
    /// The tape of the next call.
    pub(crate) fn next(&self) -> Tape {
        match self {
            Taping::Off => Tape::off(),
            Taping::Records(tapes) => {
                let tape = Tape::records();
                tapes.lock().unwrap_or_else(PoisonError::into_inner).push(tape.clone());
                tape
            }
            Taping::Plays(tapes) => {
                let next = tapes.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                // A call that was not recorded has nothing to play: it is refused everything.
                next.unwrap_or_else(|| Tape::plays(&Recorded::default(), false, None))
            }
        }
    }
}

/// What a policy was built from: needed to build it again where it is not in memory any more.
#[derive(Clone, Debug)]
pub struct Grounds {
    pub layers: Vec<Layer>,
    pub host: SeenHost,
}

/// One recorded call. It holds everything that came in, secrets of the environment included, and the key of the run's digests; what it does
/// not hold are the values of secrets that the tool never held.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The component's file as it was named, and its digest.
    pub component: String,
    pub sha256: [u8; 32],
    pub policy: Arc<Policy>,
    /// None where the recording stays in memory.
    pub grounds: Option<Grounds>,
    /// What holds where no flow rule of the policy matches.
    pub defaults: FlowDefaults,
    /// Files that deny rules name, by device and inode, rule by rule.
    pub identities: Vec<Option<Identity>>,
    /// What stood for secrets that the tool never held.
    pub placeholders: Vec<(String, String)>,
    pub key: [u8; 32],
    pub tool: String,
    pub arguments: Map<String, Value>,
    /// Of the question for its tools, where the component describes them itself.
    pub listed: Option<Recorded>,
    pub call: Recorded,
    /// The ledger, line by line.
    pub lines: Vec<String>,
    pub result: Option<Value>,
    /// How it ended: the contract's word, and the limit where one was reached.
    pub ending: String,
    pub limit: Option<String>,
    /// What came in, for who wants to change it; empty in a recording that was read from a file until it has been replayed.
    pub sources: Vec<Source>,
}

impl Recording {
    /// Why the call cannot be replayed to the same end, where that is so.
    #[must_use]
    pub fn unplayable(&self) -> Option<String> {
        if self.call.cut || self.listed.as_ref().is_some_and(|tape| tape.cut) {
            let most = customs_boundary::tape::MAX_NOTES;
            return Some(format!("the call asked for more than {most} things, and the recording ends there"));
        }
        match (self.ending.as_str(), self.limit.as_deref()) {
            ("limit", Some("time")) => Some("the call was stopped by its time: a replay takes another time".to_owned()),
            ("cancelled", _) => Some("the call was given up by its caller: a replay cannot know where".to_owned()),
            _ => None,
        }
    }
}

impl Session {
    /// The same session, whose calls are recorded. Its ledger must keep its lines ([`customs_ledger::Ledger::keeping`]), and the call to be
    /// recorded is its first (after the question for its tools, where a component describes them itself).
    #[must_use]
    pub fn recording(self) -> Session {
        self.on(Taping::Records(Mutex::default()))
    }

    pub(crate) fn playing(self, tapes: Vec<Tape>) -> Session {
        self.on(Taping::Plays(Mutex::new(tapes.into())))
    }

    /// The recording of the call that gave `report`, made with these `arguments`. `component` is the file's name, `grounds` what its policy
    /// was built from, where it is to be written to a file. The ledger should be closed by then.
    pub async fn recorded(
        &self,
        component: String,
        arguments: Map<String, Value>,
        report: &Report,
        grounds: Option<Grounds>,
    ) -> Result<Recording, CallError> {
        let Taping::Records(tapes) = &self.taping else {
            return Err(CallError::Internal("the session does not record".to_owned()));
        };
        // Requests that were on their way are dropped by the runtime in its own time, and note then where they were.
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        let mut tapes: VecDeque<Recorded> =
            tapes.lock().unwrap_or_else(PoisonError::into_inner).drain(..).map(|tape| tape.take()).collect();
        let Some(call) = tapes.pop_back() else { return Err(CallError::Internal("nothing was recorded".to_owned())) };
        let placeholders = self.network().secrets().placeholders();
        Ok(Recording {
            component,
            sha256: self.program().sha256(),
            policy: Arc::clone(self.policy()),
            grounds,
            defaults: self.flow_defaults(),
            identities: self.roots().identities().to_vec(),
            placeholders: placeholders.map(|(name, text)| (name.to_owned(), text.to_owned())).collect(),
            key: self.key().to_recording(),
            tool: report.tool.clone(),
            arguments,
            listed: tapes.pop_back(),
            call,
            lines: self.lines(),
            result: report.result.as_ref().map(crate::ToolResult::to_json),
            ending: report.ending.kind().to_owned(),
            limit: report.ending.limit().map(str::to_owned),
            sources: report.sources.clone(),
        })
    }
}

/// True where the replay in order left the recording's way.
pub(crate) fn parted(ending: &Ending) -> bool {
    ending.limit() == Some("replay")
}
