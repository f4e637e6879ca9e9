//! An audit for code scanning: its issues as results about the component.

use super::rules::{Rules, references, taxonomies};
use super::{MAX_RESULTS, MAX_WIDTH, SCHEMA, fingerprint, level, message, notice, uri};
use crate::audit::json::title;
use crate::audit::{Audit, Issue};
use crate::records::Name;
use crate::words::{clean, json_text};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const FINGERPRINT: &str = "customsAudit/v1";

/// The audit as SARIF 2.1.0, indented, with its line end.
#[must_use]
pub fn audit_sarif(audit: &Audit) -> String {
    let rules = Rules::of_audit();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let results: Vec<Value> =
        audit.issues.iter().take(MAX_RESULTS).map(|issue| result(audit, issue, &rules, &mut seen)).collect();
    let mut notices: Vec<Value> =
        audit.cuts.iter().map(|cut| notice("warning", &clean(&Name::new(cut), 400))).collect();
    let left_out = audit.issues.len().saturating_sub(MAX_RESULTS);
    if left_out > 0 {
        notices.push(notice("warning", &format!("issues that are not in this report: {left_out}")));
    }
    let name = clean(&Name::new(&audit.component.name), MAX_WIDTH);
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "customs",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "supportedTaxonomies": references(),
                "rules": rules.list,
            }},
            "taxonomies": taxonomies(),
            "automationDetails": {"id": format!("customs-audit/{}/", uri(&name))},
            "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": notices}],
            "artifacts": [{"location": {"uri": uri(&audit.component.name)}, "description": {"text": "The component."},
                "hashes": {"sha-256": audit.component.sha256}}],
            "columnKind": "unicodeCodePoints",
            "results": results,
            "properties": {"score": audit.verdict.score, "verdict": audit.verdict.word, "complete": audit.is_complete(), "seed": audit.seed},
        }],
    });
    let mut text = json_text(&log, true);
    text.push('\n');
    text
}

fn result(audit: &Audit, issue: &Issue, rules: &Rules, seen: &mut BTreeMap<String, u64>) -> Value {
    let tool = issue.tool.as_deref().unwrap_or_default();
    let print = fingerprint(&[issue.rule, &audit.component.name, tool, &issue.subject]);
    let times = seen.entry(print.clone()).or_default();
    *times += 1;
    let mut what = format!(
        "{}: {}. {}",
        title(issue),
        clean(&Name::new(&issue.subject), MAX_WIDTH),
        clean(&Name::new(&issue.what), 400)
    );
    if let Some(first) = issue.evidence.first() {
        what = format!("{what} Seen: {}", clean(&Name::new(first), MAX_WIDTH));
    }
    let mut logical = vec![json!({"name": clean(&Name::new(&issue.subject), MAX_WIDTH), "kind": "resource"})];
    if issue.tool.is_some() {
        logical.insert(0, json!({"name": clean(&Name::new(tool), MAX_WIDTH), "kind": "function"}));
    }
    json!({
        "ruleId": issue.rule,
        "ruleIndex": rules.places.get(issue.rule),
        "level": level(issue.severity.as_str()),
        "message": {"text": message(&what)},
        // A component has no lines: results stand at its first.
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": uri(&audit.component.name), "index": 0}, "region": {"startLine": 1}},
            "logicalLocations": logical,
        }],
        "partialFingerprints": {FINGERPRINT: print, "primaryLocationLineHash": format!("{print}:{times}")},
        "properties": {
            "severity": issue.severity.as_str(), "certain": issue.certain, "method": issue.method,
            "evidence": issue.evidence.iter().map(|one| clean(&Name::new(one), 400)).collect::<Vec<_>>(),
        },
    })
}
