//! One call's record: the views say what happened, this writes it to the ledger and keeps the bytes that crossed.
//!
//! Order is the promise. `allow` returns only after its access record is in the ledger (and, for an effect, in the OS); a view acts
//! after that. When a record cannot be written the call is stopped: nothing runs unrecorded. What is capped is counted.

use crate::denials::Denials;
pub use crate::denials::{DenialRow, MAX_DENIAL_ROWS, MAX_DENIALS_RECORDED};
use crate::digesting::Piece;
use crate::flow::{Flow, FlowId, Way};
use crate::hidden::Hidden;
use crate::imports::{Counts, Import};
use crate::judge::{Inside, Judge};
use crate::labels::{Assignment, Labels, Traces};
pub use crate::stop::{Stop, Stopped};
use crate::tape::{Actor, Tape, key};
use bytes::Bytes;
use customs_ledger::digest::Hasher;
use customs_ledger::material::{Content, Sink, SinkKind, Source, SourceKind};
use customs_ledger::{Access, Decision, Event, Ledger, Outcome, RunKey};
use customs_policy::{Capability, Denial, DenialCode, Permit, Policy};
use customs_trace::Map;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;

/// Ledger records one call may cause. A tool that opens 25,000 files is still served; larger makes a hostile tool's ledger grow past
/// what a person opens (about 40 MiB), smaller stops honest crawlers.
pub const MAX_EVENTS: u64 = 100_000;
/// Flows of bytes in one call. Each is a row of the report.
pub const MAX_FLOWS: usize = 50_000;

/// Bytes that are kept for findings, each way; what crosses beyond them has its digest and is said to be incomplete. More than the default
/// limits let cross, so that nothing is left out unless a person raised them.
const MAX_KEPT: usize = 72 << 20;

/// The same for what the network answered. It is nobody's secret, so what is missing of it hides no leak; and fresh memory for all of a
/// large download would cost more than the download.
const MAX_KEPT_NETWORK: usize = 16 << 20;

/// What is left of the budgets of bytes. They count what crosses, not what is kept.
#[derive(Clone, Copy, Debug)]
struct Budget {
    input: u64,
    output: u64,
    file_write: u64,
}

struct Inner {
    flows: Vec<Flow>,
    sources: Vec<Source>,
    sinks: Vec<Sink>,
    next_source: u64,
    next_sink: u64,
    denials: Denials,
    /// Capabilities that are recorded once and counted: clocks, random numbers, stdio.
    counted: BTreeMap<(Capability, &'static str), (u64, u64)>,
    /// Accesses that were made again after they were recorded, and how often they were made.
    repeated: BTreeMap<u64, u64>,
    counts: Counts,
    budget: Budget,
    /// Bytes that may still be kept, of what comes in and of what goes to files and the network.
    keep_in: usize,
    keep_network: usize,
    keep_out: usize,
    events: u64,
    stop: Option<Stop>,
    /// Accesses whose outcome is still to come: requests on their way.
    pending: BTreeSet<u64>,
    blocked: BTreeSet<u64>,
    reached_out: bool,
    /// What labels say, where the component is traced.
    labels: Option<Labels>,
    /// The call is over: nothing crosses any more.
    over: bool,
}

/// Shared between the views and the taps of one store. Each holder writes as somebody: see [`crate::tape`].
#[derive(Clone)]
pub struct Recorder(Arc<Shared>, Actor);

struct Shared {
    policy: Arc<Policy>,
    hidden: Arc<Hidden>,
    judge: Arc<dyn Judge>,
    ledger: Arc<Mutex<Ledger>>,
    key: Arc<RunKey>,
    call: u64,
    started: Instant,
    tape: Tape,
    labelled: AtomicBool,
    inner: Mutex<Inner>,
    /// Wakes who waits for a stop.
    halt: Notify,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("call", &self.0.call).finish_non_exhaustive()
    }
}

/// What a call left behind.
#[derive(Debug, Default)]
pub struct Harvest {
    pub sources: Vec<Source>,
    pub sinks: Vec<Sink>,
    pub denials: Vec<DenialRow>,
    /// Refused accesses that have no record of their own, by `capability operation code`.
    pub suppressed: BTreeMap<String, u64>,
    /// There were more distinct denials than rows for them.
    pub capped: bool,
    pub imports: BTreeMap<&'static str, u64>,
    /// Sinks that were held back: their bytes were given out by the guest and have not left.
    pub blocked: BTreeSet<u64>,
    /// It was allowed something that changes or reaches what is outside: files, requests, names, sockets.
    pub reached_out: bool,
    pub stop: Option<Stop>,
}

impl Recorder {
    /// `hidden` covers what no record may name; `started` is the run's zero: the times in the ledger count from it.
    #[must_use]
    pub fn new(
        policy: Arc<Policy>,
        hidden: Arc<Hidden>,
        judge: Arc<dyn Judge>,
        ledger: Arc<Mutex<Ledger>>,
        key: Arc<RunKey>,
        call: u64,
        started: Instant,
    ) -> Recorder {
        Recorder::on_tape(policy, hidden, judge, ledger, key, call, started, Tape::off())
    }

    /// The same for a call that is recorded or replayed.
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "they are what a call's record is about")]
    pub fn on_tape(
        policy: Arc<Policy>,
        hidden: Arc<Hidden>,
        judge: Arc<dyn Judge>,
        ledger: Arc<Mutex<Ledger>>,
        key: Arc<RunKey>,
        call: u64,
        started: Instant,
        tape: Tape,
    ) -> Recorder {
        let limits = policy.limits();
        let budget = Budget { input: limits.max_input, output: limits.max_output, file_write: limits.max_file_write };
        let shared = Shared {
            policy,
            hidden,
            judge,
            ledger,
            key,
            call,
            started,
            tape,
            labelled: AtomicBool::new(false),
            inner: Mutex::new(Inner {
                flows: Vec::new(),
                sources: Vec::new(),
                sinks: Vec::new(),
                next_source: 1,
                next_sink: 1,
                denials: Denials::default(),
                counted: BTreeMap::new(),
                repeated: BTreeMap::new(),
                counts: Counts::default(),
                budget,
                keep_in: MAX_KEPT,
                keep_network: MAX_KEPT_NETWORK,
                keep_out: MAX_KEPT,
                events: 0,
                stop: None,
                pending: BTreeSet::new(),
                blocked: BTreeSet::new(),
                reached_out: false,
                labels: None,
                over: false,
            }),
            halt: Notify::new(),
        };
        Recorder(Arc::new(shared), 0)
    }

    /// The tape of the call.
    pub(crate) fn tape(&self) -> &Tape {
        &self.0.tape
    }

    /// The same record, written by somebody beside the guest.
    pub(crate) fn beside(&self) -> Recorder {
        Recorder(Arc::clone(&self.0), self.0.tape.actor())
    }

    #[must_use]
    pub fn policy(&self) -> &Arc<Policy> {
        &self.0.policy
    }

    #[must_use]
    pub fn key(&self) -> &Arc<RunKey> {
        &self.0.key
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic while the lock is held is our own bug; the numbers are still the best there is.
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.0.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Counts a host call by name.
    pub fn count(&self, import: Import) {
        self.inner().counts.add(import);
    }

    /// Stops the call for `reason`; the first reason stands.
    pub fn stop(&self, reason: Stop) -> Stopped {
        self.halt(&mut self.inner(), reason)
    }

    fn halt(&self, inner: &mut Inner, reason: Stop) -> Stopped {
        inner.stop.get_or_insert(reason);
        self.0.halt.notify_waiters();
        Stopped
    }

    /// Returns when the call is stopped: bytes on their way cross without the guest, and it may wait for something else.
    pub async fn halted(&self) {
        let notified = self.0.halt.notified();
        // Registered before the look, so that a stop between the two is not missed.
        let mut notified = std::pin::pin!(notified);
        notified.as_mut().enable();
        if self.stopped().is_none() {
            notified.await;
        }
    }

    /// Why the call was stopped, if it was.
    #[must_use]
    pub fn stopped(&self) -> Option<Stop> {
        self.inner().stop.clone()
    }

    fn append(&self, inner: &mut Inner, event: &Event<'_>, barrier: bool) -> Result<u64, Stopped> {
        self.admit(inner)?;
        self.append_past_cap(inner, event, barrier)
    }

    /// Whether there may be one more record.
    fn admit(&self, inner: &mut Inner) -> Result<(), Stopped> {
        if inner.over {
            return Err(Stopped);
        }
        if inner.events >= MAX_EVENTS {
            return Err(self.halt(inner, Stop::Limit { limit: "events", observed: format!("{MAX_EVENTS} records") }));
        }
        inner.events += 1;
        Ok(())
    }

    fn append_past_cap(&self, inner: &mut Inner, event: &Event<'_>, barrier: bool) -> Result<u64, Stopped> {
        self.append_as(self.1, inner, event, barrier)
    }

    fn append_as(&self, actor: Actor, inner: &mut Inner, event: &Event<'_>, barrier: bool) -> Result<u64, Stopped> {
        let mut ledger = self.0.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let written = match self.0.tape.order() {
            None => ledger.append(event).and_then(|seq| if barrier { ledger.barrier().map(|()| seq) } else { Ok(seq) }),
            Some(mut order) => {
                // Nothing has an effect on a replay, so nothing has to reach the system before another thing.
                let Some(seq) = order.place(actor) else { return Err(self.halt(inner, diverged())) };
                event.render().and_then(|record| {
                    order.wait(seq, record);
                    while let Some(record) = order.ready(ledger.next()) {
                        ledger.append_rendered(&record)?;
                    }
                    Ok(seq)
                })
            }
        };
        drop(ledger);
        if let Ok(seq) = &written {
            self.0.tape.wrote(*seq, actor);
        }
        written.map_err(|e| {
            inner.stop = Some(Stop::Ledger(e.to_string()));
            self.0.halt.notify_waiters();
            Stopped
        })
    }

    /// The next number of a source or sink.
    fn number(&self, inner: &mut Inner, way: Way) -> Result<u64, Stopped> {
        let source = matches!(way, Way::In(_));
        let recorded = self.0.tape.order().map(|mut order| order.number(self.1, source));
        let next = if source { &mut inner.next_source } else { &mut inner.next_sink };
        let number = match recorded {
            None => *next,
            Some(Some(number)) => number,
            Some(None) => return Err(self.halt(inner, diverged())),
        };
        *next = number.max(*next) + 1;
        self.0.tape.numbered(self.1, source);
        Ok(number)
    }

    /// Records an allowed access. With `effect`, the record has reached the OS when this returns.
    pub fn allow(
        &self,
        permit: &Permit,
        op: &'static str,
        requested: &str,
        resolved: Option<&str>,
        effect: bool,
    ) -> Result<u64, Stopped> {
        let (requested, resolved) = (self.0.hidden.cover(requested), resolved.map(|r| self.0.hidden.cover(r)));
        let event = Event::Access(Access {
            call: self.0.call,
            t: self.elapsed(),
            cap: permit.capability().as_str(),
            op,
            requested: &requested,
            resolved: resolved.as_deref(),
            decision: Decision::Allow { rule: permit.rule() },
            detail: None,
        });
        let mut inner = self.inner();
        inner.reached_out |= permit.capability().reaches_out();
        self.append(&mut inner, &event, effect)
    }

    /// Records a refused access. Refusals are never effects, so a flood of them is counted past a bound instead of stopping the call.
    pub fn deny(
        &self,
        denial: &Denial,
        op: &'static str,
        requested: &str,
        resolved: Option<&str>,
    ) -> Result<(), Stopped> {
        let (requested, resolved) = (self.0.hidden.cover(requested), resolved.map(|r| self.0.hidden.cover(r)));
        let (requested, resolved) = (requested.as_ref(), resolved.as_deref());
        let mut inner = self.inner();
        let mut seq = 0;
        if inner.denials.count(denial, op) {
            let event = Event::Access(Access {
                call: self.0.call,
                t: self.elapsed(),
                cap: denial.capability.as_str(),
                op,
                requested,
                resolved,
                decision: Decision::Deny { code: denial.code.as_str(), rule: denial.rule.as_deref() },
                detail: None,
            });
            seq = self.append(&mut inner, &event, false)?;
        }
        inner.denials.add(denial, op, requested, resolved, seq);
        Ok(())
    }

    /// An access whose outcome comes later, from a task of its own. If none comes, the end of the call is its outcome.
    pub(crate) fn expect_outcome(&self, of: u64) {
        self.inner().pending.insert(of);
    }

    /// Records how an access ended.
    pub fn outcome(&self, of: u64, error: Option<&str>) -> Result<(), Stopped> {
        let event = Event::Outcome(Outcome {
            call: self.0.call,
            of,
            t: self.elapsed(),
            ok: error.is_none(),
            error,
            ..Outcome::default()
        });
        let mut inner = self.inner();
        inner.pending.remove(&of);
        self.append(&mut inner, &event, false).map(drop)
    }

    /// Records the first use of a capability that is counted from then on.
    pub fn use_counted(&self, permit: &Permit, op: &'static str) -> Result<(), Stopped> {
        let mut inner = self.inner();
        if let Some((_, count)) = inner.counted.get_mut(&(permit.capability(), op)) {
            *count = count.saturating_add(1);
            return Ok(());
        }
        let event = Event::Access(Access {
            call: self.0.call,
            t: self.elapsed(),
            cap: permit.capability().as_str(),
            op,
            requested: op,
            resolved: None,
            decision: Decision::Allow { rule: permit.rule() },
            detail: None,
        });
        let seq = self.append(&mut inner, &event, false)?;
        inner.counted.insert((permit.capability(), op), (seq, 1));
        Ok(())
    }

    /// Counts that access `of` was made once more. How often is told when the call ends.
    pub(crate) fn again(&self, of: u64) {
        let mut inner = self.inner();
        let count = inner.repeated.entry(of).or_insert(1);
        *count = count.saturating_add(1);
    }

    /// Begins a flow of bytes that access `of` authorised. It becomes a source or sink with its first byte.
    pub fn begin(&self, of: u64, way: Way, name: String) -> Result<FlowId, Stopped> {
        let mut inner = self.inner();
        if inner.flows.len() >= MAX_FLOWS {
            return Err(self.halt(&mut inner, Stop::Limit { limit: "flows", observed: format!("{MAX_FLOWS} flows") }));
        }
        let id = FlowId(inner.flows.len());
        let name = match self.0.hidden.cover(&name) {
            std::borrow::Cow::Borrowed(_) => name,
            std::borrow::Cow::Owned(covered) => covered,
        };
        inner.flows.push(Flow::new(of, way, name, self.1, &self.0.key));
        Ok(id)
    }

    /// Says how many bytes a flow will probably have, so that keeping them takes one allocation. No more than the budget allows.
    pub fn expect(&self, id: FlowId, bytes: u64) {
        let mut inner = self.inner();
        let bytes = bytes.min(inner.budget.input).min(inner.keep_in as u64);
        if let Some(flow) = inner.flows.get_mut(id.0) {
            flow.expected = usize::try_from(bytes).unwrap_or(0);
        }
    }

    /// Sees bytes of a flow, before they go on. Past the budget the call is stopped and the bytes do not pass.
    pub fn see(&self, id: FlowId, bytes: &[u8]) -> Result<(), Stopped> {
        self.see_charged(id, Piece::Borrowed(bytes), true)
    }

    /// The same for bytes that can be held without a copy.
    pub(crate) fn see_shared(&self, id: FlowId, bytes: &Bytes) -> Result<(), Stopped> {
        self.see_charged(id, Piece::Shared(bytes), true)
    }

    fn see_charged(&self, id: FlowId, piece: Piece<'_>, charged: bool) -> Result<(), Stopped> {
        let bytes = piece.bytes();
        let mut inner = self.inner();
        let inner = &mut *inner;
        // Whatever still moves when the call is over stops here: nothing crosses unrecorded.
        if inner.over {
            return Err(Stopped);
        }
        let Some(flow) = inner.flows.get_mut(id.0) else { return Ok(()) };
        let len = if charged { bytes.len() as u64 } else { 0 };
        let (left, limit) = match flow.way {
            Way::In(_) => (&mut inner.budget.input, "input"),
            Way::Out(SinkKind::File) => (&mut inner.budget.file_write, "file-write"),
            Way::Out(_) => (&mut inner.budget.output, "output"),
        };
        if len > *left {
            let cap = match limit {
                "input" => self.0.policy.limits().max_input,
                "file-write" => self.0.policy.limits().max_file_write,
                _ => self.0.policy.limits().max_output,
            };
            // What would have passed is named, so that the limit can be chosen from the record.
            let observed = format!("{} bytes, the limit is {cap}", cap.saturating_sub(*left).saturating_add(len));
            let fits = usize::try_from(*left).unwrap_or(usize::MAX);
            if let (Way::Out(SinkKind::Stdout | SinkKind::Stderr), Some(head)) = (flow.way, bytes.get(..fits)) {
                let mut unbounded = usize::MAX;
                flow.push(Piece::Borrowed(head), &mut unbounded);
                *left = 0;
            }
            flow.cut = true;
            return Err(self.halt(inner, Stop::Limit { limit, observed }));
        }
        *left -= len;
        if flow.number == 0 {
            let way = flow.way;
            let number = self.number(inner, way)?;
            // Taken again: counting borrowed all of it.
            let Some(flow) = inner.flows.get_mut(id.0) else { return Ok(()) };
            flow.number = number;
            if let Some(labels) = &mut inner.labels {
                match way {
                    Way::In(kind) => labels.source(number, flow.of, kind, &flow.name),
                    Way::Out(_) => labels.sink(number, flow.of, &flow.name, bytes),
                }
            }
        }
        let Some(flow) = inner.flows.get_mut(id.0) else { return Ok(()) };
        let mut unbounded = usize::MAX;
        let keep = match flow.way {
            Way::In(SourceKind::HttpResponse | SourceKind::Socket) => &mut inner.keep_network,
            Way::In(_) => &mut inner.keep_in,
            Way::Out(SinkKind::File | SinkKind::HttpRequest | SinkKind::Socket) => &mut inner.keep_out,
            // Bounded by the output limit, and what a command printed is its result.
            Way::Out(_) => &mut unbounded,
        };
        let (before, came, number, way) = (flow.bytes(), bytes.len() as u64, flow.number, flow.way);
        flow.push(piece, keep);
        if let Some(labels) = &mut inner.labels {
            match way {
                Way::In(kind) => labels.came(number, kind),
                Way::Out(kind) => labels.went(number, kind, before, came),
            }
        }
        Ok(())
    }

    /// Labels are kept for this call: its component is a traced one, and `map` says what it calls. `plan` says which sources have a bit where
    /// they are known.
    pub fn trace(&self, map: Arc<Map>, plan: Option<Assignment>) {
        let policy = &self.0.policy;
        let may_come =
            if policy.mounts().is_empty() && policy.net().is_empty() { policy.env().len() } else { usize::MAX };
        self.inner().labels = Some(Labels::new(map, may_come, plan));
        self.0.labelled.store(true, Ordering::Relaxed);
    }

    /// A name as records have it.
    pub(crate) fn covered(&self, name: &str) -> String {
        self.0.hidden.cover(name).into_owned()
    }

    /// Whether labels are kept.
    pub(crate) fn is_labelled(&self) -> bool {
        self.0.labelled.load(Ordering::Relaxed)
    }

    pub(crate) fn labelled<T>(&self, with: impl FnOnce(&mut Labels) -> T) -> Option<T> {
        // Most calls are not traced, and need not wait for a lock.
        if self.is_labelled() { self.inner().labels.as_mut().map(with) } else { None }
    }

    /// Where each argument stands in the text that is given to a component that describes its own tools.
    pub fn arguments_at(&self, ranges: Vec<(u64, u64, String)>) {
        self.labelled(|labels| labels.arguments_at(ranges));
    }

    /// What labels said, once.
    #[must_use]
    pub fn traces(&self) -> Option<Traces> {
        self.labelled(Labels::finish)
    }

    /// Takes `n` bytes from the file-write budget for growth without bytes (a hole).
    pub fn charge_file_write(&self, n: u64) -> bool {
        let mut inner = self.inner();
        match inner.budget.file_write.checked_sub(n) {
            Some(left) => {
                inner.budget.file_write = left;
                true
            }
            None => false,
        }
    }

    /// One more user of a flow: a stream may outlive the descriptor it came from.
    pub fn hold(&self, id: FlowId) {
        if let Some(flow) = self.inner().flows.get_mut(id.0) {
            flow.users += 1;
        }
    }

    /// One user less; the last one ends the flow. A record that cannot be written stops the call at its next access, or at its end.
    pub fn release(&self, id: FlowId) {
        let mut inner = self.inner();
        let Some(flow) = inner.flows.get_mut(id.0) else { return };
        flow.users = flow.users.saturating_sub(1);
        if flow.users == 0 && self.end_locked(&mut inner, id, false).is_err() {
            self.halt(&mut inner, Stop::Ledger("the outcome of a flow could not be written".to_owned()));
        }
    }

    /// Ends a flow: its outcome record, and its place among the sources or sinks.
    fn end(&self, id: FlowId) -> Result<(), Stopped> {
        let mut inner = self.inner();
        self.end_locked(&mut inner, id, false)
    }

    fn end_locked(&self, inner: &mut Inner, id: FlowId, past_cap: bool) -> Result<(), Stopped> {
        let Some(flow) = inner.flows.get_mut(id.0) else { return Ok(()) };
        let Some(finished) = flow.finish() else { return Ok(()) };
        let (of, way, number, mut content) = finished;
        let actor = flow.actor;
        // A sink that holds a secret would give it away by a plain digest: a short one could be guessed.
        let whole = content.kept.len() as u64 == content.bytes;
        if matches!(way, Way::Out(_)) && whole && self.0.hidden.is_in(&content.kept) {
            let mut hasher = Hasher::keyed(&self.0.key);
            hasher.update(&content.kept);
            content.digest = hasher.finish();
        }
        let name = std::mem::take(&mut flow.name);
        let (source, sink, kind, class) = match way {
            Way::In(kind) => (Some(number), None, kind.as_str(), Some(kind.class().as_str())),
            Way::Out(kind) => (None, Some(number), kind.as_str(), None),
        };
        // An empty file or stream gave the guest nothing: there is an outcome and no source.
        let crossed = number != 0;
        let blocked = sink.is_some_and(|number| crossed && inner.blocked.contains(&number));
        let event = Event::Outcome(Outcome {
            call: self.0.call,
            of,
            t: self.elapsed(),
            ok: !blocked,
            error: blocked.then_some("held back by a flow rule"),
            bytes: Some(content.bytes),
            digest: Some(content.digest),
            source: source.filter(|_| crossed),
            sink: sink.filter(|_| crossed),
            kind: Some(kind),
            name: Some(&name),
            class,
            complete: Some(content.complete),
            ..Outcome::default()
        });
        if !past_cap {
            self.admit(inner)?;
        }
        self.append_as(actor, inner, &event, false)?;
        if crossed {
            match way {
                Way::In(kind) => {
                    inner.sources.push(Source { id: number, kind, name, class: kind.class(), content });
                }
                Way::Out(kind) => inner.sinks.push(Sink { id: number, kind, name, content }),
            }
        }
        Ok(())
    }

    /// A flow that is all there at once: begin, see, end.
    pub fn whole(&self, of: u64, way: Way, name: &str, bytes: &[u8]) -> Result<(), Stopped> {
        let id = self.begin(of, way, name.to_owned())?;
        self.see(id, bytes)?;
        self.end(id)
    }

    /// What has been written to stdout or stderr so far.
    #[must_use]
    pub fn output(&self, kind: SinkKind) -> Vec<u8> {
        let inner = self.inner();
        let open = inner.flows.iter().filter(|f| f.way == Way::Out(kind)).map(Flow::kept);
        let ended = inner.sinks.iter().filter(|s| s.kind == kind).map(|s| s.content.kept.as_slice());
        ended.chain(open).flatten().copied().collect()
    }

    /// The same without a charge to the budgets, for bytes that have been counted already (a command's stdout is its return) or are bounded
    /// otherwise.
    pub fn whole_again(&self, of: u64, way: Way, name: &str, bytes: &[u8]) -> Result<(), Stopped> {
        let id = self.begin(of, way, name.to_owned())?;
        self.see_charged(id, Piece::Borrowed(bytes), false)?;
        self.end(id)
    }

    /// A source that is seen when the call begins (its arguments), charged to the input budget.
    pub fn argument(&self, of: u64, name: &str, bytes: &[u8]) -> Result<(), Stopped> {
        self.whole(of, Way::In(SourceKind::Argument), name, bytes)
    }

    /// Whether sinks of this kind have to be judged before they leave.
    pub(crate) fn judges(&self, kind: SinkKind) -> bool {
        self.0.judge.watches(kind)
    }

    /// Judges sinks that are about to leave, named bytes of one kind. Where a rule blocks them they are recorded as held back, under access
    /// `of`, with a denial of their own, and the refusal is given.
    pub(crate) fn judge(
        &self,
        of: u64,
        kind: SinkKind,
        capability: Capability,
        op: &'static str,
        parts: &[(String, &[u8])],
    ) -> Result<Option<Denial>, Stopped> {
        let candidate = |(name, bytes): &(String, &[u8])| {
            let kept = bytes.to_vec();
            let content = Content { bytes: kept.len() as u64, digest: Hasher::plain().finish(), kept, complete: true };
            Sink { id: 0, kind, name: name.clone(), content }
        };
        let sinks: Vec<Sink> = parts.iter().map(candidate).collect();
        // What had come in by then depends on the moment: a replay in order takes the verdict of the run.
        let asked = parts.first().map_or("", |(name, _)| name.as_str());
        let labels = self.labelled(|labels| Inside {
            sources: parts.iter().map(|(name, bytes)| labels.sources_in(of, name, bytes)).collect(),
            whole: labels.is_whole(),
        });
        let live = || self.0.judge.blocks(&self.sources_so_far(), &sinks, labels.as_ref()).map(|rule| rule.to_string());
        let verdict =
            if self.0.tape.is_loose() { live() } else { self.0.tape.effect(key!("judge", self.1, asked), live) };
        let Some(rule) = verdict else { return Ok(None) };
        let rule: Arc<str> = rule.into();
        for (name, bytes) in parts {
            let id = self.begin(of, Way::Out(kind), name.clone())?;
            self.see(id, bytes)?;
            let mut inner = self.inner();
            let number = inner.flows.get(id.0).map_or(0, |flow| flow.number);
            inner.blocked.insert(number);
            self.end_locked(&mut inner, id, false)?;
        }
        let denial = Denial::by_rule(capability, DenialCode::FlowRule, &rule);
        let requested = parts.first().map_or("", |(name, _)| name.as_str());
        self.deny(&denial, op, requested, None)?;
        Ok(Some(denial))
    }

    /// Everything that came in so far, ended or not.
    fn sources_so_far(&self) -> Vec<Source> {
        let inner = self.inner();
        let open = inner.flows.iter().filter_map(|flow| match flow.way {
            Way::In(kind) if flow.number != 0 && !flow.is_ended() => {
                let kept = flow.kept().to_vec();
                let content =
                    Content { bytes: kept.len() as u64, digest: Hasher::plain().finish(), kept, complete: true };
                Some(Source { id: flow.number, kind, name: flow.name.clone(), class: kind.class(), content })
            }
            _ => None,
        });
        inner.sources.iter().cloned().chain(open).collect()
    }

    /// Ends what is open and gives everything back. The records that close a call are written past the cap on events.
    pub fn finish(&self) -> Result<Harvest, Stopped> {
        let mut inner = self.inner();
        for at in 0..inner.flows.len() {
            self.end_locked(&mut inner, FlowId(at), true)?;
        }
        inner.over = true;
        for of in std::mem::take(&mut inner.pending) {
            let event = Event::Outcome(Outcome {
                call: self.0.call,
                of,
                t: self.elapsed(),
                ok: false,
                error: Some("the call ended before it did"),
                ..Outcome::default()
            });
            self.append_past_cap(&mut inner, &event, false)?;
        }
        let counted = std::mem::take(&mut inner.counted);
        let repeated = std::mem::take(&mut inner.repeated);
        for (seq, count) in counted.into_values().chain(repeated) {
            let event = Event::Outcome(Outcome {
                call: self.0.call,
                of: seq,
                t: self.elapsed(),
                ok: true,
                count: Some(count),
                ..Outcome::default()
            });
            self.append_past_cap(&mut inner, &event, false)?;
        }
        let mut suppressed = BTreeMap::new();
        for ((cap, op, code), count) in inner.denials.unrecorded() {
            let (cap, code) = (cap.as_str(), code.as_str());
            let event = Event::Suppressed { call: self.0.call, cap, op, code, count };
            self.append_past_cap(&mut inner, &event, false)?;
            suppressed.insert(format!("{cap} {op} {code}"), count);
        }
        if self.0.tape.order().is_some_and(|order| order.has_gap()) {
            self.halt(&mut inner, diverged());
        }
        inner.sources.sort_by_key(|s| s.id);
        inner.sinks.sort_by_key(|s| s.id);
        Ok(Harvest {
            sources: std::mem::take(&mut inner.sources),
            sinks: std::mem::take(&mut inner.sinks),
            denials: inner.denials.take_rows(),
            suppressed,
            capped: inner.denials.cut,
            imports: inner.counts.called(),
            blocked: std::mem::take(&mut inner.blocked),
            reached_out: inner.reached_out,
            stop: inner.stop.clone(),
        })
    }
}

/// A replay in order came to a place where the recording has something else.
fn diverged() -> Stop {
    Stop::Limit { limit: "replay", observed: "the recording has something else here".to_owned() }
}
