//! Comparing a replay with its recording: the ledgers record by record, and where they part what each did.

use super::Recording;
use super::play::Played;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Fields of a record that are another's each time: when it was, which run, and so what the line before hashes to. The versions are those
/// of whoever replays.
pub const VARYING: [&str; 6] = ["t", "time", "run", "prev", "customs", "wasmtime"];

/// Things that are told of each kind of difference; the rest is counted.
const MAX_TOLD: usize = 100;

/// The first record in which two ledgers differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence {
    pub seq: u64,
    /// What the recording has there, and what the replay did; none where one has ended.
    pub recorded: Option<Value>,
    pub replayed: Option<Value>,
}

impl Divergence {
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"seq": self.seq, "recorded": self.recorded, "replayed": self.replayed})
    }
}

/// What is said of what was found, and not of what ran.
const OF_A_TRACE: [&str; 4] = ["methods", "traced", "traced_omitted", "searched"];

/// A record without the fields that vary, and without those that are not compared.
fn lasting(line: &str, but: &[&str]) -> Value {
    match serde_json::from_str::<Value>(line) {
        Ok(Value::Object(mut fields)) => {
            fields.retain(|key, _| !VARYING.contains(&key.as_str()) && !but.contains(&key.as_str()));
            Value::Object(fields)
        }
        _ => Value::String(line.chars().take(200).collect()),
    }
}

/// Whether a record is of that event. Text of a guest has its quotes escaped, so that it cannot look like one.
fn is_event(line: &str, event: &str) -> bool {
    line.contains(&format!("\"event\":\"{event}\""))
}

/// Where the ledgers part, if they do, in something but these fields.
pub fn divergence<'l>(
    recorded: impl Iterator<Item = &'l str>,
    replayed: impl Iterator<Item = &'l str>,
    but: &[&str],
) -> Option<Divergence> {
    let (mut recorded, mut replayed) = (recorded, replayed);
    let mut seq = 0;
    loop {
        let lasting = |line| lasting(line, but);
        let (a, b) = (recorded.next().map(lasting), replayed.next().map(lasting));
        if a.is_none() && b.is_none() {
            return None;
        }
        if a != b {
            return Some(Divergence { seq, recorded: a, replayed: b });
        }
        seq += 1;
    }
}

/// Whether a replay is its run again: where not, at which record it parts. A result that differs where no record does is the end's.
#[must_use]
pub fn parts(recording: &Recording, played: &Played) -> Option<Divergence> {
    // A trace finds more, which is no difference of the runs; what comes after a finding is counted from there.
    let traced = played.report.traced.is_some() || recording.policy.traces();
    let compared = |line: &&str| !traced || !["finding", "close"].iter().any(|event| is_event(line, event));
    let recorded = recording.lines.iter().map(String::as_str).filter(compared);
    let but: &[&str] = if traced { &OF_A_TRACE } else { &[] };
    let parted = divergence(recorded, played.lines().filter(compared), but);
    if parted.is_some() {
        return parted;
    }
    let result = played.report.result.as_ref().map(crate::ToolResult::to_json);
    (result != recording.result).then(|| Divergence {
        seq: played.head.events,
        recorded: recording.result.clone(),
        replayed: result,
    })
}

/// What two runs did differently.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Differences {
    /// How each ended, where that differs.
    pub ending: Option<(String, String)>,
    /// Places of the result that differ, as JSON Pointers; "" is all of it.
    pub result: Vec<String>,
    /// Accesses that only the replay made, that only the recording has, and those that both made with another outcome.
    pub added: Vec<Value>,
    pub gone: Vec<Value>,
    pub changed: Vec<Value>,
    /// Differences beyond those that are told.
    pub more: usize,
}

impl Differences {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Differences::default()
    }

    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "ending": self.ending.as_ref().map(|(was, is)| json!({"recorded": was, "replayed": is})),
            "result": self.result,
            "accesses": {"added": self.added, "gone": self.gone, "changed": self.changed},
            "more": self.more,
        })
    }
}

/// What an access is called, and what came of it.
type Accesses = BTreeMap<String, (Value, BTreeSet<String>)>;

fn accesses<'l>(lines: impl Iterator<Item = &'l str>) -> Accesses {
    let mut all = Accesses::new();
    let mut names: BTreeMap<u64, String> = BTreeMap::new();
    for line in lines {
        let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(line) else { continue };
        match fields.get("event").and_then(Value::as_str) {
            Some("access") => {
                let part = |key: &str| fields.get(key).cloned().unwrap_or_default();
                let shown = json!({"capability": part("cap"), "operation": part("op"), "requested": part("requested")});
                let name = shown.to_string();
                let decided = json!([part("decision"), part("code"), part("resolved")]).to_string();
                all.entry(name.clone()).or_insert_with(|| (shown, BTreeSet::new())).1.insert(decided);
                if let Some(seq) = fields.get("seq").and_then(Value::as_u64) {
                    names.insert(seq, name);
                }
            }
            Some("outcome") => {
                let of = fields.get("of").and_then(Value::as_u64).and_then(|of| names.get(&of));
                let Some((_, outcomes)) = of.and_then(|name| all.get_mut(name)) else { continue };
                let part = |key: &str| fields.get(key).cloned().unwrap_or_default();
                outcomes.insert(
                    json!([part("ok"), part("error"), part("bytes"), part("sha256"), part("name")]).to_string(),
                );
            }
            _ => {}
        }
    }
    all
}

/// What a loose replay did otherwise than its run.
#[must_use]
pub fn differences(recording: &Recording, played: &Played) -> Differences {
    let mut told = Differences::default();
    let ending = played.report.ending.kind();
    if recording.ending != ending {
        told.ending = Some((recording.ending.clone(), ending.to_owned()));
    }
    let was = recording.result.clone().unwrap_or_default();
    let is = played.report.result.as_ref().map(crate::ToolResult::to_json).unwrap_or_default();
    let (was, is) = (leaves(&was), leaves(&is));
    let places: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let result: Vec<String> = places.into_iter().filter(|at| was.get(*at) != is.get(*at)).cloned().collect();
    let (before, after) = (accesses(recording.lines.iter().map(String::as_str)), accesses(played.lines()));
    let missing_in = |one: &Accesses, other: &Accesses| -> Vec<Value> {
        one.iter().filter(|(name, _)| !other.contains_key(*name)).map(|(_, (shown, _))| shown.clone()).collect()
    };
    let changed = before.iter().filter(|(name, (_, came))| after.get(*name).is_some_and(|(_, now)| now != came));
    let lists = (missing_in(&after, &before), missing_in(&before, &after), changed.map(|(_, (s, _))| s.clone()));
    let mut more = 0;
    let mut few = |mut list: Vec<Value>| {
        more += list.len().saturating_sub(MAX_TOLD);
        list.truncate(MAX_TOLD);
        list
    };
    (told.added, told.gone, told.changed) = (few(lists.0), few(lists.1), few(lists.2.collect()));
    told.more = more + result.len().saturating_sub(MAX_TOLD);
    told.result = result.into_iter().take(MAX_TOLD).collect();
    told
}

/// Every leaf of a value by its JSON Pointer, truth values and nulls too.
pub(crate) fn leaves(value: &Value) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    gather(value, String::new(), &mut all);
    all
}

fn gather(value: &Value, at: String, all: &mut BTreeMap<String, Value>) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                gather(item, format!("{at}/{index}"), all);
            }
        }
        Value::Object(members) if !Map::is_empty(members) => {
            for (key, member) in members {
                gather(member, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), all);
            }
        }
        leaf => {
            all.insert(at, leaf.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ledgers_part_at_the_first_record_that_differs_in_what_lasts() {
        let a = [r#"{"seq":0,"event":"open","run":"a","time":"x","prev":"0"}"#, r#"{"seq":1,"t":5,"op":"read"}"#];
        let b = [r#"{"seq":0,"event":"open","run":"b","time":"y","prev":"0"}"#, r#"{"seq":1,"t":9,"op":"read"}"#];
        assert_eq!(divergence(a.into_iter(), b.into_iter(), &[]), None);
        let c = [b[0], r#"{"seq":1,"t":9,"op":"write"}"#];
        let parted = divergence(a.into_iter(), c.into_iter(), &[]).unwrap();
        assert_eq!(
            (parted.seq, &parted.recorded.unwrap()["op"], &parted.replayed.unwrap()["op"]),
            (1, &json!("read"), &json!("write"))
        );
        let parted = divergence(a.into_iter(), [b[0]].into_iter(), &[]).unwrap();
        assert_eq!((parted.seq, parted.replayed), (1, None));
    }

    #[test]
    fn leaves_are_all_there_truth_values_and_empty_ones_too() {
        let all = leaves(&json!({"a/b": [true, null], "c": {}, "d": 1}));
        let places: Vec<&str> = all.keys().map(String::as_str).collect();
        assert_eq!(places, ["/a~1b/0", "/a~1b/1", "/c", "/d"]);
    }
}
