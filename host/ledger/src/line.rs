//! One line of JSON as it is written, straight into the writer's buffer.
//!
//! Hand-written because it is on the path of every access: no tree, no allocation, and escaping that a JSON library does not do.
//! `event.rs` is the only caller; keys are ours and need no escaping.

use crate::digest::{Digest, hex_byte, sha256};
use crate::text::{clamp, push_json};
use serde_json::Value;
use std::collections::BTreeMap;

/// Bytes that one list or map of a record may take; what is left out is counted in `<field>_omitted`. Two of them fit a line with room to
/// spare, and the policy's digest names the rest.
const LIST_BUDGET: usize = 256 << 10;

/// An object being written: each method adds one field. The record's own is opened by `start` and ended by `finish`.
pub(crate) struct Object<'b> {
    out: &'b mut Vec<u8>,
    first: bool,
}

impl<'b> Object<'b> {
    /// Opens the record: `{"v":1,"seq":N,"event":"..."`.
    pub(crate) fn start(out: &'b mut Vec<u8>, seq: u64, event: &str) -> Object<'b> {
        out.push(b'{');
        let mut line = Object { out, first: true };
        line.number("v", crate::VERSION);
        line.number("seq", seq);
        line.word("event", event);
        line
    }

    /// Ends the record with `prev`, already in hexadecimal.
    pub(crate) fn finish(mut self, prev: &[u8; 64]) {
        self.key("prev");
        self.out.push(b'"');
        self.out.extend_from_slice(prev);
        self.out.extend_from_slice(b"\"}");
    }

    /// Fields that were written before, each with a comma before it.
    pub(crate) fn raw(&mut self, fields: &[u8]) {
        self.out.extend_from_slice(fields);
    }

    fn key(&mut self, key: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    pub(crate) fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        push_number(self.out, value);
    }

    pub(crate) fn optional_number(&mut self, key: &str, value: Option<u64>) {
        if let Some(value) = value {
            self.number(key, value);
        }
    }

    pub(crate) fn flag(&mut self, key: &str, value: bool) {
        self.key(key);
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// A word of our own.
    pub(crate) fn word(&mut self, key: &str, value: &str) {
        self.key(key);
        push_json(self.out, value);
    }

    /// Text that a guest may have written: escaped, and cut where it is long. A cut text has its length and digest beside it.
    pub(crate) fn text(&mut self, key: &str, guest_text: &str) {
        let (written, cut) = clamp(guest_text);
        self.key(key);
        push_json(self.out, written);
        if cut {
            self.number(&format!("{key}_bytes"), guest_text.len() as u64);
            self.hex(&format!("{key}_sha256"), &sha256(guest_text.as_bytes()));
        }
    }

    pub(crate) fn optional_text(&mut self, key: &str, guest_text: Option<&str>) {
        if let Some(text) = guest_text {
            self.text(key, text);
        }
    }

    pub(crate) fn hex(&mut self, key: &str, bytes: &[u8; 32]) {
        self.key(key);
        let mut digits = [b'"'; 66];
        // Into one array and out at once: growing the line byte by byte was a tenth of a record's cost.
        if let Some(inner) = digits.get_mut(1..65) {
            for (pair, byte) in inner.chunks_exact_mut(2).zip(bytes) {
                pair.copy_from_slice(&hex_byte(*byte));
            }
        }
        self.out.extend_from_slice(&digits);
    }

    /// `sha256`, and `keyed` where the run's key went into it.
    pub(crate) fn digest(&mut self, digest: &Digest) {
        self.hex("sha256", &digest.bytes);
        if digest.keyed {
            self.flag("keyed", true);
        }
    }

    pub(crate) fn object(&mut self, key: &str, fields: impl FnOnce(&mut Object<'_>)) {
        self.key(key);
        self.out.push(b'{');
        fields(&mut Object { out: self.out, first: true });
        self.out.push(b'}');
    }

    /// A list of texts. One that is cut becomes an object with its length and digest.
    pub(crate) fn texts(&mut self, key: &str, texts: &[String]) {
        self.key(key);
        self.out.push(b'[');
        let begin = self.out.len();
        let mut written = 0;
        for text in texts {
            if self.out.len() - begin > LIST_BUDGET {
                break;
            }
            if written > 0 {
                self.out.push(b',');
            }
            if clamp(text).1 {
                self.out.push(b'{');
                Object { out: self.out, first: true }.text("text", text);
                self.out.push(b'}');
            } else {
                push_json(self.out, text);
            }
            written += 1;
        }
        self.out.push(b']');
        self.omitted(key, texts.len() - written);
    }

    /// A map of names to counts. A name too long to be one of WASI's is left out and counted.
    pub(crate) fn counts(&mut self, key: &str, counts: &BTreeMap<&str, u64>) {
        self.key(key);
        self.out.push(b'{');
        let begin = self.out.len();
        let mut written = 0;
        for (name, count) in counts {
            if self.out.len() - begin > LIST_BUDGET || clamp(name).1 {
                continue;
            }
            if written > 0 {
                self.out.push(b',');
            }
            push_json(self.out, name);
            self.out.push(b':');
            push_number(self.out, *count);
            written += 1;
        }
        self.out.push(b'}');
        self.omitted(key, counts.len() - written);
    }

    fn omitted(&mut self, key: &str, count: usize) {
        if count > 0 {
            self.number(&format!("{key}_omitted"), count as u64);
        }
    }

    pub(crate) fn value(&mut self, key: &str, value: &Value) {
        self.key(key);
        push_value(self.out, value);
    }
}

pub(crate) fn push_number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [b'0'; 20];
    let mut length = 0;
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(value % 10).unwrap_or_default();
        value /= 10;
        length += 1;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(20 - length..).unwrap_or_default());
}

/// Depth is bounded where the value was parsed.
fn push_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::String(text) => push_json(out, text),
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                push_value(out, item);
            }
            out.push(b']');
        }
        Value::Object(fields) => {
            out.push(b'{');
            for (at, (key, item)) in fields.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                push_json(out, key);
                out.push(b':');
                push_value(out, item);
            }
            out.push(b'}');
        }
    }
}
