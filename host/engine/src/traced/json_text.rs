//! JSON text with places: which bytes of it are which leaf. A guest's text is looked through as it was written, because labels are by its bytes;
//! sinks are by the leaves of the value that it means.
//!
//! It was read as JSON before. What is not as expected here ends the walk, and what was found so far is all there is.

/// Nesting that is followed; JSON that was read has less.
const MAX_DEPTH: usize = 130;

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Key,
    Text,
    Number,
    /// `true` or `false`.
    Truth,
}

/// A leaf, or a key.
#[derive(Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    /// In bytes of the text; of a string what is between the quotes.
    pub(super) from: usize,
    pub(super) to: usize,
    text: &'t [u8],
}

impl Token<'_> {
    /// How many bytes it means: of a string, those of its characters.
    pub(super) fn bytes(&self) -> u64 {
        match self.kind {
            Kind::Key | Kind::Text => {
                let mut bytes = 0_u64;
                self.characters(|_, _, means| bytes = bytes.saturating_add(means));
                bytes
            }
            Kind::Number | Kind::Truth => self.to.saturating_sub(self.from) as u64,
        }
    }

    /// A range of the text as a range of what it means. An escape is one character, and has all that any of its bytes has.
    pub(super) fn meant(&self, from: u64, to: u64) -> (u64, u64) {
        let (mut first, mut last, mut at) = (None, 0_u64, 0_u64);
        self.characters(|place, written, means| {
            let (begins, ends) = (place as u64, place.saturating_add(written) as u64);
            let next = at.saturating_add(means);
            if begins < to && ends > from {
                first.get_or_insert(at);
                last = next;
            }
            at = next;
        });
        (first.unwrap_or(last), last)
    }

    /// The inverse: a range of what it means as a range of the text.
    pub(super) fn written(&self, from: u64, to: u64) -> (u64, u64) {
        if matches!(self.kind, Kind::Number | Kind::Truth) {
            return (self.from as u64, self.to as u64);
        }
        let (mut first, mut last, mut at) = (None, self.from as u64, 0_u64);
        self.characters(|place, length, means| {
            let next = at.saturating_add(means);
            if at < to && next > from {
                first.get_or_insert(place as u64);
                last = place.saturating_add(length) as u64;
            }
            at = next;
        });
        (first.unwrap_or(last), last)
    }

    /// Each character or escape: where it stands, in how many bytes, and how many it means.
    fn characters(&self, mut each: impl FnMut(usize, usize, u64)) {
        let mut at = self.from;
        while at < self.to {
            let rest = self.text.get(at..self.to).unwrap_or_default();
            let (written, means) = character(rest);
            each(at, written, means);
            at = at.saturating_add(written.max(1));
        }
    }
}

/// The first character of a string's text: in how many bytes it is written, and how many it means.
fn character(rest: &[u8]) -> (usize, u64) {
    let unit = |at: usize| {
        let digits = rest.get(at..at.saturating_add(4)).and_then(|digits| std::str::from_utf8(digits).ok());
        digits.and_then(|digits| u32::from_str_radix(digits, 16).ok())
    };
    match rest {
        [b'\\', b'u', ..] => match unit(2) {
            // A pair of surrogates is one character of four bytes.
            Some(0xd800..=0xdbff) => (12, 4),
            Some(code) => (6, char::from_u32(code).map_or(3, |c| c.len_utf8() as u64)),
            None => (6, 3),
        },
        [b'\\', ..] => (2, 1),
        _ => (1, 1),
    }
}

/// A place in the value, from its root on.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    At(usize),
}

/// The pointer of a token, as far as the walk has come.
#[derive(Debug, Default)]
pub(super) struct Pointer(Vec<Step>);

impl std::fmt::Display for Pointer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for step in &self.0 {
            match step {
                Step::Key(key) => write!(f, "/{}", key.replace('~', "~0").replace('/', "~1"))?,
                Step::At(at) => write!(f, "/{at}")?,
            }
        }
        Ok(())
    }
}

/// What the walk is in.
enum Open {
    Object,
    Array,
}

/// Goes through a text, and tells each key and leaf with its pointer.
pub(super) fn walk(text: &str, mut each: impl FnMut(&Pointer, &Token<'_>)) {
    let bytes = text.as_bytes();
    let mut open: Vec<Open> = Vec::new();
    let mut pointer = Pointer::default();
    // Whether a string that comes next is a key.
    let mut key = false;
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        match byte {
            b'{' | b'[' => {
                if open.len() >= MAX_DEPTH {
                    return;
                }
                key = byte == b'{';
                open.push(if key { Open::Object } else { Open::Array });
                pointer.0.push(if key { Step::Key(String::new()) } else { Step::At(0) });
            }
            b'}' | b']' => {
                open.pop();
                pointer.0.pop();
                key = false;
            }
            b',' => match pointer.0.last_mut() {
                Some(Step::At(place)) => *place = place.saturating_add(1),
                _ => key = true,
            },
            b':' => key = false,
            b'"' => {
                let from = at.saturating_add(1);
                let Some(to) = end_of_string(bytes, from) else { return };
                let token = Token { kind: if key { Kind::Key } else { Kind::Text }, from, to, text: bytes };
                if key {
                    let whole = text.get(at..=to).and_then(|quoted| serde_json::from_str(quoted).ok());
                    if let (Some(Step::Key(last)), Some(name)) = (pointer.0.last_mut(), whole) {
                        *last = name;
                    }
                }
                each(&pointer, &token);
                at = to;
            }
            b't' | b'f' | b'n' | b'-' | b'0'..=b'9' => {
                let rest = bytes.get(at..).unwrap_or_default();
                let length =
                    rest.iter().position(|b| !matches!(b, b'a'..=b'z' | b'E' | b'+' | b'-' | b'.' | b'0'..=b'9'));
                let to = at.saturating_add(length.unwrap_or(rest.len()));
                let kind = if byte == b't' || byte == b'f' { Kind::Truth } else { Kind::Number };
                if byte != b'n' {
                    each(&pointer, &Token { kind, from: at, to, text: bytes });
                }
                at = to.saturating_sub(1);
            }
            _ => {}
        }
        at = at.saturating_add(1);
    }
}

fn end_of_string(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at = at.saturating_add(2),
            _ => at = at.saturating_add(1),
        }
    }
}

/// Where the values of an object's members stand in its text, with their pointers.
pub(crate) fn members(text: &str) -> Vec<(u64, u64, String)> {
    let mut members: Vec<(u64, u64, String)> = Vec::new();
    walk(text, |pointer, token| {
        let Some(first) = pointer.0.first().filter(|_| token.kind != Kind::Key || pointer.0.len() > 1) else { return };
        let name = Pointer(vec![first.clone()]).to_string();
        let (from, to) = (token.from as u64, token.to as u64);
        match members.last_mut() {
            Some((_, end, last)) if *last == name => *end = to,
            _ => members.push((from, to, name)),
        }
    });
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn leaves(text: &str) -> Vec<(String, Kind, String)> {
        let mut leaves = Vec::new();
        walk(text, |pointer, token| {
            leaves.push((pointer.to_string(), token.kind, text[token.from..token.to].to_owned()));
        });
        leaves
    }

    #[test]
    fn every_key_and_leaf_is_told_with_its_pointer() {
        let text = r#" {"a" : [1, {"b/c~": "x\"y"}, [], true], "d":null,"e":{"f":-1.5e+3 }, "":false}"#;
        let row = |pointer: &str, kind, text: &str| (pointer.to_owned(), kind, text.to_owned());
        assert_eq!(
            leaves(text),
            [
                row("/a", Kind::Key, "a"),
                row("/a/0", Kind::Number, "1"),
                row("/a/1/b~1c~0", Kind::Key, "b/c~"),
                row("/a/1/b~1c~0", Kind::Text, "x\\\"y"),
                row("/a/3", Kind::Truth, "true"),
                row("/d", Kind::Key, "d"),
                row("/e", Kind::Key, "e"),
                row("/e/f", Kind::Key, "f"),
                row("/e/f", Kind::Number, "-1.5e+3"),
                row("/", Kind::Key, ""),
                row("/", Kind::Truth, "false"),
            ]
        );
        // Each text and number is what serde reads there.
        let value: Value = serde_json::from_str(text).unwrap();
        for (pointer, kind, written) in leaves(text) {
            let found = value.pointer(&pointer).unwrap();
            match kind {
                Kind::Text => assert_eq!(found, &serde_json::from_str::<Value>(&format!("\"{written}\"")).unwrap()),
                Kind::Number => assert_eq!(found.as_f64(), written.parse().ok()),
                Kind::Key | Kind::Truth => {}
            }
        }
    }

    #[test]
    fn ranges_of_a_string_are_those_of_what_it_means() {
        let text = r#"["a\né\u00e9\ud83d\ude00z\/"]"#;
        let mut seen = false;
        walk(text, |_, token| {
            seen = true;
            let means: Vec<String> = serde_json::from_str(text).unwrap();
            assert_eq!(token.bytes(), means[0].len() as u64);
            let at = |part: &str| text.find(part).unwrap() as u64;
            for (from, to, part) in [
                (at("a"), at("a") + 1, "a"),
                (at("\\n") + 1, at("\\n") + 2, "\n"),
                (at("é"), at("é") + 2, "é"),
                (at("\\u00e9"), at("\\u00e9") + 1, "é"),
                (at("\\ude00"), at("\\ude00") + 6, "😀"),
                (at("z"), at("z") + 3, "z/"),
            ] {
                let (first, last) = token.meant(from, to);
                let range = usize::try_from(first).unwrap()..usize::try_from(last).unwrap();
                assert_eq!(&means[0][range], part, "{from} {to}");
                let (begins, ends) = token.written(first, last);
                assert!(begins <= from && ends >= to && token.meant(begins, ends) == (first, last), "{from} {to}");
            }
        });
        assert!(seen);
    }

    #[test]
    fn what_is_no_json_ends_the_walk_and_must_not_panic() {
        for text in ["", "\"", "{\"a", "]]]]", "{{{{", "[\"\\", "[1,,2}", "\\u", "[\"\\u12\"]"] {
            leaves(text);
        }
        assert_eq!(leaves(&"[".repeat(100_000)), []);
        let text = r#"{"a\u12":"b"}"#;
        for cut in 0..text.len() {
            leaves(&text[..cut]);
        }
    }

    #[test]
    fn members_stand_where_their_values_are() {
        let text = r#"{"city":"Bern","list":[1, "two"],"of":{"k":3},"flag":true,"none":null}"#;
        let found: Vec<(&str, String)> = members(text)
            .into_iter()
            .map(|(from, to, name)| (&text[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()], name))
            .collect();
        let row = |text, name: &str| (text, name.to_owned());
        assert_eq!(found, [row("Bern", "/city"), row("1, \"two", "/list"), row("k\":3", "/of"), row("true", "/flag"),]);
    }
}
