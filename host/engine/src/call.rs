//! One call: arguments checked, a fresh store, limits armed, the guest run, the ending named, the return recorded.

use crate::catalogue::{Form, Target};
use crate::clock::TICK;
use crate::ending::{Ending, name};
use crate::enforce::{self, Answered, ByRules, Crossed, Cuts};
use crate::json::{Contract, Signature, args, structured};
use crate::program::{Pre, Program};
use crate::replay::Taping;
use crate::replay::passes::Labelled;
use crate::report::{CallError, Content, Report, ToolResult, methods, recorded};
use crate::{dynamic, sinks, traced};
use customs_boundary::tape::Tape;
use customs_boundary::{
    Assignment, Context, Harvest, Hidden, Input, Network, Recorder, Roots, State, Stop, Stopped, Unwatched, Way,
};
use customs_flow::{Action, Carried, Finding, Input as Flows, Lineage, StandIn, explain, find, stand_ins};
use customs_ledger::material::{SinkKind, SourceKind};
use customs_ledger::{Digest, End, Event, Ledger, RunKey};
use customs_policy::{FlowAction, FlowDefaults, Policy};
use serde_json::{Map, Value};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use wasmtime::component::{ComponentExportIndex, Val};
use wasmtime::{Store, UpdateDeadline};

/// What one call may move between guest and host at once, in wasmtime's units (a value of a list costs 40). 128 MiB is three million
/// values, or one string of that size.
pub(crate) const TRANSFER: usize = 128 << 20;
/// Guest handles in one component's tables.
const MAX_COMPONENT_HANDLES: usize = customs_boundary::MAX_HANDLES;

/// A program under a policy, with a ledger.
#[derive(Debug)]
pub struct Session {
    program: Arc<Program>,
    policy: Arc<Policy>,
    roots: Arc<Roots>,
    network: Arc<Network>,
    /// What no record may name.
    hidden: Arc<Hidden>,
    ledger: Arc<Mutex<Ledger>>,
    key: Arc<RunKey>,
    /// The ledger's time zero.
    started: Instant,
    calls: AtomicU64,
    /// What holds where no flow rule of the policy matches.
    defaults: FlowDefaults,
    /// What left in earlier calls.
    lineage: Arc<Mutex<Lineage>>,
    pub(crate) taping: Taping,
    /// Which sources have labels of their own, where it is known what will come.
    plan: Option<Assignment>,
}

/// What a search of a call's sinks gave.
struct Looked {
    findings: Vec<Finding>,
    /// Whether all of it was looked at.
    whole: bool,
    /// What each source carries of earlier calls.
    origins: Vec<(u64, Vec<Carried>)>,
}

/// A call whose arguments fit.
#[derive(Debug)]
pub struct Prepared {
    pub tool: String,
    json: Map<String, Value>,
    /// The arguments as text.
    text: String,
    ready: Ready,
}

#[derive(Debug)]
enum Ready {
    Typed { export: ComponentExportIndex, signature: Arc<Signature>, values: Vec<Val> },
    Command { arguments: Vec<String>, stdin: Vec<u8> },
    Dynamic(Arc<Contract>),
}

impl Prepared {
    /// The arguments as they were taken.
    #[must_use]
    pub fn arguments(&self) -> &Map<String, Value> {
        &self.json
    }
}

/// What a form's call gave, before it is recorded.
pub(crate) struct Answer {
    pub(crate) ending: Ending,
    pub(crate) result: Option<ToolResult>,
    pub(crate) words: Words,
}

/// Whose words an answer is in.
pub(crate) enum Words {
    /// The guest's; with its structured content as it wrote it, where it wrote that as text.
    Guests(Option<String>),
    /// The guest's, behind so many bytes of ours.
    Behind(u64),
    /// Ours: what the guest gave was refused.
    Ours,
}

impl Answer {
    pub(crate) fn of(ending: Ending, result: Option<ToolResult>) -> Answer {
        Answer { ending, result, words: Words::Guests(None) }
    }
}

impl Session {
    #[must_use]
    pub fn new(
        program: Arc<Program>,
        policy: Arc<Policy>,
        roots: Arc<Roots>,
        network: Arc<Network>,
        ledger: Arc<Mutex<Ledger>>,
        key: Arc<RunKey>,
        started: Instant,
    ) -> Session {
        let hidden = Arc::new(Hidden::of(&policy, network.secrets()));
        let (calls, defaults, lineage) = (AtomicU64::new(1), FlowDefaults::Run, Arc::default());
        let (taping, plan) = (Taping::Off, None);
        Session {
            program,
            policy,
            roots,
            network,
            hidden,
            ledger,
            key,
            started,
            calls,
            defaults,
            lineage,
            taping,
            plan,
        }
    }

    /// What holds where no flow rule of the policy matches; [`FlowDefaults::Run`] unless said otherwise.
    #[must_use]
    pub fn with_defaults(self, defaults: FlowDefaults) -> Session {
        Session { defaults, ..self }
    }

    /// Remembers what leaves together with other sessions: what a tool of one gives out and a tool of another takes in keeps its origin.
    #[must_use]
    pub fn sharing(self, lineage: Arc<Mutex<Lineage>>) -> Session {
        Session { lineage, ..self }
    }

    #[must_use]
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// Checks a call without running anything. The error is one sentence for the caller. A component that describes its tools itself has
    /// to be asked for them first: see [`Session::prepare_listed`].
    pub fn prepare(
        program: &Program,
        policy: &Policy,
        tool: &str,
        json: Map<String, Value>,
    ) -> Result<Prepared, String> {
        Session::prepare_with(program, policy, tool, None, json)
    }

    /// Checks a call of a tool as it was listed without running anything. The error is one sentence for the caller.
    pub fn prepare_listed(
        program: &Program,
        policy: &Policy,
        tool: &dynamic::Listed,
        json: Map<String, Value>,
    ) -> Result<Prepared, String> {
        Session::prepare_with(program, policy, &tool.name, Some(&tool.checks), json)
    }

    fn prepare_with(
        program: &Program,
        policy: &Policy,
        tool: &str,
        checks: Option<&dynamic::Checks>,
        mut json: Map<String, Value>,
    ) -> Result<Prepared, String> {
        let text = serde_json::to_string(&json).map_err(|e| e.to_string())?;
        let size = text.len() as u64;
        let limit = policy.limits().max_input;
        if size > limit {
            return Err(format!("the arguments have {size} bytes, the input limit is {limit}"));
        }
        let ready = match program.catalogue().form {
            Form::Dynamic | Form::Wasmcp => match checks {
                Some(dynamic::Checks::Contract(contract)) => {
                    json = contract.check_arguments(json)?;
                    Ready::Dynamic(Arc::clone(contract))
                }
                Some(dynamic::Checks::Refused(why)) => return Err(format!("the tool cannot be called: {why}")),
                Some(dynamic::Checks::ByType) | None => {
                    return Err("the component describes its tools itself and was not asked for them".to_owned());
                }
            },
            Form::Command | Form::Typed => {
                let Some(info) = program.tool(tool) else { return Err(unknown(program, tool)) };
                match &info.target {
                    Target::Command => command_arguments(&json)?,
                    Target::Typed { export, signature } => {
                        let values = args(signature, &json).map_err(|e| e.to_string())?;
                        Ready::Typed { export: *export, signature: Arc::clone(signature), values }
                    }
                }
            }
        };
        Ok(Prepared { tool: tool.to_owned(), json, text, ready })
    }

    fn rules(&self) -> ByRules {
        ByRules { policy: Arc::clone(&self.policy), defaults: self.defaults, lineage: Arc::clone(&self.lineage) }
    }

    fn append(&self, event: &Event<'_>) -> Result<u64, CallError> {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.append(event).map_err(|e| CallError::Ledger(e.to_string()))
    }

    fn barrier(&self) -> Result<(), CallError> {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.barrier().map_err(|e| CallError::Ledger(e.to_string()))
    }

    /// Runs a prepared call to its end. Every way the guest can end is a [`Report`]; an error is ours.
    pub async fn call(&self, prepared: Prepared, context: Context) -> Result<Report, CallError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let text = prepared.text.as_str();
        let digest = Digest::of(text.as_bytes());
        let of = self.append(&Event::Call { call, tool: &prepared.tool, bytes: text.len() as u64, digest })?;
        let tape = self.taping.next();
        let recorder = Recorder::on_tape(
            Arc::clone(&self.policy),
            Arc::clone(&self.hidden),
            Arc::new(self.rules()),
            Arc::clone(&self.ledger),
            Arc::clone(&self.key),
            call,
            self.started,
            tape.clone(),
        );
        // Before the arguments are seen: they are sources too.
        if let Some(map) = &self.program.map {
            recorder.trace(Arc::clone(map), self.plan.clone());
        }
        let input = match &prepared.ready {
            Ready::Command { arguments, stdin } => {
                let mut argv = vec!["tool".to_owned()];
                argv.extend(arguments.iter().cloned());
                Input { arguments: argv, stdin: stdin.clone(), context: context.clone() }
            }
            Ready::Typed { .. } | Ready::Dynamic(_) => {
                record_arguments(&recorder, of, &prepared.json);
                if let (Ready::Dynamic(_), Some(_)) = (&prepared.ready, &self.program.map) {
                    recorder.arguments_at(traced::members(text));
                }
                Input { context: context.clone(), ..Input::default() }
            }
        };
        let (mut answer, peak_memory) = match recorder.stopped() {
            None => self.run(&prepared, &recorder, input, &context, &tape).await?,
            // Its arguments could not all be recorded: it does not run.
            Some(_) => (Answer::of(Ending::Returned, None), 0),
        };
        if let Some(result) = &answer.result
            && sinks::record(&recorder, of, result, self.program.catalogue().form).is_err()
        {
            answer.ending = match recorder.stopped() {
                Some(Stop::Limit { limit, observed }) => Ending::Limit { limit, observed },
                _ => Ending::Trap { detail: "the return could not be recorded".to_owned() },
            };
            answer.result = None;
        }
        // A limit may be reached where there is no guest left to unwind: before it ran, or by a record that closes a stream.
        if let (false, Some(Stop::Limit { limit, observed })) = (answer.ending.is_stop(), recorder.stopped()) {
            answer = Answer::of(Ending::Limit { limit, observed }, None);
        }
        let signature = match &prepared.ready {
            Ready::Typed { signature, .. } => Some(Arc::clone(signature)),
            Ready::Command { .. } | Ready::Dynamic(_) => None,
        };
        self.close(call, prepared.tool, answer, signature.as_deref(), &recorder, peak_memory)
    }

    /// The store's whole life.
    async fn run(
        &self,
        prepared: &Prepared,
        recorder: &Recorder,
        input: Input,
        context: &Context,
        tape: &Tape,
    ) -> Result<(Answer, u64), CallError> {
        let host = &self.program.host;
        // Rules that act on what a trace sees would see nothing.
        if self.policy.traces() && self.program.map.is_none() {
            return Err(CallError::Internal("the policy traces, and the component was compiled without".to_owned()));
        }
        let limits = self.policy.limits();
        let state = State::new(recorder.clone(), Arc::clone(&self.roots), Arc::clone(&self.network), input);
        let internal = |e: wasmtime::Error| CallError::Internal(e.to_string());
        let mut store = Store::try_new(host.engine(), state).map_err(internal)?;
        if self.program.map.is_some() {
            store.data_mut().traced();
        }
        store.limiter(State::limiter);
        store.set_hostcall_fuel(TRANSFER);
        store.set_max_component_handles(MAX_COMPONENT_HANDLES);
        if host.counts_fuel() {
            store.set_fuel(limits.fuel.unwrap_or(u64::MAX)).map_err(internal)?;
        }
        let deadline = Instant::now() + limits.timeout;
        arm(&mut store, recorder.clone(), context.clone(), deadline, limits.timeout);
        // A timeout looks at the clock only when the guest waits, and one that has no time at all may never wait.
        if limits.timeout.is_zero() {
            return Ok((Answer::of(out_of_time(limits.timeout), None), 0));
        }
        let running = host.running();
        let work = async {
            tokio::select! {
                // The guest first: where it was stopped itself, its own error says more.
                biased;
                done = self.invoke(&mut store, prepared) => done,
                // Bytes on the network cross without the guest, which may be waiting for something else by then.
                () = recorder.halted() => Err(Stopped.into()),
                // A guest that waits in the host does not see the epoch; what it waits for ends with its store.
                () = context.given_up() => Err(recorder.stop(Stop::Cancelled).into()),
            }
        };
        let work = tokio::time::timeout(limits.timeout, work).await;
        drop(running);
        let answer = match work {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Answer::of(name(&error, recorder.stopped(), limits.fuel), None),
            // The guest waits in the host: dropping the store ends the wait.
            Err(_) => Answer::of(out_of_time(limits.timeout), None),
        };
        // What a replay does beside the guest gets to where it was in the run.
        tape.settle().await;
        let peak = store.data().peak_memory();
        Ok((answer, peak))
    }

    async fn invoke(&self, store: &mut Store<State>, prepared: &Prepared) -> wasmtime::Result<Answer> {
        let max_output = self.policy.limits().max_output;
        match (&self.program.pre, &prepared.ready) {
            (Pre::Typed(pre), Ready::Typed { export, signature, values }) => {
                let instance = pre.instantiate_async(&mut *store).await?;
                let Some(func) = instance.get_func(&mut *store, export) else {
                    wasmtime::bail!("the export is gone");
                };
                let mut results = vec![Val::Bool(false); usize::from(signature.result.is_some())];
                func.call_async(&mut *store, values, &mut results).await?;
                Ok(typed_answer(signature, results.first(), max_output))
            }
            (Pre::Command(pre), Ready::Command { .. }) => {
                let command = pre.instantiate_async(&mut *store).await?;
                let ran = command.wasi_cli_run().call_run(&mut *store).await;
                let recorder = store.data().recorder().clone();
                let code = match (ran, recorder.stopped()) {
                    (Ok(Ok(())), _) => 0,
                    (Ok(Err(())), _) => 1,
                    // A command says how it went by its exit code: it is its return.
                    (Err(_), Some(Stop::Exit(code))) => code,
                    (Err(e), _) => return Err(e),
                };
                let text = String::from_utf8_lossy(&recorder.output(SinkKind::Stdout)).into_owned();
                let mut content = vec![Content::Text(text)];
                if code != 0 {
                    content.push(Content::Text(format!("exit code {code}")));
                }
                let result = ToolResult { is_error: code != 0, content, structured: None };
                let ending = if code == 0 { Ending::Returned } else { Ending::Error };
                Ok(Answer::of(ending, Some(result)))
            }
            (Pre::Dynamic(pre), Ready::Dynamic(contract)) => {
                dynamic::call(pre, store, &prepared.tool, &prepared.text, contract).await
            }
            (Pre::Wasmcp(pre), Ready::Dynamic(contract)) => {
                pre.call(store, &prepared.tool, &prepared.text, contract).await
            }
            _ => wasmtime::bail!("the call was prepared for another program"),
        }
    }

    fn close(
        &self,
        call: u64,
        tool: String,
        mut answer: Answer,
        signature: Option<&Signature>,
        recorder: &Recorder,
        peak_memory: u64,
    ) -> Result<Report, CallError> {
        let ledger_failed = || match recorder.stopped() {
            Some(Stop::Ledger(why)) => CallError::Ledger(why),
            _ => CallError::Ledger("the ledger could not be written".to_owned()),
        };
        let traces = recorder.traces();
        let harvest = recorder.finish().map_err(|_| ledger_failed())?;
        if let Some(Stop::Ledger(why)) = harvest.stop {
            return Err(CallError::Ledger(why));
        }
        let told = traces.as_ref().map(|traces| {
            let form = self.program.catalogue().form;
            let (result, words, hidden) = (answer.result.as_ref(), &answer.words, self.hidden.as_ref());
            let shown = traced::Shown { form, signature, result, words, hidden };
            traced::tell(traces, &harvest.sources, &harvest.sinks, &shown)
        });
        let of_trace = told.as_ref().map(|told| told.findings.clone()).unwrap_or_default();
        let Looked { mut findings, whole: searched, origins } = self.look(&harvest, of_trace);
        // What a trace dropped may be what a rule is about.
        let searched = searched && told.as_ref().is_none_or(|told| told.whole);
        let (mut withheld, mut cuts) = (false, Cuts::new());
        if let Some(result) = &answer.result {
            let labels = told.as_ref().map(|told| &told.painted);
            let crossed = Crossed { sources: &harvest.sources, sinks: &harvest.sinks, labels };
            match enforce::answer(&self.rules(), searched, result, signature, &mut findings, &crossed) {
                Answered::AsItIs => {}
                Answered::Redacted(redacted, taken) => {
                    answer.result = Some(redacted);
                    cuts = taken;
                }
                Answered::Blocked => {
                    let why =
                        "the answer was withheld: a flow rule of the policy blocks what it holds, or may".to_owned();
                    answer = Answer::of(Ending::Error, Some(ToolResult::error(why)));
                    withheld = true;
                }
            }
        }
        let forgotten = if findings.is_empty() {
            0
        } else {
            let mut lineage = self.lineage.lock().unwrap_or_else(PoisonError::into_inner);
            lineage.remember(call, &tool, &harvest.sources, &origins, &findings)
        };
        let traced = told.as_ref().map(|told| told.painted.told());
        let labels = traced.as_deref().map(recorded);
        let detail = answer.ending.detail();
        let is_limit = answer.ending.limit().is_some();
        self.append(&Event::End(End {
            call,
            ending: answer.ending.kind(),
            limit: answer.ending.limit(),
            observed: detail.as_deref().filter(|_| is_limit),
            detail: detail.as_deref().filter(|_| !is_limit),
            imports: &harvest.imports,
            memory: Some(peak_memory),
            searched: Some(if searched { "whole" } else { "part" }),
            // What is not said is `match`.
            methods: if traced.is_some() { methods(true) } else { &[] },
            traced: labels.as_ref().map(|(sinks, omitted)| (sinks, *omitted)),
        }))?;
        for (at, finding) in findings.iter().enumerate() {
            self.append(&Event::Finding { call, json: &finding.to_json(at + 1).to_string() })?;
        }
        self.barrier()?;
        let mut whole =
            harvest.sources.iter().map(|s| s.content.complete).chain(harvest.sinks.iter().map(|s| s.content.complete));
        // A limit on what may cross cut something off; other endings stopped the guest and lost nothing of what it had done.
        let cut =
            matches!(answer.ending.limit(), Some("events" | "flows" | "input" | "output" | "file-write" | "transfer"));
        let complete = !cut
            && searched
            && forgotten == 0
            && !harvest.capped
            && harvest.suppressed.is_empty()
            && whole.all(|one| one);
        Ok(Report {
            call,
            tool,
            result: answer.result,
            ending: answer.ending,
            withheld,
            cuts,
            denials: harvest.denials,
            sources: harvest.sources,
            sinks: harvest.sinks,
            findings,
            origins,
            forgotten,
            suppressed: harvest.suppressed,
            imports: harvest.imports,
            complete,
            reached_out: harvest.reached_out,
            peak_memory,
            traced,
            labels: traces
                .zip(told)
                .map(|(traces, told)| Labelled { bits: traces.bits.to_vec(), painted: told.painted }),
        })
    }

    /// What the sinks hold of the sources, and whether all of it was looked at.
    fn look(&self, harvest: &Harvest, of_trace: Vec<Finding>) -> Looked {
        let (sources, sinks) = (harvest.sources.as_slice(), harvest.sinks.as_slice());
        let placeholders = self.network.secrets().placeholders();
        let placeholders: Vec<_> = placeholders.map(|(name, placeholder)| StandIn { name, placeholder }).collect();
        let mut findings = stand_ins(sources, sinks, &placeholders);
        let budget = enforce::budget(sources, sinks);
        let traced = enforce::trace(&self.lineage, sources, &budget);
        let mut searched = find(&Flows { sources: traced.sources(), sinks, known: &[] }, &budget);
        traced.settle(&mut searched.findings, sinks);
        if !searched.findings.is_empty() {
            explain(&self.program.facts().data, &mut searched.findings, sources);
        }
        let whole = searched.complete && traced.is_complete();
        // What stands for a secret is a source too, and has its own rule.
        let stands_in = |id: u64| {
            let source = sources.iter().find(|s| s.id == id && s.kind == SourceKind::Env);
            source.is_some_and(|s| placeholders.iter().any(|p| p.name == s.name))
        };
        findings.extend(searched.findings.into_iter().filter(|f| !f.source.is_some_and(stands_in)));
        findings.extend(of_trace.into_iter().filter(|f| !f.source.is_some_and(stands_in)));
        for finding in &mut findings {
            finding.action = self.action(finding, harvest);
        }
        findings.sort_by_key(|f| (std::cmp::Reverse(f.severity), f.sink, f.source));
        Looked { findings, whole, origins: traced.carried() }
    }

    /// What is done about a finding: what the policy says, where it can still be done or was done.
    fn action(&self, finding: &Finding, harvest: &Harvest) -> Action {
        if harvest.blocked.contains(&finding.sink) {
            return Action::Blocked;
        }
        let sink = harvest.sinks.iter().find(|s| s.id == finding.sink);
        let is_answer = sink.is_some_and(|s| matches!(s.kind, SinkKind::Return | SinkKind::Error));
        match enforce::rule_for(&self.rules(), finding, &harvest.sources, &harvest.sinks) {
            Some((FlowAction::Allow, _)) => Action::Allowed,
            Some((FlowAction::Redact, _)) if is_answer => Action::Redacted,
            Some((FlowAction::Block, _)) if is_answer => Action::Blocked,
            _ => Action::Warned,
        }
    }

    #[must_use]
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Labels these sources and no others.
    pub(crate) fn labelling(self, plan: Option<Assignment>) -> Session {
        Session { plan, ..self }
    }

    pub(crate) fn on(self, taping: Taping) -> Session {
        Session { taping, ..self }
    }

    pub(crate) fn key(&self) -> &RunKey {
        &self.key
    }

    pub(crate) fn roots(&self) -> &Roots {
        &self.roots
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(ledger.kept()).lines().map(str::to_owned).collect()
    }

    pub(crate) fn flow_defaults(&self) -> FlowDefaults {
        self.defaults
    }

    #[must_use]
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// The tools as a client is to see them. A component that describes its own is asked, in a store that is granted nothing.
    pub async fn list(&self, nothing: &Arc<Policy>, no_roots: &Arc<Roots>) -> Result<Vec<dynamic::Listed>, CallError> {
        match &self.program.pre {
            Pre::Dynamic(_) | Pre::Wasmcp(_) => self.list_dynamic(nothing, no_roots).await,
            Pre::Typed(_) | Pre::Command(_) => {
                Ok(self.program.catalogue().tools.iter().map(crate::catalogue::ToolInfo::listed).collect())
            }
        }
    }

    /// Asks a component that describes its own tools what they are: in a store of its own that is granted nothing.
    pub async fn list_dynamic(
        &self,
        nothing: &Arc<Policy>,
        no_roots: &Arc<Roots>,
    ) -> Result<Vec<dynamic::Listed>, CallError> {
        if !self.program.catalogue().form.describes_itself() {
            return Ok(Vec::new());
        }
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let digest = Digest::of(b"{}");
        self.append(&Event::Call { call, tool: "list-tools", bytes: 2, digest })?;
        let recorder = Recorder::on_tape(
            Arc::clone(nothing),
            Arc::clone(&self.hidden),
            Arc::new(Unwatched),
            Arc::clone(&self.ledger),
            Arc::clone(&self.key),
            call,
            self.started,
            self.taping.next(),
        );
        let state = State::new(recorder.clone(), Arc::clone(no_roots), Arc::new(Network::none()), Input::default());
        let internal = |e: wasmtime::Error| CallError::Internal(e.to_string());
        let mut store = Store::try_new(self.program.host.engine(), state).map_err(internal)?;
        if self.program.map.is_some() {
            store.data_mut().traced();
        }
        store.limiter(State::limiter);
        store.set_hostcall_fuel(TRANSFER);
        store.set_max_component_handles(MAX_COMPONENT_HANDLES);
        if self.program.host.counts_fuel() {
            store.set_fuel(self.policy.limits().fuel.unwrap_or(u64::MAX)).map_err(internal)?;
        }
        let timeout = self.policy.limits().timeout;
        arm(&mut store, recorder.clone(), Context::default(), Instant::now() + timeout, timeout);
        let running = self.program.host.running();
        let listed = async {
            match &self.program.pre {
                Pre::Dynamic(pre) => dynamic::list(pre, &mut store).await,
                Pre::Wasmcp(pre) => pre.list(&mut store).await,
                Pre::Typed(_) | Pre::Command(_) => Ok(Vec::new()),
            }
        };
        let listed = tokio::time::timeout(timeout, listed).await;
        drop(running);
        let (listed, ending) = match listed {
            Ok(Ok(listed)) => (Some(listed), Ending::Returned),
            Ok(Err(error)) => (None, name(&error, recorder.stopped(), self.policy.limits().fuel)),
            Err(_) => (None, out_of_time(timeout)),
        };
        drop(store);
        let answer = Answer::of(ending, None);
        let report = self.close(call, "list-tools".to_owned(), answer, None, &recorder, 0)?;
        listed.ok_or_else(|| CallError::Guest(format!("the tools could not be listed: list-tools {}", report.ending)))
    }
}

fn out_of_time(timeout: Duration) -> Ending {
    Ending::Limit { limit: "time", observed: format!("still running after {}", seconds(timeout)) }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

/// Looks up at every tick: past the deadline or cancelled the guest is stopped; otherwise other tasks get a turn.
fn arm(store: &mut Store<State>, recorder: Recorder, context: Context, deadline: Instant, timeout: Duration) {
    debug_assert!(TICK < Duration::from_millis(250));
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        if context.is_cancelled() {
            return Err(recorder.stop(Stop::Cancelled).into());
        }
        if recorder.stopped().is_some() {
            return Err(Stopped.into());
        }
        if Instant::now() >= deadline {
            let observed = format!("still running after {}", seconds(timeout));
            return Err(recorder.stop(Stop::Limit { limit: "time", observed }).into());
        }
        Ok(UpdateDeadline::Yield(1))
    });
}

/// Arguments are sources, one for each that was given. They are bounded before, so a failure here can only be the ledger's and shows
/// when the call is closed.
fn record_arguments(recorder: &Recorder, of: u64, json: &Map<String, Value>) {
    for (key, value) in json {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let name = format!("/{}", key.replace('~', "~0").replace('/', "~1"));
        if recorder.whole(of, Way::In(SourceKind::Argument), &name, text.as_bytes()).is_err() {
            return;
        }
    }
}

fn typed_answer(signature: &Signature, returned: Option<&Val>, max_output: u64) -> Answer {
    match structured(signature, returned, max_output) {
        Ok(outcome) => {
            let text = plain_text(&outcome.structured);
            let result = ToolResult {
                is_error: outcome.is_error,
                content: vec![Content::Text(text)],
                structured: Some(outcome.structured),
            };
            let ending = if result.is_error { Ending::Error } else { Ending::Returned };
            Answer::of(ending, Some(result))
        }
        Err(e) => Answer::of(Ending::Limit { limit: "output", observed: e.to_string() }, None),
    }
}

/// A structured result as text: a lone string as it is, anything else as JSON.
pub(crate) fn plain_text(structured: &Value) -> String {
    match structured.as_object().filter(|o| o.len() == 1).and_then(|o| o.get("result")) {
        Some(Value::String(text)) => text.clone(),
        _ => structured.to_string(),
    }
}

fn command_arguments(json: &Map<String, Value>) -> Result<Ready, String> {
    let mut arguments = Vec::new();
    let mut stdin = Vec::new();
    for (key, value) in json {
        match (key.as_str(), value) {
            ("args", Value::Array(items)) => {
                for (at, item) in items.iter().enumerate() {
                    let Value::String(text) = item else { return Err(format!("/args/{at}: expected a string")) };
                    if text.contains('\0') {
                        return Err(format!("/args/{at}: an argument cannot hold a NUL"));
                    }
                    arguments.push(text.clone());
                }
            }
            ("args", _) => return Err("/args: expected an array of strings".to_owned()),
            ("stdin", Value::String(text)) => stdin = text.clone().into_bytes(),
            ("stdin", _) => return Err("/stdin: expected a string".to_owned()),
            (other, _) => {
                let shown: String = other.chars().take(80).collect();
                return Err(format!("a command takes \"args\" and \"stdin\", not {shown:?}"));
            }
        }
    }
    Ok(Ready::Command { arguments, stdin })
}

fn unknown(program: &Program, tool: &str) -> String {
    let shown: String = tool.chars().take(80).collect();
    let names: Vec<&str> = program.catalogue().tools.iter().map(|t| t.name.as_str()).take(8).collect();
    if let Some(unusable) = program.catalogue().unusable.iter().find(|u| u.name == tool) {
        return format!("{shown:?} cannot be called: {}", unusable.why);
    }
    let more = if program.catalogue().tools.len() > names.len() { ", .." } else { "" };
    format!("there is no tool {shown:?}; the component has {}{more}", names.join(", "))
}
