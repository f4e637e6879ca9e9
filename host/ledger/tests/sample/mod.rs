//! A small ledger with a record of every kind, for the tests to break.

#![allow(dead_code, reason = "each test file uses its part of it")]

use customs_ledger::{Access, Component, Decision, Digest, End, Event, Head, Ledger, Open, Outcome};
use std::collections::BTreeMap;

pub fn opening<'a>(grants: &'a [String]) -> Event<'a> {
    Event::Open(Open {
        run: "0123456789abcdef0123456789abcdef",
        time: "2026-01-02T03:04:05Z",
        customs: "0.1.0",
        wasmtime: "48.0.8",
        component: Component { name: "notes.wasm", sha256: [7; 32] },
        policy: [9; 32],
        grants,
        warnings: &[],
    })
}

pub fn allowed(requested: &str) -> Event<'_> {
    Event::Access(access(requested, Decision::Allow { rule: "--allow-read=./data" }))
}

pub fn denied(requested: &str) -> Event<'_> {
    Event::Access(access(requested, Decision::Deny { code: "no-grant", rule: None }))
}

pub fn access<'a>(requested: &'a str, decision: Decision<'a>) -> Access<'a> {
    Access { call: 1, t: 42, cap: "fs.read", op: "open-at", requested, resolved: None, decision, detail: None }
}

pub fn call() -> Event<'static> {
    Event::Call { call: 1, tool: "read-note", bytes: 2, digest: Digest::of(b"{}") }
}

/// Everything but `close` of the sample.
pub fn fill(ledger: &mut Ledger) {
    let imports = BTreeMap::from([("wasi:filesystem/types#open-at", 2), ("wasi:io/streams#read", 1)]);
    let read = Outcome {
        call: 1,
        of: 2,
        t: 50,
        ok: true,
        bytes: Some(5),
        digest: Some(Digest { bytes: [3; 32], keyed: true }),
        source: Some(1),
        kind: Some("file"),
        name: Some("/data/a.txt"),
        class: Some("private"),
        complete: Some(true),
        ..Outcome::default()
    };
    let returned =
        Outcome { call: 1, of: 1, t: 60, ok: true, sink: Some(1), kind: Some("return"), ..Outcome::default() };
    let traced = serde_json::json!([{"sink": 1, "ranges": [{"from": 0, "to": 4, "strong": [1], "weak": []}]}]);
    let end = End {
        call: 1,
        ending: "limit",
        limit: Some("events"),
        observed: Some("100000 records"),
        detail: None,
        imports: &imports,
        memory: Some(1_114_112),
        searched: Some("whole"),
        methods: &["match", "trace"],
        traced: Some((&traced, 2)),
    };
    for event in [
        opening(&["--allow-read=./data::/data".to_owned()]),
        call(),
        allowed("/data/a.txt"),
        Event::Outcome(read),
        denied("/etc/passwd"),
        Event::Suppressed { call: 1, cap: "fs.read", op: "open-at", code: "no-grant", count: 999_000 },
        Event::Outcome(returned),
        Event::Finding { call: 1, json: r#"{"id":"F1","coverage":1.0,"source_ranges":[[0,39]]}"# },
        Event::End(end),
    ] {
        ledger.append(&event).unwrap();
    }
}

/// The sample as bytes of a file, and its head.
pub fn closed() -> (Vec<u8>, Head) {
    let mut ledger = Ledger::memory_keeping();
    fill(&mut ledger);
    let head = ledger.close().unwrap();
    (ledger.kept().to_vec(), head)
}

/// The lines with their newlines.
pub fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect()
}
