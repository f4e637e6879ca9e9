//! The accesses of a ledger, for the least policy: what was asked, where it led, what came of it, and how much was used.
//!
//! The program reads a ledger with [`Accesses::read`] and gives what comes out to [`customs_policy::least`]. Records past a bound are
//! counted, and so are those that do not have the form of their kind: nothing is guessed.

use crate::records::{Fields, digest, names, number, word};
use customs_ledger::read;
use customs_policy::least::{Access, Measured};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

/// Accesses that are kept. Three calls that each reach the bound of records; more is no run to learn from.
const MAX_ACCESSES: usize = 300_000;
/// Grants of an open record: more than a line of a ledger holds.
const MAX_GRANTS: usize = 100_000;
/// Calls of which the use is measured at once.
const MAX_CALLS: usize = 10_000;

/// What one ledger says about what its runs reached.
#[derive(Debug, Default)]
pub struct Accesses {
    /// Who ran: the component's file name and digest.
    pub component: String,
    pub sha256: String,
    /// The digest of the policy, and its grants as texts.
    pub policy: String,
    pub grants: Vec<String>,
    /// Not all grants are in the record, or one is cut.
    pub grants_cut: bool,
    /// In the order of their records.
    pub accesses: Vec<Access>,
    pub measured: Measured,
    pub calls: u64,
    /// The tools that were called.
    pub tools: Vec<String>,
    /// Refusals without a record of their own, records without the form of their kind, accesses past the bound.
    pub suppressed: u64,
    pub malformed: u64,
    pub left_out: u64,
    /// Why reading stopped before the end.
    pub stopped: Option<String>,
    places: BTreeMap<u64, usize>,
    used: BTreeMap<u64, Used>,
}

/// What one call used.
#[derive(Debug, Default)]
struct Used {
    first: Option<u64>,
    last: u64,
    input: u64,
    output: u64,
    file_write: u64,
    requests: u64,
    memory: Option<u64>,
}

impl Accesses {
    /// Reads a ledger. Whether it is sound is for `customs_ledger::verify` to say.
    #[must_use]
    pub fn read(reader: impl Read) -> Accesses {
        let mut found = Accesses::default();
        for record in read(reader) {
            match record {
                Ok((seq, Value::Object(fields))) => {
                    if found.take(seq, &fields).is_none() {
                        found.malformed += 1;
                    }
                }
                Ok(_) => found.malformed += 1,
                Err(e) => found.stopped = Some(e.to_string()),
            }
        }
        for used in found.used.values() {
            let time = Duration::from_micros(used.last.saturating_sub(used.first.unwrap_or(used.last)));
            found.measured = found.measured.or_more(&Measured {
                time: Some(time),
                memory: used.memory,
                output: Some(used.output),
                input: Some(used.input),
                file_write: Some(used.file_write),
                requests: Some(used.requests),
            });
        }
        found.places.clear();
        found.used.clear();
        found
    }

    fn take(&mut self, seq: u64, fields: &Fields) -> Option<()> {
        match word(fields, "event")? {
            "open" => {
                let component = fields.get("component")?.as_object()?;
                self.component = word(component, "name")?.to_owned();
                self.sha256 = digest(component, "sha256")?;
                self.policy = digest(fields, "policy")?;
                let (grants, more) = names(fields, "grants", MAX_GRANTS);
                self.grants_cut = more > 0 || grants.iter().any(|grant| grant.is_cut());
                self.grants = grants.into_iter().map(|grant| grant.text).collect();
            }
            "call" => {
                self.calls += 1;
                let tool = word(fields, "tool")?.to_owned();
                if !self.tools.contains(&tool) && self.tools.len() < MAX_CALLS {
                    self.tools.push(tool);
                }
                let bytes = number(fields.get("args")?.as_object()?, "bytes")?;
                if let Some(used) = self.used(fields) {
                    used.input = used.input.saturating_add(bytes);
                }
            }
            "access" => self.access(seq, fields)?,
            "outcome" => self.outcome(fields)?,
            "end" => {
                let memory = number(fields, "memory");
                if let Some(used) = self.used(fields) {
                    used.memory = memory;
                }
            }
            "suppressed" => self.suppressed = self.suppressed.saturating_add(number(fields, "count")?),
            _ => {}
        }
        Some(())
    }

    /// The use of the call that a record belongs to.
    fn used(&mut self, fields: &Fields) -> Option<&mut Used> {
        let call = number(fields, "call")?;
        if self.used.len() >= MAX_CALLS && !self.used.contains_key(&call) {
            return None;
        }
        let used = self.used.entry(call).or_default();
        if let Some(t) = number(fields, "t") {
            used.first = Some(used.first.map_or(t, |first| first.min(t)));
            used.last = used.last.max(t);
        }
        Some(used)
    }

    fn access(&mut self, seq: u64, fields: &Fields) -> Option<()> {
        let access = access(seq, fields)?;
        let request = access.operation == "handle" && access.denied.is_none();
        if let Some(used) = self.used(fields) {
            used.requests += u64::from(request);
        }
        if self.accesses.len() >= MAX_ACCESSES {
            self.left_out += 1;
            return Some(());
        }
        self.places.insert(seq, self.accesses.len());
        self.accesses.push(access);
        Some(())
    }

    fn outcome(&mut self, fields: &Fields) -> Option<()> {
        let (of, bytes) = (number(fields, "of")?, number(fields, "bytes").unwrap_or(0));
        let (kind, name) = (word(fields, "kind").unwrap_or_default(), word(fields, "name").unwrap_or_default());
        let (source, sink) = (fields.contains_key("source"), fields.contains_key("sink"));
        let names = kind == "file" && sink && name.ends_with("#name");
        if let Some(used) = self.used(fields) {
            match (source, sink, kind) {
                // They are counted with the call, all together.
                (true, _, "argument") => {}
                (true, ..) => used.input = used.input.saturating_add(bytes),
                (_, true, "file") if names => {}
                (_, true, "file") => used.file_write = used.file_write.saturating_add(bytes),
                (_, true, _) => used.output = used.output.saturating_add(bytes),
                _ => {}
            }
        }
        if let Some(access) = self.places.get(&of).and_then(|at| self.accesses.get_mut(*at)) {
            access.created |= names;
            if fields.get("ok").and_then(Value::as_bool) == Some(false) {
                access.error = word(fields, "error").map(str::to_owned);
            }
        }
        Some(())
    }
}

/// An access record.
pub(crate) fn access(seq: u64, fields: &Fields) -> Option<Access> {
    let (requested, resolved) = (word(fields, "requested")?, word(fields, "resolved"));
    let covered = |text: &str| text.contains("[env:") || text.contains("[secret:");
    let cut = |key: &str, text: &str| number(fields, key).is_some_and(|bytes| bytes > text.len() as u64);
    let denied = match word(fields, "decision")? {
        "allow" => None,
        _ => Some(word(fields, "code")?.to_owned()),
    };
    Some(Access {
        seq,
        resolved: resolved.map(str::to_owned),
        denied,
        unclear: covered(requested)
            || resolved.is_some_and(covered)
            || cut("requested_bytes", requested)
            || resolved.is_some_and(|text| cut("resolved_bytes", text)),
        ..Access::allowed(word(fields, "cap")?.parse().ok()?, word(fields, "op")?, requested)
    })
}
