//! The kinds of record and the fields of each.
//!
//! The boundary and the engine fill these from what they know; `write` turns one into the inside of a ledger line. Everything is
//! borrowed, so that recording a file's opening allocates nothing. Fields answer fixed questions: which call, when, what was asked,
//! what it resolved to, what was decided and by which rule, what came of it.

use crate::digest::Digest;
use crate::error::{Kind, LedgerError};
use crate::line::Object;
use serde_json::Value;
use std::collections::BTreeMap;

/// One thing that happened. `close` is not among them: only [`crate::Ledger::close`] writes it.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The first record of a ledger.
    Open(Open<'a>),
    /// A tool is called. `bytes` and `digest` are of its arguments as JSON text.
    Call { call: u64, tool: &'a str, bytes: u64, digest: Digest },
    /// An access was decided; written before it happens.
    Access(Access<'a>),
    /// What came of an access or call.
    Outcome(Outcome<'a>),
    /// `count` further denials of this kind have no record of their own.
    Suppressed { call: u64, cap: &'a str, op: &'a str, code: &'a str, count: u64 },
    /// The call is over.
    End(End<'a>),
    /// A source was seen in a sink. `json` is the finding as a JSON object.
    Finding { call: u64, json: &'a str },
}

/// Who ran what under which policy.
#[derive(Clone, Copy, Debug)]
pub struct Open<'a> {
    /// 32 random hexadecimal digits, see [`crate::run_id`].
    pub run: &'a str,
    /// RFC 3339, UTC.
    pub time: &'a str,
    pub customs: &'a str,
    pub wasmtime: &'a str,
    pub component: Component<'a>,
    pub policy: [u8; 32],
    pub grants: &'a [String],
    pub warnings: &'a [String],
}

/// The component's file name and the SHA-256 of its bytes as compiled.
#[derive(Clone, Copy, Debug)]
pub struct Component<'a> {
    pub name: &'a str,
    pub sha256: [u8; 32],
}

/// A decided access.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    pub call: u64,
    /// Microseconds since the ledger was opened.
    pub t: u64,
    /// The capability, as the contract spells it: `fs.read`.
    pub cap: &'a str,
    /// The operation, as WASI spells it: `open-at`.
    pub op: &'a str,
    /// As the guest asked.
    pub requested: &'a str,
    /// What it turned out to be, where that is known and of use.
    pub resolved: Option<&'a str>,
    pub decision: Decision<'a>,
    pub detail: Option<&'a str>,
}

/// What the policy said.
#[derive(Clone, Copy, Debug)]
pub enum Decision<'a> {
    Allow { rule: &'a str },
    Deny { code: &'a str, rule: Option<&'a str> },
}

/// What came of an access or a call. `ok` alone is an outcome; the rest is said where it is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome<'a> {
    pub call: u64,
    /// The seq of the access or call.
    pub of: u64,
    /// Microseconds since the ledger was opened.
    pub t: u64,
    pub ok: bool,
    pub error: Option<&'a str>,
    /// How many bytes crossed, and their digest.
    pub bytes: Option<u64>,
    pub digest: Option<Digest>,
    /// The source or sink that the bytes are, with its kind, name and class.
    pub source: Option<u64>,
    pub sink: Option<u64>,
    pub kind: Option<&'a str>,
    pub name: Option<&'a str>,
    pub class: Option<&'a str>,
    /// False where not all of the bytes were kept.
    pub complete: Option<bool>,
    /// How often it happened, where accesses of a kind share one record.
    pub count: Option<u64>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    pub call: u64,
    /// `returned`, `error`, `trap`, `limit`, `exit`, `refused` or `cancelled`.
    pub ending: &'a str,
    /// Which limit, where one was reached, and the value that broke it.
    pub limit: Option<&'a str>,
    pub observed: Option<&'a str>,
    pub detail: Option<&'a str>,
    /// How often each import was called, counted or not by records of its own.
    pub imports: &'a BTreeMap<&'a str, u64>,
    /// Bytes of linear memory that it used at most.
    pub memory: Option<u64>,
    /// Whether everything was searched for findings: `whole` or `part`. None where nothing looked.
    pub searched: Option<&'a str>,
    /// What looked for findings, where it was more than matching.
    pub methods: &'a [&'a str],
    /// What a trace said of the bytes of sinks, a list, and how many sinks it leaves out. None where nothing was traced.
    pub traced: Option<(&'a Value, u64)>,
}

impl Event<'_> {
    /// The record's `event`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open(_) => "open",
            Self::Call { .. } => "call",
            Self::Access(_) => "access",
            Self::Outcome(_) => "outcome",
            Self::Suppressed { .. } => "suppressed",
            Self::End(_) => "end",
            Self::Finding { .. } => "finding",
        }
    }

    pub(crate) fn write(&self, line: &mut Object<'_>) -> Result<(), LedgerError> {
        match self {
            Self::Open(open) => open.write(line),
            Self::Call { call, tool, bytes, digest } => {
                line.number("call", *call);
                line.text("tool", tool);
                line.object("args", |args| {
                    args.number("bytes", *bytes);
                    args.digest(digest);
                });
            }
            Self::Access(access) => access.write(line),
            Self::Outcome(outcome) => outcome.write(line),
            Self::Suppressed { call, cap, op, code, count } => {
                line.number("call", *call);
                line.text("cap", cap);
                line.text("op", op);
                line.text("code", code);
                line.number("count", *count);
            }
            Self::End(end) => end.write(line),
            Self::Finding { call, json } => {
                line.number("call", *call);
                // Parsed and written again, so that whatever is in it the record stays one well-formed line.
                let Ok(finding) = crate::record::parse(json.as_bytes()) else {
                    return Err(LedgerError::new(Kind::Misuse("a finding must be a JSON object")));
                };
                line.value("finding", &Value::Object(finding));
            }
        }
        Ok(())
    }
}

impl Open<'_> {
    fn write(&self, line: &mut Object<'_>) {
        line.text("run", self.run);
        line.text("time", self.time);
        line.text("customs", self.customs);
        line.text("wasmtime", self.wasmtime);
        line.object("component", |component| {
            component.text("name", self.component.name);
            component.hex("sha256", &self.component.sha256);
        });
        line.hex("policy", &self.policy);
        line.texts("grants", self.grants);
        line.texts("warnings", self.warnings);
    }
}

impl Access<'_> {
    fn write(&self, line: &mut Object<'_>) {
        line.number("call", self.call);
        line.number("t", self.t);
        line.text("cap", self.cap);
        line.text("op", self.op);
        line.text("requested", self.requested);
        line.optional_text("resolved", self.resolved);
        match self.decision {
            Decision::Allow { rule } => {
                line.word("decision", "allow");
                line.text("rule", rule);
            }
            Decision::Deny { code, rule } => {
                line.word("decision", "deny");
                line.text("code", code);
                line.optional_text("rule", rule);
            }
        }
        line.optional_text("detail", self.detail);
    }
}

impl Outcome<'_> {
    fn write(&self, line: &mut Object<'_>) {
        line.number("call", self.call);
        line.number("of", self.of);
        line.number("t", self.t);
        line.flag("ok", self.ok);
        line.optional_text("error", self.error);
        line.optional_number("bytes", self.bytes);
        if let Some(digest) = &self.digest {
            line.digest(digest);
        }
        line.optional_number("source", self.source);
        line.optional_number("sink", self.sink);
        line.optional_text("kind", self.kind);
        line.optional_text("name", self.name);
        line.optional_text("class", self.class);
        if let Some(complete) = self.complete {
            line.flag("complete", complete);
        }
        line.optional_number("count", self.count);
    }
}

impl End<'_> {
    fn write(&self, line: &mut Object<'_>) {
        line.number("call", self.call);
        line.word("ending", self.ending);
        line.optional_text("limit", self.limit);
        line.optional_text("observed", self.observed);
        line.optional_text("detail", self.detail);
        line.counts("imports", self.imports);
        line.optional_number("memory", self.memory);
        line.optional_text("searched", self.searched);
        if !self.methods.is_empty() {
            line.value("methods", &self.methods.iter().copied().collect());
        }
        if let Some((traced, omitted)) = self.traced {
            line.value("traced", traced);
            line.optional_number("traced_omitted", Some(omitted).filter(|omitted| *omitted > 0));
        }
    }
}
