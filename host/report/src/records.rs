//! The fields of one record, as far as they have the form that the ledger gives them.
//!
//! `story.rs` asks. A record that lacks a field, or has a word that the contract does not have, is `None`: it is counted, not guessed at.

use serde_json::{Map, Value};

pub(crate) type Fields = Map<String, Value>;

/// Bytes of a text that are kept. The ledger itself keeps 1024 at most; only a file that it did not write has more.
const MAX_NAME: usize = 1024;

/// A text of the guest's, or the start of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) text: String,
    /// How long the whole is, in bytes.
    pub(crate) bytes: u64,
    /// Of the whole, where only its start is there: tells two long texts apart.
    digest: Option<String>,
}

impl Name {
    pub(crate) fn new(text: &str) -> Name {
        Name::cut(text, None, None)
    }

    fn cut(text: &str, bytes: Option<u64>, digest: Option<&str>) -> Name {
        let kept = text.get(..text.floor_char_boundary(MAX_NAME)).unwrap_or_default();
        let bytes = bytes.unwrap_or(0).max(text.len() as u64);
        Name { text: kept.to_owned(), bytes, digest: digest.map(|d| d.chars().take(64).collect()) }
    }

    /// True where only the start of it is known.
    pub(crate) fn is_cut(&self) -> bool {
        self.bytes > self.text.len() as u64
    }
}

pub(crate) fn number(fields: &Fields, key: &str) -> Option<u64> {
    fields.get(key).and_then(Value::as_u64)
}

pub(crate) fn word<'f>(fields: &'f Fields, key: &str) -> Option<&'f str> {
    fields.get(key).and_then(Value::as_str)
}

/// A text field, with what stands beside it where it was cut.
pub(crate) fn name(fields: &Fields, key: &str) -> Option<Name> {
    let text = word(fields, key)?;
    Some(Name::cut(text, number(fields, &format!("{key}_bytes")), word(fields, &format!("{key}_sha256"))))
}

/// A list of texts, `at_most` of them, and how many more there are.
pub(crate) fn names(fields: &Fields, key: &str, at_most: usize) -> (Vec<Name>, u64) {
    let items: &[Value] = fields.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice);
    let name = |item: &Value| match item {
        Value::String(text) => Name::new(text),
        Value::Object(cut) => {
            // One field with the text, one with its length, one with its digest.
            let text = cut.iter().find(|(key, value)| value.is_string() && !key.ends_with("_sha256"));
            text.and_then(|(key, _)| self::name(cut, key)).unwrap_or_default()
        }
        _ => Name::default(),
    };
    let more = items.len().saturating_sub(at_most) as u64;
    let omitted = number(fields, &format!("{key}_omitted")).unwrap_or(0);
    (items.iter().take(at_most).map(name).collect(), omitted.saturating_add(more))
}

/// A SHA-256 in hexadecimal.
pub(crate) fn digest(fields: &Fields, key: &str) -> Option<String> {
    word(fields, key).filter(|text| is_digest(text)).map(str::to_owned)
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// One of the contract's words, as the contract spells it.
pub(crate) fn one_of(fields: &Fields, key: &str, words: &[&'static str]) -> Option<&'static str> {
    let word = word(fields, key)?;
    words.iter().copied().find(|known| *known == word)
}

pub(crate) const SOURCE_KINDS: [&str; 9] =
    ["env", "file", "listing", "metadata", "link", "http-response", "stdin", "argument", "socket"];
pub(crate) const SINK_KINDS: [&str; 10] =
    ["return", "error", "http-request", "dns", "file", "stdout", "stderr", "progress", "log", "socket"];
pub(crate) const CLASSES: [&str; 4] = ["secret", "private", "untrusted", "public"];
pub(crate) const ENDINGS: [&str; 7] = ["returned", "error", "trap", "limit", "exit", "refused", "cancelled"];
/// From the gravest on.
pub(crate) const SEVERITIES: [&str; 4] = ["high", "medium", "low", "info"];
pub(crate) const METHODS: [&str; 3] = ["match", "trace", "causal"];
pub(crate) const STRENGTHS: [&str; 2] = ["strong", "weak"];
pub(crate) const ACTIONS: [&str; 4] = ["allowed", "warned", "redacted", "blocked"];

#[cfg(test)]
mod tests {
    use super::*;
    use customs_ledger::material::{Class, SinkKind, SourceKind};
    use serde_json::json;

    #[test]
    fn the_words_are_those_that_the_boundary_writes() {
        use SinkKind as Out;
        use SourceKind as In;
        let kinds = [In::Env, In::File, In::Listing, In::Metadata, In::Link, In::HttpResponse, In::Stdin, In::Argument];
        assert_eq!(kinds.map(In::as_str).as_slice(), &SOURCE_KINDS[..8]);
        assert_eq!(In::Socket.as_str(), SOURCE_KINDS[8]);
        let kinds = [Out::Return, Out::Error, Out::HttpRequest, Out::Dns, Out::File, Out::Stdout, Out::Stderr];
        assert_eq!(kinds.map(Out::as_str).as_slice(), &SINK_KINDS[..7]);
        assert_eq!([Out::Progress, Out::Log, Out::Socket].map(Out::as_str).as_slice(), &SINK_KINDS[7..]);
        assert_eq!([Class::Secret, Class::Private, Class::Untrusted, Class::Public].map(Class::as_str), CLASSES);
    }

    #[test]
    fn a_text_that_was_cut_keeps_its_length_in_fields_and_in_lists() {
        let record = json!({"requested": "/xx", "requested_bytes": 9000, "requested_sha256": "ab",
            "grants": ["a", {"text": "b", "text_bytes": 5000, "text_sha256": "cd"}, "c"], "grants_omitted": 2});
        let fields = record.as_object().unwrap();
        let requested = name(fields, "requested").unwrap();
        assert_eq!((requested.text.as_str(), requested.bytes, requested.is_cut()), ("/xx", 9000, true));
        let (grants, more) = names(fields, "grants", 2);
        assert_eq!((grants[1].text.as_str(), grants[1].bytes, more), ("b", 5000, 3));
        // A file that no ledger wrote: the text is cut here, and its own length believed.
        let long = json!({"requested": "\u{20ac}".repeat(400), "requested_bytes": 1});
        let long = name(long.as_object().unwrap(), "requested").unwrap();
        assert_eq!((long.text.len(), long.bytes), (1023, 1200));
    }
}
