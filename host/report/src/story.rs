//! What a ledger says, call by call: read once, in bounded memory.
//!
//! The program reads a ledger with [`Story::read`]; the formats are made from the [`Story`]. Rows past a bound are counted, and so are records that
//! do not have the form of their kind. Nothing is judged here but what `customs verify` has said already.

use crate::records::{
    ACTIONS, CLASSES, ENDINGS, Fields, METHODS, Name, SEVERITIES, SINK_KINDS, SOURCE_KINDS, STRENGTHS, digest, name,
    names, number, one_of, word,
};
use customs_ledger::{ReadError, Report, Verdict, hex, read};
use customs_policy::Capability;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

/// Calls that are told one by one. A session of a server may have many; what is left out is counted.
const MAX_CALLS: usize = 1000;
/// Rows of one kind (sources, sinks, denials, findings) in all calls together. A call has 50000 flows at most.
const MAX_ROWS: usize = 10_000;
/// Distinct denials of one call, as in the result of the run.
const MAX_DENIALS: usize = 1000;
/// Moments of the timeline, in all calls together. More is nothing that a person reads.
const MAX_MOMENTS: usize = 2000;
/// Ranges of one finding at each end, and grants and warnings. More than the ledger writes for a finding.
const MAX_ITEMS: usize = 256;
/// What a ledger's first line begins with. A file that begins otherwise and has no record is no ledger.
const FIRST: &[u8] = br#"{"v":1,"seq":"#;

/// What one ledger says.
#[derive(Debug)]
pub struct Story {
    /// The file's name, without its directory.
    pub(crate) ledger: String,
    pub(crate) verdict: Report,
    /// Records that could be read, `close` not counted.
    pub(crate) records: u64,
    /// Why reading stopped before the end.
    pub(crate) stopped: Option<String>,
    pub(crate) opened: Option<Opened>,
    pub(crate) calls: Vec<Call>,
    /// Calls that are not told.
    pub(crate) calls_left_out: u64,
    /// Records that do not have the form of their kind.
    pub(crate) malformed: u64,
    room: Room,
    places: BTreeMap<u64, usize>,
}

/// How much room is left in lists over all calls.
#[derive(Debug)]
struct Room {
    sources: usize,
    sinks: usize,
    denials: usize,
    findings: usize,
    moments: usize,
}

/// The open record.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) run: Name,
    pub(crate) time: Name,
    pub(crate) customs: Name,
    pub(crate) wasmtime: Name,
    pub(crate) component: Name,
    pub(crate) sha256: String,
    pub(crate) policy: String,
    pub(crate) grants: Vec<Name>,
    pub(crate) grants_left_out: u64,
    pub(crate) warnings: Vec<Name>,
    pub(crate) warnings_left_out: u64,
}

/// One call of a tool.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) number: u64,
    /// None where the ledger has no record of the call itself.
    pub(crate) tool: Option<Name>,
    pub(crate) denials: Vec<Denial>,
    /// All that was denied, each time, with and without a record.
    pub(crate) denied: u64,
    pub(crate) sources: BTreeMap<u64, Flow>,
    pub(crate) sinks: BTreeMap<u64, Flow>,
    pub(crate) findings: Vec<Found>,
    /// By `capability operation code`.
    pub(crate) suppressed: BTreeMap<String, u64>,
    pub(crate) moments: Vec<Moment>,
    pub(crate) ending: Option<Ending>,
    /// The methods that looked for findings, where the call ended.
    pub(crate) methods: Vec<&'static str>,
    pub(crate) left_out: LeftOut,
    /// A source or sink is not whole, or more was denied than has rows in the run's own result.
    short: bool,
    distinct: BTreeMap<(&'static str, String, String, Name), usize>,
}

/// Rows that are not told, by kind.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    pub(crate) sources: u64,
    pub(crate) sinks: u64,
    /// Denials, each time, that are in no row.
    pub(crate) denials: u64,
    pub(crate) findings: u64,
    pub(crate) moments: u64,
}

#[derive(Debug)]
pub(crate) struct Denial {
    pub(crate) seq: u64,
    pub(crate) capability: &'static str,
    pub(crate) operation: Name,
    pub(crate) requested: Name,
    pub(crate) resolved: Option<Name>,
    pub(crate) code: Name,
    pub(crate) count: u64,
}

/// A source or a sink.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) id: u64,
    pub(crate) seq: u64,
    pub(crate) kind: &'static str,
    pub(crate) name: Name,
    /// Of a source.
    pub(crate) class: Option<&'static str>,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    pub(crate) keyed: bool,
    pub(crate) complete: bool,
}

#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) seq: u64,
    pub(crate) id: Name,
    pub(crate) rule: Name,
    pub(crate) severity: &'static str,
    pub(crate) source: Option<u64>,
    pub(crate) sink: u64,
    pub(crate) method: &'static str,
    pub(crate) transform: Vec<Name>,
    pub(crate) strength: &'static str,
    pub(crate) source_ranges: Vec<(u64, u64)>,
    pub(crate) sink_ranges: Vec<(u64, u64)>,
    /// From 0 to 1.
    pub(crate) coverage: f64,
    pub(crate) action: &'static str,
    pub(crate) preview: Name,
    pub(crate) note: Option<Name>,
    pub(crate) more: u64,
}

#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) kind: &'static str,
    pub(crate) limit: Option<Name>,
    pub(crate) detail: Option<Name>,
}

/// Something with a time.
#[derive(Debug)]
pub(crate) struct Moment {
    pub(crate) seq: u64,
    /// Microseconds since the run started.
    pub(crate) t: u64,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    Allowed { capability: &'static str, operation: Name, requested: Name },
    Denied { capability: &'static str, operation: Name, requested: Name, code: Name },
    In { kind: &'static str, name: Name, bytes: u64 },
    Out { kind: &'static str, name: Name, bytes: u64 },
}

/// The file is not a ledger: why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoLedger(String);

impl fmt::Display for NoLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoLedger {}

impl Story {
    /// Reads a ledger. `verdict` is what `customs_ledger::verify` said of the same bytes; `name` is the file's, without its directory.
    pub fn read(mut reader: impl Read, verdict: Report, name: &str) -> Result<Story, NoLedger> {
        let mut first = Vec::new();
        if let Err(e) = reader.by_ref().take(FIRST.len() as u64).read_to_end(&mut first) {
            return Err(NoLedger(ReadError::Io(e).to_string()));
        }
        let room =
            Room { sources: MAX_ROWS, sinks: MAX_ROWS, denials: MAX_ROWS, findings: MAX_ROWS, moments: MAX_MOMENTS };
        let mut story = Story {
            ledger: name.to_owned(),
            verdict,
            records: 0,
            stopped: None,
            opened: None,
            calls: Vec::new(),
            calls_left_out: 0,
            malformed: 0,
            room,
            places: BTreeMap::new(),
        };
        for record in read(first.as_slice().chain(reader)) {
            match record {
                Ok((seq, Value::Object(fields))) => story.take(seq, &fields),
                Ok(_) => story.malformed += 1,
                Err(e) => story.stopped = Some(e.to_string()),
            }
        }
        if story.records == 0 && first != FIRST {
            let why = match &story.stopped {
                None => "the file is empty".to_owned(),
                Some(_) => "its first line is not a record".to_owned(),
            };
            return Err(NoLedger(format!("this is not a ledger: {why}")));
        }
        Ok(story)
    }

    /// Whether `customs verify` calls the ledger whole and unchanged.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.verdict.verdict == Verdict::Ok
    }

    /// The verdict in the contract's words.
    pub(crate) fn word(&self) -> &'static str {
        self.verdict.verdict.as_str()
    }

    pub(crate) fn head(&self) -> String {
        hex(&self.verdict.head)
    }

    /// What a reader has to know before believing the rest; none where the ledger is sound and all of it was read.
    pub(crate) fn alarms(&self) -> Vec<String> {
        let mut alarms = Vec::new();
        match self.verdict.verdict {
            Verdict::Ok => {}
            Verdict::Altered { seq } => {
                alarms.push(format!("{}: do not believe what is told from record {seq} on", self.verdict.detail));
            }
            Verdict::Unclosed | Verdict::Torn => {
                alarms.push(format!("{}: more may have happened than is told here", self.verdict.detail));
            }
            Verdict::Mismatch => alarms.push(self.verdict.detail.clone()),
        }
        if let Some(why) = &self.stopped {
            alarms.push(format!("{why}: {} records could be read", self.records));
        }
        if self.malformed > 0 {
            alarms.push(format!("{} records do not have the form of their kind and are not told", self.malformed));
        }
        alarms
    }

    /// True where nothing was capped, torn or suppressed.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_sound() && self.malformed == 0 && self.calls_left_out == 0 && self.calls.iter().all(Call::is_complete)
    }

    fn take(&mut self, seq: u64, fields: &Fields) {
        let event = word(fields, "event").unwrap_or_default();
        if event == "close" {
            return;
        }
        self.records += 1;
        let taken = match event {
            "open" if self.opened.is_none() => {
                self.opened = opened(fields);
                self.opened.as_ref().map(|_| ())
            }
            "call" | "access" | "outcome" | "suppressed" | "end" | "finding" => match number(fields, "call") {
                Some(call) => self.of_call(call, seq, event, fields),
                None => None,
            },
            _ => None,
        };
        if taken.is_none() {
            self.malformed += 1;
        }
    }

    fn of_call(&mut self, number: u64, seq: u64, event: &str, fields: &Fields) -> Option<()> {
        let at = match self.places.get(&number) {
            Some(at) => *at,
            None if self.calls.len() >= MAX_CALLS => {
                // A call's number may be anything in a file that was changed: only its own record counts as one.
                self.calls_left_out += u64::from(event == "call");
                return Some(());
            }
            None => {
                self.places.insert(number, self.calls.len());
                self.calls.push(Call { number, ..Call::default() });
                self.calls.len() - 1
            }
        };
        let (call, room) = (self.calls.get_mut(at)?, &mut self.room);
        match event {
            "call" => {
                call.tool = Some(name(fields, "tool")?);
                Some(())
            }
            "access" => call.access(seq, fields, room),
            "outcome" => call.outcome(seq, fields, room),
            "suppressed" => call.suppress(fields),
            "end" => call.end(fields),
            _ => call.find(seq, fields.get("finding")?.as_object()?, room),
        }
    }
}

fn opened(fields: &Fields) -> Option<Opened> {
    let component = fields.get("component")?.as_object()?;
    let (grants, grants_left_out) = names(fields, "grants", MAX_ITEMS);
    let (warnings, warnings_left_out) = names(fields, "warnings", MAX_ITEMS);
    Some(Opened {
        run: name(fields, "run")?,
        time: name(fields, "time")?,
        customs: name(fields, "customs")?,
        wasmtime: name(fields, "wasmtime")?,
        component: name(component, "name")?,
        sha256: digest(component, "sha256")?,
        policy: digest(fields, "policy")?,
        grants,
        grants_left_out,
        warnings,
        warnings_left_out,
    })
}

/// Takes one place where there is one.
fn takes(room: &mut usize, left_out: &mut u64) -> bool {
    match room.checked_sub(1) {
        Some(rest) => {
            *room = rest;
            true
        }
        None => {
            *left_out = left_out.saturating_add(1);
            false
        }
    }
}

impl Call {
    /// As the run itself says it, and false for a call whose end is not recorded.
    pub(crate) fn is_complete(&self) -> bool {
        // A limit on what may cross cut something off.
        const CUTS: [&str; 6] = ["events", "flows", "input", "output", "file-write", "transfer"];
        let ended = self
            .ending
            .as_ref()
            .is_some_and(|ending| !ending.limit.as_ref().is_some_and(|limit| CUTS.contains(&limit.text.as_str())));
        ended && !self.short && self.suppressed.is_empty()
    }

    fn moment(&mut self, seq: u64, t: u64, what: What, room: &mut Room) {
        if takes(&mut room.moments, &mut self.left_out.moments) {
            self.moments.push(Moment { seq, t, what });
        }
    }

    fn access(&mut self, seq: u64, fields: &Fields, room: &mut Room) -> Option<()> {
        let capability: Capability = word(fields, "cap")?.parse().ok()?;
        let capability = capability.as_str();
        let t = number(fields, "t")?;
        let (operation, requested) = (name(fields, "op")?, name(fields, "requested")?);
        if one_of(fields, "decision", &["allow", "deny"])? == "allow" {
            self.moment(seq, t, What::Allowed { capability, operation, requested }, room);
            return Some(());
        }
        let code = name(fields, "code")?;
        self.denied = self.denied.saturating_add(1);
        let key = (capability, operation.text.clone(), code.text.clone(), requested.clone());
        if let Some(row) = self.distinct.get(&key).and_then(|at| self.denials.get_mut(*at)) {
            row.count += 1;
        } else if self.distinct.len() >= MAX_DENIALS {
            self.left_out.denials = self.left_out.denials.saturating_add(1);
            self.short = true;
        } else if takes(&mut room.denials, &mut self.left_out.denials) {
            self.distinct.insert(key, self.denials.len());
            self.denials.push(Denial {
                seq,
                capability,
                operation: operation.clone(),
                requested: requested.clone(),
                resolved: name(fields, "resolved"),
                code: code.clone(),
                count: 1,
            });
        }
        self.moment(seq, t, What::Denied { capability, operation, requested, code }, room);
        Some(())
    }

    fn outcome(&mut self, seq: u64, fields: &Fields, room: &mut Room) -> Option<()> {
        let t = number(fields, "t")?;
        let (id, is_source) = match (number(fields, "source"), number(fields, "sink")) {
            (Some(id), None) => (id, true),
            (None, Some(id)) => (id, false),
            // Nothing crossed.
            (None, None) => return Some(()),
            (Some(_), Some(_)) => return None,
        };
        let flow = Flow {
            id,
            seq,
            kind: one_of(fields, "kind", if is_source { &SOURCE_KINDS } else { &SINK_KINDS })?,
            name: name(fields, "name")?,
            class: if is_source { Some(one_of(fields, "class", &CLASSES)?) } else { None },
            bytes: number(fields, "bytes")?,
            sha256: digest(fields, "sha256")?,
            keyed: fields.get("keyed").and_then(Value::as_bool).unwrap_or(false),
            complete: fields.get("complete").and_then(Value::as_bool).unwrap_or(true),
        };
        self.short |= !flow.complete;
        let (kind, name, bytes) = (flow.kind, flow.name.clone(), flow.bytes);
        let what = if is_source { What::In { kind, name, bytes } } else { What::Out { kind, name, bytes } };
        let (list, places, left_out) = match is_source {
            true => (&mut self.sources, &mut room.sources, &mut self.left_out.sources),
            false => (&mut self.sinks, &mut room.sinks, &mut self.left_out.sinks),
        };
        // An id is given once.
        if list.contains_key(&id) {
            return None;
        }
        if takes(places, left_out) {
            list.insert(id, flow);
        }
        self.moment(seq, t, what, room);
        Some(())
    }

    fn suppress(&mut self, fields: &Fields) -> Option<()> {
        let capability: Capability = word(fields, "cap")?.parse().ok()?;
        let (operation, code, count) = (name(fields, "op")?, name(fields, "code")?, number(fields, "count")?);
        self.denied = self.denied.saturating_add(count);
        let key = format!("{capability} {} {}", operation.text, code.text);
        if self.suppressed.len() < MAX_DENIALS || self.suppressed.contains_key(&key) {
            let sum = self.suppressed.entry(key).or_default();
            *sum = sum.saturating_add(count);
        } else {
            self.left_out.denials = self.left_out.denials.saturating_add(count);
        }
        Some(())
    }

    fn end(&mut self, fields: &Fields) -> Option<()> {
        if self.ending.is_some() {
            return None;
        }
        self.ending = Some(Ending {
            kind: one_of(fields, "ending", &ENDINGS)?,
            limit: name(fields, "limit"),
            detail: name(fields, "observed").or_else(|| name(fields, "detail")),
        });
        if let Some(searched) = fields.get("searched").and_then(Value::as_str) {
            self.methods = vec!["match"];
            self.short |= searched != "whole";
        }
        Some(())
    }

    fn find(&mut self, seq: u64, fields: &Fields, room: &mut Room) -> Option<()> {
        let coverage = fields.get("coverage").and_then(Value::as_f64)?;
        let source = match fields.get("source") {
            None | Some(Value::Null) => None,
            Some(id) => Some(id.as_u64()?),
        };
        let found = Found {
            seq,
            id: name(fields, "id")?,
            rule: name(fields, "rule")?,
            severity: one_of(fields, "severity", &SEVERITIES)?,
            source,
            sink: number(fields, "sink")?,
            method: one_of(fields, "method", &METHODS)?,
            transform: names(fields, "transform", MAX_ITEMS).0,
            strength: one_of(fields, "strength", &STRENGTHS)?,
            source_ranges: ranges(fields, "source_ranges")?,
            sink_ranges: ranges(fields, "sink_ranges")?,
            coverage: coverage.clamp(0.0, 1.0),
            action: one_of(fields, "action", &ACTIONS)?,
            preview: name(fields, "preview")?,
            note: name(fields, "note"),
            more: number(fields, "more").unwrap_or(0),
        };
        if !self.methods.contains(&found.method) {
            self.methods.push(found.method);
        }
        if takes(&mut room.findings, &mut self.left_out.findings) {
            self.findings.push(found);
        }
        Some(())
    }

    /// The findings, the gravest first.
    pub(crate) fn by_severity(&self) -> Vec<&Found> {
        let mut sorted: Vec<&Found> = self.findings.iter().collect();
        sorted.sort_by_key(|found| SEVERITIES.iter().position(|s| *s == found.severity));
        sorted
    }

    pub(crate) fn source(&self, found: &Found) -> Option<&Flow> {
        found.source.and_then(|id| self.sources.get(&id))
    }

    pub(crate) fn sink(&self, found: &Found) -> Option<&Flow> {
        self.sinks.get(&found.sink)
    }
}

fn ranges(fields: &Fields, key: &str) -> Option<Vec<(u64, u64)>> {
    let pair = |range: &Value| match range.as_array()?.as_slice() {
        [from, to] => Some((from.as_u64()?, to.as_u64()?)).filter(|(from, to)| from <= to),
        _ => None,
    };
    fields.get(key)?.as_array()?.iter().take(MAX_ITEMS).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use customs_ledger::verify;

    fn read(bytes: &[u8]) -> Result<Story, NoLedger> {
        Story::read(bytes, verify(bytes, None).unwrap(), "x")
    }

    #[test]
    fn what_is_no_ledger_is_refused_in_a_sentence_and_a_cut_one_is_not() {
        for bytes in [&b""[..], b"\n", b"hello\n", b"{}\n", b"{\"v\":2,\"seq\":0}\n", b"\0\0\0\0", &[0xff; 100]] {
            let why = read(bytes).unwrap_err().to_string();
            assert!(why.starts_with("this is not a ledger: ") && !why.contains('\n'), "{why}");
        }
        for bytes in [&b"{\"v\":1,\"seq\":0,\"eve"[..], b"{\"v\":1,\"seq\":0,\"event\":3}\n"] {
            let story = read(bytes).unwrap();
            assert!(!story.is_sound() && story.records == 0 && !story.alarms().is_empty(), "{story:?}");
        }
    }
}
