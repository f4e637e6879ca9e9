//! What the scanner said, as text, JSON and SARIF. The guest is not trusted with a terminal: every text of it is escaped here again.

use super::collect::Collected;
use super::{Scanned, skipped};
use crate::show::text::clean;
use customs_ledger::hex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Results in one SARIF file: code scanning services show 5000 at most.
const MAX_RESULTS: usize = 5000;
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// A text of a finding; empty where there is none.
pub(super) fn field<'a>(finding: &'a Value, name: &str) -> &'a str {
    finding.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn number(finding: &Value, name: &str) -> u64 {
    finding.get(name).and_then(Value::as_u64).unwrap_or(0)
}

pub(super) fn text(scanned: &[Scanned], collected: &Collected) -> String {
    let mut out = String::new();
    for one in scanned {
        let name = clean(&one.name);
        match &one.report {
            Err(why) => put(&mut out, &format!("{:<15} {name}: {}\n", "not scanned", clean(why))),
            Ok(report) => {
                let score = report.get("score").and_then(Value::as_f64).unwrap_or(0.0);
                put(&mut out, &format!("{:<15} {name}  score {score:.2}\n", clean(field(report, "label"))));
                for finding in one.findings() {
                    let place =
                        format!("{}:{}:{}", field(finding, "path"), number(finding, "line"), number(finding, "column"));
                    put(
                        &mut out,
                        &format!(
                            "  {:<9} {}  {}  {}\n",
                            clean(field(finding, "severity")),
                            clean(field(finding, "rule")),
                            clean(&place),
                            clean(field(finding, "description"))
                        ),
                    );
                    put(&mut out, &format!("            {}\n", clean(field(finding, "snippet"))));
                }
                if let left @ 1.. = number(report, "left-out") {
                    put(&mut out, &format!("  and {left} more\n"));
                }
            }
        }
    }
    let files: usize = collected.skills.iter().map(|skill| skill.files.len()).sum();
    let findings: usize = scanned.iter().map(|one| one.findings().len()).sum();
    put(&mut out, &format!("{:<15} {} skills, {files} files, {findings} findings\n", "scanned", scanned.len()));
    if let Some(counts) = skipped(collected).as_object() {
        let left: Vec<String> = counts
            .iter()
            .filter(|(_, count)| count.as_u64() != Some(0))
            .map(|(why, count)| format!("{count} {why}"))
            .collect();
        if !left.is_empty() {
            put(&mut out, &format!("{:<15} {}\n", "not looked at", left.join(", ")));
        }
    }
    out
}

fn put(out: &mut String, line: &str) {
    // Writing to a string does not fail.
    write!(out, "{line}").ok();
}

pub(super) fn json(scanned: &[Scanned], collected: &Collected, scanner: &Path, sha256: [u8; 32]) -> String {
    let skills: Vec<Value> = scanned
        .iter()
        .zip(&collected.skills)
        .map(|(one, skill)| match &one.report {
            Ok(report) => json!({"place": skill.place, "report": report}),
            Err(why) => json!({"place": skill.place, "report": null, "name": one.name, "stopped": why}),
        })
        .collect();
    let log = json!({
        "schema": "customs.scan/1",
        "scanner": {"path": scanner.display().to_string(), "sha256": hex(&sha256)},
        "skills": skills,
        "skipped": skipped(collected),
        "complete": scanned.iter().all(|one| one.report.is_ok()),
    });
    format!("{log}\n")
}

pub(super) fn sarif(scanned: &[Scanned], collected: &Collected) -> String {
    let mut rules: BTreeMap<String, Value> = BTreeMap::new();
    let mut results = Vec::new();
    let mut notices = Vec::new();
    let mut times: BTreeMap<String, u64> = BTreeMap::new();
    for (one, skill) in scanned.iter().zip(&collected.skills) {
        if let Err(why) = &one.report {
            notices.push(json!({"level": "error", "message": {"text": message(&format!("{} was not scanned: {why}", one.name))}}));
        }
        for finding in one.findings() {
            let id = clean(field(finding, "rule"));
            // What a rule says in general stands before the colon; the rest is about this place.
            let said = clean(field(finding, "description"));
            let general = said.split_once(": ").map_or(said.as_str(), |(general, _)| general);
            rules.entry(id.clone()).or_insert_with(|| {
                json!({"id": id, "shortDescription": {"text": general},
                    "properties": {"tags": ["security", clean(field(finding, "category"))], "security-severity": grade(finding)}})
            });
            let place = if skill.place.is_empty() { String::new() } else { format!("{}/", skill.place) };
            let path = format!("{place}{}", field(finding, "path"));
            let print = format!("{id} {path} {}", field(finding, "snippet"));
            let time = times.entry(print.clone()).or_default();
            *time = time.saturating_add(1);
            results.push(json!({
                "ruleId": id,
                "level": match field(finding, "severity") { "critical" | "high" => "error", "medium" => "warning", _ => "note" },
                "message": {"text": message(&said)},
                "locations": [{"physicalLocation": {
                    "artifactLocation": {"uri": uri(&path)},
                    "region": {"startLine": number(finding, "line").max(1), "startColumn": number(finding, "column").max(1)},
                }}],
                "partialFingerprints": {"customsSkill/v1": format!("{}:{time}", digest(&print))},
            }));
        }
    }
    let left = results.len().saturating_sub(MAX_RESULTS);
    results.truncate(MAX_RESULTS);
    if left > 0 {
        notices.push(
            json!({"level": "warning", "message": {"text": format!("findings that are not in this report: {left}")}}),
        );
    }
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "customs scan", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules.into_values().collect::<Vec<_>>()}},
            "invocations": [{"executionSuccessful": scanned.iter().all(|one| one.report.is_ok()), "toolExecutionNotifications": notices}],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn grade(finding: &Value) -> &'static str {
    match field(finding, "severity") {
        "critical" => "9.5",
        "high" => "8.0",
        "medium" => "5.0",
        _ => "2.0",
    }
}

fn digest(text: &str) -> String {
    customs_ledger::Digest::of(text.as_bytes()).hex()
}

/// A relative reference: only what needs no escape stands as it is.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

/// A message in which nothing is a link.
fn message(text: &str) -> String {
    let mut safe = String::new();
    for c in clean(text).chars() {
        if matches!(c, '[' | ']' | '\\') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}
