//! Schemas that a component writes for its tools, and what must fit them.
//!
//! The schemas are hostile: [`super::validate_cost`] says what checking with one can cost before it is compiled, and every value is measured
//! before it is checked. What would take too long is refused, never skipped. The dialect is JSON Schema 2020-12; `format` and the `content`
//! keywords say something and check nothing, as that dialect has it.

use super::mismatch::clamp;
use super::validate_cost::{Bounds, Size, bounds};
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Bytes of one compiled pattern. It may have to look at all its states for each byte of a text: up to 0.4 us were measured for each KiB.
const MAX_PATTERN: usize = 64 << 10;
/// The smallest size that a pattern is measured to have.
const SMALL_PATTERN: usize = 512;
/// Steps for each byte of a text and each KiB of a pattern.
const STEPS_PER_KIB: u64 = 40;
/// Bytes of a pattern's table of states, which is filled while it matches.
const MAX_PATTERN_CACHE: usize = 256 << 10;
/// Steps that one check may take, whatever the size of the value, more for each byte of it, and at all. A step is 10 ns or less: at most
/// some 50 ms for 64 KiB, and half a second for a value of any size, during which a thread does nothing else.
const MAX_STEPS: u64 = 3_000_000;
const MAX_STEPS_PER_BYTE: u64 = 80;
const MAX_STEPS_AT_ALL: u64 = 50_000_000;
/// Steps for finding the place of an error: there nothing is remembered, so it may take much longer than to see that there is one.
const MAX_STEPS_TO_EXPLAIN: u64 = 1_000_000;
/// Schemas within each other, as calls on the stack of a thread.
const MAX_CHAIN: u64 = 400;
/// Values and levels of arguments that no schema may refuse as too much work.
const SMALL: Size = Size { nodes: 64, bytes: 1_024, depth: 4 };
/// Characters of a reason.
const MAX_REASON: usize = 300;

/// What a tool takes and gives, compiled once when it is listed.
pub struct Contract {
    input: Fit,
    output: Option<Fit>,
}

impl fmt::Debug for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contract").field("output", &self.output.is_some()).finish_non_exhaustive()
    }
}

impl Contract {
    /// The error is one sentence that names the schema and says why it is refused.
    pub fn new(input: &Value, output: Option<&Value>) -> Result<Contract, String> {
        let compile = |which: &str, schema: &Value| {
            Fit::new(schema).map_err(|why| format!("its {which} schema is refused: {why}"))
        };
        let output = output.map(|schema| compile("output", schema)).transpose()?;
        Ok(Contract { input: compile("input", input)?, output })
    }

    /// Checks the arguments of a call. The error is one sentence: a JSON Pointer and the reason.
    pub fn check_arguments(&self, arguments: Map<String, Value>) -> Result<Map<String, Value>, String> {
        let arguments = Value::Object(arguments);
        self.input.check(&arguments)?;
        match arguments {
            Value::Object(arguments) => Ok(arguments),
            _ => Err("the arguments must be a JSON object".to_owned()),
        }
    }

    /// Checks the structured content of a result that is no error.
    pub fn check_structured(&self, structured: Option<&Value>) -> Result<(), String> {
        match (&self.output, structured) {
            (None, _) => Ok(()),
            (Some(_), None) => Err("the tool has an output schema and its result has no structured content".to_owned()),
            (Some(fit), Some(value)) => fit
                .check(value)
                .map_err(|why| format!("the tool's structured content does not fit its output schema: {why}")),
        }
    }
}

/// One schema.
struct Fit {
    validator: Validator,
    bounds: Bounds,
}

impl Fit {
    fn new(schema: &Value) -> Result<Fit, String> {
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            return Err("its type must be \"object\"".to_owned());
        }
        let bounds = bounds(schema, &pattern_steps)?;
        if bounds.steps(SMALL) > MAX_STEPS || bounds.chain(SMALL.depth) > MAX_CHAIN {
            return Err("checking even a small value against it could take too long".to_owned());
        }
        let mut plain = schema.clone();
        if let Some(members) = plain.as_object_mut() {
            // All that they could do here is to name another document.
            members.retain(|key, _| key != "$id" && key != "$schema");
        }
        let validator = build(&plain, MAX_PATTERN)?;
        Ok(Fit { validator, bounds })
    }

    fn check(&self, value: &Value) -> Result<(), String> {
        let size = Size::of(value);
        let steps = self.bounds.steps(size);
        // A value has two bytes of JSON at least.
        let text = size.bytes.saturating_add(size.nodes.saturating_mul(2));
        let most = MAX_STEPS.saturating_add(text.saturating_mul(MAX_STEPS_PER_BYTE)).min(MAX_STEPS_AT_ALL);
        if steps > most || self.bounds.chain(size.depth) > MAX_CHAIN {
            let Size { nodes, bytes, depth } = size;
            return Err(format!(
                "too large to check against this schema: {nodes} values, {bytes} bytes of text, {depth} levels"
            ));
        }
        match guarded(|| self.validator.is_valid(value)) {
            Some(true) => return Ok(()),
            Some(false) => {}
            None => return Err("it could not be checked".to_owned()),
        }
        let explain = if self.bounds.branches() {
            steps.saturating_mul(self.bounds.chain(size.depth)).saturating_mul(4)
        } else {
            steps
        };
        if explain > MAX_STEPS_TO_EXPLAIN {
            return Err("it does not fit the schema, which is too intricate to say where".to_owned());
        }
        // Not valid, whatever the second look finds.
        Err(match guarded(|| self.validator.validate(value).err().map(|error| told(&error))) {
            Some(Some(why)) => why,
            _ => "it does not fit the schema".to_owned(),
        })
    }
}

/// Steps that a pattern may take for one byte, from its size when it is compiled.
fn pattern_steps(pattern: &str) -> Result<u64, String> {
    let alone = Value::from_iter([("pattern", pattern)]);
    let mut size = SMALL_PATTERN;
    while size <= MAX_PATTERN {
        if build(&alone, size).is_ok() {
            return Ok((size as u64).saturating_mul(STEPS_PER_KIB) >> 10);
        }
        size *= 2;
    }
    Err("is not one that can be matched in linear time, or is too large".to_owned())
}

/// `pattern` is the most bytes that a compiled pattern may have.
fn build(schema: &Value, pattern: usize) -> Result<Validator, String> {
    let patterns = PatternOptions::regex().size_limit(pattern).dfa_size_limit(MAX_PATTERN_CACHE);
    let options = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .should_validate_formats(false)
        .with_pattern_options(patterns);
    match guarded(|| options.build(schema).map_err(|error| told(&error))) {
        Some(built) => built,
        None => Err("it cannot be compiled".to_owned()),
    }
}

/// The library means to refuse what it cannot do; should it panic over a schema of a guest, that is a refusal too.
fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// Where and why, without the value itself.
fn told(error: &ValidationError<'_>) -> String {
    let shown = |text: &str, most: usize| {
        let mut short: String = text.chars().take(most).collect();
        if short.len() < text.len() {
            short.push_str("..");
        }
        customs_ledger::Escaped(&short).to_string()
    };
    let reason = shown(&error.masked_with("the value").to_string(), MAX_REASON);
    match error.instance_path().as_str() {
        "" => reason,
        path => format!("{}: {reason}", shown(path, MAX_REASON)),
    }
}

/// The first key that an object of a JSON text has twice, as a sentence. Readers take the last of them, so a text with two says different
/// things to different readers.
pub fn refuse_duplicate_keys(text: &[u8]) -> Result<(), String> {
    use serde::de::DeserializeSeed as _;
    let mut found = None;
    let mut reader = serde_json::Deserializer::from_slice(text);
    let read = Once { found: &mut found }.deserialize(&mut reader);
    match (found, read) {
        (Some(key), _) => Err(format!("the key {:?} is there twice", clamp(&key))),
        // What is not JSON is refused by whoever reads it.
        (None, _) => Ok(()),
    }
}

/// Walks a JSON text and keeps nothing but the keys of the objects it is in.
struct Once<'a> {
    found: &'a mut Option<String>,
}

impl<'de> serde::de::DeserializeSeed<'de> for Once<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> serde::de::Visitor<'de> for Once<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Once { found: &mut *self.found })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut keys = std::collections::BTreeSet::new();
        while let Some(key) = members.next_key::<String>()? {
            if self.found.is_none() && keys.contains(&key) {
                *self.found = Some(key.clone());
            }
            keys.insert(key);
            members.next_value_seed(Once { found: &mut *self.found })?;
        }
        Ok(())
    }
}
