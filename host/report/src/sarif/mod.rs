//! SARIF 2.1.0, for code scanning: findings and denials as results that point at their line in the ledger.
//!
//! `rules.rs` has the rules and the public taxonomies that they belong to. A guest's text in a message has its brackets escaped, for SARIF
//! makes links of them.

mod audit;
mod rules;

pub use audit::audit_sarif;

use crate::records::Name;
use crate::story::{Call, Denial, Flow, Found, Story};
use crate::words::{clean, host_of, how, json_text, origins, title, why};
use customs_ledger::hex;
use rules::{LEDGER_RULE, Rules, taxonomies};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Results in one report: code scanning services show 5000 at most. The gravest are kept, the rest is counted in a notification.
const MAX_RESULTS: usize = 5000;
/// Characters of a guest's text in a message.
const MAX_WIDTH: usize = 200;
const FINGERPRINT: &str = "customsFlow/v1";
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The report as SARIF 2.1.0, indented, with its line end.
#[must_use]
pub fn sarif(story: &Story) -> String {
    let mut rules = Rules::known();
    let mut results = Vec::new();
    if !story.is_sound() {
        results.push((0, verdict_result(story, &rules)));
    }
    let mut left_out = 0_u64;
    for call in &story.calls {
        let counts = [call.left_out.findings, call.left_out.denials];
        left_out = counts.into_iter().chain(call.suppressed.values().copied()).fold(left_out, u64::saturating_add);
        for found in &call.findings {
            let at = rules.of_finding(found);
            results.push((rank(found.severity), finding(story, call, found, at)));
        }
        for row in &call.denials {
            let at = rules.of_denial(&row.code);
            results.push((rank("info"), denial(story, call, row, at)));
        }
    }
    number(&mut results);
    results.sort_by_key(|(rank, _)| *rank);
    left_out = left_out.saturating_add(results.len().saturating_sub(MAX_RESULTS) as u64);
    results.truncate(MAX_RESULTS);

    let mut notices: Vec<Value> = story.alarms().iter().map(|alarm| notice("error", alarm)).collect();
    if left_out > 0 {
        notices.push(notice("warning", &format!("denials and findings that are not in this report: {left_out}")));
    }
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "customs",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "supportedTaxonomies": rules::references(),
                "rules": rules.list,
            }},
            "taxonomies": taxonomies(),
            // What code scanning tells uploads apart by: two components have two lists of alerts.
            "automationDetails": {"id": format!("customs/{}/", uri(&clean(&Name::new(component(story)), MAX_WIDTH)))},
            "invocations": [{"executionSuccessful": story.is_sound(), "toolExecutionNotifications": notices}],
            "artifacts": [{"location": {"uri": uri(&story.ledger)}, "description": {"text": "The ledger of the run."}}],
            "columnKind": "unicodeCodePoints",
            "results": results.into_iter().map(|(_, result)| result).collect::<Vec<_>>(),
            "properties": {"verdict": story.word(), "head": story.head(), "complete": story.is_complete()},
        }],
    });
    let mut text = json_text(&log, true);
    text.push('\n');
    text
}

/// Code scanning knows a result again by `primaryLocationLineHash`, and would make one of its own from the line, which is another in
/// every ledger. The same flow a second time is a second result.
fn number(results: &mut [(usize, Value)]) {
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for (_, result) in results {
        if let Some(prints) = result.get_mut("partialFingerprints").and_then(Value::as_object_mut) {
            let print = prints.get(FINGERPRINT).and_then(Value::as_str).unwrap_or_default().to_owned();
            let times = seen.entry(print.clone()).or_default();
            *times += 1;
            prints.insert("primaryLocationLineHash".to_owned(), json!(format!("{print}:{times}")));
        }
    }
}

fn notice(level: &str, what: &str) -> Value {
    json!({"level": level, "message": {"text": message(what)}})
}

fn level(severity: &str) -> &'static str {
    match severity {
        "high" => "error",
        "medium" => "warning",
        _ => "note",
    }
}

fn rank(severity: &str) -> usize {
    1 + crate::records::SEVERITIES.iter().position(|known| *known == severity).unwrap_or(0)
}

fn verdict_result(story: &Story, rules: &Rules) -> Value {
    // Where a record is named its line; otherwise the last that is good.
    let line = match story.verdict.verdict {
        customs_ledger::Verdict::Altered { seq } => seq.saturating_add(1),
        _ => story.verdict.events.max(1),
    };
    json!({
        "ruleId": LEDGER_RULE,
        "ruleIndex": rules.places.get(LEDGER_RULE),
        "level": "error",
        "message": {"text": message(&story.alarms().join("; "))},
        "locations": [{"physicalLocation": physical(story, line)}],
        "partialFingerprints": {FINGERPRINT: fingerprint(&["ledger", story.word()])},
    })
}

fn finding(story: &Story, call: &Call, found: &Found, (id, index): (String, usize)) -> Value {
    let (source, sink) = (call.source(found), call.sink(found));
    let to = sink.map_or_else(|| format!("sink {}", found.sink), flow_name);
    let mut what = match source {
        Some(source) => format!("{} is in {to}", flow_name(source)),
        None => format!("{}: {to}", title(found).unwrap_or("Finding")),
    };
    let how = how(call, found);
    if !how.is_empty() {
        what = format!("{what}: {how}");
    }
    if let Some(note) = &found.note {
        what = format!("{what}. {}", clean(note, MAX_WIDTH));
    }
    for origin in origins(call, found) {
        what = format!("{what}. It came from {origin}");
    }
    let names = |flow: Option<&Flow>| flow.map_or_else(String::new, |flow| format!("{} {}", flow.kind, flow.name.text));
    let steps: Vec<String> = found.transform.iter().map(|step| step.text.clone()).collect();
    let print = fingerprint(&[
        &found.rule.text,
        component(story),
        call.tool.as_ref().map_or("", |tool| tool.text.as_str()),
        &names(source),
        &names(sink),
        &steps.join(" "),
    ]);
    let mut logical = vec![tool_location(call)];
    logical.extend(sink.map(|sink| json!({"name": clean(&sink.name, MAX_WIDTH), "kind": sink.kind})));
    let path: Vec<Value> = source
        .map(|flow| (flow, "came in"))
        .into_iter()
        .chain(sink.map(|flow| (flow, "went out")))
        .map(|(flow, way)| {
            json!({"location": {
                "physicalLocation": physical(story, flow.seq.saturating_add(1)),
                "message": {"text": message(&format!("{}, {} bytes, {way}", flow_name(flow), flow.bytes))},
            }})
        })
        .collect();
    let mut result = json!({
        "ruleId": id,
        "ruleIndex": index,
        "level": level(found.severity),
        "message": {"text": message(&what)},
        "locations": [{"physicalLocation": physical(story, found.seq.saturating_add(1)), "logicalLocations": logical}],
        "partialFingerprints": {FINGERPRINT: print},
        "properties": {"call": call.number, "severity": found.severity, "finding": crate::json::finding(found)},
    });
    if let (false, Some(object)) = (path.is_empty(), result.as_object_mut()) {
        object.insert("codeFlows".to_owned(), json!([{"threadFlows": [{"locations": path}]}]));
    }
    result
}

fn denial(story: &Story, call: &Call, row: &Denial, (id, index): (String, usize)) -> Value {
    let times = if row.count > 1 { format!(" ({} times)", row.count) } else { String::new() };
    let requested = clean(&row.requested, MAX_WIDTH);
    let host =
        host_of(row.capability, &row.requested).map_or_else(String::new, |host| format!(" (the host is {host})"));
    let what = format!("{} {requested}{host} was denied{times}: {}", row.capability, why(&row.code));
    let tool = call.tool.as_ref().map_or("", |tool| tool.text.as_str());
    let print = fingerprint(&[&id, component(story), tool, row.capability, &row.operation.text, &row.requested.text]);
    json!({
        "ruleId": id,
        "ruleIndex": index,
        "level": "note",
        "message": {"text": message(&what)},
        "locations": [{
            "physicalLocation": physical(story, row.seq.saturating_add(1)),
            "logicalLocations": [tool_location(call), {"name": requested, "kind": "resource"}],
        }],
        "occurrenceCount": row.count.max(1),
        "partialFingerprints": {FINGERPRINT: print},
        "properties": {"call": call.number, "capability": row.capability, "operation": clean(&row.operation, MAX_WIDTH)},
    })
}

fn component(story: &Story) -> &str {
    story.opened.as_ref().map_or("", |opened| opened.component.text.as_str())
}

fn flow_name(flow: &Flow) -> String {
    format!("{} {}", flow.kind, clean(&flow.name, MAX_WIDTH))
}

fn tool_location(call: &Call) -> Value {
    let mut location = Map::new();
    if let Some(tool) = &call.tool {
        location.insert("name".to_owned(), json!(clean(tool, MAX_WIDTH)));
    }
    location.insert("fullyQualifiedName".to_owned(), json!(format!("call {}", call.number)));
    location.insert("kind".to_owned(), json!("function"));
    Value::Object(location)
}

fn physical(story: &Story, line: u64) -> Value {
    json!({"artifactLocation": {"uri": uri(&story.ledger), "index": 0}, "region": {"startLine": line}})
}

/// The file's name as a relative reference: only what needs no escape stands as it is.
fn uri(name: &str) -> String {
    let mut uri = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

/// A message in which nothing is a link.
fn message(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '[' | ']' | '\\') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

/// The same for the same flow in every run: names and rules, no ids, times or digests.
fn fingerprint(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let digest: [u8; 32] = hasher.finalize().into();
    hex(&digest).get(..32).unwrap_or_default().to_owned()
}
