//! One record explained: what was asked, what decided, what came of it, and which findings have it as their source or sink.
//!
//! The program asks with [`Why::read`], which reads the ledger twice: once for the record, once for what belongs to it. A ledger that was
//! changed is explained as it stands; the program says so before.

use crate::accesses::access;
use crate::records::{Fields, name, number, word};
use customs_ledger::{Escaped, read};
use customs_policy::DenialCode;
use customs_policy::least::Access;
use serde_json::{Value, json};
use std::io::Read;

/// Outcomes, and findings, that are told of one record; the rest is counted.
const MAX_TOLD: usize = 50;

/// What there is to say about one record.
#[derive(Debug)]
pub struct Why {
    seq: u64,
    fields: Fields,
    /// The record that it is the outcome of; the end of a call.
    about: Option<(u64, Fields)>,
    outcomes: Vec<(u64, Fields)>,
    findings: Vec<(u64, Fields)>,
    left_out: u64,
    /// The grants of the run, as texts.
    grants: Vec<String>,
}

impl Why {
    /// The record `seq` of a ledger; none where there is none. `again` reads the same bytes from their start.
    #[must_use]
    pub fn read(first: impl Read, again: impl Read, seq: u64) -> Option<Why> {
        let mut grants = Vec::new();
        let mut found = None;
        for (at, fields) in records(first) {
            if word(&fields, "event") == Some("open") {
                grants =
                    crate::records::names(&fields, "grants", usize::MAX).0.into_iter().map(|name| name.text).collect();
            }
            if at == seq {
                found = Some(fields);
                break;
            }
        }
        let mut why =
            Why { seq, fields: found?, about: None, outcomes: Vec::new(), findings: Vec::new(), left_out: 0, grants };
        // Numbers of sources and sinks are of one call.
        let (mut sources, mut sinks) = why.ends();
        for (at, fields) in records(again) {
            if number(&fields, "call") == number(&why.fields, "call") && at != seq {
                why.relate(at, fields, &mut sources, &mut sinks);
            }
        }
        Some(why)
    }

    /// The sources and sinks that the record itself names.
    fn ends(&self) -> (Vec<u64>, Vec<u64>) {
        let fields = match word(&self.fields, "event") {
            Some("finding") => self.fields.get("finding").and_then(Value::as_object),
            Some("outcome") => Some(&self.fields),
            _ => None,
        };
        let id = |key| fields.and_then(|fields| number(fields, key)).into_iter().collect();
        (id("source"), id("sink"))
    }

    fn relate(&mut self, at: u64, fields: Fields, sources: &mut Vec<u64>, sinks: &mut Vec<u64>) {
        let own = word(&self.fields, "event").unwrap_or_default().to_owned();
        let keep = |list: &mut Vec<(u64, Fields)>, left_out: &mut u64, fields: Fields| {
            if list.len() < MAX_TOLD { list.push((at, fields)) } else { *left_out += 1 }
        };
        match (own.as_str(), word(&fields, "event").unwrap_or_default()) {
            ("access" | "call", "outcome") if number(&fields, "of") == Some(self.seq) => {
                sources.extend(number(&fields, "source"));
                sinks.extend(number(&fields, "sink"));
                keep(&mut self.outcomes, &mut self.left_out, fields);
            }
            ("call", "end") => self.about = Some((at, fields)),
            ("outcome", "access" | "call") if number(&self.fields, "of") == Some(at) => self.about = Some((at, fields)),
            ("finding", "outcome") => {
                let is = |key, list: &[u64]| number(&fields, key).is_some_and(|id| list.contains(&id));
                if is("source", sources) || is("sink", sinks) {
                    keep(&mut self.outcomes, &mut self.left_out, fields);
                }
            }
            ("access" | "outcome" | "call", "finding") => {
                let of = fields.get("finding").and_then(Value::as_object);
                let is = |key, list: &[u64]| of.and_then(|of| number(of, key)).is_some_and(|id| list.contains(&id));
                if is("source", sources) || is("sink", sinks) {
                    keep(&mut self.findings, &mut self.left_out, fields);
                }
            }
            _ => {}
        }
    }

    /// The access that it is, or is the outcome of.
    #[must_use]
    pub fn access(&self) -> Option<Access> {
        match (word(&self.fields, "event")?, &self.about) {
            ("access", _) => access(self.seq, &self.fields),
            ("outcome", Some((at, fields))) => access(*at, fields),
            _ => None,
        }
    }

    /// The grants of the run.
    #[must_use]
    pub fn grants(&self) -> &[String] {
        &self.grants
    }

    /// For a person. `suggestion` is the smallest grant that would have allowed a denied access.
    #[must_use]
    pub fn text(&self, suggestion: Option<&str>) -> String {
        let mut text = String::new();
        let mut line = |word: &str, rest: String| text.push_str(&format!("{word:<9}{rest}\n"));
        let event = word(&self.fields, "event").unwrap_or_default();
        let call = number(&self.fields, "call").map_or_else(String::new, |call| format!(" of call {call}"));
        let after =
            number(&self.fields, "t").map_or_else(String::new, |t| format!(", {}.{:03} ms in", t / 1000, t % 1000));
        line("record", format!("{}  {}{call}{after}", self.seq, Escaped(event)));
        match event {
            "access" => tell_access(&self.fields, &mut line),
            "outcome" => {
                line("came", came(&self.fields));
                match &self.about {
                    Some((at, fields)) if word(fields, "event") == Some("access") => {
                        line("of", format!("record {at}"));
                        tell_access(fields, &mut line);
                    }
                    Some((at, fields)) => line("of", format!("record {at}, the call of {}", shown(fields, "tool"))),
                    None => line("of", "a record that is not there".to_owned()),
                }
            }
            "finding" => {
                line("finding", finding(&self.fields));
                if let Some(note) =
                    self.fields.get("finding").and_then(Value::as_object).filter(|of| of.contains_key("note"))
                {
                    line("note", shown(note, "note"));
                }
            }
            "call" => {
                let bytes = self.fields.get("args").and_then(Value::as_object).and_then(|args| number(args, "bytes"));
                line(
                    "asked",
                    format!("{} with {} bytes of arguments", shown(&self.fields, "tool"), bytes.unwrap_or(0)),
                );
                match &self.about {
                    Some((at, end)) => line("ended", format!("{}, record {at}", ending(end))),
                    None => line("ended", "not in this ledger".to_owned()),
                }
            }
            "end" => line("ended", ending(&self.fields)),
            "suppressed" => {
                let count = number(&self.fields, "count").unwrap_or(0);
                let (cap, op, code) =
                    (shown(&self.fields, "cap"), shown(&self.fields, "op"), shown(&self.fields, "code"));
                line("denied", format!("{cap}  {op}  {code}, {count} times more, without records of their own"));
            }
            "open" => {
                let component = self.fields.get("component").and_then(Value::as_object);
                line("ran", component.map_or_else(String::new, |component| shown(component, "name")));
                line("at", shown(&self.fields, "time"));
                line("policy", shown(&self.fields, "policy"));
                for grant in self.grants.iter().take(MAX_TOLD) {
                    line("grant", Escaped(grant).to_string());
                }
            }
            "close" => line("closed", "the run is over and its record whole".to_owned()),
            _ => {}
        }
        if let Some(grant) = suggestion {
            line("allow", format!("it with {}", Escaped(grant)));
        }
        for (at, outcome) in &self.outcomes {
            line("came", format!("{}, record {at}", came(outcome)));
        }
        if event == "access" && self.outcomes.is_empty() && word(&self.fields, "decision") == Some("allow") {
            line("came", "nothing that was recorded".to_owned());
        }
        for (at, found) in &self.findings {
            line("finding", format!("{}, record {at}", finding(found)));
        }
        if self.left_out > 0 {
            line("more", format!("{} records are not told", self.left_out));
        }
        text
    }

    /// For scripts: `customs.why-record/1`.
    #[must_use]
    pub fn json(&self, suggestion: Option<&str>) -> String {
        let with_seq = |(at, fields): &(u64, Fields)| {
            let mut fields = fields.clone();
            fields.insert("seq".to_owned(), json!(at));
            Value::Object(fields)
        };
        let list = |records: &[(u64, Fields)]| records.iter().map(with_seq).collect::<Vec<Value>>();
        let decided = match word(&self.fields, "event") {
            Some("access") => Some(&self.fields),
            _ => self.about.as_ref().map(|(_, fields)| fields).filter(|fields| word(fields, "event") == Some("access")),
        };
        let reason = decided.and_then(|fields| word(fields, "code")).and_then(sentence);
        let object = json!({
            "schema": "customs.why-record/1", "seq": self.seq, "record": Value::Object(self.fields.clone()),
            "about": self.about.as_ref().map(with_seq), "reason": reason, "suggestion": suggestion,
            "outcomes": list(&self.outcomes), "findings": list(&self.findings), "left-out": self.left_out,
        });
        format!("{object}\n")
    }
}

/// The records of a ledger as far as they can be read.
fn records(reader: impl Read) -> impl Iterator<Item = (u64, Fields)> {
    read(reader).map_while(Result::ok).filter_map(fields_of)
}

fn fields_of((seq, value): (u64, Value)) -> Option<(u64, Fields)> {
    match value {
        Value::Object(fields) => Some((seq, fields)),
        _ => None,
    }
}

/// A text of the guest's, escaped; said to be cut where it is.
fn shown(fields: &Fields, key: &str) -> String {
    let name = name(fields, key).unwrap_or_default();
    let cut = if name.is_cut() { format!(".. ({} bytes)", name.bytes) } else { String::new() };
    format!("{}{cut}", Escaped(&name.text))
}

fn sentence(code: &str) -> Option<&'static str> {
    DenialCode::ALL.iter().find(|known| known.as_str() == code).map(|known| known.sentence())
}

fn tell_access(fields: &Fields, line: &mut impl FnMut(&str, String)) {
    let what = format!("{}  {}  {}", shown(fields, "cap"), shown(fields, "op"), shown(fields, "requested"));
    line("asked", what);
    if let Some(resolved) = word(fields, "resolved").filter(|resolved| Some(*resolved) != word(fields, "requested")) {
        line(
            "meant",
            match resolved {
                "outside" => "something outside of the grant".to_owned(),
                _ => shown(fields, "resolved"),
            },
        );
    }
    let rule = word(fields, "rule").map(|_| shown(fields, "rule"));
    match (word(fields, "code"), rule) {
        (Some(code), rule) => {
            let by = rule.map_or_else(String::new, |rule| format!(" ({rule})"));
            let why = sentence(code).unwrap_or("a code that this version does not have");
            line("denied", format!("{}: {why}{by}", Escaped(code)));
        }
        (None, Some(rule)) => line("allowed", format!("by {rule}")),
        (None, None) => {}
    }
    if word(fields, "detail").is_some() {
        line("detail", shown(fields, "detail"));
    }
}

/// What came of an access.
fn came(fields: &Fields) -> String {
    let mut parts = Vec::new();
    if fields.get("ok").and_then(Value::as_bool) == Some(false) {
        let why = if word(fields, "error").is_some() { shown(fields, "error") } else { "it failed".to_owned() };
        parts.push(format!("failed: {why}"));
    }
    let (kind, name) = (shown(fields, "kind"), shown(fields, "name"));
    let bytes = number(fields, "bytes").unwrap_or(0);
    match (number(fields, "source"), number(fields, "sink")) {
        (Some(id), _) => {
            parts.push(format!("{bytes} bytes came in: {kind} {name}, {}, source {id}", shown(fields, "class")))
        }
        (_, Some(id)) => parts.push(format!("{bytes} bytes went out: {kind} {name}, sink {id}")),
        _ => {}
    }
    if let Some(count) = number(fields, "count") {
        parts.push(format!("{count} times"));
    }
    if parts.is_empty() {
        parts.push("it went well".to_owned());
    }
    parts.join("; ")
}

fn finding(fields: &Fields) -> String {
    let Some(of) = fields.get("finding").and_then(Value::as_object) else { return "without its form".to_owned() };
    let end = |key| number(of, key).map_or_else(|| "none".to_owned(), |id| id.to_string());
    format!(
        "{} {} {}: source {} in sink {}, {}",
        shown(of, "id"),
        shown(of, "severity"),
        shown(of, "rule"),
        end("source"),
        end("sink"),
        shown(of, "action")
    )
}

fn ending(fields: &Fields) -> String {
    let more = ["limit", "observed", "detail"].iter().filter(|key| word(fields, key).is_some());
    let more: Vec<String> = more.map(|key| shown(fields, key)).collect();
    let ending = shown(fields, "ending");
    if more.is_empty() { ending } else { format!("{ending} ({})", more.join(", ")) }
}
