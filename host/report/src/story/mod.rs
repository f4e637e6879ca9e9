//! What a ledger says, call by call: read once, in bounded memory.
//!
//! The program reads a ledger with [`Story::read`]; the formats are made from the [`Story`]. `rows.rs` has what is told, `call.rs` takes in
//! the records of a call. Rows past a bound are counted, and so are records that do not have the form of their kind. Nothing is judged here
//! but what `customs verify` has said already.

mod call;
mod rows;

pub(crate) use rows::{Call, Denial, Ending, Flow, Found, Labelled, Moment, Opened, Origin, Traced, What};

use crate::records::{Fields, digest, name, names, number, word};
use customs_ledger::{ReadError, Report, Verdict, hex, read};
use rows::Room;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

/// Calls that are told one by one. A session of a server may have many; what is left out is counted.
const MAX_CALLS: usize = 1000;
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
        let mut story = Story {
            ledger: name.to_owned(),
            verdict,
            records: 0,
            stopped: None,
            opened: None,
            calls: Vec::new(),
            calls_left_out: 0,
            malformed: 0,
            room: Room::new(),
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

    /// What a trace said of a call, made after its ledger by further passes over its recording: in the form of `customs.run/1`. It takes the place
    /// of what the ledger has. What has not its form is left as it was.
    pub fn retrace(&mut self, call: u64, traced: &[Value], findings: &[Value]) {
        let (at, room) = (self.places.get(&call), &mut self.room);
        if let Some(call) = at.and_then(|at| self.calls.get_mut(*at)) {
            call.retrace(traced, findings, room);
        }
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
            "end" => call.end(fields, room),
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
