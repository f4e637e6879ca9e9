//! The audit that a person reads: the verdict first, then what it rests on, the gravest first.

use super::json::title;
use super::{Audit, Column, Issue, Tool};
use crate::records::Name;
use crate::words::{clean, count, padded, short, size};
use std::fmt::Write as _;

/// Issues that are shown; the rest is counted.
const MAX_ISSUES: usize = 40;
/// Lines of evidence for one issue.
const MAX_EVIDENCE: usize = 3;
/// Rows of tools.
const MAX_TOOLS: usize = 20;
/// Rows of capabilities, checks and the like.
const MAX_ROWS: usize = 20;
/// Rows of what a tool did.
const MAX_DEEDS: usize = 10;
/// Characters of a guest's text in one line.
const MAX_WIDTH: usize = 120;

/// The audit as text: lines of bounded length.
#[must_use]
pub fn audit_text(audit: &Audit) -> String {
    let mut text = String::new();
    let (component, verdict) = (&audit.component, &audit.verdict);
    let digest = short(&component.sha256);
    line(
        &mut text,
        "audit",
        &format!("{}  {} {}, sha256 {digest}", shown(&component.name), size(component.size), component.kind),
    );
    line(&mut text, "score", &format!("{} of 100: {}", verdict.score, verdict.word));
    for part in verdict.parts.iter().filter(|part| part.points > 0).take(MAX_ROWS) {
        line(&mut text, "", &format!("{:>3}  {:<12} {}", part.points, part.name, shown(&part.why)));
    }
    for issue in audit.issues.iter().take(MAX_ISSUES) {
        of_issue(&mut text, issue, audit.tools.len() > 1);
    }
    rest(&mut text, "issue", audit.issues.len(), MAX_ISSUES);
    for tool in audit.tools.iter().take(MAX_TOOLS) {
        of_tool(&mut text, tool);
    }
    rest(&mut text, "tool", audit.tools.len(), MAX_TOOLS);
    columns(&mut text, &audit.columns);
    decoys(&mut text, audit);
    checks(&mut text, audit);
    if let Some(least) = &audit.least {
        let flags = if least.flags.is_empty() { "nothing".to_owned() } else { least.flags.join(" ") };
        line(&mut text, "needs", &clean(&Name::new(&flags), 2_000));
    }
    for missing in audit.beyond.iter().flatten().take(MAX_ROWS) {
        let grant = if missing.grant.is_empty() { String::new() } else { format!("   {}", shown(&missing.grant)) };
        line(&mut text, "beyond", &format!("{:<13} {}{grant}", missing.capability, shown(&missing.target)));
    }
    rest(&mut text, "beyond", audit.beyond.as_ref().map_or(0, Vec::len), MAX_ROWS);
    for advice in verdict.recommendations.iter().take(MAX_ROWS) {
        line(&mut text, "do", &clean(&Name::new(advice), 240));
    }
    for cut in audit.cuts.iter().take(MAX_ROWS) {
        line(&mut text, "cut", &clean(&Name::new(cut), 240));
    }
    line(
        &mut text,
        "looked",
        &format!(
            "{} in {}, by: {}; seed {}",
            count(audit.calls(), "call"),
            count(audit.scenarios.len() as u64, "scenario"),
            audit.methods.join(", "),
            audit.seed
        ),
    );
    text
}

fn of_issue(text: &mut String, issue: &Issue, several: bool) {
    let tool = match &issue.tool {
        Some(tool) if several => format!("{}: ", shown(tool)),
        _ => String::new(),
    };
    let certain = if issue.certain { " (certain)" } else { "" };
    line(
        text,
        issue.severity.as_str(),
        &format!("{tool}{}   {} {}{certain}", shown(&issue.subject), issue.rule, title(issue)),
    );
    line(text, "", &clean(&Name::new(&issue.what), 400));
    for seen in issue.evidence.iter().take(MAX_EVIDENCE) {
        line(text, "", &format!("seen: {}", clean(&Name::new(seen), 240)));
    }
    let more = issue.evidence.len().saturating_sub(MAX_EVIDENCE);
    if more > 0 {
        line(text, "", &format!("and {more} more; -o json has them"));
    }
}

fn of_tool(text: &mut String, tool: &Tool) {
    if let Some(why) = &tool.refused {
        line(text, "tool", &format!("{}  cannot be called: {}", shown(&tool.name), shown(why)));
        return;
    }
    let inputs = tool.inputs.values().copied().fold(0_u64, u64::saturating_add);
    let endings: Vec<String> = tool.endings.iter().map(|(kind, number)| format!("{number} {}", shown(kind))).collect();
    let in_part = if tool.in_part == 0 { String::new() } else { format!("; {} searched in part", tool.in_part) };
    let row = format!(
        "{}  {}, {}: {}{in_part}",
        shown(&tool.name),
        count(inputs, "input"),
        count(tool.calls, "call"),
        endings.join(", ")
    );
    line(text, "tool", &row);
    if let Some(causal) = &tool.causal {
        let said = match &causal.undecided {
            Some(why) => format!("causal: no verdict: {}", shown(why)),
            None => format!("causal: {} changed without effect", count(causal.cleared.len() as u64, "secret")),
        };
        line(text, "", &said);
    }
    let wide = |f: &dyn Fn(&super::Behaviour) -> String| {
        tool.behaviours.iter().take(MAX_DEEDS).map(|one| f(one).chars().count()).filter(|n| *n <= 60).max().unwrap_or(0)
    };
    let target =
        |one: &super::Behaviour| if one.asked { "what its arguments name".to_owned() } else { shown(&one.target) };
    let width = wide(&target);
    for one in tool.behaviours.iter().take(MAX_DEEDS) {
        let states: Vec<String> = one.scenarios.iter().map(|(scenario, state)| format!("{scenario} {state}")).collect();
        let decoy = one.decoy.as_ref().map_or_else(String::new, |kind| format!("  decoy: {}", shown(kind)));
        line(
            text,
            "",
            &format!("{:<13} {}  {}{decoy}", one.capability, padded(&target(one), width), states.join(", ")),
        );
    }
    let more = tool.behaviours_left_out.saturating_add(tool.behaviours.len().saturating_sub(MAX_DEEDS) as u64);
    if more > 0 {
        line(text, "", &format!("and {more} more"));
    }
}

/// Those that are in no column are left out.
fn columns(text: &mut String, columns: &[Column]) {
    let there = |one: &&Column| {
        !(one.imported.is_empty() && one.granted.is_empty() && one.described.is_empty()) || one.allowed + one.denied > 0
    };
    let rows: Vec<&Column> = columns.iter().filter(there).collect();
    if rows.is_empty() {
        line(text, "uses", "nothing is declared, imported or exercised");
        return;
    }
    for one in rows {
        let declared = match (one.granted.is_empty(), one.described.is_empty()) {
            (false, _) => "granted",
            (true, false) => "described",
            (true, true) => "not declared",
        };
        let imported = if one.imported.is_empty() { "not imported" } else { "imported" };
        let exercised = match (one.allowed, one.denied) {
            (0, 0) => "never used".to_owned(),
            (allowed, 0) => format!("used {allowed}x"),
            (0, denied) => format!("denied {denied}x"),
            (allowed, denied) => format!("used {allowed}x, denied {denied}x"),
        };
        // What a library imports and nothing used is a row, and no more.
        let remark = match one.verdict {
            "plain" | "latent" => String::new(),
            other => format!("   {other}"),
        };
        line(text, "uses", &format!("{:<13} {declared:<13} {imported:<13} {exercised}{remark}", one.capability));
    }
}

fn decoys(text: &mut String, audit: &Audit) {
    let all = || audit.decoys.files.iter().chain(&audit.decoys.variables);
    let (there, touched, leaked) =
        (all().count(), all().filter(|one| one.touched > 0).count(), all().filter(|one| one.leaked > 0).count());
    if there == 0 {
        return;
    }
    line(text, "decoys", &format!("{there} laid out, {touched} read or changed, {leaked} given out"));
    for one in all().filter(|one| one.touched + one.leaked > 0).take(MAX_ROWS) {
        let touched = (one.touched > 0).then(|| format!("in {}", count(one.touched, "call")));
        let leaked = (one.leaked > 0).then(|| format!("given out to {}", count(one.leaked, "place")));
        let how: Vec<String> = touched.into_iter().chain(leaked).collect();
        line(text, "", &format!("{}  {}: {}", shown(&one.name), shown(&one.kind), how.join(", ")));
    }
    rest(text, "", all().filter(|one| one.touched + one.leaked > 0).count(), MAX_ROWS);
}

fn checks(text: &mut String, audit: &Audit) {
    let odd: Vec<_> = audit.checks.iter().filter(|one| matches!(one.verdict, "warn" | "fail")).collect();
    let passed = audit.checks.iter().filter(|one| one.verdict == "pass").count();
    if audit.checks.is_empty() {
        return;
    }
    line(text, "checks", &format!("{passed} of {} pass, {} to look at", audit.checks.len(), odd.len()));
    for one in odd.into_iter().take(MAX_ROWS) {
        line(
            text,
            "",
            &format!("{:<4} {:<4} {}: {}", one.verdict, one.id, shown(&one.title), clean(&Name::new(&one.why), 240)),
        );
    }
}

fn shown(text: &str) -> String {
    clean(&Name::new(text), MAX_WIDTH).replace('\t', " ")
}

fn rest(text: &mut String, label: &str, all: usize, shown: usize) {
    let more = all.saturating_sub(shown);
    if more > 0 {
        line(text, label, &format!("and {more} more that are not shown; -o json has them"));
    }
}

fn line(text: &mut String, label: &str, rest: &str) {
    let _infallible = writeln!(text, "{}", format!("{label:<8} {rest}").trim_end());
}
