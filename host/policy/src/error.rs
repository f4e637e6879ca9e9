//! The one error of this crate: where, and one sentence why.

use std::fmt;

/// A policy that cannot be used. It prints as one line: the place, then the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    place: String,
    reason: String,
}

/// What a message shows of an entry at most. Longer would push the reason off the screen.
const SHOWN: usize = 200;

impl PolicyError {
    #[cold]
    pub(crate) fn new(place: impl Into<String>, reason: impl Into<String>) -> Self {
        PolicyError { place: place.into(), reason: reason.into() }
    }

    /// Where it is wrong: a flag with its value, or file, line and key.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What is wrong.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

impl std::error::Error for PolicyError {}

/// A text from a policy as messages show it: on one line and not too long. Policies can come from someone else.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == SHOWN {
            out.push('…');
            break;
        }
        if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}') {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}
