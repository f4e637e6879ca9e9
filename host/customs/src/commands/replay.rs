//! `customs replay`: a recorded call again, on its recording alone; with another version of the component; or with other bytes in a source.

use super::run::{call_fault, ledger_fault, occurred, told as told_lines};
use super::{Runtime, load_as, shown_name, tracing};
use crate::cli::{Replay, RunFormat};
use crate::exit::{Exit, Fault};
use crate::output::{Colour, paint};
use crate::show::json::Subject;
use crate::show::text::clean;
use crate::{machine, output, show};
use customs_engine::load::{Allocation, Fuel};
use customs_engine::replay::causal::causes_after;
use customs_engine::replay::compare::{differences, parts};
use customs_engine::replay::file::{MAX_BYTES, read};
use customs_engine::replay::passes::{MAX_SOURCES, Passes, further};
use customs_engine::replay::{Cause, Differences, Divergence, How, Named, NotPlayed, Played, Recording, play};
use customs_engine::{CallError, Host, Program, TracedSink};
use customs_ledger::{create_private, run_id};
use customs_report::{Story, html_of_run as html};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a replay came to.
struct Outcome {
    /// The replay that is reported: in order where it is its run again, loose otherwise.
    played: Played,
    divergence: Option<Divergence>,
    differences: Option<Differences>,
    causes: Option<Vec<Cause>>,
    /// How it was traced, where it was.
    passes: Option<Passes>,
}

pub(crate) fn run(args: &Replay) -> Result<Exit, Fault> {
    let shown = args.recording.display().to_string();
    let bytes = machine::read(&args.recording, MAX_BYTES)?;
    let recording = read(&bytes).map_err(|why| Fault::Refused(format!("{shown}: {why}")))?;
    drop(bytes);
    if let Some(why) = recording.unplayable() {
        return Err(Fault::Refused(format!("{shown} cannot be replayed: {why}")));
    }
    let named = args.perturb.iter().map(|text| Named::parse(text).ok_or_else(|| unnamed(text)));
    let named: Vec<Named> = named.collect::<Result<_, _>>()?;
    let (program, component) = component(args, &recording)?;
    let runtime = Runtime::new()?;
    let stamp = Some((run_id().map_err(Fault::internal)?, machine::now()));
    let other = args.component.is_some() && program.sha256() != recording.sha256;
    let outcome = runtime.block_on(outcome(&program, &recording, &named, other, stamp))??;

    if let Some(path) = &args.ledger {
        // A replay has no effects: a place that cannot be written is found out after it as well as before.
        let (dir, name, _) = machine::parent(path)?;
        let mut file = std::fs::File::from(create_private(&dir, &name).map_err(|e| ledger_fault(&e))?);
        let written = file.write_all(&outcome.played.ledger).and_then(|()| file.sync_all());
        written.map_err(|e| Fault::Internal(format!("the ledger could not be written: {}", machine::plain(&e))))?;
    }
    let report = &outcome.played.report;
    match args.output {
        RunFormat::Json => {
            let subject = Subject {
                path: component.display().to_string(),
                sha256: Some(program.sha256()),
                tool: Some(recording.tool.clone()),
                ledger: None,
            };
            let head = &outcome.played.head;
            let mut object = show::json::run(&subject, report, &outcome.played.policy, args.ledger.as_deref(), head);
            if let Some(members) = object.as_object_mut() {
                members.insert("replay".to_owned(), told(&outcome, &shown));
                if outcome.causes.is_some() {
                    let traced = report.traced.as_ref().map(|_| "trace");
                    let methods = ["match"].into_iter().chain(traced).chain(["causal"]);
                    members.insert("methods".to_owned(), json!(methods.collect::<Vec<_>>()));
                }
            }
            output::result(&format!("{object}\n"))?;
        }
        RunFormat::Html => {
            let contents = show::contents::contents(report, false);
            output::result(&html(&told_of(&outcome)?, &contents))?;
        }
        RunFormat::Text => {
            let terminal = output::stdout_is_terminal();
            if let Some(result) = report.result.as_ref().filter(|result| !result.is_error && !report.withheld) {
                let text = if program.catalogue().form == customs_engine::Form::Command {
                    show::text::printed(result, terminal)
                } else {
                    show::text::result(result, terminal)
                };
                output::result(&text)?;
            }
        }
    }
    let kept = args.ledger.is_some();
    let text = show::text::report(report, program.catalogue().form, &outcome.played.policy, &outcome.played.head, kept);
    let hidden = customs_boundary::Hidden::of(&outcome.played.policy, &customs_boundary::Secrets::none());
    output::person(&hidden.cover(&text));
    if report.traced.is_some() && args.output == RunFormat::Text {
        output::person(&show::text::picture(&told_of(&outcome)?, report, &hidden, false));
    }
    output::person(&hidden.cover(&person(&outcome)));
    if occurred(&args.fail_on, report) {
        return Ok(Exit::FailOn);
    }
    let same = outcome.divergence.is_none() && outcome.differences.as_ref().is_none_or(Differences::is_empty);
    Ok(if same { Exit::Returned } else { Exit::Error })
}

/// What the ledger of the replay says, and the passes after it.
fn told_of(outcome: &Outcome) -> Result<Story, Fault> {
    let mut story = told_lines(&outcome.played.ledger, "in memory")?;
    let report = &outcome.played.report;
    if let (Some(Passes { made: 2.., .. }), Some(traced)) = (&outcome.passes, &report.traced) {
        let traced: Vec<Value> = traced.iter().map(TracedSink::to_json).collect();
        let findings: Vec<Value> = (1..).zip(&report.findings).map(|(number, found)| found.to_json(number)).collect();
        story.retrace(report.call, &traced, &findings);
    }
    Ok(story)
}

fn unnamed(text: &str) -> Fault {
    Fault::Refused(format!("--perturb={text}: write an id of the run's sources, KIND:NAME such as env:API_KEY, or all"))
}

/// The component of the recording, or the version that is to be compared with it.
fn component(args: &Replay, recording: &Recording) -> Result<(Arc<Program>, PathBuf), Fault> {
    let state = machine::state()?;
    if let Some(warning) = &state.warning {
        output::person(&format!("warning  {warning}\n"));
    }
    let fuel = if recording.policy.limits().fuel.is_some() { Fuel::Counted } else { Fuel::Off };
    let (path, expect) = match &args.component {
        Some(path) => (path.clone(), None),
        None => (PathBuf::from(&recording.component), Some(recording.sha256)),
    };
    let host = Host::new(fuel, Allocation::OnDemand).map_err(Fault::internal)?;
    // What was run under a policy that traces is replayed so: its flow rules acted on what they saw.
    let tracing = tracing(args.trace, &recording.policy);
    let loaded =
        load_as(tracing, &host, &path, expect, state.cache.as_ref()).map_err(|fault| match (&args.component, fault) {
            (None, Fault::Refused(why)) => {
                let name = shown_name(Path::new(&recording.component));
                Fault::Refused(format!(
                    "{why}; where {name} is now somewhere else, or another version, say --component=FILE"
                ))
            }
            (_, fault) => fault,
        });
    Ok((Arc::new(loaded?), path))
}

fn not_played(error: NotPlayed) -> Fault {
    match error {
        NotPlayed::Refused(why) => Fault::Refused(why),
        NotPlayed::Call(error @ CallError::Internal(_)) => Fault::internal(error),
        NotPlayed::Call(error) => call_fault(error),
    }
}

async fn outcome(
    program: &Arc<Program>,
    recording: &Recording,
    named: &[Named],
    other: bool,
    stamp: Option<(String, String)>,
) -> Result<Outcome, Fault> {
    let loosely = |stamp| How { stamp, ..How::default() };
    if other {
        let played = play(program, recording, &loosely(stamp)).await.map_err(not_played)?;
        let differences = Some(differences(recording, &played));
        let passes = once(&played);
        return Ok(Outcome { played, divergence: None, differences, causes: None, passes });
    }
    let how = How { in_order: true, stamp: stamp.clone(), ..How::default() };
    let mut played = play(program, recording, &how).await.map_err(not_played)?;
    if let Some(divergence) = parts(recording, &played) {
        // It was stopped where it parted: what it does in all shows a replay that is not held to the order.
        let played = play(program, recording, &loosely(stamp)).await.map_err(not_played)?;
        let differences = Some(differences(recording, &played));
        let causes = (!named.is_empty()).then(Vec::new);
        let passes = once(&played);
        return Ok(Outcome { played, divergence: Some(divergence), differences, causes, passes });
    }
    let mut passes = None;
    if program.is_traced() {
        passes = Some(further(program, recording, &mut played).await.map_err(not_played)?);
    }
    if named.is_empty() {
        return Ok(Outcome { played, divergence: None, differences: None, causes: None, passes });
    }
    let caused = causes_after(program, recording, named, played).await.map_err(not_played)?;
    let mut played = caused.unchanged;
    played.report.findings.extend(caused.findings);
    played.report.findings.sort_by_key(|f| (std::cmp::Reverse(f.severity), f.sink, f.source));
    Ok(Outcome { played, divergence: caused.divergence, differences: None, causes: Some(caused.causes), passes })
}

/// What is not the run again is traced once: a source may have another number each time.
fn once(played: &Played) -> Option<Passes> {
    played.report.traced.is_some().then_some(Passes { made: 1, sharing: 0 })
}

/// The `replay` object of `customs.run/1`.
fn told(outcome: &Outcome, recording: &str) -> Value {
    let missing = outcome
        .played
        .missing
        .iter()
        .map(|(what, count)| json!({"asked": what, "count": count, "code": "not-recorded"}));
    let mut object = json!({
        "recording": recording,
        "identical": outcome.divergence.is_none() && outcome.differences.is_none(),
        "divergence": outcome.divergence.as_ref().map(Divergence::to_json),
        "differences": outcome.differences.as_ref().map(Differences::to_json),
        "missing": missing.collect::<Vec<_>>(),
        "varying": customs_engine::replay::compare::VARYING,
    });
    if let (Some(causes), Some(members)) = (&outcome.causes, object.as_object_mut()) {
        members.insert("perturbed".to_owned(), causes.iter().map(Cause::to_json).collect());
    }
    if let (Some(passes), Some(members)) = (&outcome.passes, object.as_object_mut()) {
        members.insert("passes".to_owned(), json!(passes.made));
        members.insert("sharing".to_owned(), json!(passes.sharing));
    }
    object
}

fn line(label: &str, colour: Colour, rest: &str) -> String {
    format!("{}{}{rest}\n", paint(label, colour), " ".repeat(9_usize.saturating_sub(label.len())))
}

/// What a person should know of it.
fn person(outcome: &Outcome) -> String {
    let mut text = String::new();
    match (&outcome.divergence, &outcome.differences) {
        (None, None) => text.push_str(&line("replay", Colour::Dim, "identical: the same result, the same records")),
        (Some(parted), _) => {
            text.push_str(&line(
                "replay",
                Colour::Yellow,
                &format!("parts from the recording at record {}", parted.seq),
            ));
            for (which, record) in [("recorded", &parted.recorded), ("replayed", &parted.replayed)] {
                let record = record.as_ref().map_or_else(|| "nothing more".to_owned(), Value::to_string);
                text.push_str(&line("", Colour::Dim, &format!("{which}  {}", clean(&record))));
            }
            if outcome.causes.is_some() {
                text.push_str(&line(
                    "",
                    Colour::Dim,
                    "the tool does something else by itself: no verdict on what depends on what",
                ));
            }
        }
        (None, Some(differences)) if differences.is_empty() => {
            text.push_str(&line("replay", Colour::Dim, "the same result and the same accesses"));
        }
        (None, Some(_)) => text.push_str(&line("replay", Colour::Yellow, "the component does something else")),
    }
    if let Some(Passes { made: made @ 2.., sharing }) = outcome.passes {
        let rest = match sharing {
            0 => "every source has a label of its own".to_owned(),
            more => format!("{more} sources share a label, because {MAX_SOURCES} are told apart"),
        };
        text.push_str(&line("trace", Colour::Dim, &format!("{made} passes: {rest}")));
    }
    if let Some(differences) = &outcome.differences {
        if let Some((was, is)) = &differences.ending {
            text.push_str(&line("ending", Colour::Yellow, &format!("{is}, was {was}")));
        }
        for place in &differences.result {
            text.push_str(&line(
                "result",
                Colour::Yellow,
                &format!("differs at {}", clean(if place.is_empty() { "/" } else { place })),
            ));
        }
        for (what, list) in
            [("added", &differences.added), ("gone", &differences.gone), ("changed", &differences.changed)]
        {
            for access in list {
                let part = |key: &str| access.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
                let rest = format!("{:<10} {} {}", part("capability"), part("operation"), clean(&part("requested")));
                text.push_str(&line(what, Colour::Yellow, &rest));
            }
        }
        if let more @ 1.. = differences.more {
            text.push_str(&line("", Colour::Dim, &format!("and {more} more")));
        }
    }
    for (what, count) in &outcome.played.missing {
        let rest = format!("{}: not in the recording, {count} times", clean(what));
        text.push_str(&line("missing", Colour::Yellow, &rest));
    }
    for cause in outcome.causes.iter().flatten() {
        let name = format!("{} {}", cause.kind.as_str(), clean(&cause.name));
        let tried = format!("{} replays", cause.contents + cause.lengths);
        if cause.is_cleared() {
            text.push_str(&line("cleared", Colour::Dim, &format!("{name}: nothing that goes out changed in {tried}")));
        } else if cause.influences.is_empty() {
            text.push_str(&line(
                "cleared",
                Colour::Yellow,
                &format!("{name}: could not be changed, so nothing is known of it"),
            ));
        }
        for influence in &cause.influences {
            let by = if influence.by_length { "its length" } else { "its bytes" };
            let to = format!("{} {}", influence.kind.as_str(), clean(&influence.name));
            text.push_str(&line("depends", Colour::Yellow, &format!("{to} on {name}, by {by}")));
        }
    }
    text
}
