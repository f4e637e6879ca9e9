//! Text that a guest may have written, made safe for a ledger line and for a terminal.
//!
//! Called by `line.rs` for every text field, and by the program ([`Escaped`]) for every guest text it prints. Escaping never loses
//! anything: what is written reads back as the same text.

use crate::digest::hex_byte;
use std::fmt;

/// Text longer than this is cut when written. 1 KiB holds any honest path or URL; larger lets a guest fill the disk with names.
pub(crate) const CLAMP_OVER: usize = 1024;
/// What is kept of text that is cut. Half of the bound, so that a cut text is visibly not a long honest one.
pub(crate) const CLAMP_TO: usize = 512;

/// Whether `c` can change how the text around it is displayed, or is displayed as nothing at all. Such characters are never written
/// raw: a terminal would obey them and a reader would not see them.
#[must_use]
pub fn is_unsafe_char(c: char) -> bool {
    matches!(c,
        // C0, DEL and C1: cursor movement, escape sequences, line ends.
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        // Soft hyphen: displayed only at a line's end.
        | '\u{ad}'
        // Direction marks, embeddings, overrides and isolates: what is read is not what is there.
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        // Zero width: invisible joiners and operators, the byte order mark.
        | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
        // Line and paragraph separators: a line end for some readers of JSON Lines.
        | '\u{2028}' | '\u{2029}'
        // Interlinear annotation.
        | '\u{fff9}'..='\u{fffb}'
        // Tags: whole hidden sentences that a model reads and a person does not see.
        | '\u{e0000}'..='\u{e007f}')
}

/// Displays text with every unsafe character as a visible escape (`\u{1b}`, `\n`). For terminals and other plain text.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_unsafe_char(*c)) {
            let (clean, tail) = rest.split_at(at);
            f.write_str(clean)?;
            write!(f, "{}", c.escape_default())?;
            rest = tail.get(c.len_utf8()..).unwrap_or_default();
        }
        f.write_str(rest)
    }
}

/// The part of `guest_text` that is written: all of it, or the start of it cut at a character's boundary.
pub(crate) fn clamp(guest_text: &str) -> (&str, bool) {
    if guest_text.len() <= CLAMP_OVER {
        return (guest_text, false);
    }
    (guest_text.get(..guest_text.floor_char_boundary(CLAMP_TO)).unwrap_or_default(), true)
}

/// Appends `guest_text` as a JSON string with its quotes. Output is one line of UTF-8 without any unsafe character.
pub(crate) fn push_json(out: &mut Vec<u8>, guest_text: &str) {
    out.push(b'"');
    let mut clean_from = 0;
    // Bytes first: nearly all text is plain ASCII, and of that only four kinds need anything.
    for (at, &byte) in guest_text.as_bytes().iter().enumerate() {
        // A character is judged at its first byte; the others continue it, escaped or not.
        if (byte > 0x1f && byte < 0x7f && byte != b'"' && byte != b'\\') || is_continuation(byte) {
            continue;
        }
        let Some(c) = guest_text.get(at..).and_then(|tail| tail.chars().next()) else { continue };
        if byte >= 0x80 && !is_unsafe_char(c) {
            continue;
        }
        out.extend_from_slice(guest_text.as_bytes().get(clean_from..at).unwrap_or_default());
        push_escape(out, c);
        clean_from = at + c.len_utf8();
    }
    out.extend_from_slice(guest_text.as_bytes().get(clean_from..).unwrap_or_default());
    out.push(b'"');
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

fn push_escape(out: &mut Vec<u8>, c: char) {
    match c {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        _ => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let [high, low] = unit.to_be_bytes();
                out.extend_from_slice(b"\\u");
                out.extend_from_slice(&hex_byte(high));
                out.extend_from_slice(&hex_byte(low));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        let mut out = Vec::new();
        push_json(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_text_without_anything_unsafe_is_written_as_it_is() {
        assert_eq!(
            json("/notes/Z\u{fc}rich \u{65e5}\u{672c} \u{1f980}.txt"),
            "\"/notes/Z\u{fc}rich \u{65e5}\u{672c} \u{1f980}.txt\""
        );
    }

    #[test]
    fn json_text_with_unsafe_characters_is_written_in_ascii() {
        assert_eq!(json("a\"b\\c\nd\re\tf"), r#""a\"b\\c\nd\re\tf""#);
        assert_eq!(json("\u{1b}[2J\u{7f}\u{9b}"), r#""\u001b[2J\u007f\u009b""#);
        assert_eq!(json("x\u{202e}y\u{2028}z\u{feff}"), r#""x\u202ey\u2028z\ufeff""#);
        assert_eq!(json("tag \u{e0041}!"), r#""tag \udb40\udc41!""#);
    }

    #[test]
    fn escaped_text_on_a_terminal_shows_what_would_act_on_it() {
        let shown = Escaped("ok\u{1b}]0;title\u{7}\r\n\u{202e}gpj.exe \u{e0041} \u{fc}").to_string();
        assert_eq!(shown, r"ok\u{1b}]0;title\u{7}\r\n\u{202e}gpj.exe \u{e0041} \u{fc}".replace(r"\u{fc}", "\u{fc}"));
    }

    #[test]
    fn unsafe_characters_are_exactly_these_ranges() {
        let listed = (0..=0x10_ffff).filter_map(char::from_u32).filter(|c| is_unsafe_char(*c)).count();
        // C0, DEL+C1, soft hyphen, direction marks, zero width, separators, annotation, tags.
        assert_eq!(listed, 32 + 33 + 1 + (1 + 2 + 5 + 4) + (3 + 5 + 1) + 2 + 3 + 128);
        for c in [' ', '~', '\u{a0}', '\u{200a}', '\u{2010}', '\u{2065}', '\u{fffd}', '\u{e0080}'] {
            assert!(!is_unsafe_char(c), "{c:?}");
        }
    }

    #[test]
    fn clamp_at_its_bounds_keeps_whole_characters() {
        let at = "x".repeat(CLAMP_OVER);
        assert_eq!(clamp(&at), (at.as_str(), false));
        let over = format!("{at}x");
        assert_eq!(clamp(&over), (&over[..CLAMP_TO], true));
        // Three bytes each: 512 falls inside a character, and the cut moves before it.
        let wide = "\u{20ac}".repeat(400);
        assert_eq!(clamp(&wide), (&wide[..510], true));
    }
}
