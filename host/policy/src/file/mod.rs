//! `customs.toml`: one table per component, with the flags of the command line as keys.
//!
//! Called by the program with the bytes of the file; what comes back becomes a [`Layer`] for [`crate::Policy::build`].
//! The text may come from someone else, so its size and nesting are bounded before it is parsed, and whatever is
//! unknown, mistyped or not enforced by this version is an error with line and key, never skipped.

mod nesting;
pub(crate) mod tool;

use std::collections::BTreeMap;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{PolicyError, shown};
use crate::raw::{Layer, Lines, Origin, RawGrants};

/// The largest policy file. A policy is written by hand; a thousand tools fit in a tenth of this.
pub const MAX_BYTES: usize = 1024 * 1024;

/// A policy file, checked but not yet resolved against a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyFile {
    /// The tables `[tool.NAME]`.
    pub tools: BTreeMap<String, ToolEntry>,
    name: String,
}

/// One table `[tool.NAME]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolEntry {
    /// Where the component is, as written.
    pub component: Option<String>,
    /// The digest its bytes must have.
    pub sha256: Option<[u8; 32]>,
    /// The tools to offer; all of them if not given.
    pub expose: Option<Vec<String>>,
    /// Grants, denials and limits.
    pub raw: RawGrants,
    /// Where each entry stands.
    pub lines: Lines,
    /// Where the table starts, from 1.
    pub line: usize,
}

impl PolicyFile {
    /// The table of a tool as a layer. `base` is the directory of the file: relative paths in it are relative to that.
    pub fn layer(&self, tool: &str, base: PathBuf) -> Option<Layer> {
        let entry = self.tools.get(tool)?;
        let origin = Origin::File {
            name: self.name.clone(),
            table: format!("tool.{}", shown(tool)),
            lines: entry.lines.clone(),
        };
        Some(Layer { raw: entry.raw.clone(), base, origin })
    }
}

/// Reads a policy file. `name` is what messages call it. An empty file is valid and grants nothing.
pub fn parse(bytes: &[u8], name: &str) -> Result<PolicyFile, PolicyError> {
    if bytes.len() > MAX_BYTES {
        return Err(PolicyError::new(name, "the policy file is larger than 1 MiB"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        PolicyError::new(format!("{name}:{line}"), "the policy file is not UTF-8")
    })?;
    let source = Source::new(text, name);
    if let Some(offset) = nesting::too_deep(text) {
        return Err(source.error(offset, None, "tables, lists or keys are nested too deeply"));
    }
    let document = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        source.error(offset, None, &shown(error.message()))
    })?;
    let mut file = PolicyFile { tools: BTreeMap::new(), name: name.to_owned() };
    for (key, value) in document.get_ref() {
        let offset = key.span().start;
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("tool", DeValue::Table(tools)) => {
                for (tool_name, table) in tools {
                    file.tools.insert(tool_name.get_ref().to_string(), tool_entry(&source, tool_name, table)?);
                }
            }
            ("tool", other) => {
                return Err(source.mistyped(offset, "tool", "a table per component: [tool.NAME]", other));
            }
            (unknown, _) if tool::is_key(unknown) => {
                return Err(source.error(offset, Some(unknown), "this key belongs into a [tool.NAME] table"));
            }
            (unknown, _) => return Err(source.unknown(offset, unknown, unknown, &["tool"])),
        }
    }
    Ok(file)
}

fn tool_entry(
    source: &Source<'_>,
    name: &Spanned<std::borrow::Cow<'_, str>>,
    table: &Spanned<DeValue<'_>>,
) -> Result<ToolEntry, PolicyError> {
    let path = format!("tool.{}", name.get_ref());
    let offset = name.span().start;
    if name.get_ref().is_empty() || name.get_ref().chars().any(char::is_control) {
        return Err(source.error(offset, Some(&path), "the name of a tool is empty or has control characters"));
    }
    match table.get_ref() {
        DeValue::Table(entries) => tool::read(source, &path, source.line(offset), entries),
        other => Err(source.mistyped(offset, &path, "a table", other)),
    }
}

/// The text, to turn places in it into lines.
struct Source<'a> {
    name: &'a str,
    newlines: Vec<usize>,
}

impl<'a> Source<'a> {
    fn new(text: &str, name: &'a str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(offset, _)| offset).collect();
        Source { name, newlines }
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.newlines.partition_point(|&newline| newline < offset)
    }

    #[cold]
    fn error(&self, offset: usize, key: Option<&str>, reason: &str) -> PolicyError {
        let line = self.line(offset);
        match key {
            Some(key) => PolicyError::new(format!("{}:{line}: {}", self.name, shown(key)), reason),
            None => PolicyError::new(format!("{}:{line}", self.name), reason),
        }
    }

    #[cold]
    fn mistyped(&self, offset: usize, key: &str, expected: &str, got: &DeValue<'_>) -> PolicyError {
        let got = match got {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.error(offset, Some(key), &format!("expected {expected}, got {got}"))
    }

    /// `path` is the whole key for the message, `key` its last part, which is compared with the known ones.
    #[cold]
    fn unknown(&self, offset: usize, path: &str, key: &str, known: &[&str]) -> PolicyError {
        let nearest = known.iter().map(|known| (distance(key, known), known)).min();
        match nearest {
            Some((1..=2, known)) => self.error(offset, Some(path), &format!("unknown key (did you mean {known}?)")),
            _ => self.error(offset, Some(path), "unknown key"),
        }
    }
}

/// How many letters have to change to make one word of the other; cut off for long words, which are no typing mistakes.
fn distance(one: &str, other: &str) -> usize {
    const LONGEST: usize = 32;
    if one.len() > LONGEST || other.len() > LONGEST {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, byte) in one.bytes().enumerate() {
        let mut next = vec![index + 1];
        let mut before = index + 1;
        for (other_byte, pair) in other.bytes().zip(row.windows(2)) {
            let [diagonal, above] = pair else { continue };
            let changed = diagonal + usize::from(byte != other_byte);
            before = changed.min(above + 1).min(before + 1);
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}
