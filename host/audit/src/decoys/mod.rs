//! A home and an environment worth stealing: keys, credentials and tokens that are nobody's.
//!
//! [`Decoys::make`] makes them of random bytes that the caller brings. They have the lengths, prefixes, alphabets and checksums of real ones, and are new for
//! every run: eight bytes of a secret part stand nowhere else, not in another decoy and not in the world. So a touch of one is an event, and eight bytes of one
//! in a sink are a certain finding.
//!
//! Names and kinds are the same in every run, so that a report of them is; values go into no report, log or message.

mod files;
mod keys;
mod piece;
mod sqlite;
mod variables;
pub(crate) mod words;

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use words::Source;

/// The home directory of the decoys.
pub const HOME: &str = "/home/dev";

/// The user whose home it is.
pub const USER: &str = "dev";

/// A file that nobody but a thief reads, or a file beside one.
#[derive(Clone, PartialEq, Eq)]
pub struct DecoyFile {
    /// What it is, such as `ssh private key`.
    pub kind: &'static str,
    /// Where the guest finds it, absolute.
    pub path: String,
    /// Its bytes.
    pub content: Vec<u8>,
    /// Which of them are secret; sorted, none overlap. Where there are none only the touch counts.
    pub secrets: Vec<Range<usize>>,
}

/// A variable, as for [`DecoyFile`].
#[derive(Clone, PartialEq, Eq)]
pub struct DecoyVariable {
    /// What it is, such as `AWS secret key`.
    pub kind: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// Which bytes of it are secret; none for variables that are there to make the environment look lived in (`HOME`, `PATH`).
    pub secrets: Vec<Range<usize>>,
}

/// What is laid out in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoys {
    /// Files, sorted by path.
    pub files: Vec<DecoyFile>,
    /// Variables, sorted by name.
    pub variables: Vec<DecoyVariable>,
}

impl Decoys {
    /// Makes decoys. `random` fills a slice with random bytes; the quality of the decoys is that of its bytes.
    pub fn make(random: &mut impl FnMut(&mut [u8])) -> Decoys {
        let mut source = Source { fill: random };
        let mut decoys = once(&mut source);
        for _ in 0..TRIES {
            if decoys.are_apart() {
                break;
            }
            decoys = once(&mut source);
        }
        decoys
    }

    /// Whether no eight bytes of a secret part stand in another, or twice in one.
    fn are_apart(&self) -> bool {
        let files = self.files.iter().flat_map(DecoyFile::secret_parts);
        let variables = self.variables.iter().flat_map(DecoyVariable::secret_parts);
        let mut seen = HashSet::new();
        files.chain(variables).flat_map(|part| part.windows(8)).all(|window| seen.insert(window))
    }
}

/// Digits of hexadecimal agree by chance once in some thousand runs; then all are made again. A generator that gives the same bytes for ever is not waited for.
const TRIES: usize = 16;

fn once(source: &mut Source<'_>) -> Decoys {
    let mut files = files::files(source);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut variables = variables::variables(source);
    variables.sort_by(|a, b| a.name.cmp(b.name));
    Decoys { files, variables }
}

impl DecoyFile {
    /// Its secret parts.
    pub fn secret_parts(&self) -> impl Iterator<Item = &[u8]> {
        self.secrets.iter().filter_map(|range| self.content.get(range.clone()))
    }
}

impl DecoyVariable {
    /// Its secret parts.
    pub fn secret_parts(&self) -> impl Iterator<Item = &[u8]> {
        self.secrets.iter().filter_map(|range| self.value.as_bytes().get(range.clone()))
    }
}

// No decoy gets into a message by way of a debug line.
impl fmt::Debug for DecoyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecoyFile")
            .field("kind", &self.kind)
            .field("path", &self.path)
            .field("bytes", &self.content.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DecoyVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecoyVariable")
            .field("kind", &self.kind)
            .field("name", &self.name)
            .field("bytes", &self.value.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
