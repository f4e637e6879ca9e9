//! Findings as they are told: places, snippets, order, and the score.

use super::rules::{Rule, Severity};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Findings in one report. The score counts them all.
pub const MAX_FINDINGS: usize = 500;
const MAX_SNIPPET: usize = 100;

/// A rule that matched at a place in a file.
#[derive(Clone, Debug)]
pub struct Hit {
    pub rule: &'static Rule,
    /// In bytes from the file's start.
    pub at: usize,
    /// What the place comes to where it does not say so itself: the joined string, the decoded text.
    pub means: Option<String>,
}

/// A finding with its place.
#[derive(Debug)]
pub struct Finding {
    pub rule: &'static Rule,
    pub path: String,
    pub line: u32,
    pub column: u32,
    pub snippet: String,
    pub description: String,
}

/// The findings of one file: one for each rule and line, in order of place.
pub fn findings(path: &str, text: &str, mut hits: Vec<Hit>) -> Vec<Finding> {
    hits.sort_by_key(|hit| (hit.at, hit.rule.id));
    let mut found: Vec<Finding> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    let (mut line, mut start, mut counted) = (1_u32, 0, 0);
    for hit in hits {
        let at = floor(text, hit.at);
        for (offset, _) in text.as_bytes()[counted..at].iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            line = line.saturating_add(1);
            start = counted + offset + 1;
        }
        counted = at;
        if !seen.insert((line, hit.rule.id)) {
            continue;
        }
        let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
        let column = u32::try_from(text[start..at].chars().count()).unwrap_or(u32::MAX).saturating_add(1);
        // The place is in the middle of a line that is too long to be shown.
        let from = if at - start > MAX_SNIPPET / 2 && end - start > MAX_SNIPPET { at } else { start };
        let description = match &hit.means {
            Some(means) => format!("{}: {}", hit.rule.description, visible(means)),
            None => hit.rule.description.to_owned(),
        };
        found.push(Finding {
            rule: hit.rule,
            path: path.to_owned(),
            line,
            column,
            snippet: visible(text[from..end].trim()),
            description,
        });
    }
    found
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// At most 100 characters; those that are not seen, or that change how others are seen, as escapes.
pub fn visible(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        let length = shown.chars().count();
        if length + 10 > MAX_SNIPPET && length + 1 >= MAX_SNIPPET {
            break;
        }
        if c.is_control() || super::unicode::is_unseen(c) {
            if length + 10 > MAX_SNIPPET {
                break;
            }
            // Writing to a string does not fail.
            let _ = write!(shown, "{}", c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// How much of the score a finding takes. One alone never takes it all.
fn weight(severity: Severity) -> f64 {
    match severity {
        Severity::Critical => 0.5,
        Severity::High => 0.3,
        Severity::Medium => 0.12,
        Severity::Low => 0.02,
    }
}

/// From 1 down towards 0: each rule that matched takes its weight of what is left, each further match of it a tenth of that, ten times at
/// most. All factors are below 1, so no finding ever raises the score.
pub fn score(found: &[Finding]) -> f64 {
    let mut times: BTreeMap<&str, (u32, Severity)> = BTreeMap::new();
    for finding in found {
        times.entry(finding.rule.id).or_insert((0, finding.rule.severity)).0 += 1;
    }
    // In one order, so that rounding gives the same score every time.
    let mut times: Vec<_> = times.into_iter().collect();
    times.sort_unstable();
    let score = times.into_iter().fold(1.0_f64, |score, (_, (count, severity))| {
        let weight = weight(severity);
        let more = i32::try_from(count.saturating_sub(1).min(10)).unwrap_or(10);
        score * (1.0 - weight) * (1.0 - weight / 10.0).powi(more)
    });
    (score * 1000.0).floor() / 1000.0
}

/// The score in words.
pub fn label(score: f64, none: bool) -> &'static str {
    match score {
        _ if none => "no findings",
        score if score < 0.3 => "dangerous",
        score if score < 0.6 => "risky",
        score if score < 0.8 => "suspicious",
        _ => "minor concerns",
    }
}
