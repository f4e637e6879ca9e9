//! Ledgers as a file has them, and strict readers of what was made of them.

pub mod page;
pub mod schema;

use customs_ledger::{hex, verify};
use customs_report::Story;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;

/// Lines that chain, closed.
pub fn ledger(records: &[Value]) -> Vec<u8> {
    let mut lines = unclosed(records);
    let prev = hex(&Sha256::digest(lines.trim_ascii_end().rsplit(|b| *b == b'\n').next().unwrap()));
    let n = records.len();
    lines.extend(format!("{{\"v\":1,\"seq\":{n},\"event\":\"close\",\"events\":{n},\"prev\":\"{prev}\"}}\n").bytes());
    lines
}

/// The same without its close record.
pub fn unclosed(records: &[Value]) -> Vec<u8> {
    let (mut lines, mut prev) = (Vec::new(), "0".repeat(64));
    for (seq, record) in records.iter().enumerate() {
        let mut line = Map::new();
        line.insert("v".into(), json!(1));
        line.insert("seq".into(), json!(seq));
        line.extend(record.as_object().unwrap().clone());
        line.insert("prev".into(), json!(prev));
        let line = Value::Object(line).to_string();
        prev = hex(&Sha256::digest(&line));
        lines.extend(line.bytes());
        lines.push(b'\n');
    }
    lines
}

pub fn story(ledger: &[u8]) -> Story {
    Story::read(ledger, verify(ledger, None).unwrap(), "run.jsonl").unwrap()
}

/// A digest of anything.
pub fn zeros() -> String {
    "0".repeat(64)
}

pub fn open() -> Value {
    json!({"event": "open", "run": "r", "time": "2026-11-20T12:00:00Z", "customs": "0.1.0", "wasmtime": "48.0.8",
        "component": {"name": "t.wasm", "sha256": zeros()}, "policy": zeros(), "grants": [], "warnings": []})
}

pub fn call(number: u64, tool: &str) -> Value {
    json!({"event": "call", "call": number, "tool": tool, "args": {"bytes": 2, "sha256": zeros()}})
}

pub fn denied(call: u64, capability: &str, requested: &str) -> Value {
    json!({"event": "access", "call": call, "t": 1, "cap": capability, "op": "open-at", "requested": requested,
        "decision": "deny", "code": "no-grant"})
}

pub fn source(call: u64, id: u64, name: &str, bytes: u64) -> Value {
    json!({"event": "outcome", "call": call, "of": 1, "t": 2, "ok": true, "bytes": bytes, "sha256": zeros(), "source": id,
        "kind": "file", "name": name, "class": "private", "complete": true})
}

pub fn sink(call: u64, id: u64, name: &str, bytes: u64) -> Value {
    json!({"event": "outcome", "call": call, "of": 1, "t": 3, "ok": true, "bytes": bytes, "sha256": zeros(), "sink": id,
        "kind": "return", "name": name, "complete": true})
}

pub fn finding(call: u64, source: u64, sink: u64, severity: &str) -> Value {
    json!({"event": "finding", "call": call, "finding": {"id": "F1", "rule": "CUS111", "severity": severity, "source": source,
        "sink": sink, "method": "match", "transform": ["base64"], "strength": "strong", "source_ranges": [[0, 9]],
        "sink_ranges": [[0, 12]], "coverage": 1.0, "action": "warned", "preview": "ab..(9 bytes)"}})
}

pub fn end(call: u64) -> Value {
    json!({"event": "end", "call": call, "ending": "returned", "imports": {}})
}

/// One small call with one of each.
pub fn small() -> Vec<Value> {
    vec![
        open(),
        call(1, "read"),
        denied(1, "fs.read", "/etc/passwd"),
        source(1, 1, "/data/note", 9),
        sink(1, 1, "/text", 12),
        end(1),
        finding(1, 1, 1, "low"),
    ]
}

pub fn checkout() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub fn fixture(name: &str) -> Vec<u8> {
    let path = checkout().join("fixtures/reports").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
