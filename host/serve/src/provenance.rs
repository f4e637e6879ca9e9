//! What crossed in one call, for whoever gets its answer: the record that the answer points to, the labels on the answer, and the records
//! that can still be read.
//!
//! The record has no values, only names, sizes and digests, and no floating-point numbers, so that its canonical form (RFC 8785) has one digest.

use crate::shelf::Subject;
use crate::trace::Traceparent;
use customs_engine::Report;
use customs_flow::{Action, Finding};
use customs_ledger::hex;
use customs_ledger::material::{Class, Content};
use rmcp::model::MetaObject;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// The key of MCP's extension for trust and sensitivity.
pub(crate) const TRUST: &str = "io.modelcontextprotocol/trust-annotations";
/// What the record is, for `evidenceRef`.
const RECORD: &str = "dev.customs.provenance.v1";
/// In an answer's metadata: a person granted something for this call, and for how long.
pub(crate) const GRANTED: &str = "dev.customs/granted";
/// Where records are read.
pub(crate) const PREFIX: &str = "prov://run/";
/// Sources, sinks, denials and findings of each kind that a record lists; more are counted.
const MAX_LISTED: usize = 1_000;
/// Flows that the answer itself names; the record has more.
const MAX_FLOWS: usize = 32;

/// Records that can still be read: the newest ones.
#[derive(Debug, Default)]
pub(crate) struct Runs(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    records: VecDeque<(String, Arc<str>)>,
    bytes: usize,
}

/// Bytes of all records together, and how many: the older go first.
const MAX_BYTES: usize = 16 << 20;
const MAX_RECORDS: usize = 4_096;

impl Runs {
    fn keep(&self, id: String, record: String) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += record.len();
        kept.records.push_back((id, Arc::from(record)));
        while (kept.bytes > MAX_BYTES || kept.records.len() > MAX_RECORDS) && kept.records.len() > 1 {
            if let Some((_, old)) = kept.records.pop_front() {
                kept.bytes -= old.len();
            }
        }
    }

    /// The record with this id, as its digest was taken of it.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<str>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.records.iter().rev().find(|(known, _)| known == id).map(|(_, record)| Arc::clone(record))
    }

    /// Makes the record of a call, keeps it, and gives the metadata of its answer.
    pub(crate) fn label(&self, subject: &Subject, report: &Report, trace: Option<&Traceparent>) -> MetaObject {
        // Unguessable: who knows it was given the answer.
        let id = format!("{}-{}", subject.run, report.call);
        let record = record(&id, subject, report, trace);
        // It has no floating-point numbers, and every key is a string: this cannot fail.
        let canonical = serde_json_canonicalizer::to_string(&record).unwrap_or_default();
        let digest = hex(&Sha256::digest(&canonical));
        let meta = meta(&id, &digest, report);
        self.keep(id, canonical);
        meta
    }
}

/// The record: `customs.provenance/1`.
fn record(id: &str, subject: &Subject, report: &Report, trace: Option<&Traceparent>) -> Value {
    let mut ending = Map::from_iter([("kind".to_owned(), json!(report.ending.kind()))]);
    if let Some(limit) = report.ending.limit() {
        ending.insert("limit".to_owned(), json!(limit));
    }
    let denials = report.denials.iter().take(MAX_LISTED).map(|row| {
        json!({"seq": row.seq, "capability": row.capability.as_str(), "operation": row.operation,
            "requested": row.requested, "code": row.code.as_str(), "count": row.count})
    });
    let sources = report.sources.iter().take(MAX_LISTED).map(|s| {
        let ends = json!({"id": s.id, "kind": s.kind.as_str(), "name": s.name, "class": s.class.as_str()});
        crossed(ends, &s.content)
    });
    let sinks = report
        .sinks
        .iter()
        .take(MAX_LISTED)
        .map(|s| crossed(json!({"id": s.id, "kind": s.kind.as_str(), "name": s.name}), &s.content));
    let program = subject.session.program();
    let mut record = json!({
        "schema": "customs.provenance/1",
        "run": id,
        "component": {"name": subject.component, "sha256": hex(&program.sha256())},
        "policy": hex(&subject.session.policy().digest()),
        "tool": report.tool,
        "ending": ending,
        "denials": denials.collect::<Vec<_>>(),
        "sources": sources.collect::<Vec<_>>(),
        "sinks": sinks.collect::<Vec<_>>(),
        "findings": report.findings.iter().take(MAX_LISTED).map(finding).collect::<Vec<_>>(),
        "counts": {"denials": report.denials.len(), "sources": report.sources.len(), "sinks": report.sinks.len(),
            "findings": report.findings.len()},
        "methods": ["match"],
        "complete": report.complete,
    });
    if let (Some(members), Some(trace)) = (record.as_object_mut(), trace) {
        members.insert("traceparent".to_owned(), json!(trace.as_str()));
    }
    record
}

fn crossed(mut ends: Value, content: &Content) -> Value {
    if let Some(members) = ends.as_object_mut() {
        members.insert("bytes".to_owned(), json!(content.bytes));
        members.insert("sha256".to_owned(), json!(content.digest.hex()));
        if content.digest.keyed {
            members.insert("keyed".to_owned(), json!(true));
        }
        members.insert("complete".to_owned(), json!(content.complete));
    }
    ends
}

/// As in `customs.run/1`, with the two numbers that its `coverage` is the ratio of.
fn finding(finding: &Finding) -> Value {
    let ranges = |of: &[(u64, u64)]| of.iter().map(|(a, b)| json!([a, b])).collect::<Vec<_>>();
    let told = json!({"rule": finding.rule, "severity": finding.severity.as_str(), "source": finding.source, "sink": finding.sink,
        "method": finding.method.as_str(), "transform": finding.transform, "strength": finding.strength.as_str(),
        "source_ranges": ranges(&finding.source_ranges), "sink_ranges": ranges(&finding.sink_ranges),
        "seen": finding.seen, "source_bytes": finding.source_bytes, "action": finding.action.as_str()});
    with_origin(told, finding)
}

/// Where the bytes were before this call had them.
fn with_origin(mut told: Value, finding: &Finding) -> Value {
    if let (Some(members), Some(carried)) = (told.as_object_mut(), &finding.origin) {
        members.insert("origin".to_owned(), carried.to_json());
    }
    told
}

/// What goes with the answer. It never says that something is not so: absence is no claim.
fn meta(id: &str, digest: &str, report: &Report) -> MetaObject {
    // Exposed is enough: what was read may be in the answer in a form that matching does not see.
    let sensitive = report.sources.iter().any(|s| matches!(s.class, Class::Secret | Class::Private));
    let mut trust = json!({
        // A tool that is run here is one that nobody vouches for.
        "untrusted": true,
        "evidenceRef": {"type": RECORD, "digest": format!("sha256:{digest}"), "canonicalization": "jcs/rfc8785",
            "schema": "customs.provenance/1", "ref": format!("{PREFIX}{id}")},
    });
    if let (Some(trust), true) = (trust.as_object_mut(), sensitive) {
        trust.insert("sensitive".to_owned(), json!(true));
    }
    let mut meta = MetaObject::new();
    meta.insert(TRUST.to_owned(), trust);
    let confidentiality = if sensitive { "private" } else { "public" };
    meta.insert("ifc".to_owned(), json!({"integrity": "untrusted", "confidentiality": confidentiality}));
    let told = report.findings.iter().filter(|f| f.action != Action::Allowed).take(MAX_FLOWS);
    let flows: Vec<Value> = told.map(|finding| flow(finding, report)).collect();
    if !flows.is_empty() {
        meta.insert("dev.customs/flows".to_owned(), Value::Array(flows));
    }
    let denials = report.denials.iter().take(MAX_FLOWS).map(|row| {
        json!({"capability": row.capability.as_str(), "requested": row.requested, "code": row.code.as_str(),
            "count": row.count})
    });
    let denials: Vec<Value> = denials.collect();
    if !denials.is_empty() {
        meta.insert("dev.customs/denials".to_owned(), Value::Array(denials));
    }
    meta
}

fn flow(finding: &Finding, report: &Report) -> Value {
    let source = report.sources.iter().find(|s| Some(s.id) == finding.source);
    let sink = report.sinks.iter().find(|s| s.id == finding.sink);
    let told = json!({
        "source": source.map(|s| format!("{}:{}", s.kind.as_str(), s.name)),
        "sink": sink.map(|s| format!("{}:{}", s.kind.as_str(), s.name)),
        "rule": finding.rule,
        "severity": finding.severity.as_str(),
        "transform": finding.transform,
        "bytes": [finding.seen, finding.source_bytes],
        "sinkRanges": finding.sink_ranges.iter().take(8).map(|(a, b)| json!([a, b])).collect::<Vec<_>>(),
        "action": finding.action.as_str(),
    });
    with_origin(told, finding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vector_of_the_extension_has_its_digest() {
        // Vector A1 of the trust-annotations extension's canonicalization.
        let record = json!({"resource_kind": "security_advisory_draft", "class": "confidential",
            "container_visibility": "public", "origin": "open_world"});
        let canonical = serde_json_canonicalizer::to_string(&record).unwrap();
        let wanted = "c509d629b2ab94b573c44ac10acb4941ab3949ff3cf857983c643bb0a476cefb";
        assert_eq!(hex(&Sha256::digest(&canonical)), wanted);
    }

    #[test]
    fn old_records_go_first_and_the_newest_stays() {
        let runs = Runs::default();
        for n in 0..MAX_RECORDS + 2 {
            runs.keep(n.to_string(), "{}".to_owned());
        }
        assert_eq!(runs.get("0"), None);
        assert!(runs.get("2").is_some() && runs.get(&(MAX_RECORDS + 1).to_string()).is_some());
        runs.keep("large".to_owned(), "x".repeat(MAX_BYTES + 1));
        assert!(runs.get("large").is_some());
        assert_eq!(runs.get("2"), None);
    }
}
