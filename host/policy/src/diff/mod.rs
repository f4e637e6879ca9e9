//! What one policy allows that another does not: by asking both, not by comparing texts.
//!
//! The rules of both cut what can be asked into cells (a path, all else below it; a host, all else of a pattern) in which each answers
//! the same. One question for each cell is decided by both policies; where the answers differ, that is a difference. A cell that only says
//! what the one around it says already is left out.

mod net;
mod paths;

use std::collections::BTreeMap;
use std::fmt;

use crate::flow::FlowRule;
use crate::policy::{Clock, Policy, Random};

/// How the second policy differs from the first in one respect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// Only the second allows it.
    Added,
    /// The second allows it, the first a part of it.
    Wider,
    /// Only the first allows it.
    Removed,
    /// The first allows it, the second a part of it.
    Narrower,
    /// Both, and not the same.
    Other,
}

impl Change {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Change::Added => "added",
            Change::Wider => "wider",
            Change::Removed => "removed",
            Change::Narrower => "narrower",
            Change::Other => "changed",
        }
    }

    /// Whether the second policy allows something that the first does not. What is only changed may.
    pub const fn allows_more(self) -> bool {
        matches!(self, Change::Added | Change::Wider | Change::Other)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// A capability, or the key that it is about: `resolve`, `flow`, a limit.
    pub area: &'static str,
    /// What it is about, with all that belongs to it: `/data` is the directory and what is below it.
    pub what: String,
    /// Parts of it in which the policies do not differ so.
    pub except: Vec<String>,
    pub change: Change,
}

/// A question, and what each policy says: nothing where it refuses, otherwise where it leads.
struct Cell {
    label: String,
    /// The cell that this one is a part of.
    within: Option<usize>,
    first: Option<String>,
    second: Option<String>,
}

impl Cell {
    fn change(&self) -> Option<Change> {
        match (&self.first, &self.second) {
            (None, Some(_)) => Some(Change::Added),
            (Some(_), None) => Some(Change::Removed),
            (Some(one), Some(other)) if one != other => Some(Change::Other),
            _ => None,
        }
    }
}

/// More questions than any policy that somebody wrote leads to.
const MAX_CELLS: usize = 200_000;

/// The rules of these policies lead to more questions than can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the policies have too many rules to be compared")
    }
}

impl std::error::Error for TooMany {}

/// How `second` differs from `first`: nothing where they allow the same.
pub fn diff(first: &Policy, second: &Policy) -> Result<Vec<Difference>, TooMany> {
    let mut found = Vec::new();
    for (area, cells) in paths::cells(first, second)?.into_iter().chain(net::cells(first, second)?) {
        found.extend(differences(area, &cells));
    }
    found.extend(variables(first, second));
    found.extend(rest(first, second));
    found.sort();
    found.dedup();
    Ok(found)
}

fn differences(area: &'static str, cells: &[Cell]) -> Vec<Difference> {
    // A cell comes after the one that it is a part of.
    let parent = |at: usize| cells.get(at).and_then(|cell| cell.within).filter(|above| *above < at);
    let change = |at: usize| cells.get(at).and_then(Cell::change);
    let mut parts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    // Each cell that differs is told with the outermost one that differs in the same way without a break.
    let mut told = Vec::new();
    for at in 0..cells.len() {
        let above = parent(at);
        let same = above.is_some_and(|above| change(above) == change(at));
        if change(at).is_some() && !same {
            told.push(at);
        }
        if let Some(above) = above.filter(|above| change(*above).is_some() && !same) {
            let mut top = above;
            while let Some(higher) = parent(top).filter(|higher| change(*higher) == change(above)) {
                top = higher;
            }
            parts.entry(top).or_default().push(at);
        }
    }
    let difference = |at: usize| {
        let cell = cells.get(at)?;
        let inside: Vec<&Cell> = parts.get(&at).into_iter().flatten().filter_map(|part| cells.get(*part)).collect();
        let shared = inside.iter().any(|part| part.first.is_some() && part.second.is_some());
        Some(Difference {
            area,
            what: cell.label.clone(),
            except: inside.iter().map(|part| part.label.clone()).collect(),
            change: match cell.change()? {
                Change::Added if shared => Change::Wider,
                Change::Removed if shared => Change::Narrower,
                change => change,
            },
        })
    };
    told.into_iter().filter_map(difference).collect()
}

/// A name that no rule has.
const FRESH: &str = "customs-probe-9f3c";

fn variables(first: &Policy, second: &Policy) -> Vec<Difference> {
    let mut labels: Vec<String> = vec!["*".to_owned()];
    for policy in [first, second] {
        for line in policy.variables.lines() {
            let name = ["env allow ", "env deny ", "env literal "].iter().find_map(|front| line.strip_prefix(front));
            labels.extend(name.map(str::to_owned));
        }
        labels.extend(policy.net().secrets().iter().map(|secret| secret.name.clone()));
    }
    labels.sort_unstable_by_key(|label| (label.len(), label.clone()));
    labels.dedup();
    let asked = |policy: &Policy, label: &str| {
        let name = label.strip_suffix('*').map_or_else(|| label.to_owned(), |prefix| format!("{prefix}{FRESH}"));
        let _permit = crate::decide::decide(policy, &crate::decide::Request::Env { name: &name }).ok()?;
        if policy.net().secrets().iter().any(|secret| secret.name == name) {
            return Some("secret".to_owned());
        }
        let given = policy.env().iter().find(|variable| variable.name == name && !variable.from_host);
        Some(given.map_or_else(String::new, |variable| format!("={}", variable.value)))
    };
    let mut cells: Vec<Cell> = Vec::new();
    for label in labels {
        let within = cells.iter().rposition(|outer| {
            outer.label.strip_suffix('*').is_some_and(|prefix| label.trim_end_matches('*').starts_with(prefix))
        });
        cells.push(Cell { within, first: asked(first, &label), second: asked(second, &label), label });
    }
    differences("env.get", &cells)
}

/// What is a list or a value.
fn rest(first: &Policy, second: &Policy) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut add = |area, what: String, change| found.push(Difference { area, what, except: Vec::new(), change });
    let secrets = |policy: &Policy| -> Vec<String> {
        policy.net().secrets().iter().map(|secret| format!("{} to {}", secret.name, secret.origin)).collect()
    };
    let pins = |policy: &Policy| -> Vec<String> {
        let each = policy.net().pins();
        each.flat_map(|(host, all)| all.iter().map(move |address| format!("{host}={address}"))).collect()
    };
    let flows = |policy: &Policy| -> Vec<String> {
        let text = |rule: &FlowRule| format!("{} -> {}: {}", rule.from(), rule.to(), rule.action());
        policy.flow_rules().iter().map(text).collect()
    };
    let lists = [
        ("secret", secrets(first), secrets(second)),
        ("resolve", pins(first), pins(second)),
        ("flow", flows(first), flows(second)),
    ];
    for (area, one, other) in &lists {
        for text in other.iter().filter(|text| !one.contains(text)) {
            add(area, text.clone(), Change::Added);
        }
        for text in one.iter().filter(|text| !other.contains(text)) {
            add(area, text.clone(), Change::Removed);
        }
    }
    // Denials of names are decided with the hosts that they are about; those of addresses strike when a name turns out to lead there.
    let denied = |policy: &Policy| -> Vec<(String, String)> {
        let about = policy.net().denies.iter().filter(|deny| deny.is_about_addresses());
        about.map(|deny| (deny.line(), deny.written.clone())).collect()
    };
    let (one, other) = (denied(first), denied(second));
    let reaches = |policy: &Policy| !policy.net().is_empty();
    for (_, text) in other.iter().filter(|(line, _)| reaches(first) && !one.iter().any(|(own, _)| own == line)) {
        add("deny-net", text.clone(), Change::Added);
    }
    for (_, text) in one.iter().filter(|(line, _)| reaches(second) && !other.iter().any(|(own, _)| own == line)) {
        add("deny-net", text.clone(), Change::Removed);
    }
    match (first.clock(), second.clock()) {
        (Clock::Fixed, Clock::Allowed) => add("clock.read", "the real clock".to_owned(), Change::Added),
        (Clock::Allowed, Clock::Fixed) => add("clock.read", "the real clock".to_owned(), Change::Removed),
        _ => {}
    }
    match (first.random(), second.random()) {
        (Random::Seeded, Random::Allowed) => add("random.read", "real random numbers".to_owned(), Change::Added),
        (Random::Allowed, Random::Seeded) => add("random.read", "real random numbers".to_owned(), Change::Removed),
        _ => {}
    }
    // Without a trace flow rules see less, so that more may leave.
    match (first.traces(), second.traces()) {
        (true, false) => add("trace", "the tool's data is followed".to_owned(), Change::Wider),
        (false, true) => add("trace", "the tool's data is followed".to_owned(), Change::Narrower),
        _ => {}
    }
    if first.net().tls_roots() != second.net().tls_roots() {
        let shown = |policy: &Policy| match policy.net().tls_roots() {
            Some(path) => path.display().to_string(),
            None => "the platform's".to_owned(),
        };
        add("tls-roots", format!("{} -> {}", shown(first), shown(second)), Change::Other);
    }
    let (one, other): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (first.limits().entries().collect(), second.limits().entries().collect());
    for key in crate::raw::RawLimits::KEYS.iter().copied() {
        // No limit on fuel is more than any.
        let (own, new) = (one.get(key).copied(), other.get(key).copied());
        let (low, high) = (own.unwrap_or(u64::MAX), new.unwrap_or(u64::MAX));
        let shown = |value: Option<u64>| value.map_or_else(|| "none".to_owned(), |value| limit(key, value));
        if own != new {
            let change = if high > low { Change::Wider } else { Change::Narrower };
            add(key, format!("{} -> {}", shown(own), shown(new)), change);
        }
    }
    found
}

fn limit(key: &str, value: u64) -> String {
    match key {
        "timeout" => crate::least::duration(std::time::Duration::from_millis(value)),
        "max-requests" | "fuel" => value.to_string(),
        _ => crate::least::size(value),
    }
}
