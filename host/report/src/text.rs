//! The report that a person reads in ten seconds: one fact a line, its kind in the first column, what matters first.

use crate::records::Name;
use crate::story::{Call, Flow, Story};
use crate::traced::{Contents, Paint, picture};
use crate::words::{
    clean, columns, count, host_of, host_of_grant, how, json_text, origins, padded, short, size, sums, title, why,
};
use serde_json::json;
use std::collections::BTreeMap;
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
    totals(&mut text, story);
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

/// Everything in one line.
fn totals(text: &mut String, story: &Story) {
    let sums = sums(story);
    let severities = if sums.by_severity.is_empty() { String::new() } else { format!(" ({})", sums.severities()) };
    let (findings, denials) = (count(sums.findings, "finding"), count(sums.denials, "denial"));
    let (came, went) = (size(sums.came_in), size(sums.went_out));
    let calls = if sums.calls == 1 { String::new() } else { format!(" in {}", count(sums.calls, "call")) };
    line(text, "total", &format!("{findings}{severities}, {denials}{calls}; {came} came in, {went} went out"));
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
        let host = host_of_grant(grant).map_or_else(String::new, |host| format!("  (the host is {host})"));
        line(text, "grant", &format!("{}{host}", clean(grant, MAX_WIDTH)));
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
    findings(text, call);
    rest(text, "finding", call.findings.len(), MAX_ROWS, call.left_out.findings);
    text.push_str(&picture(call, &Contents::default(), Paint::Plain));
    denied(text, call);
    let shown = largest(&call.sources).into_iter().chain(largest(&call.sinks));
    let wide = shown.map(|flow| width(&beside_kind(flow), 72)).max().unwrap_or(0);
    flows(text, "in", &call.sources, call.left_out.sources, wide);
    flows(text, "out", &call.sinks, call.left_out.sinks, wide);
    ended(text, call);
}

fn findings(text: &mut String, call: &Call) {
    let rows: Vec<_> = (call.by_severity().into_iter().take(MAX_ROWS))
        .map(|found| {
            let sink = call.sink(found).map_or_else(|| format!("sink {}", found.sink), flow_name);
            let what = match call.source(found) {
                Some(source) => format!("{} -> {sink}", flow_name(source)),
                None => sink,
            };
            let mut how = how(call, found);
            if found.action != "warned" {
                let comma = if how.is_empty() { "" } else { ", " };
                let _infallible = write!(how, "{comma}{}", found.action);
            }
            (found, what, how)
        })
        .collect();
    let what_wide = rows.iter().map(|(_, what, _)| width(what, 48)).max().unwrap_or(0);
    let how_wide = rows.iter().map(|(_, _, how)| width(how, 30)).max().unwrap_or(0);
    for (found, what, how) in &rows {
        let rule = clean(&found.rule, 20);
        let title = title(found).map_or_else(String::new, |title| format!(" {title}"));
        let (what, how) = (padded(what, what_wide), padded(how, how_wide));
        let gap = if how_wide == 0 { "" } else { "   " };
        line(text, "finding", &format!("{:<6}  {what}{gap}{how}   {rule}{title}", found.severity));
        if let Some(note) = &found.note {
            line(text, "", &format!("        {}", clean(note, MAX_WIDTH * 2)));
        }
        for origin in origins(call, found) {
            line(text, "", &format!("        came from {origin}"));
        }
    }
}

fn denied(text: &mut String, call: &Call) {
    let rows: Vec<_> = (call.denials.iter().take(MAX_ROWS))
        .map(|row| {
            let times = if row.count > 1 { format!(" ({} times)", row.count) } else { String::new() };
            let host = host_of(row.capability, &row.requested)
                .map_or_else(String::new, |host| format!(" (the host is {host})"));
            let resolved = match &row.resolved {
                Some(real) if *real != row.requested => format!(" -> {}", clean(real, MAX_WIDTH)),
                _ => String::new(),
            };
            (row, format!("{}{host}{resolved}{times}", clean(&row.requested, MAX_WIDTH)))
        })
        .collect();
    let wide = rows.iter().map(|(_, what)| width(what, 56)).max().unwrap_or(0);
    for (row, what) in &rows {
        line(text, "denied", &format!("{:<13} {}   {}", row.capability, padded(what, wide), why(&row.code)));
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

/// Those that are shown: the largest first, and those of equal size as they crossed.
fn largest(flows: &BTreeMap<u64, Flow>) -> Vec<&Flow> {
    let mut sorted: Vec<&Flow> = flows.values().collect();
    sorted.sort_by_key(|flow| std::cmp::Reverse(flow.bytes));
    sorted.truncate(MAX_FLOWS);
    sorted
}

/// Lines of which the names have `wide` columns.
fn flows(text: &mut String, label: &str, flows: &BTreeMap<u64, Flow>, left_out: u64, wide: usize) {
    let largest = largest(flows);
    for flow in &largest {
        let class = flow.class.map_or_else(String::new, |class| format!("  {class}"));
        let cut = if flow.complete { "" } else { "  not whole" };
        let name = padded(&beside_kind(flow), wide);
        line(text, label, &format!("{:<13} {name} {:>9}{class}{cut}", flow.kind, size(flow.bytes)));
    }
    let bytes = |flow: &Flow| flow.bytes;
    let all = flows.values().map(bytes).fold(0, u64::saturating_add);
    let hidden = all.saturating_sub(largest.into_iter().map(bytes).fold(0, u64::saturating_add));
    let more = left_out.saturating_add(flows.len().saturating_sub(MAX_FLOWS) as u64);
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
    format!("{} {}", flow.kind, beside_kind(flow)).trim_end().to_owned()
}

/// The name, where it says more than the kind.
fn beside_kind(flow: &Flow) -> String {
    let host = host_of(flow.kind, &flow.name).map_or_else(String::new, |host| format!(" (the host is {host})"));
    if flow.name.text == flow.kind { String::new() } else { format!("{}{host}", shown(flow)) }
}

/// Columns of a cell; one that is wider than `most` stands out and does not move the others.
fn width(cell: &str, most: usize) -> usize {
    Some(columns(cell)).filter(|wide| *wide <= most).unwrap_or(0)
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
