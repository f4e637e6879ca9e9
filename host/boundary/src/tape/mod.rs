//! What came in from outside, noted with its place in the sequence, and given again.
//!
//! Everything of the boundary runs on a replay as it did: decisions, records, taps. Only the *effects* are swapped. Each stands behind
//! [`Tape::effect`] or [`Tape::later`]: a tape that records notes what the effect gave under a key that says what was asked; a tape that
//! plays gives the next answer noted under that key and does not touch the effect. Off costs one test.
//!
//! ```text
//!  a view -- key: what is asked --> Tape -- off -------> the effect
//!                                     |---- records ---> the effect, and notes what it gave
//!                                     +---- plays -----> the answer that was noted; nothing outside is touched
//! ```
//!
//! What runs beside the guest (requests, lookups) writes records whenever it gets to them. So that a replay has the ledger of its run,
//! each writer is an *actor* with a number: the recording has the actor of every record, and on a replay a record waits until those before
//! it have been written ([`order`]).
//!
//! Played *in order* a tape insists on the recorded order; played *loosely* (another version of the component, or a changed source) each
//! question takes the next answer to the same question, files are read at any offset that was seen, and what the recording does not have
//! is refused and told. See docs/decisions/0008.

pub mod answer;
pub mod change;
mod files;
pub(crate) mod order;
pub(crate) mod wire;

pub use answer::Answer;
pub use change::{Change, Extent};

use bytes::Bytes;
use customs_ledger::material::SourceKind;
use files::Files;
use order::Order;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use wire::{Absent, Wire};

/// Answers that are noted for one call. A tool that looks at the clock in a loop makes millions; past this the recording is cut, says so,
/// and cannot be replayed. The run goes on.
pub const MAX_NOTES: usize = 1_000_000;
/// Distinct things that were not in the recording, kept for telling.
const MAX_MISSING: usize = 200;
/// How long the end of a call waits for requests that have not come to where they were when the run ended.
const SETTLE: Duration = Duration::from_secs(2);
/// Turns without anything to do after which nothing more is expected.
const QUIET: u32 = 32;

/// Who writes a record: 0 is the guest, the others are what runs beside it.
pub type Actor = u32;

/// What a tape noted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    /// The questions, each once.
    pub keys: Vec<String>,
    /// What was answered, in order, by the index of the question.
    pub notes: Vec<(u32, Answer)>,
    /// Who wrote which record.
    pub records: Vec<(u64, Actor)>,
    /// Who was given the next number of a source (true) or a sink (false).
    pub numbers: Vec<(Actor, bool)>,
    /// There was more than is kept.
    pub cut: bool,
}

/// The tape of one call.
#[derive(Clone, Default)]
pub struct Tape(Option<Arc<Reel>>);

enum Reel {
    Records(Mutex<Recording>),
    Plays(Playing),
}

#[derive(Default)]
struct Recording {
    recorded: Recorded,
    index: HashMap<String, u32>,
    instances: HashMap<String, u64>,
    actors: Actor,
}

struct Playing {
    in_order: bool,
    change: Option<Change>,
    inner: Mutex<Queues>,
    order: Mutex<Order>,
    /// Tasks beside the guest that have not ended, and those of them that wait for what never came.
    running: AtomicUsize,
    parked: AtomicUsize,
}

#[derive(Default)]
struct Queues {
    answers: HashMap<String, VecDeque<Answer>>,
    instances: HashMap<String, u64>,
    actors: Actor,
    files: Files,
    missing: BTreeMap<String, u64>,
    tasks: Vec<JoinHandle<()>>,
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.as_deref() {
            None => "Tape(off)",
            Some(Reel::Records(_)) => "Tape(records)",
            Some(Reel::Plays(_)) => "Tape(plays)",
        })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while it is held is our own bug; what is in it is still the best there is.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A key of parts: a name of ours first, then what the guest asked.
macro_rules! key {
    ($($part:expr),+ $(,)?) => {
        || { let mut key = String::new(); $( if !key.is_empty() { key.push('\0'); } { use std::fmt::Write as _; write!(key, "{}", $part).ok(); } )+ key }
    };
}
pub(crate) use key;

/// A key as a person reads it.
#[must_use]
pub fn shown(key: &str) -> String {
    key.replace('\0', " ")
}

impl Tape {
    #[must_use]
    pub fn off() -> Tape {
        Tape(None)
    }

    #[must_use]
    pub fn records() -> Tape {
        Tape(Some(Arc::new(Reel::Records(Mutex::default()))))
    }

    /// Plays what was recorded. `in_order`: records are written in the recorded order, and one that has no place there ends the call.
    #[must_use]
    pub fn plays(recorded: &Recorded, in_order: bool, change: Option<Change>) -> Tape {
        let mut queues = Queues::default();
        for (at, answer) in &recorded.notes {
            let Some(key) = usize::try_from(*at).ok().and_then(|at| recorded.keys.get(at)) else { continue };
            if !in_order {
                queues.files.learn(key, answer);
            }
            match queues.answers.get_mut(key) {
                Some(queue) => queue.push_back(answer.clone()),
                None => drop(queues.answers.insert(key.clone(), VecDeque::from([answer.clone()]))),
            }
        }
        Tape(Some(Arc::new(Reel::Plays(Playing {
            in_order,
            change,
            inner: Mutex::new(queues),
            order: Mutex::new(Order::of(&recorded.records, &recorded.numbers)),
            running: AtomicUsize::new(0),
            parked: AtomicUsize::new(0),
        }))))
    }

    /// What a tape that records has noted, once.
    #[must_use]
    pub fn take(&self) -> Recorded {
        match self.0.as_deref() {
            Some(Reel::Records(recording)) => std::mem::take(&mut locked(recording).recorded),
            _ => Recorded::default(),
        }
    }

    fn playing(&self) -> Option<&Playing> {
        match self.0.as_deref() {
            Some(Reel::Plays(playing)) => Some(playing),
            _ => None,
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn is_playing(&self) -> bool {
        self.playing().is_some()
    }

    pub(crate) fn is_loose(&self) -> bool {
        self.playing().is_some_and(|playing| !playing.in_order)
    }

    /// What was asked and is not in the recording, and how often.
    #[must_use]
    pub fn missing(&self) -> BTreeMap<String, u64> {
        self.playing().map(|playing| locked(&playing.inner).missing.clone()).unwrap_or_default()
    }

    /// The effect, or what was noted of it.
    pub(crate) fn effect<T: Wire + Absent>(&self, key: impl FnOnce() -> String, live: impl FnOnce() -> T) -> T {
        self.effect_or(key, live, T::absent)
    }

    /// The same with something else than a refusal where the recording has nothing.
    pub(crate) fn effect_or<T: Wire>(
        &self,
        key: impl FnOnce() -> String,
        live: impl FnOnce() -> T,
        absent: impl FnOnce() -> T,
    ) -> T {
        match self.0.as_deref() {
            None => live(),
            Some(Reel::Records(recording)) => {
                let given = live();
                locked(recording).note(key(), given.write());
                given
            }
            Some(Reel::Plays(playing)) => playing.next(&key()).unwrap_or_else(absent),
        }
    }

    /// An effect that takes time. One that was dropped before it was done is noted as that, and on a replay it is waited for in vain.
    pub(crate) async fn later<T: Wire + Absent>(
        &self,
        key: impl FnOnce() -> String,
        live: impl Future<Output = T>,
    ) -> T {
        match self.0.as_deref() {
            None => live.await,
            Some(Reel::Records(recording)) => {
                let mut waiting = Waiting { recording, key: Some(key()) };
                let given = live.await;
                if let Some(key) = waiting.key.take() {
                    locked(recording).note(key, given.write());
                }
                given
            }
            Some(Reel::Plays(playing)) => match playing.next_answer(&key()) {
                Some(Answer::Never) => {
                    playing.parked.fetch_add(1, Ordering::Relaxed);
                    std::future::pending().await
                }
                answer => answer.and_then(|answer| T::read(&answer)).unwrap_or_else(T::absent),
            },
        }
    }

    /// Notes something that happened.
    pub(crate) fn note(&self, key: impl FnOnce() -> String, answer: impl FnOnce() -> Answer) {
        if let Some(Reel::Records(recording)) = self.0.as_deref() {
            locked(recording).note(key(), answer());
        }
    }

    /// The next answer that was noted, where there is one. Missing is not told.
    pub(crate) fn noted(&self, key: &str) -> Option<Answer> {
        let playing = self.playing()?;
        locked(&playing.inner).answers.get_mut(key).and_then(VecDeque::pop_front)
    }

    /// Tells that the recording has no answer.
    pub(crate) fn lacks(&self, key: &str) {
        if let Some(playing) = self.playing() {
            locked(&playing.inner).lacks(key);
        }
    }

    /// Which one of its kind this is, counted from 0: two streams of one file have names of their own.
    pub(crate) fn instance(&self, of: &str) -> u64 {
        let count = |instances: &mut HashMap<String, u64>| {
            let next = instances.entry(of.to_owned()).or_insert(0);
            let this = *next;
            *next += 1;
            this
        };
        match self.0.as_deref() {
            None => 0,
            Some(Reel::Records(recording)) => count(&mut locked(recording).instances),
            Some(Reel::Plays(playing)) => count(&mut locked(&playing.inner).instances),
        }
    }

    /// A number for something that runs beside the guest.
    pub(crate) fn actor(&self) -> Actor {
        let next = |actors: &mut Actor| {
            *actors = actors.saturating_add(1);
            *actors
        };
        match self.0.as_deref() {
            None => 0,
            Some(Reel::Records(recording)) => next(&mut locked(recording).actors),
            Some(Reel::Plays(playing)) => next(&mut locked(&playing.inner).actors),
        }
    }

    /// Bytes of a file at an offset, where the recording saw them; empty at its end.
    pub(crate) fn file(&self, path: &str, offset: u64, most: usize) -> Option<Bytes> {
        let playing = self.playing().filter(|playing| !playing.in_order)?;
        locked(&playing.inner).files.read(path, offset, most)
    }

    /// The change of a source on this replay.
    pub(crate) fn change(&self, kind: SourceKind, name: &str) -> Option<&Change> {
        self.playing()?.change.as_ref().filter(|change| change.kind == kind && change.name == name)
    }

    /// The order of records and numbers on a replay in order.
    pub(crate) fn order(&self) -> Option<MutexGuard<'_, Order>> {
        self.playing().filter(|playing| playing.in_order).map(|playing| locked(&playing.order))
    }

    pub(crate) fn wrote(&self, seq: u64, actor: Actor) {
        if let Some(Reel::Records(recording)) = self.0.as_deref() {
            locked(recording).recorded.records.push((seq, actor));
        }
    }

    pub(crate) fn numbered(&self, actor: Actor, source: bool) {
        if let Some(Reel::Records(recording)) = self.0.as_deref() {
            locked(recording).recorded.numbers.push((actor, source));
        }
    }

    /// On a replay, runs what stands beside the guest on its own: dropping the guest's handle must not cut off what the run still did. Gives
    /// the future back otherwise.
    pub(crate) fn detach<T, F>(&self, future: F) -> Result<tokio::sync::oneshot::Receiver<T>, F>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let Some(Reel::Plays(playing)) = self.0.as_deref() else { return Err(future) };
        let (give, take) = tokio::sync::oneshot::channel();
        let tape = self.clone();
        playing.running.fetch_add(1, Ordering::Relaxed);
        let task = tokio::spawn(async move {
            give.send(future.await).ok();
            if let Some(playing) = tape.playing() {
                playing.running.fetch_sub(1, Ordering::Relaxed);
            }
        });
        locked(&playing.inner).tasks.push(task);
        Ok(take)
    }

    /// Awaits something that comes from the guest, inside of what runs beside it: meanwhile that is not busy.
    pub(crate) async fn idle<T>(&self, waiting: impl Future<Output = T>) -> T {
        let mut waiting = std::pin::pin!(waiting);
        let first = std::future::poll_fn(|cx| {
            Poll::Ready(match waiting.as_mut().poll(cx) {
                Poll::Ready(given) => Some(given),
                Poll::Pending => None,
            })
        });
        if let Some(given) = first.await {
            return given;
        }
        if let Some(playing) = self.playing() {
            playing.parked.fetch_add(1, Ordering::Relaxed);
        }
        let given = waiting.await;
        if let Some(playing) = self.playing() {
            playing.parked.fetch_sub(1, Ordering::Relaxed);
        }
        given
    }

    /// True while something beside the guest can still get on.
    pub(crate) fn is_busy(&self) -> bool {
        self.playing()
            .is_some_and(|playing| playing.running.load(Ordering::Relaxed) > playing.parked.load(Ordering::Relaxed))
    }

    /// At the end of a replayed call: what ran beside the guest gets as far as it did, and is then dropped.
    pub async fn settle(&self) {
        let Some(playing) = self.playing() else { return };
        let began = Instant::now();
        // What was woken just now has not said yet that it is busy.
        let mut quiet = 0;
        while quiet < QUIET && began.elapsed() < SETTLE {
            quiet = if self.is_busy() { 0 } else { quiet + 1 };
            tokio::task::yield_now().await;
        }
        let tasks = std::mem::take(&mut locked(&playing.inner).tasks);
        for task in tasks {
            task.abort();
            // An aborted task has dropped what it held when this returns.
            task.await.ok();
        }
    }
}

impl Recording {
    fn note(&mut self, key: String, answer: Answer) {
        if self.recorded.notes.len() >= MAX_NOTES {
            self.recorded.cut = true;
            return;
        }
        let next = u32::try_from(self.recorded.keys.len()).unwrap_or(u32::MAX);
        let at = match self.index.get(&key) {
            Some(at) => *at,
            None => {
                self.index.insert(key.clone(), next);
                self.recorded.keys.push(key);
                next
            }
        };
        self.recorded.notes.push((at, answer));
    }
}

/// An effect that is being waited for.
struct Waiting<'r> {
    recording: &'r Mutex<Recording>,
    key: Option<String>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            locked(self.recording).note(key, Answer::Never);
        }
    }
}

impl Playing {
    fn next_answer(&self, key: &str) -> Option<Answer> {
        let mut inner = locked(&self.inner);
        let answer = inner.answers.get_mut(key).and_then(VecDeque::pop_front);
        if answer.is_none() {
            inner.lacks(key);
        }
        answer
    }

    fn next<T: Wire>(&self, key: &str) -> Option<T> {
        T::read(&self.next_answer(key)?)
    }
}

impl Queues {
    fn lacks(&mut self, key: &str) {
        let key = shown(key);
        let full = self.missing.len() >= MAX_MISSING && !self.missing.contains_key(&key);
        *self.missing.entry(if full { "and more".to_owned() } else { key }).or_insert(0) += 1;
    }
}
