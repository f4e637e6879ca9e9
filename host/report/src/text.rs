//! The report that a person reads in ten seconds: one fact a line, its kind in the first column, what matters first.

use crate::records::Name;
use crate::story::{Call, Flow, Story};
use crate::words::{clean, count, how, json_text, short, size, title, why};
use serde_json::json;
use std::fmt::Write as _;

/// Calls that are shown; the rest is counted.
const MAX_CALLS: usize = 20;
/// Findings, and denials, of one call that are shown; the rest is counted.
const MAX_ROWS: usize = 20;
/// Sources, and sinks, of one call that are shown, the largest; the rest is counted.
const MAX_FLOWS: usize = 12;
/// Characters of a guest's text in one line.
const MAX_WIDTH: usize = 120;

/// The report as text: lines of bounded length, at most some thousand.
#[must_use]
pub fn text(story: &Story) -> String {
    let mut text = String::new();
    let records = count(story.verdict.events, "record");
    match story.is_sound() {
        true => line(&mut text, "ok", &format!("{}  {records}, closed and unchanged", file(story))),
        false => line(&mut text, story.word(), &format!("{}  {records} are good", file(story))),
    }
    for alarm in story.alarms() {
        line(&mut text, "WARNING", &alarm);
    }
    head(&mut text, story);
    for call in story.calls.iter().take(MAX_CALLS) {
        of_call(&mut text, story, call);
    }
    let more = story.calls_left_out.saturating_add(story.calls.len().saturating_sub(MAX_CALLS) as u64);
    if more > 0 {
        line(&mut text, "", &format!("and {} that are not shown; -o json has more", count(more, "call")));
    }
    line(&mut text, "head", &story.head());
    text
}

fn file(story: &Story) -> String {
    clean(&Name::new(&story.ledger), MAX_WIDTH)
}

fn head(text: &mut String, story: &Story) {
    let Some(opened) = &story.opened else {
        line(text, "run", "the record that says what ran cannot be read");
        return;
    };
    let component = clean(&opened.component, MAX_WIDTH);
    line(text, "tool", &format!("{component}  sha256 {}", short(&opened.sha256)));
    let version = format!("customs {}", clean(&opened.customs, 30));
    line(text, "when", &format!("{}  run {}  {version}", clean(&opened.time, 40), clean(&opened.run, 40)));
    for grant in opened.grants.iter().take(MAX_ROWS) {
        line(text, "grant", &clean(grant, MAX_WIDTH));
    }
    rest(text, "grant", opened.grants.len(), MAX_ROWS, opened.grants_left_out);
    for warning in opened.warnings.iter().take(MAX_ROWS) {
        line(text, "warning", &clean(warning, MAX_WIDTH * 2));
    }
    rest(text, "warning", opened.warnings.len(), MAX_ROWS, opened.warnings_left_out);
}

fn of_call(text: &mut String, story: &Story, call: &Call) {
    if story.calls.len() > 1 || call.tool.is_none() {
        text.push('\n');
    }
    let tool = call.tool.as_ref().map_or_else(|| "(its record is missing)".to_owned(), |t| clean(t, MAX_WIDTH));
    line(text, "call", &format!("{} {tool}", call.number));
    for found in call.by_severity().into_iter().take(MAX_ROWS) {
        let mut what = String::new();
        if let Some(source) = call.source(found) {
            let _infallible = write!(what, "{} -> ", flow_name(source));
        }
        what.push_str(&call.sink(found).map_or_else(|| format!("sink {}", found.sink), flow_name));
        let how = how(call, found);
        let gap = if how.is_empty() { "" } else { "   " };
        let action = if found.action == "warned" { String::new() } else { format!(", {}", found.action) };
        let rule = clean(&found.rule, 20);
        let title = title(found).map_or_else(String::new, |title| format!(" {title}"));
        line(text, "finding", &format!("{:<6}  {what}{gap}{how}{action}   {rule}{title}", found.severity));
        if let Some(note) = &found.note {
            line(text, "", &format!("        {}", clean(note, MAX_WIDTH * 2)));
        }
    }
    rest(text, "finding", call.findings.len(), MAX_ROWS, call.left_out.findings);
    denied(text, call);
    flows(text, "in", &call.sources, call.left_out.sources);
    flows(text, "out", &call.sinks, call.left_out.sinks);
    ended(text, call);
}

fn denied(text: &mut String, call: &Call) {
    for row in call.denials.iter().take(MAX_ROWS) {
        let times = if row.count > 1 { format!(" ({} times)", row.count) } else { String::new() };
        let resolved = match &row.resolved {
            Some(real) if *real != row.requested => format!(" -> {}", clean(real, MAX_WIDTH)),
            _ => String::new(),
        };
        let what = format!("{}{resolved}{times}", clean(&row.requested, MAX_WIDTH));
        line(text, "denied", &format!("{:<12} {what:<30}  {}", row.capability, why(&row.code)));
    }
    let hidden = call.denials.iter().skip(MAX_ROWS).fold(0_u64, |sum, row| sum.saturating_add(row.count));
    let more = hidden.saturating_add(call.left_out.denials);
    if more > 0 {
        line(text, "denied", &format!("{more} more that are not shown"));
    }
    for (what, number) in call.suppressed.iter().take(MAX_ROWS) {
        let what = clean(&Name::new(what), MAX_WIDTH);
        line(text, "denied", &format!("{number} more of {what}, counted and not recorded one by one"));
    }
    rest(text, "denied", call.suppressed.len(), MAX_ROWS, 0);
}

/// The largest first; those of equal size as they crossed.
fn flows(text: &mut String, label: &str, flows: &std::collections::BTreeMap<u64, Flow>, left_out: u64) {
    let mut largest: Vec<&Flow> = flows.values().collect();
    largest.sort_by_key(|flow| std::cmp::Reverse(flow.bytes));
    for flow in largest.iter().take(MAX_FLOWS) {
        let class = flow.class.map_or_else(String::new, |class| format!("  {class}"));
        let cut = if flow.complete { "" } else { "  not whole" };
        line(text, label, &format!("{:<13} {:<30} {:>9}{class}{cut}", flow.kind, shown(flow), size(flow.bytes)));
    }
    let hidden = largest.iter().skip(MAX_FLOWS).fold(0_u64, |sum, flow| sum.saturating_add(flow.bytes));
    let more = left_out.saturating_add(largest.len().saturating_sub(MAX_FLOWS) as u64);
    if more > 0 {
        let what = if left_out == 0 { format!(", {}", size(hidden)) } else { String::new() };
        line(text, label, &format!("and {more} more{what}"));
    }
}

fn ended(text: &mut String, call: &Call) {
    match &call.ending {
        None => line(text, "ended", "not recorded: the run was stopped, or the record is missing"),
        Some(ending) => {
            let mut how = match &ending.limit {
                Some(limit) => format!("stopped by the {} limit", clean(limit, 30)),
                None => ending.kind.to_owned(),
            };
            if let Some(detail) = &ending.detail {
                let _infallible = write!(how, ": {}", clean(detail, MAX_WIDTH * 2));
            }
            if !call.is_complete() {
                how.push_str("; the record is not complete");
            }
            line(text, "ended", &how);
        }
    }
    if call.findings.is_empty() && call.left_out.findings == 0 && !call.methods.is_empty() {
        line(text, "", &format!("no source was seen in a sink (looked for by: {})", call.methods.join(", ")));
    }
}

fn flow_name(flow: &Flow) -> String {
    format!("{} {}", flow.kind, shown(flow))
}

fn shown(flow: &Flow) -> String {
    // A result that is one value has an empty pointer.
    if flow.name.text.is_empty() { json_text(&json!(""), false) } else { clean(&flow.name, MAX_WIDTH) }
}

fn rest(text: &mut String, label: &str, all: usize, shown: usize, left_out: u64) {
    let more = left_out.saturating_add(all.saturating_sub(shown) as u64);
    if more > 0 {
        line(text, label, &format!("and {more} more that are not shown"));
    }
}

fn line(text: &mut String, label: &str, rest: &str) {
    let _infallible = writeln!(text, "{}", format!("{label:<8} {rest}").trim_end());
}
