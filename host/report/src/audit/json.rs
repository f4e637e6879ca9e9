//! `customs.audit/1`: what `docs/schemas/customs.audit-1.json` describes.

use super::{Audit, Behaviour, Column, Decoy, Issue, Tool, audit_rule};
use crate::words::json_text;
use serde_json::{Map, Value, json};

/// The audit as one line of JSON, with its line end.
#[must_use]
pub fn audit_json(audit: &Audit) -> String {
    let component = &audit.component;
    let mut object = json!({
        "schema": "customs.audit/1",
        "component": {
            "path": component.path, "sha256": component.sha256, "size": component.size, "kind": component.kind, "form": component.form,
            "imports": component.imports,
        },
        "seed": audit.seed,
        "score": audit.verdict.score,
        "verdict": {
            "score": audit.verdict.score,
            "word": audit.verdict.word,
            "parts": audit.verdict.parts.iter()
                .map(|part| json!({"name": part.name, "points": part.points, "most": part.most, "why": part.why})).collect::<Vec<_>>(),
            "recommendations": audit.verdict.recommendations,
        },
        "issues": audit.issues.iter().enumerate().map(|(at, one)| issue(at, one)).collect::<Vec<_>>(),
        "tools": audit.tools.iter().map(tool).collect::<Vec<_>>(),
        "capabilities": audit.columns.iter().map(column).collect::<Vec<_>>(),
        "scenarios": audit.scenarios.iter()
            .map(|one| json!({"name": one.name, "about": one.about, "calls": one.calls, "denied": one.denied})).collect::<Vec<_>>(),
        "decoys": {
            "files": audit.decoys.files.iter().map(decoy).collect::<Vec<_>>(),
            "variables": audit.decoys.variables.iter().map(decoy).collect::<Vec<_>>(),
        },
        "checks": audit.checks.iter()
            .map(|one| json!({"id": one.id, "title": one.title, "verdict": one.verdict, "why": one.why, "fix": one.fix})).collect::<Vec<_>>(),
        "statics": audit.statics,
        "policy": audit.least.as_ref().map(|least| json!({"flags": least.flags, "file": least.file})),
        "methods": audit.methods,
        "complete": audit.is_complete(),
        "cuts": audit.cuts,
    });
    if let (Some(beyond), Some(members)) = (&audit.beyond, object.as_object_mut()) {
        let row =
            |one: &super::Missing| json!({"capability": one.capability, "target": one.target, "grant": one.grant});
        members.insert("beyond".to_owned(), json!(beyond.iter().map(row).collect::<Vec<_>>()));
    }
    let mut text = json_text(&object, false);
    text.push('\n');
    text
}

fn issue(at: usize, issue: &Issue) -> Value {
    let mut object = Map::new();
    object.insert("id".to_owned(), json!(format!("A{}", at + 1)));
    object.insert("rule".to_owned(), json!(issue.rule));
    object.insert("title".to_owned(), json!(title(issue)));
    object.insert("severity".to_owned(), json!(issue.severity.as_str()));
    object.insert("certain".to_owned(), json!(issue.certain));
    object.insert("method".to_owned(), json!(issue.method));
    object.insert("tool".to_owned(), json!(issue.tool));
    object.insert("subject".to_owned(), json!(issue.subject));
    object.insert("what".to_owned(), json!(issue.what));
    object.insert("evidence".to_owned(), json!(issue.evidence));
    if let Some(finding) = &issue.finding {
        object.insert("finding".to_owned(), finding.clone());
    }
    Value::Object(object)
}

/// What the rule of an issue says in a few words.
pub(crate) fn title(issue: &Issue) -> &'static str {
    let ours = audit_rule(issue.rule).map(|rule| rule.title);
    ours.or_else(|| customs_flow::rule(issue.rule).map(|rule| rule.title)).unwrap_or_default()
}

fn tool(tool: &Tool) -> Value {
    json!({
        "name": tool.name, "description": tool.description, "refused": tool.refused, "inputs": tool.inputs, "calls": tool.calls,
        "endings": tool.endings, "in_part": tool.in_part,
        "causal": tool.causal.as_ref().map(|one| json!({"cleared": one.cleared, "undecided": one.undecided})),
        "behaviours": tool.behaviours.iter().map(behaviour).collect::<Vec<_>>(),
        "behaviours_left_out": tool.behaviours_left_out,
    })
}

fn behaviour(one: &Behaviour) -> Value {
    json!({
        "capability": one.capability, "operation": one.operation, "target": one.target, "asked": one.asked, "decoy": one.decoy,
        "scenarios": one.scenarios, "calls": one.calls, "input": one.input,
    })
}

fn column(one: &Column) -> Value {
    json!({
        "capability": one.capability, "declared": {"granted": one.granted, "described": one.described}, "imported": one.imported,
        "exercised": {"allowed": one.allowed, "denied": one.denied}, "verdict": one.verdict, "says": one.says,
    })
}

fn decoy(one: &Decoy) -> Value {
    json!({"name": one.name, "kind": one.kind, "touched": one.touched, "leaked": one.leaked})
}
