//! The least policy as text: a table of `customs.toml` whose comments say why each line is there, or flags on one line.

use std::fmt::Write as _;

use super::{Least, Line, Told};
use crate::raw::{RawFlow, RawGrants, RawLimits};

/// Refused accesses that are told one by one; more is nothing that a person reads.
const TOLD: usize = 100;
/// Characters of a name in a comment.
const SHOWN: usize = 200;

impl Least {
    /// A table of a policy file. `table` is its name, `notes` are lines that are put before it.
    pub fn toml(&self, table: &str, notes: &[String]) -> String {
        let mut text = String::new();
        for note in notes {
            comment(&mut text, note);
        }
        let _ = writeln!(text, "[tool.{}]", key(table));
        if self.grants().next().is_none() {
            comment(&mut text, "nothing: these runs needed no grant");
        }
        for key in RawGrants::KEYS.iter().chain(RawLimits::KEYS) {
            let lines: Vec<&Line> = self.lines.iter().filter(|line| line.key == *key).collect();
            let mut whole = RawGrants::default();
            match lines.as_slice() {
                [] => {}
                [only] if whole.list_slot(key).is_none() => {
                    let value = if whole.switch_slot(key).is_some() { "true".to_owned() } else { quoted(&only.text) };
                    let _ = writeln!(text, "{key} = {value}{}", why(only));
                }
                lines => {
                    let _ = writeln!(text, "{key} = [");
                    for line in lines {
                        let _ = writeln!(text, "  {},{}", quoted(&line.text), why(line));
                    }
                    text.push_str("]\n");
                }
            }
        }
        for RawFlow { from, to, action } in &self.flow {
            let (from, to, action) = (quoted(from), quoted(to), quoted(action));
            let _ = writeln!(text, "[[tool.{}.flow]]\nfrom = {from}\nto = {to}\ndo = {action}", key(table));
        }
        told(&mut text, "not granted, because it was refused:", &self.denied);
        told(&mut text, "allowed, and these grants do not allow it:", &self.unmet);
        text
    }

    /// The same on the command line: everything but flow rules, which stand in files only. None where an entry cannot be typed and seen.
    pub fn flags(&self) -> Option<String> {
        let flags = self.lines.iter().map(|line| {
            let mut raw = RawGrants::default();
            let flag = if raw.switch_slot(line.key).is_some() {
                format!("--{}", line.key)
            } else {
                format!("--{}={}", line.key, line.text)
            };
            (!flag.chars().any(unseen)).then(|| crate::decide::shell_quoted(flag))
        });
        flags.collect::<Option<Vec<String>>>().map(|flags| flags.join(" "))
    }
}

fn told(text: &mut String, title: &str, all: &[Told]) {
    if all.is_empty() {
        return;
    }
    comment(text, title);
    for told in all.iter().take(TOLD) {
        let Told { capability, operation, requested, reason, count, seq } = told;
        let at = if *seq > 0 { format!(", first in record {seq}") } else { String::new() };
        comment(text, &format!("  {capability} {operation} {requested}: {reason}, {}{at}", times(*count)));
    }
    if let Some(more @ 1..) = all.len().checked_sub(TOLD) {
        comment(text, &format!("  and {more} more"));
    }
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// Why a line is there, behind it.
fn why(line: &Line) -> String {
    let mut parts = Vec::new();
    if !line.carried {
        let capabilities: Vec<&str> = line.capabilities.iter().map(|capability| capability.as_str()).collect();
        let at = if line.seq > 0 { format!(", first in record {}", line.seq) } else { String::new() };
        parts.push(format!("{} {}{at}", capabilities.join(" "), times(line.count)));
    } else if line.note.is_none() {
        parts.push("as the policy of these runs says".to_owned());
    }
    parts.extend(line.note.clone());
    format!("  # {}", plain(&parts.join("; ")))
}

fn comment(text: &mut String, line: &str) {
    let _ = writeln!(text, "# {}", plain(line));
}

/// A character that a terminal or editor would obey or not show.
fn unseen(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// For a comment: one line, nothing unseen, not too long.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::new();
    for (index, character) in text.chars().enumerate() {
        match character {
            _ if index == SHOWN * 2 => {
                out.push('…');
                break;
            }
            _ if unseen(character) => out.extend(character.escape_unicode()),
            _ => out.push(character),
        }
    }
    out
}

/// A basic string of TOML that is read back as it was.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            _ if unseen(character) => {
                let _ = write!(out, "\\U{:08X}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

pub(crate) fn key(text: &str) -> String {
    let bare = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { text.to_owned() } else { quoted(text) }
}
