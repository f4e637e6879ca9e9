//! What the formats share: sizes and counts in words, guest text in one short line, JSON that hides nothing.

use crate::records::{Name, SEVERITIES};
use crate::story::{Call, Flow, Found, Story};
use customs_ledger::Escaped;
use customs_policy::DenialCode;
use serde_json::Value;
use std::collections::BTreeMap;
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
    let wide = columns(&name.text);
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
    let wide = columns(&name.text);
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

/// Columns that one takes on a line, as an escape or as itself.
fn shown_width(c: char) -> usize {
    if customs_ledger::is_unsafe_char(c) { c.escape_default().len() } else { 1 + usize::from(is_wide(c)) }
}

/// East Asian scripts and emoji, which terminals and fonts draw over two columns.
pub(crate) fn is_wide(c: char) -> bool {
    matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff01..=0xff60
        | 0xffe0..=0xffe6 | 0x1f300..=0x1f64f | 0x1f900..=0x1f9ff | 0x20000..=0x3fffd)
}

/// A text that is safe already, filled up with blanks to so many columns.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(self::columns(text))))
}

/// Columns that a text takes on a line.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(shown_width).sum()
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

/// The host of a look-up, an address or a URL as the network has it, where it is written in letters that may look like others:
/// `xn--pi-6kc.example.com`. One that the network would not have has these letters as escapes. None for what is no host at all.
pub(crate) fn plain_host(text: &str) -> Option<String> {
    let after_method = text.split_once(' ').map_or(text, |(_, rest)| rest);
    let rest = after_method.split_once("://").map_or(after_method, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.rsplit_once(':').filter(|(_, port)| port.is_ascii()).map_or(host, |(host, _)| host);
    let of_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '*') || !c.is_ascii();
    if host.is_ascii() || !host.chars().all(of_host) {
        return None;
    }
    let escaped = |c: char| if c.is_ascii() { c.to_string() } else { c.escape_unicode().to_string() };
    let host = url::Host::parse(host).map_or_else(|_| host.chars().map(escaped).collect(), |host| host.to_string());
    Some(clean(&Name::new(&host), 80))
}

/// True where what is asked for is a host, or begins with one.
pub(crate) fn names_a_host(kind_or_capability: &str) -> bool {
    ["http", "dns", "tcp", "udp", "socket"].iter().any(|net| kind_or_capability.starts_with(net))
}

/// The same for what stands beside it: its kind or capability says whether it is a host at all.
pub(crate) fn host_of(kind_or_capability: &str, name: &Name) -> Option<String> {
    names_a_host(kind_or_capability).then(|| plain_host(&name.text)).flatten()
}

/// The same for a grant of the network.
pub(crate) fn host_of_grant(grant: &Name) -> Option<String> {
    let (flag, value) = grant.text.split_once('=')?;
    ["-net", "-http", "-tcp", "-udp"].iter().any(|net| flag.ends_with(net)).then(|| plain_host(value)).flatten()
}

/// The numbers of a whole ledger, each list in one word.
pub(crate) struct Sums {
    pub(crate) findings: u64,
    /// Those that are told, by severity from the gravest on; severities without one are left out.
    pub(crate) by_severity: Vec<(u64, &'static str)>,
    pub(crate) denials: u64,
    pub(crate) sources: u64,
    pub(crate) sinks: u64,
    /// Bytes of those that are told.
    pub(crate) came_in: u64,
    pub(crate) went_out: u64,
    pub(crate) calls: u64,
    pub(crate) returned: u64,
    /// Every call was searched for findings.
    pub(crate) searched: bool,
}

pub(crate) fn sums(story: &Story) -> Sums {
    let sum = |of: &dyn Fn(&Call) -> u64| story.calls.iter().map(of).fold(0, u64::saturating_add);
    let bytes = |flows: &BTreeMap<u64, Flow>| flows.values().map(|flow| flow.bytes).fold(0, u64::saturating_add);
    let of_severity =
        |severity| sum(&|call| call.findings.iter().filter(|found| found.severity == severity).count() as u64);
    Sums {
        findings: sum(&|call| call.left_out.findings.saturating_add(call.findings.len() as u64)),
        by_severity: SEVERITIES.into_iter().map(|s| (of_severity(s), s)).filter(|(number, _)| *number > 0).collect(),
        denials: sum(&|call| call.denied),
        sources: sum(&|call| call.left_out.sources.saturating_add(call.sources.len() as u64)),
        sinks: sum(&|call| call.left_out.sinks.saturating_add(call.sinks.len() as u64)),
        came_in: sum(&|call| bytes(&call.sources)),
        went_out: sum(&|call| bytes(&call.sinks)),
        calls: story.calls_left_out.saturating_add(story.calls.len() as u64),
        returned: sum(&|call| u64::from(call.ending.as_ref().is_some_and(|ending| ending.kind == "returned"))),
        searched: story.calls.iter().all(|call| !call.methods.is_empty()),
    }
}

impl Sums {
    /// `1 high, 2 info`
    pub(crate) fn severities(&self) -> String {
        self.by_severity.iter().map(|(number, severity)| format!("{number} {severity}")).collect::<Vec<_>>().join(", ")
    }
}

/// True for what would have come in, false for what would have gone out.
pub(crate) fn leads_in(capability: &str) -> bool {
    matches!(
        capability,
        "fs.read" | "fs.list" | "fs.stat" | "env.get" | "clock.read" | "random.read" | "stdio.read" | "tcp.listen"
    )
}

/// Where the bytes were before this call had them, each once: `env:API_KEY in call 1`.
pub(crate) fn origins(call: &Call, found: &Found) -> Vec<String> {
    let of_source = call.source(found).map_or(&[][..], |source| &source.origins);
    let mut told = Vec::new();
    for origin in found.origin.iter().chain(of_source) {
        let this = format!("{}:{} in call {}", origin.kind, clean(&origin.name, 120), origin.call);
        if !told.contains(&this) {
            told.push(this);
        }
    }
    told
}

/// What the rule of a finding says in a few words.
pub(crate) fn title(found: &Found) -> Option<&'static str> {
    customs_flow::rule(&found.rule.text).map(|rule| rule.title)
}

/// `39 of 39 bytes, base64`.
pub(crate) fn how(call: &Call, found: &Found) -> String {
    let mut how = match call.source(found) {
        // What was found may be a sign rather than bytes of the source.
        Some(source) if found.coverage > 0.0 => {
            format!("{} of {} bytes", part(source.bytes, found.coverage), source.bytes)
        }
        _ => String::new(),
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
