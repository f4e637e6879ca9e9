//! One entry of a list, with where it stands: what every rule builder is handed, so that each message can name the place.

use std::sync::Arc;

use crate::error::{PolicyError, shown};
use crate::raw::{Layer, Origin, hide_value};

/// How a written value becomes entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Split {
    /// At commas.
    Commas,
    /// Not at all: the value may hold commas of its own.
    Whole,
}

/// One entry as written, without blanks around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) layer: &'a Layer,
    pub(crate) layer_index: usize,
    pub(crate) key: &'static str,
    pub(crate) text: &'a str,
    index: usize,
}

impl Entry<'_> {
    /// The entry as a flag: `--allow-read=./data`. The value of a variable is left out.
    pub(crate) fn flag(&self) -> String {
        if self.key == "env" {
            format!("--env={}", hide_value(self.text))
        } else {
            format!("--{}={}", self.key, self.text)
        }
    }

    /// What ledgers and messages call this rule: the flag, and where it stands if that is a file.
    pub(crate) fn rule(&self) -> Arc<str> {
        let flag = self.flag();
        match self.file_line() {
            Some((name, line)) => format!("{flag} ({name}:{line})").into(),
            None => flag.into(),
        }
    }

    /// An error about this entry.
    #[cold]
    pub(crate) fn error(&self, reason: impl Into<String>) -> PolicyError {
        let reason = reason.into();
        match &self.layer.origin {
            Origin::Flags => PolicyError::new(shown(&self.flag()), reason),
            Origin::File { .. } => {
                let value = if self.key == "env" { hide_value(self.text) } else { self.text.to_owned() };
                PolicyError::new(place(self.layer, self.key, self.index), format!("{}: {reason}", shown(&value)))
            }
        }
    }

    fn file_line(&self) -> Option<(&str, usize)> {
        match &self.layer.origin {
            Origin::Flags => None,
            Origin::File { name, lines, .. } => Some((name, lines.of(self.key, self.index)?)),
        }
    }
}

/// Where an entry of a layer stands, for messages: `--timeout`, or `customs.toml:7: tool.weather.timeout`.
pub(crate) fn place(layer: &Layer, key: &str, index: usize) -> String {
    match &layer.origin {
        Origin::Flags => format!("--{key}"),
        Origin::File { name, table, lines } => match lines.of(key, index) {
            Some(line) => format!("{name}:{line}: {table}.{key}"),
            None => format!("{name}: {table}.{key}"),
        },
    }
}

/// Every entry under `key`, in the order of the layers.
pub(crate) fn entries<'a>(layers: &'a [Layer], key: &'static str, split: Split) -> Result<Vec<Entry<'a>>, PolicyError> {
    let mut found = Vec::new();
    for (layer_index, layer) in layers.iter().enumerate() {
        for (index, written) in layer.raw.list(key).unwrap_or_default().iter().enumerate() {
            let entry = |text: &'a str| Entry { layer, layer_index, key, text, index };
            match split {
                Split::Whole => found.push(entry(written)),
                Split::Commas => found.extend(written.split(',').map(|piece| entry(piece.trim()))),
            }
        }
    }
    match found.iter().find(|entry| entry.text.is_empty()) {
        Some(empty) => Err(empty.error("the entry is empty")),
        None => Ok(found),
    }
}
