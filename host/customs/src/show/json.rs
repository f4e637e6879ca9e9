//! `customs.run/1`.

use customs_boundary::DenialRow;
use customs_engine::{Ending, Report, TracedSink};
use customs_ledger::material::Content;
use customs_ledger::{Head, hex};
use customs_policy::Policy;
use serde_json::{Map, Value, json};
use std::path::Path;

/// What is known of a component that is to be run.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// As the person wrote it.
    pub(crate) path: String,
    pub(crate) sha256: Option<[u8; 32]>,
    pub(crate) tool: Option<String>,
    /// The ledger of what ran before a refusal: only a component that lists its own tools runs that early.
    pub(crate) ledger: Option<Value>,
}

pub(crate) fn run(subject: &Subject, report: &Report, policy: &Policy, ledger: Option<&Path>, head: &Head) -> Value {
    let mut json = json!({
        "schema": "customs.run/1",
        "component": component(subject),
        "tool": report.tool,
        "result": report.result.as_ref().map(customs_engine::ToolResult::to_json),
        "ending": ending(&report.ending),
        "denials": report.denials.iter().map(denial).collect::<Vec<_>>(),
        "sources": report.sources.iter().map(|s| {
            let mut source = crossed(&s.content, [("id", json!(s.id)), ("kind", json!(s.kind.as_str())), ("name", json!(s.name)),
                ("class", json!(s.class.as_str()))]);
            let origins = report.origins.iter().find(|(id, _)| *id == s.id);
            if let (Some((_, origins)), Some(object)) = (origins, source.as_object_mut()) {
                let origins: Vec<Value> = origins.iter().map(customs_flow::Carried::to_json).collect();
                object.insert("origins".to_owned(), json!(origins));
            }
            source
        }).collect::<Vec<_>>(),
        "sinks": report.sinks.iter().map(|s| {
            crossed(&s.content, [("id", json!(s.id)), ("kind", json!(s.kind.as_str())), ("name", json!(s.name)),
                ("complete", json!(s.content.complete))])
        }).collect::<Vec<_>>(),
        "findings": report.findings.iter().enumerate().map(|(at, f)| f.to_json(at + 1)).collect::<Vec<_>>(),
        "methods": report.methods(),
        "complete": report.complete,
        "suppressed": report.suppressed,
        "limits": limits(policy, Some(report.peak_memory)),
        "ledger": ledger_json(ledger, head),
    });
    if let Some(object) = json.as_object_mut() {
        if let forgotten @ 1.. = report.forgotten {
            object.insert("forgotten".to_owned(), json!(forgotten));
        }
        if let Some(traced) = &report.traced {
            object.insert("traced".to_owned(), traced.iter().map(TracedSink::to_json).collect());
        }
    }
    json
}

/// A call that was refused before any guest code ran has the same shape, with nothing in it.
pub(crate) fn refused(subject: &Subject, why: &str) -> Value {
    json!({
        "schema": "customs.run/1",
        "component": component(subject),
        "tool": subject.tool,
        "result": null,
        "ending": ending(&Ending::Refused { detail: why.to_owned() }),
        "denials": [], "sources": [], "sinks": [], "findings": [], "methods": [],
        "complete": true, "suppressed": {}, "limits": {}, "ledger": subject.ledger,
    })
}

pub(crate) fn ledger_json(path: Option<&Path>, head: &Head) -> Value {
    json!({"path": path.map(|p| p.display().to_string()), "head": hex(&head.hash), "events": head.events})
}

fn component(subject: &Subject) -> Value {
    json!({"path": subject.path, "sha256": subject.sha256.map(|d| hex(&d))})
}

fn ending(ending: &Ending) -> Value {
    let mut object = Map::new();
    object.insert("kind".to_owned(), json!(ending.kind()));
    if let Some(limit) = ending.limit() {
        object.insert("limit".to_owned(), json!(limit));
    }
    if let Some(detail) = ending.detail() {
        object.insert("detail".to_owned(), json!(detail));
    }
    Value::Object(object)
}

fn denial(row: &DenialRow) -> Value {
    json!({
        "seq": row.seq,
        "capability": row.capability.as_str(),
        "operation": row.operation,
        "requested": row.requested,
        "resolved": row.resolved,
        "code": row.code.as_str(),
        "count": row.count,
    })
}

fn crossed<const N: usize>(content: &Content, fields: [(&str, Value); N]) -> Value {
    let mut object = Map::new();
    for (key, value) in fields {
        object.insert(key.to_owned(), value);
    }
    object.insert("bytes".to_owned(), json!(content.bytes));
    object.insert("sha256".to_owned(), json!(content.digest.hex()));
    if content.digest.keyed {
        object.insert("keyed".to_owned(), json!(true));
    }
    if !object.contains_key("complete") {
        object.insert("complete".to_owned(), json!(content.complete));
    }
    Value::Object(object)
}

pub(crate) fn limits(policy: &Policy, peak_memory: Option<u64>) -> Value {
    let limits = policy.limits();
    let mut object = json!({
        "timeout-ms": u64::try_from(limits.timeout.as_millis()).unwrap_or(u64::MAX),
        "max-memory": limits.max_memory,
        "max-output": limits.max_output,
        "max-input": limits.max_input,
        "max-file-write": limits.max_file_write,
        "max-requests": limits.max_requests,
        "fuel": limits.fuel,
    });
    if let (Some(peak), Some(object)) = (peak_memory, object.as_object_mut()) {
        object.insert("peak-memory".to_owned(), json!(peak));
    }
    object
}
