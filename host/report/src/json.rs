//! `customs.report/1`: what `docs/schemas/customs.report-1.json` describes. The rows are those of `customs.run/1`.

use crate::records::Name;
use crate::story::{Call, Denial, Flow, Found, Labelled, Origin, Story, Traced};
use crate::words::json_text;
use customs_ledger::Verdict;
use serde_json::{Map, Value, json};

/// The report as one line of JSON, with its line end.
#[must_use]
pub fn json(story: &Story) -> String {
    let mut verdict = json!({
        "verdict": story.word(),
        "events": story.verdict.events,
        "head": story.head(),
        "detail": story.verdict.detail,
    });
    if let (Verdict::Altered { seq }, Some(object)) = (story.verdict.verdict, verdict.as_object_mut()) {
        object.insert("seq".to_owned(), json!(seq));
    }
    let report = json!({
        "schema": "customs.report/1",
        "verdict": verdict,
        "alarms": story.alarms(),
        "run": story.opened.as_ref().map(|opened| json!({
            "id": text(&opened.run),
            "time": text(&opened.time),
            "customs": text(&opened.customs),
            "wasmtime": text(&opened.wasmtime),
            "policy": opened.policy,
            "grants": opened.grants.iter().map(text).collect::<Vec<_>>(),
            "warnings": opened.warnings.iter().map(text).collect::<Vec<_>>(),
        })),
        "component": story.opened.as_ref().map(|opened| json!({"path": text(&opened.component), "sha256": opened.sha256})),
        "calls": story.calls.iter().map(call).collect::<Vec<_>>(),
        "complete": story.is_complete(),
        "left_out": {
            "calls": story.calls_left_out,
            "grants": story.opened.as_ref().map_or(0, |opened| opened.grants_left_out),
            "warnings": story.opened.as_ref().map_or(0, |opened| opened.warnings_left_out),
            "malformed": story.malformed,
        },
        "ledger": {"path": story.ledger, "head": story.head(), "events": story.verdict.events},
    });
    let mut text = json_text(&report, false);
    text.push('\n');
    text
}

/// A text that was cut says how long it is.
fn text(name: &Name) -> Value {
    if name.is_cut() { json!(format!("{}..({} bytes)", name.text, name.bytes)) } else { json!(name.text) }
}

fn call(call: &Call) -> Value {
    let mut object = json!({
        "call": call.number,
        "tool": call.tool.as_ref().map(text),
        "ending": call.ending.as_ref().map(|ending| {
            let mut object = Map::new();
            object.insert("kind".to_owned(), json!(ending.kind));
            if let Some(limit) = &ending.limit {
                object.insert("limit".to_owned(), text(limit));
            }
            if let Some(detail) = &ending.detail {
                object.insert("detail".to_owned(), text(detail));
            }
            object
        }),
        "denials": call.denials.iter().map(denial).collect::<Vec<_>>(),
        "sources": call.sources.values().map(flow).collect::<Vec<_>>(),
        "sinks": call.sinks.values().map(flow).collect::<Vec<_>>(),
        "findings": call.findings.iter().map(finding).collect::<Vec<_>>(),
        "methods": call.methods,
        "complete": call.is_complete(),
        "suppressed": call.suppressed,
        "left_out": {
            "sources": call.left_out.sources,
            "sinks": call.left_out.sinks,
            "denials": call.left_out.denials,
            "findings": call.left_out.findings,
        },
    });
    if let (true, Some(members)) = (call.methods.contains(&"trace"), object.as_object_mut()) {
        members.insert("traced".to_owned(), call.traced.iter().map(traced).collect());
        if let Some(left_out) = members.get_mut("left_out").and_then(Value::as_object_mut) {
            left_out.insert("traced".to_owned(), json!(call.left_out.traced));
        }
    }
    object
}

fn traced(traced: &Traced) -> Value {
    let range = |range: &Labelled| {
        let mut object = json!({"from": range.from, "to": range.to, "strong": range.strong, "weak": range.weak});
        if let (true, Some(members)) = (range.shared, object.as_object_mut()) {
            members.insert("shared".to_owned(), json!(true));
        }
        object
    };
    let mut object = json!({"sink": traced.sink, "ranges": traced.ranges.iter().map(range).collect::<Vec<_>>()});
    if let (1.., Some(members)) = (traced.more, object.as_object_mut()) {
        members.insert("more".to_owned(), json!(traced.more));
    }
    object
}

fn denial(row: &Denial) -> Value {
    json!({
        "seq": row.seq,
        "capability": row.capability,
        "operation": text(&row.operation),
        "requested": text(&row.requested),
        "resolved": row.resolved.as_ref().map(text),
        "code": text(&row.code),
        "count": row.count,
    })
}

fn flow(flow: &Flow) -> Value {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("id", json!(flow.id));
    put("kind", json!(flow.kind));
    put("name", text(&flow.name));
    if let Some(class) = flow.class {
        put("class", json!(class));
    }
    put("complete", json!(flow.complete));
    put("bytes", json!(flow.bytes));
    put("sha256", json!(flow.sha256));
    if flow.keyed {
        put("keyed", json!(true));
    }
    if !flow.origins.is_empty() {
        put("origins", flow.origins.iter().map(origin).collect());
    }
    Value::Object(object)
}

fn ranges(ranges: &[(u64, u64)]) -> Vec<Value> {
    ranges.iter().map(|(from, to)| json!([from, to])).collect()
}

fn origin(origin: &Origin) -> Value {
    let mut object = json!({"call": origin.call, "kind": origin.kind, "name": text(&origin.name)});
    if let Some(members) = object.as_object_mut() {
        if let Some(class) = origin.class {
            members.insert("class".to_owned(), json!(class));
        }
        members.insert("ranges".to_owned(), json!(ranges(&origin.ranges)));
    }
    object
}

pub(crate) fn finding(found: &Found) -> Value {
    let mut object = json!({
        "id": text(&found.id),
        "rule": text(&found.rule),
        "severity": found.severity,
        "source": found.source,
        "sink": found.sink,
        "method": found.method,
        "transform": found.transform.iter().map(text).collect::<Vec<_>>(),
        "strength": found.strength,
        "source_ranges": ranges(&found.source_ranges),
        "sink_ranges": ranges(&found.sink_ranges),
        "coverage": found.coverage,
        "action": found.action,
        "preview": text(&found.preview),
    });
    if let Some(members) = object.as_object_mut() {
        if let Some(note) = &found.note {
            members.insert("note".to_owned(), text(note));
        }
        if found.more > 0 {
            members.insert("more".to_owned(), json!(found.more));
        }
        if let Some(from) = &found.origin {
            members.insert("origin".to_owned(), origin(from));
        }
    }
    object
}
