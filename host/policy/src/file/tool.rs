//! One table `[tool.NAME]`: each key by its kind.

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::{Source, ToolEntry};
use crate::error::PolicyError;
use crate::raw::{Lines, RawFlow, RawGrants, RawLimits};

/// Keys that are neither grants nor limits.
const OWN_KEYS: [&str; 3] = ["component", "sha256", "expose"];

/// Whether a tool table can have this key.
pub(super) fn is_key(key: &str) -> bool {
    known().any(|known| known == key)
}

/// The places of a table that have lines: its keys, and those of its flow rules.
pub(crate) fn places() -> impl Iterator<Item = &'static str> {
    known().chain(["flow.from", "flow.to", "flow.do"])
}

fn known() -> impl Iterator<Item = &'static str> {
    OWN_KEYS.iter().chain(RawGrants::KEYS).chain(RawLimits::KEYS).copied()
}

pub(super) fn read(
    source: &Source<'_>,
    table: &str,
    line: usize,
    entries: &DeTable<'_>,
) -> Result<ToolEntry, PolicyError> {
    let mut entry = ToolEntry { line, ..ToolEntry::default() };
    for (key, value) in entries {
        let field = Field { source, path: format!("{table}.{}", key.get_ref()), offset: key.span().start, value };
        let written = key.get_ref().as_ref();
        let Some(key) = known().find(|known| *known == written) else {
            return Err(source.unknown(field.offset, &field.path, written, &known().collect::<Vec<_>>()));
        };
        let mut lines = vec![source.line(field.offset)];
        match key {
            "component" => entry.component = Some(field.text("a path")?),
            "sha256" => entry.sha256 = Some(field.sha256()?),
            "expose" => entry.expose = Some(field.texts(&mut lines)?),
            "tls-roots" => entry.raw.tls_roots = Some(field.text("a path")?),
            "secret" => entry.raw.secret = field.secrets(&mut lines)?,
            "flow" => entry.raw.flow = field.flows(&mut lines, &mut entry.lines)?,
            _ => {
                if let Some(slot) = entry.raw.list_slot(key) {
                    *slot = field.texts(&mut lines)?;
                } else if let Some(slot) = entry.raw.switch_slot(key) {
                    *slot = field.switch()?;
                } else if let Some(slot) = entry.raw.limits.slot(key) {
                    *slot = Some(field.limit()?);
                }
            }
        }
        entry.lines.0.insert(key, lines);
    }
    Ok(entry)
}

/// One key with its value.
struct Field<'a> {
    source: &'a Source<'a>,
    path: String,
    offset: usize,
    value: &'a Spanned<DeValue<'a>>,
}

impl Field<'_> {
    fn error(&self, reason: &str) -> PolicyError {
        self.source.error(self.offset, Some(&self.path), reason)
    }

    fn mistyped(&self, expected: &str) -> PolicyError {
        self.source.mistyped(self.offset, &self.path, expected, self.value.get_ref())
    }

    fn text(&self, what: &str) -> Result<String, PolicyError> {
        match self.value.get_ref() {
            DeValue::String(text) if text.is_empty() => Err(self.error(&format!("expected {what}, got an empty text"))),
            DeValue::String(text) => Ok(text.to_string()),
            _ => Err(self.mistyped(what)),
        }
    }

    fn list(&self) -> Result<&DeArray<'_>, PolicyError> {
        match self.value.get_ref() {
            DeValue::Array(list) => Ok(list),
            _ => Err(self.mistyped("a list of texts: [\"...\"]")),
        }
    }

    fn texts(&self, lines: &mut Vec<usize>) -> Result<Vec<String>, PolicyError> {
        let mut texts = Vec::new();
        lines.clear();
        for item in self.list()? {
            let offset = item.span().start;
            match item.get_ref() {
                DeValue::String(text) if text.is_empty() => {
                    return Err(self.source.error(offset, Some(&self.path), "the entry is empty"));
                }
                DeValue::String(text) => texts.push(text.to_string()),
                other => return Err(self.source.mistyped(offset, &self.path, "a list of texts", other)),
            }
            lines.push(self.source.line(offset));
        }
        Ok(texts)
    }

    /// `[{ name = "KEY", to = "https://..." }]`, or the flag's own form `["KEY@https://..."]`.
    fn secrets(&self, lines: &mut Vec<usize>) -> Result<Vec<String>, PolicyError> {
        let mut secrets = Vec::new();
        lines.clear();
        for item in self.list()? {
            let offset = item.span().start;
            secrets.push(match item.get_ref() {
                DeValue::String(text) => text.to_string(),
                DeValue::Table(table) => self.secret(offset, table)?,
                other => {
                    return Err(self.source.mistyped(
                        offset,
                        &self.path,
                        "{ name = \"KEY\", to = \"https://...\" }",
                        other,
                    ));
                }
            });
            lines.push(self.source.line(offset));
        }
        Ok(secrets)
    }

    fn secret(&self, offset: usize, table: &DeTable<'_>) -> Result<String, PolicyError> {
        let (mut name, mut to) = (None, None);
        for (key, value) in table {
            let offset = key.span().start;
            let slot = match key.get_ref().as_ref() {
                "name" => &mut name,
                "to" => &mut to,
                unknown => {
                    return Err(self.source.unknown(
                        offset,
                        &format!("{}.{unknown}", self.path),
                        unknown,
                        &["name", "to"],
                    ));
                }
            };
            match value.get_ref() {
                // An entry is read again as NAME@ORIGIN and split at commas; neither part can hold these.
                DeValue::String(text) if !text.is_empty() && !text.contains(['@', ',']) => {
                    *slot = Some(text.to_string())
                }
                DeValue::String(_) => {
                    return Err(self.source.error(offset, Some(&self.path), "name and to are one name and one origin"));
                }
                other => return Err(self.source.mistyped(offset, &self.path, "a text", other)),
            }
        }
        match (name, to) {
            (Some(name), Some(to)) => Ok(format!("{name}@{to}")),
            _ => Err(self.source.error(offset, Some(&self.path), "a secret needs both name and to")),
        }
    }

    /// `[[tool.NAME.flow]]`, or the same as a list. Each key of a rule has a line of its own in `of_keys`.
    fn flows(&self, lines: &mut Vec<usize>, of_keys: &mut Lines) -> Result<Vec<RawFlow>, PolicyError> {
        const EXPECTED: &str = "a list of tables: [[tool.NAME.flow]] with from, to and do";
        let DeValue::Array(list) = self.value.get_ref() else { return Err(self.mistyped(EXPECTED)) };
        let mut flows = Vec::new();
        lines.clear();
        for item in list {
            let offset = item.span().start;
            let DeValue::Table(table) = item.get_ref() else {
                return Err(self.source.mistyped(offset, &self.path, EXPECTED, item.get_ref()));
            };
            flows.push(self.flow(offset, table, of_keys)?);
            lines.push(self.source.line(offset));
        }
        Ok(flows)
    }

    fn flow(&self, offset: usize, table: &DeTable<'_>, of_keys: &mut Lines) -> Result<RawFlow, PolicyError> {
        let (mut from, mut to, mut action) = (None, None, None);
        for (key, value) in table {
            let offset = key.span().start;
            let path = format!("{}.{}", self.path, key.get_ref());
            let (place, slot) = match key.get_ref().as_ref() {
                "from" => ("flow.from", &mut from),
                "to" => ("flow.to", &mut to),
                "do" => ("flow.do", &mut action),
                unknown => return Err(self.source.unknown(offset, &path, unknown, &["from", "to", "do"])),
            };
            let DeValue::String(text) = value.get_ref() else {
                return Err(self.source.mistyped(offset, &path, "a text", value.get_ref()));
            };
            *slot = Some(text.to_string());
            of_keys.0.entry(place).or_default().push(self.source.line(offset));
        }
        let missing = |key| self.source.error(offset, Some(&self.path), &format!("{key} is missing"));
        Ok(RawFlow {
            from: from.ok_or_else(|| missing("from"))?,
            to: to.ok_or_else(|| missing("to"))?,
            action: action.ok_or_else(|| missing("do"))?,
        })
    }

    fn switch(&self) -> Result<bool, PolicyError> {
        match self.value.get_ref() {
            DeValue::Boolean(switch) => Ok(*switch),
            _ => Err(self.mistyped("true or false")),
        }
    }

    /// As on the command line, or a bare number where that is one.
    fn limit(&self) -> Result<String, PolicyError> {
        match self.value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().to_owned()),
            DeValue::Integer(_) => Err(self.error("write the number in decimal")),
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Float(_) => Err(self.error("expected a whole number or a text such as \"64MiB\", got a fraction")),
            _ => Err(self.mistyped("a number or a text such as \"64MiB\"")),
        }
    }

    fn sha256(&self) -> Result<[u8; 32], PolicyError> {
        let text = self.text("64 hexadecimal digits")?;
        let digits: Option<Vec<u8>> =
            text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        let bytes: Vec<u8> = digits
            .unwrap_or_default()
            .chunks_exact(2)
            .filter_map(|pair| match pair {
                [high, low] => Some(high << 4 | low),
                _ => None,
            })
            .collect();
        match <[u8; 32]>::try_from(bytes) {
            Ok(digest) if text.len() == 64 => Ok(digest),
            _ => Err(self.error("expected 64 hexadecimal digits")),
        }
    }
}
