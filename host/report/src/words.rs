//! What the formats share: sizes and counts in words, guest text in one short line, JSON that hides nothing.

use crate::records::Name;
use crate::story::{Call, Found};
use customs_ledger::Escaped;
use customs_policy::DenialCode;
use serde_json::Value;
use std::fmt::Write as _;

/// `262144` is `256 KiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    for (unit, scale) in UNITS {
        if bytes >= scale {
            let whole = bytes / scale;
            let tenths = bytes % scale * 10 / scale;
            return if tenths == 0 { format!("{whole} {unit}") } else { format!("{whole}.{tenths} {unit}") };
        }
    }
    format!("{bytes} B")
}

/// `1 record`, `2 records`.
pub(crate) fn count(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// `3f9a..71`: enough to compare by eye.
pub(crate) fn short(hex: &str) -> String {
    let tail = hex.len().saturating_sub(2);
    format!("{}..{}", hex.get(..4).unwrap_or_default(), hex.get(tail..).unwrap_or_default())
}

/// Guest text in one line: escaped, and its middle left out where it has more than `width` characters. What the ledger has only the
/// start of says how long it is.
pub(crate) fn clean(name: &Name, width: usize) -> String {
    let characters: Vec<char> = name.text.chars().collect();
    let wide: usize = characters.iter().map(|c| shown_width(*c)).sum();
    if name.is_cut() {
        let head = fitting(characters.iter(), width.saturating_mul(3) / 4);
        return format!("{}..({} bytes)", shown(characters.iter().take(head)), name.bytes);
    }
    if wide <= width {
        return shown(characters.iter());
    }
    let head = fitting(characters.iter(), width / 2);
    let tail = characters.len() - fitting(characters.iter().rev(), width / 4);
    let (start, end) = (shown(characters.iter().take(head)), shown(characters.iter().skip(tail)));
    format!("{start}..({} characters)..{end}", characters.len())
}

/// The same where there is little room: two points stand for what is left out, and how much that is is told elsewhere.
pub(crate) fn brief(name: &Name, width: usize) -> String {
    let characters: Vec<char> = name.text.chars().collect();
    let wide: usize = characters.iter().map(|c| shown_width(*c)).sum();
    if wide <= width && !name.is_cut() {
        return shown(characters.iter());
    }
    let room = width.saturating_sub(2);
    let tail = characters.len() - fitting(characters.iter().rev(), if name.is_cut() { 0 } else { room / 2 });
    let head = fitting(characters.iter(), room - room / 2).min(tail);
    format!("{}..{}", shown(characters.iter().take(head)), shown(characters.iter().skip(tail)))
}

fn shown<'c>(characters: impl Iterator<Item = &'c char>) -> String {
    Escaped(&characters.collect::<String>()).to_string()
}

/// Characters that one takes on a line, as an escape or as itself.
fn shown_width(c: char) -> usize {
    if customs_ledger::is_unsafe_char(c) { c.escape_default().len() } else { 1 }
}

/// How many of the characters fit, none of them cut.
fn fitting<'c>(characters: impl Iterator<Item = &'c char>, width: usize) -> usize {
    let mut used = 0;
    characters
        .take_while(|c| {
            used += shown_width(**c);
            used <= width
        })
        .count()
}

/// A denial code in words. A code that this version does not know is told as it is.
pub(crate) fn why(code: &Name) -> String {
    let known = DenialCode::ALL.iter().find(|known| known.as_str() == code.text);
    known.map_or_else(|| clean(code, 60), |known| known.sentence().to_owned())
}

/// True for what would have come in, false for what would have gone out.
pub(crate) fn leads_in(capability: &str) -> bool {
    matches!(
        capability,
        "fs.read" | "fs.list" | "fs.stat" | "env.get" | "clock.read" | "random.read" | "stdio.read" | "tcp.listen"
    )
}

/// What the rule of a finding says in a few words.
pub(crate) fn title(found: &Found) -> Option<&'static str> {
    customs_flow::rule(&found.rule.text).map(|rule| rule.title)
}

/// `39 of 39 bytes, base64`.
pub(crate) fn how(call: &Call, found: &Found) -> String {
    let mut how = match call.source(found) {
        Some(source) => format!("{} of {} bytes", part(source.bytes, found.coverage), source.bytes),
        None => String::new(),
    };
    for step in &found.transform {
        let comma = if how.is_empty() { "" } else { ", " };
        let _infallible = write!(how, "{comma}{}", clean(step, 30));
    }
    how
}

/// The share of `bytes` that a coverage is, to the nearest byte.
fn part(bytes: u64, coverage: f64) -> u64 {
    // In thousand-millionths: exact for what findings have, and no cast that could lose its sign.
    let billionths = format!("{:.0}", coverage * 1e9).parse::<u128>().unwrap_or(0);
    let part = (u128::from(bytes) * billionths + 500_000_000) / 1_000_000_000;
    u64::try_from(part).unwrap_or(bytes)
}

/// JSON text on one line, or with `indent` on many. What a reader would not see, or a terminal would obey, is written as an escape.
pub(crate) fn json_text(value: &Value, indent: bool) -> String {
    let plain = if indent { format!("{value:#}") } else { value.to_string() };
    if !plain.chars().any(is_odd) {
        return plain;
    }
    let mut text = String::with_capacity(plain.len() + 64);
    for c in plain.chars() {
        if is_odd(c) {
            // Such a character stands only inside a JSON string.
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _infallible = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(c);
        }
    }
    text
}

fn is_odd(c: char) -> bool {
    c != '\n' && customs_ledger::is_unsafe_char(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_long_text_keeps_both_ends_and_says_how_long_it_is() {
        let long = Name::new(&format!("/start{}end", "x".repeat(900)));
        let shown = clean(&long, 40);
        assert!(shown.starts_with("/start") && shown.ends_with("end") && shown.contains("(909 characters)"), "{shown}");
        assert!(shown.len() < 60);
        // An escape is whole or not there.
        let escapes = clean(&Name::new(&"\u{e0041}".repeat(99)), 40);
        assert_eq!(escapes, r"\u{e0041}\u{e0041}..(99 characters)..\u{e0041}");
        assert_eq!(brief(&Name::new("https://api.example.com/v1"), 12), "https..om/v1");
        assert_eq!(brief(&Name::new(&"\u{e0041}".repeat(3)), 24), r"\u{e0041}..\u{e0041}");
        let exact = Name::new(&"x".repeat(40));
        assert_eq!(clean(&exact, 40), exact.text);
    }

    #[test]
    fn json_text_reads_back_as_the_same_value_and_shows_what_is_hidden() {
        let value = json!({"a\u{202e}": "x\u{7f}\u{e0041}\u{2028}\n\"\\", "b": [1, null]});
        for indent in [false, true] {
            let text = json_text(&value, indent);
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
            assert!(text.chars().all(|c| c == '\n' || !customs_ledger::is_unsafe_char(c)), "{text}");
            assert!(text.contains("\\u202e") && text.contains("\\udb40\\udc41"), "{text}");
        }
    }

    #[test]
    fn parts_are_whole_bytes() {
        assert_eq!((part(39, 1.0), part(39, 20.0 / 39.0), part(0, 0.5), part(3, 0.0)), (39, 20, 0, 0));
        assert_eq!(part(123_457, 1234.0 / 123_457.0), 1234);
    }
}
