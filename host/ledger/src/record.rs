//! What a well-formed record is, whoever wrote the file.
//!
//! `read` and `verify` call this with lines from outside: nothing here trusts a length, a type or a nesting depth. `event.rs` uses the
//! parser for findings. Fields that are not named here are accepted, so that a later version may say more about the same event.

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

pub(crate) type Fields = Map<String, Value>;

/// A line as a JSON object in which no key stands twice, or what is wrong with it. Nesting is bounded by the JSON reader (128 levels).
pub(crate) fn parse(line: &[u8]) -> Result<Fields, &'static str> {
    if !line.starts_with(b"{") || !line.ends_with(b"}") {
        return Err("is not a JSON object");
    }
    match serde_json::from_slice::<Strict>(line) {
        Ok(Strict(Value::Object(fields))) => Ok(fields),
        Ok(_) => Err("is not a JSON object"),
        Err(e) if e.is_data() => Err("has a key twice"),
        Err(_) => Err("is not well-formed JSON"),
    }
}

/// The four fields that chain a record.
pub(crate) struct Links<'f> {
    pub(crate) seq: u64,
    pub(crate) event: &'f str,
    pub(crate) prev: &'f str,
}

pub(crate) fn links(fields: &Fields) -> Result<Links<'_>, &'static str> {
    if fields.get("v").and_then(Value::as_u64) != Some(crate::VERSION) {
        return Err("is not of a version that this program reads");
    }
    let seq = fields.get("seq").and_then(Value::as_u64).ok_or("has no seq")?;
    let event = fields.get("event").and_then(Value::as_str).ok_or("has no event")?;
    let prev = fields.get("prev").and_then(Value::as_str).filter(|text| is_hex(text, 64)).ok_or("has no prev")?;
    Ok(Links { seq, event, prev })
}

enum Shape {
    Number,
    Text,
    Flag,
    /// A SHA-256.
    Hash,
    Texts,
    List,
    Object,
    Counts,
    /// Exactly one of these words.
    Word(&'static [&'static str]),
    /// An object with these fields.
    Record(&'static [Field]),
}

struct Field(&'static str, Shape, Need);

#[derive(PartialEq)]
enum Need {
    Must,
    May,
}

use Need::{May, Must};
use Shape::{Counts, Flag, Hash, List, Number, Object, Record, Text, Texts, Word};

const OPEN: &[Field] = &[
    Field("run", Text, Must),
    Field("time", Text, Must),
    Field("customs", Text, Must),
    Field("wasmtime", Text, Must),
    Field("component", Record(&[Field("name", Text, Must), Field("sha256", Hash, Must)]), Must),
    Field("policy", Hash, Must),
    Field("grants", Texts, Must),
    Field("warnings", Texts, Must),
];
const CALL: &[Field] = &[
    Field("call", Number, Must),
    Field("tool", Text, Must),
    Field(
        "args",
        Record(&[Field("bytes", Number, Must), Field("sha256", Hash, Must), Field("keyed", Flag, May)]),
        Must,
    ),
];
const ACCESS: &[Field] = &[
    Field("call", Number, Must),
    Field("t", Number, Must),
    Field("cap", Text, Must),
    Field("op", Text, Must),
    Field("requested", Text, Must),
    Field("resolved", Text, May),
    Field("decision", Word(&["allow", "deny"]), Must),
    Field("rule", Text, May),
    Field("code", Text, May),
    Field("detail", Text, May),
];
const OUTCOME: &[Field] = &[
    Field("call", Number, Must),
    Field("of", Number, Must),
    Field("t", Number, Must),
    Field("ok", Flag, Must),
    Field("error", Text, May),
    Field("bytes", Number, May),
    Field("sha256", Hash, May),
    Field("keyed", Flag, May),
    Field("source", Number, May),
    Field("sink", Number, May),
    Field("kind", Text, May),
    Field("name", Text, May),
    Field("class", Text, May),
    Field("complete", Flag, May),
    Field("count", Number, May),
];
const SUPPRESSED: &[Field] = &[
    Field("call", Number, Must),
    Field("cap", Text, Must),
    Field("op", Text, Must),
    Field("code", Text, Must),
    Field("count", Number, Must),
];
const END: &[Field] = &[
    Field("call", Number, Must),
    Field("ending", Text, Must),
    Field("limit", Text, May),
    Field("observed", Text, May),
    Field("detail", Text, May),
    Field("imports", Counts, Must),
    Field("memory", Number, May),
    Field("searched", Text, May),
    Field("methods", Texts, May),
    Field("traced", List, May),
    Field("traced_omitted", Number, May),
];
const FINDING: &[Field] = &[Field("call", Number, Must), Field("finding", Object, Must)];

/// Whether the fields are those of the event. `close` is not judged here: the chain knows its every byte.
pub(crate) fn check(links: &Links<'_>, fields: &Fields) -> Result<(), &'static str> {
    let shape = match links.event {
        "open" => OPEN,
        "call" => CALL,
        "access" => ACCESS,
        "outcome" => OUTCOME,
        "suppressed" => SUPPRESSED,
        "end" => END,
        "finding" => FINDING,
        _ => return Err("is of a kind that this version does not have"),
    };
    if !all_fit(shape, fields) {
        return Err("lacks a field of its kind, or has one of another type");
    }
    let reason = match fields.get("decision").and_then(Value::as_str) {
        Some("allow") => "rule",
        Some(_) => "code",
        None => return outcome_follows(links, fields),
    };
    if fields.contains_key(reason) { Ok(()) } else { Err("does not say what it was decided by") }
}

fn outcome_follows(links: &Links<'_>, fields: &Fields) -> Result<(), &'static str> {
    match fields.get("of").and_then(Value::as_u64) {
        Some(of) if of >= links.seq => Err("is the outcome of a record that comes after it"),
        _ => Ok(()),
    }
}

fn all_fit(shape: &[Field], fields: &Fields) -> bool {
    shape.iter().all(|Field(name, shape, need)| match fields.get(*name) {
        Some(value) => fits(shape, value),
        None => *need == May,
    })
}

fn fits(shape: &Shape, value: &Value) -> bool {
    match shape {
        Number => value.is_u64(),
        Text => value.is_string(),
        Flag => value.is_boolean(),
        Hash => value.as_str().is_some_and(|text| is_hex(text, 64)),
        // A text that was cut is an object with its length and digest.
        Texts => value.as_array().is_some_and(|items| items.iter().all(|item| item.is_string() || item.is_object())),
        List => value.is_array(),
        Object => value.is_object(),
        Counts => value.as_object().is_some_and(|counts| counts.values().all(Value::is_u64)),
        Word(words) => value.as_str().is_some_and(|text| words.contains(&text)),
        Record(shape) => value.as_object().is_some_and(|fields| all_fit(shape, fields)),
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A JSON value in which no object has a key twice. Readers differ in which of the two they believe, and a record must mean one thing.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Strict, D::Error> {
        deserializer.deserialize_any(StrictVisitor)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Strict;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Strict, E> {
        Ok(Strict(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Strict, E> {
        Ok(Strict(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Strict, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Strict(Value::Array(array)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Strict, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(de::Error::custom("a key stands twice"));
            }
            let Strict(value) = entries.next_value()?;
            object.insert(key, value);
        }
        Ok(Strict(Value::Object(object)))
    }
}
