//! Arguments that don't fit: what was expected, what came, and where.

use super::shape::Shape;
use serde_json::Value;
use std::fmt::{self, Write as _};

/// How much of a text that a client or guest wrote a message repeats.
const MAX_SHOWN: usize = 80;

/// How many names an expectation lists.
const MAX_NAMES: usize = 6;

/// Arguments that were refused, before any guest code ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentError {
    /// A JSON Pointer into the arguments: `/limit`. Long or unprintable names are shortened and escaped in it.
    pub path: String,
    /// One sentence.
    pub message: String,
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.message),
            path => write!(f, "{path}: {}", self.message),
        }
    }
}

impl std::error::Error for ArgumentError {}

impl ArgumentError {
    pub(super) fn here(message: String) -> Self {
        ArgumentError { path: String::new(), message }
    }

    pub(super) fn mismatch(shape: &Shape, value: &Value) -> Self {
        Self::here(format!("expected {}, got {}", expected(shape), got(value)))
    }

    pub(super) fn not_one_of<'a>(names: impl ExactSizeIterator<Item = &'a str>, value: &Value) -> Self {
        Self::here(format!("expected {}, got {}", one_of(names), got(value)))
    }

    pub(super) fn missing(shape: &Shape) -> Self {
        Self::here(format!("missing, expected {}", expected(shape)))
    }

    /// A key that nothing is called.
    pub(super) fn unknown<'a>(key: &str, known: impl ExactSizeIterator<Item = &'a str>) -> Self {
        let message = match known.len() {
            0 => "unknown, nothing is expected here".to_owned(),
            _ => format!("unknown, expected {}", one_of(known)),
        };
        Self::here(message).within(key)
    }

    /// The same error, seen from one level further out. Paths are built only once something is wrong.
    pub(super) fn within(mut self, key: &str) -> Self {
        let mut path = String::from("/");
        for char in clamp(key).chars() {
            match char {
                '~' => path.push_str("~0"),
                '/' => path.push_str("~1"),
                '"' | '\'' | '\\' => path.push(char),
                _ => path.extend(char.escape_debug()),
            }
        }
        path.push_str(&self.path);
        self.path = path;
        self
    }
}

/// What a shape wants, as the object of "expected".
fn expected(shape: &Shape) -> String {
    match shape {
        Shape::Bool => "true or false".to_owned(),
        Shape::Integer(kind) => {
            let (min, max) = kind.bounds();
            let spelling = if kind.is_wide() { " (beyond 2^53 also as a decimal string)" } else { "" };
            format!("an integer from {min} to {max}{spelling}")
        }
        Shape::Float32 => "a number in the range of a 32-bit float".to_owned(),
        Shape::Float64 => "a number".to_owned(),
        Shape::Char => "a string of one character".to_owned(),
        Shape::Text => "a string".to_owned(),
        Shape::Bytes => "a base64 string (standard alphabet, padded)".to_owned(),
        Shape::List(_) => "an array".to_owned(),
        Shape::Array(_, len) => format!("an array of {}", count(*len, "item")),
        Shape::Tuple(items) => format!("an array of {}", count(items.len(), "item")),
        Shape::Record(_) => "an object".to_owned(),
        Shape::Variant(cases) => format!("an object whose one key is {}", one_of(cases.names())),
        Shape::Enum(names) => one_of(names.names()),
        Shape::Flags(names) => format!("an array of distinct strings, each {}", one_of(names.names())),
        Shape::Option(inner) if inner.is_nullable() => "null or an object whose one key is \"some\"".to_owned(),
        Shape::Option(inner) => format!("null or {}", expected(inner)),
        Shape::Result(..) => "an object whose one key is \"ok\" or \"err\"".to_owned(),
    }
}

/// What came, as the object of "got".
fn got(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("an array of {}", count(items.len(), "item")),
        Value::Object(fields) => match (fields.len(), fields.keys().next()) {
            (1, Some(key)) => format!("an object with the key {}", quoted(key)),
            (len, _) => format!("an object with {len} keys"),
        },
    }
}

fn count(len: usize, noun: &str) -> String {
    if len == 1 { format!("1 {noun}") } else { format!("{len} {noun}s") }
}

fn one_of<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let len = names.len();
    let mut text = String::new();
    for (place, name) in names.take(MAX_NAMES).enumerate() {
        let joint = match place {
            0 => "",
            _ if place + 1 == len => " or ",
            _ => ", ",
        };
        let _infallible = write!(text, "{joint}{}", quoted(name));
    }
    match len.checked_sub(MAX_NAMES) {
        None | Some(0) => text,
        Some(more) => format!("{text} or {more} more"),
    }
}

/// A text that somebody else wrote, safe to show: short, one line, nothing that a terminal obeys.
fn quoted(text: &str) -> String {
    let short = clamp(text);
    if short.len() < text.len() { format!("{short:?}..") } else { format!("{short:?}") }
}

pub(super) fn clamp(text: &str) -> &str {
    text.char_indices().nth(MAX_SHOWN).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}
