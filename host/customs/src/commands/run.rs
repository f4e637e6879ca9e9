//! `customs run`: one call, from the command line to the exit code.

use super::{Runtime, load_as, shared, shown_name, tracing};
use crate::cli::{FailOn, Run, RunFormat};
use crate::exit::{Exit, Fault};
use crate::grants::{build_remembering, read_policy, refuse_self_reference};
use crate::show::json::Subject;
use crate::{arguments, machine, output, show};
use customs_boundary::{Context, Hidden, Roots, Said};
use customs_engine::load::{Allocation, Fuel};
use customs_engine::replay::file::write as write_recording;
use customs_engine::{CallError, Ending, Form, Host, Listed, Program, Report, Session, TracedSink};
use customs_flow::Severity;
use customs_ledger::{Component, Event, Ledger, LedgerError, Open, RunKey, create_private, run_id, verify};
use customs_policy::{Layer, Policy, RawGrants};
use customs_report::{Story, html_of_run as html};
use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

pub(crate) fn run(args: &Run) -> Result<Exit, Fault> {
    let mut subject =
        Subject { path: args.component.display().to_string(), sha256: None, tool: args.tool.clone(), ledger: None };
    let done = attempt(args, &mut subject);
    // Not for a fault of ours: guest code may have run by then, and an ending that was not recorded is not told.
    if let (Err(fault @ Fault::Refused(_)), RunFormat::Json) = (&done, args.output) {
        output::result(&format!("{}\n", show::json::refused(&subject, fault.sentence())))?;
    }
    done
}

/// What the policy file adds to the flags.
#[derive(Default)]
struct FromFile {
    layer: Option<Layer>,
    sha256: Option<[u8; 32]>,
    expose: Option<Vec<String>>,
    real: Option<PathBuf>,
}

fn from_file(args: &Run) -> Result<FromFile, Fault> {
    let Some(path) = &args.policy else { return Ok(FromFile::default()) };
    let read = read_policy(path)?;
    if read.weak {
        output::person("warning  others may write the policy file: whoever does decides what this tool may do\n");
    }
    let entry = read.entry(None, Some(&args.component))?;
    Ok(FromFile {
        layer: entry.and_then(|(name, _)| read.layer(name)),
        sha256: entry.and_then(|(_, e)| e.sha256),
        expose: entry.and_then(|(_, e)| e.expose.clone()),
        real: Some(read.real.clone()),
    })
}

fn attempt(args: &Run, subject: &mut Subject) -> Result<Exit, Fault> {
    let file = from_file(args)?;
    let flags = RawGrants { trace: args.trace.is_some(), ..args.grants.raw(&args.limits) };
    let (policy, grounds) = build_remembering(file.layer, flags)?;
    let policy = Arc::new(policy);
    if let Some(real) = &file.real {
        refuse_self_reference(&policy, "the policy file", real)?;
    }
    refuse_self_reference(&policy, "this program", &machine::own_program()?)?;
    if let Some(real) = machine::canonical(&args.component) {
        refuse_self_reference(&policy, "the component", &real)?;
    }
    let ledger_place = args.ledger.as_deref().map(machine::parent).transpose()?;
    if let Some((_, _, real)) = &ledger_place {
        refuse_self_reference(&policy, "the ledger", real)?;
    }
    let record_place = args.record.as_deref().map(machine::parent).transpose()?;
    if let Some((_, _, real)) = &record_place {
        refuse_self_reference(&policy, "the recording", real)?;
        if ledger_place.as_ref().is_some_and(|(_, _, ledger)| ledger == real) {
            return Err(Fault::Refused("the recording and the ledger cannot be one file".to_owned()));
        }
    }

    let state = machine::state()?;
    if let Some(place) = &state.place {
        refuse_self_reference(&policy, "the directory of compiled code", place)?;
    }
    if let Some(warning) = &state.warning {
        output::person(&format!("warning  {warning}\n"));
    }
    let fuel = if policy.limits().fuel.is_some() { Fuel::Counted } else { Fuel::Off };
    let host = Host::new(fuel, Allocation::OnDemand).map_err(Fault::internal)?;
    let tracing = tracing(args.trace, &policy);
    let program = Arc::new(load_as(tracing, &host, &args.component, file.sha256, state.cache.as_ref())?);
    subject.sha256 = Some(program.sha256());

    let empty = state.empty.try_clone().map_err(Fault::internal)?;
    let roots = Arc::new(Roots::open(&policy, state.empty).map_err(Fault::refused)?);
    let started = Instant::now();
    let runtime = Runtime::new()?;
    let key = Arc::new(RunKey::random().map_err(Fault::internal)?);
    let network = Arc::new(machine::network(&policy)?);

    // A component that describes its own tools has to be asked, which runs its code: the ledger comes first then.
    let dynamic = program.catalogue().form.describes_itself();
    let chosen = if dynamic { None } else { Some(choose(args, &program, file.expose.as_deref(), &[])?) };
    let prepared = chosen.map(|tool| prepare(args, &program, &policy, &tool, &[])).transpose()?;

    // Made before anything runs: a place that cannot be written is no surprise after an effect.
    let record = match &record_place {
        Some((dir, name, _)) => Some(create_private(dir, name).map_err(|e| record_fault(&e))?),
        None => None,
    };
    let ledger = match &ledger_place {
        Some((dir, name, _)) => Ledger::create(dir, name).map_err(|e| ledger_fault(&e))?,
        None => Ledger::memory(),
    };
    // A picture is made of what the ledger says.
    let pictured = policy.traces() && args.output == RunFormat::Text;
    let keeps = record.is_some() || pictured || args.output == RunFormat::Html;
    let ledger = shared(if keeps { ledger.keeping() } else { ledger });
    open(&ledger, args, &program, &policy)?;
    let close = || ledger.lock().unwrap_or_else(PoisonError::into_inner).close().map_err(|e| ledger_fault(&e));
    // What a person is not shown, because a terminal's text ends in logs.
    let hidden = Arc::new(if args.reveal { Hidden::default() } else { Hidden::of(&policy, network.secrets()) });
    let session =
        Session::new(Arc::clone(&program), Arc::clone(&policy), roots, network, Arc::clone(&ledger), key, started);
    let session = if record.is_some() { session.recording() } else { session };

    let prepared = match prepared {
        Some(prepared) => prepared,
        None => {
            let nothing = Arc::new(Policy::build(&[], &machine::Machine).map_err(Fault::internal)?);
            let no_roots = Arc::new(Roots::open(&nothing, empty).map_err(Fault::internal)?);
            let listed = runtime.block_on(session.list_dynamic(&nothing, &no_roots))?.map_err(call_fault);
            let prepared = listed
                .and_then(|listed| Ok((choose(args, &program, file.expose.as_deref(), &listed)?, listed)))
                .and_then(|(tool, listed)| prepare(args, &program, &policy, &tool, &listed));
            if let Err(Fault::Refused(_)) = &prepared {
                // What ran so far is a whole record.
                subject.ledger = Some(show::json::ledger_json(args.ledger.as_deref(), &close()?));
            }
            prepared?
        }
    };
    subject.tool = Some(prepared.tool.clone());
    let arguments = record.as_ref().map(|_| prepared.arguments().clone());
    let report = runtime.block_on(session.call(prepared, context(Arc::clone(&hidden))))?.map_err(call_fault)?;
    let head = close()?;
    if let (Some(record), Some(arguments)) = (record, arguments) {
        let component = machine::canonical(&args.component).unwrap_or_else(|| args.component.clone());
        let component = component.display().to_string();
        let recording = runtime.block_on(session.recorded(component, arguments, &report, Some(grounds)))?;
        let recording = recording.map_err(call_fault)?;
        if let Some(why) = recording.unplayable() {
            output::person(&format!("warning  the recording cannot be replayed: {why}\n"));
        }
        let wrong =
            |e: std::io::Error| Fault::Internal(format!("the recording could not be written: {}", machine::plain(&e)));
        write_recording(&recording, BufWriter::new(std::fs::File::from(record))).map_err(wrong)?;
    }

    match args.output {
        RunFormat::Json => {
            let object = show::json::run(subject, &report, &policy, args.ledger.as_deref(), &head);
            output::result(&format!("{object}\n"))?;
        }
        RunFormat::Html => {
            let contents = show::contents::contents(&report, args.reveal);
            output::result(&html(&story(&ledger, args)?, &contents))?;
        }
        RunFormat::Text => {
            let terminal = output::stdout_is_terminal();
            match &report.result {
                // What a command printed is its result however it exits; the exit code is told to the person.
                Some(result) if !report.withheld && program.catalogue().form == Form::Command => {
                    output::result(&show::text::printed(result, terminal))?;
                }
                Some(result) if !result.is_error => {
                    output::result(&show::text::result(result, terminal))?;
                }
                _ => {}
            }
        }
    }
    let told = show::text::report(&report, program.catalogue().form, &policy, &head, args.ledger.is_some());
    output::person(&hidden.cover(&told));
    if pictured {
        output::person(&show::text::picture(&story(&ledger, args)?, &report, &hidden, args.reveal));
    }
    let shared = |sink: &TracedSink| sink.ranges.iter().any(|range| range.shared);
    if report.traced.as_ref().is_some_and(|sinks| sinks.iter().any(shared)) {
        output::person(
            "trace    more sources than labels: a run with --record=FILE, and customs replay FILE --trace, tells them apart\n",
        );
    }
    Ok(exit(&args.fail_on, &report))
}

/// What the ledger says of the run.
fn story(ledger: &std::sync::Mutex<Ledger>, args: &Run) -> Result<Story, Fault> {
    let ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    let name = args.ledger.as_deref().map_or_else(|| "in memory".to_owned(), shown_name);
    told(ledger.kept(), &name)
}

/// What lines of a ledger say.
pub(crate) fn told(lines: &[u8], name: &str) -> Result<Story, Fault> {
    let verdict = verify(lines, None).map_err(Fault::internal)?;
    Story::read(lines, verdict, name).map_err(Fault::internal)
}

pub(crate) fn call_fault(error: CallError) -> Fault {
    match error {
        CallError::Guest(why) => Fault::Refused(why),
        other => Fault::internal(other),
    }
}

/// A ledger that may not be written there is the person's to mend; one that fails later is a fault.
pub(crate) fn ledger_fault(error: &LedgerError) -> Fault {
    if error.is_refused() { Fault::refused(error) } else { Fault::internal(error) }
}

/// The same for a recording, which is accepted where a ledger is.
fn record_fault(error: &LedgerError) -> Fault {
    let why = error.to_string().replacen("the ledger", "the recording", 1);
    if error.is_refused() { Fault::Refused(why) } else { Fault::Internal(why) }
}

fn prepare(
    args: &Run,
    program: &Program,
    policy: &Policy,
    tool: &str,
    listed: &[Listed],
) -> Result<customs_engine::Prepared, Fault> {
    let listed = listed.iter().find(|one| one.name == tool);
    let schema = program.tool(tool).map(|info| &info.input_schema).or(listed.map(|one| &one.input_schema));
    let json = arguments::collect(args, program, schema, policy.limits().max_input)?;
    let prepared = match listed {
        Some(listed) => Session::prepare_listed(program, policy, listed, json),
        None => Session::prepare(program, policy, tool, json),
    };
    prepared.map_err(|why| Fault::Refused(format!("{tool}: {why}")))
}

/// The tool that is meant, among those that the policy file exposes.
fn choose(args: &Run, program: &Program, expose: Option<&[String]>, listed: &[Listed]) -> Result<String, Fault> {
    let catalogue = program.catalogue();
    let all = catalogue.tools.iter().map(|t| t.name.as_str()).chain(listed.iter().map(|t| t.name.as_str()));
    let names: Vec<&str> = all.filter(|n| expose.is_none_or(|e| e.iter().any(|x| x == n))).collect();
    let name = shown_name(&args.component);
    let some = || {
        let shown = names.iter().take(8).copied().collect::<Vec<_>>().join(", ");
        if names.len() > 8 { format!("{shown}, ..") } else { shown }
    };
    match (&args.tool, names.as_slice()) {
        (Some(tool), _) if names.contains(&tool.as_str()) => match listed.iter().find(|one| one.name == *tool) {
            Some(one) if one.refused().is_some() => {
                let why = one.refused().unwrap_or_default();
                Err(Fault::Refused(format!("{name}: {tool} cannot be called: {why}")))
            }
            _ => Ok(tool.clone()),
        },
        (Some(tool), _) => match catalogue.unusable.iter().find(|u| u.name == *tool) {
            Some(unusable) => Err(Fault::Refused(format!("{name}: {tool} cannot be called: {}", unusable.why))),
            None if names.is_empty() => Err(Fault::Refused(format!("{name} has no tool that can be called"))),
            None => Err(Fault::Refused(format!("{name} has no tool {tool:?}; it has {}", some()))),
        },
        (None, [only]) => Ok((*only).to_owned()),
        (None, []) => {
            let why = catalogue.unusable.first().map_or_else(String::new, |u| format!(" ({}: {})", u.name, u.why));
            Err(Fault::Refused(format!("{name} has no tool that can be called{why}")))
        }
        (None, _) => Err(Fault::Refused(format!("{name} has several tools, name one: {}", some()))),
    }
}

fn open(ledger: &std::sync::Mutex<Ledger>, args: &Run, program: &Program, policy: &Policy) -> Result<(), Fault> {
    let run = run_id().map_err(Fault::internal)?;
    let name = shown_name(&args.component);
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
    let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    ledger.append(&event).and_then(|_| ledger.barrier()).map_err(|e| ledger_fault(&e))
}

/// What a tool says while it runs goes to the person.
fn context(hidden: Arc<Hidden>) -> Context {
    Context::new(Arc::new(move |said| {
        let line = match said {
            Said::Progress { current, total, message } => {
                let total = total.map_or_else(String::new, |t| format!("/{t}"));
                format!("progress {current}{total} {}\n", show::text::clean(message.as_deref().unwrap_or_default()))
            }
            Said::Log { level, message } => {
                format!("{:<9}{}\n", "log", show::text::clean(&format!("{level}: {message}")))
            }
        };
        output::person(&hidden.cover(&line));
    }))
}

/// Whether something happened that the person asked to fail on.
pub(crate) fn occurred(fail_on: &[FailOn], report: &Report) -> bool {
    let occurred = |kind: &FailOn| match kind {
        FailOn::Denial => !report.denials.is_empty() || !report.suppressed.is_empty(),
        FailOn::Limit => report.ending.limit().is_some(),
        FailOn::Finding => report.has_finding(Severity::Low),
        FailOn::High => report.has_finding(Severity::High),
        FailOn::Medium => report.has_finding(Severity::Medium),
    };
    fail_on.iter().any(occurred)
}

fn exit(fail_on: &[FailOn], report: &Report) -> Exit {
    if occurred(fail_on, report) {
        return Exit::FailOn;
    }
    match &report.ending {
        Ending::Returned => Exit::Returned,
        Ending::Error => Exit::Error,
        Ending::Refused { .. } => Exit::Usage,
        Ending::Trap { .. } | Ending::Limit { .. } | Ending::Exit { .. } | Ending::Cancelled => Exit::Stopped,
    }
}
