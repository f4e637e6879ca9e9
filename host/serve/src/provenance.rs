//! What crossed in one call, for whoever gets its answer: the record that the answer points to, the labels on the answer, and the records
//! that can still be read.
//!
//! The record has no values, only names, sizes and digests, and no floating-point numbers, so that its canonical form (RFC 8785) has one digest.

use crate::shelf::Subject;
use crate::trace::Traceparent;
use customs_engine::Report;
use customs_flow::{Action, Finding, Method};
use customs_ledger::material::{Class, Content};
use customs_ledger::{Digest, hex};
use rmcp::model::MetaObject;
use serde::Serialize;
use serde_json::{Value, json};
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
        let canonical = record(&id, subject, report, trace);
        let digest = hex(&Sha256::digest(&canonical));
        let meta = meta(&id, &digest, report);
        self.keep(id, canonical);
        meta
    }
}

/// The record: `customs.provenance/1`.
///
/// Its canonical form is what is written, and that is made for every answer. So all members stand in the order of their names, all numbers are whole
/// and below 2^53, and serde_json escapes strings as RFC 8785 wants it: plain serialization is canonical then, and a test says so.
#[derive(Serialize)]
struct Record<'a> {
    complete: bool,
    component: Named<'a>,
    counts: Counts,
    denials: Vec<Denied<'a>>,
    ending: Ended<'a>,
    findings: Vec<Value>,
    methods: &'static [&'static str],
    policy: String,
    run: &'a str,
    schema: &'static str,
    sinks: Vec<Crossed<'a>>,
    sources: Vec<Crossed<'a>>,
    tool: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
    sha256: String,
}

#[derive(Serialize)]
struct Counts {
    denials: usize,
    findings: usize,
    sinks: usize,
    sources: usize,
}

#[derive(Serialize)]
struct Denied<'a> {
    capability: &'static str,
    code: &'static str,
    count: u64,
    operation: &'a str,
    requested: &'a str,
    seq: u64,
}

#[derive(Serialize)]
struct Ended<'a> {
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'a str>,
}

/// A source or a sink.
#[derive(Serialize)]
struct Crossed<'a> {
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'static str>,
    complete: bool,
    id: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    keyed: bool,
    kind: &'static str,
    name: &'a str,
    sha256: String,
}

impl<'a> Crossed<'a> {
    fn new(id: u64, kind: &'static str, name: &'a str, class: Option<&'static str>, content: &Content) -> Crossed<'a> {
        let Digest { keyed, .. } = content.digest;
        Crossed {
            bytes: content.bytes,
            class,
            complete: content.complete,
            id,
            keyed,
            kind,
            name,
            sha256: content.digest.hex(),
        }
    }
}

/// The record as it is kept and hashed.
fn record(id: &str, subject: &Subject, report: &Report, trace: Option<&Traceparent>) -> String {
    let denials = report.denials.iter().take(MAX_LISTED).map(|row| Denied {
        capability: row.capability.as_str(),
        code: row.code.as_str(),
        count: row.count,
        operation: row.operation,
        requested: &row.requested,
        seq: row.seq,
    });
    let sources = report.sources.iter().take(MAX_LISTED);
    let sinks = report.sinks.iter().take(MAX_LISTED);
    let program = subject.session.program();
    let record = Record {
        complete: report.complete,
        component: Named { name: &subject.component, sha256: hex(&program.sha256()) },
        counts: Counts {
            denials: report.denials.len(),
            findings: report.findings.len(),
            sinks: report.sinks.len(),
            sources: report.sources.len(),
        },
        denials: denials.collect(),
        ending: Ended { kind: report.ending.kind(), limit: report.ending.limit() },
        findings: report.findings.iter().take(MAX_LISTED).map(|f| sorted(finding(f))).collect(),
        methods: report.methods(),
        policy: hex(&subject.session.policy().digest()),
        run: id,
        schema: "customs.provenance/1",
        sinks: sinks.map(|s| Crossed::new(s.id, s.kind.as_str(), &s.name, None, &s.content)).collect(),
        sources: sources
            .map(|s| Crossed::new(s.id, s.kind.as_str(), &s.name, Some(s.class.as_str()), &s.content))
            .collect(),
        tool: &report.tool,
        traceparent: trace.map(Traceparent::as_str),
    };
    // Every key is a string: this cannot fail.
    serde_json::to_string(&record).unwrap_or_default()
}

/// The same with the members of every object in the order of their names, all of which are ASCII.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
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
    let mut told = json!({
        "source": source.map(|s| format!("{}:{}", s.kind.as_str(), s.name)),
        "sink": sink.map(|s| format!("{}:{}", s.kind.as_str(), s.name)),
        "rule": finding.rule,
        "severity": finding.severity.as_str(),
        "method": finding.method.as_str(),
        "strength": finding.strength.as_str(),
        "transform": finding.transform,
        "sinkRanges": finding.sink_ranges.iter().take(8).map(|(a, b)| json!([a, b])).collect::<Vec<_>>(),
        "action": finding.action.as_str(),
    });
    // A label says which bytes of the sink, and not how many of the source.
    if let (Some(members), Method::Match) = (told.as_object_mut(), finding.method) {
        members.insert("bytes".to_owned(), json!([finding.seen, finding.source_bytes]));
    }
    with_origin(told, finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_published_vector_of_the_extension_has_its_digest() {
        // Vector A1 of the trust-annotations extension's canonicalization.
        let record = json!({"resource_kind": "security_advisory_draft", "class": "confidential",
            "container_visibility": "public", "origin": "open_world"});
        let canonical = serde_json_canonicalizer::to_string(&record).unwrap();
        let wanted = "c509d629b2ab94b573c44ac10acb4941ab3949ff3cf857983c643bb0a476cefb";
        assert_eq!(hex(&Sha256::digest(&canonical)), wanted);
    }

    /// The shape of a record, with everything in it that a tool can choose.
    fn with_texts(texts: &[String; 4], numbers: [u64; 3]) -> String {
        let [a, b, c, d] = texts.each_ref().map(String::as_str);
        let [n, m, o] = numbers.map(|n| n & ((1 << 53) - 1));
        let crossed = |class, keyed| Crossed {
            bytes: n,
            class,
            complete: keyed,
            id: m,
            keyed,
            kind: "file",
            name: a,
            sha256: b.to_owned(),
        };
        let denied = Denied { capability: "fs.read", code: "no-grant", count: o, operation: c, requested: d, seq: n };
        let record = Record {
            complete: true,
            component: Named { name: a, sha256: b.to_owned() },
            counts: Counts { denials: 1, findings: 2, sinks: 3, sources: 4 },
            denials: vec![denied],
            ending: Ended { kind: "limit", limit: Some(b) },
            findings: vec![sorted(json!({"z": a, "b": [{"y": b, "a": n, "B": m}], "a": null, "_": true}))],
            methods: &["match", "trace"],
            policy: c.to_owned(),
            run: d,
            schema: "customs.provenance/1",
            sinks: vec![crossed(None, false)],
            sources: vec![crossed(Some("secret"), true)],
            tool: c,
            traceparent: Some(d),
        };
        serde_json::to_string(&record).unwrap()
    }

    proptest! {
        #[test]
        fn what_is_hashed_is_canonical_whatever_a_tool_says(
            texts in proptest::array::uniform4("(\\PC|[\x00-\x7f\u{2028}\u{ff}\u{10ffff}]){0,12}"), numbers in any::<[u64; 3]>(),
        ) {
            let written = with_texts(&texts, numbers);
            let value: Value = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(serde_json_canonicalizer::to_string(&value).unwrap(), written);
        }
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
