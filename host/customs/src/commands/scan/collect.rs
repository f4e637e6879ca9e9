//! Finding the skills below a path. Nothing outside of it is opened: links are counted, not followed.

use crate::exit::Fault;
use crate::machine;
use cap_std::fs::Dir;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

/// A larger file is no source that a person reads; it is counted.
const MAX_FILE: u64 = 1 << 20;
/// Text of one skill, for it has to go into the guest at once.
const MAX_SKILL: usize = 8 << 20;
/// Text of everything, for it is held in memory.
const MAX_ALL: usize = 256 << 20;
/// Files that are looked at.
const MAX_FILES: usize = 20_000;
/// Folders within folders.
const MAX_DEPTH: usize = 24;
/// A binary file shows itself in its beginning.
const PROBE: usize = 8192;

pub(super) struct File {
    /// Where it is in its skill, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

pub(super) struct Skill {
    pub(super) name: String,
    /// Where it is below the path that was given; empty for that path itself.
    pub(super) place: String,
    pub(super) files: Vec<File>,
}

/// What was not looked at, and why.
#[derive(Debug, Default)]
pub(super) struct Skipped {
    pub(super) binary: u64,
    pub(super) large: u64,
    pub(super) links: u64,
    pub(super) special: u64,
    /// Past the bounds on files, depth and size.
    pub(super) beyond: u64,
    pub(super) unreadable: u64,
    /// A checkout's own objects, which git writes and nothing runs. Its hooks and settings are looked at.
    pub(super) history: u64,
}

pub(super) struct Collected {
    pub(super) skills: Vec<Skill>,
    pub(super) skipped: Skipped,
}

#[derive(Default)]
struct Walk {
    /// By path below the root.
    files: BTreeMap<String, String>,
    /// Folders with a SKILL.md.
    roots: Vec<String>,
    skipped: Skipped,
    bytes: usize,
}

/// The skills at `path`: each folder with a `SKILL.md`, with what is below it; what is in none of them is one more. A file is a skill.
pub(super) fn collect(path: &Path) -> Result<Collected, Fault> {
    let mut walk = Walk::default();
    let own = machine::canonical(path).ok_or_else(|| Fault::Refused(format!("{}: is not there", path.display())))?;
    let name = own.file_name().map_or_else(|| "/".to_owned(), |name| name.to_string_lossy().into_owned());
    if let Ok((dir, _)) = machine::directory(path) {
        walk.folder(&dir, "", 0);
    } else {
        let mut file = machine::open(path)?;
        walk.file(name.clone(), &mut file);
    }
    let mut skills: BTreeMap<String, Skill> = BTreeMap::new();
    for (file, text) in walk.files {
        let root = walk.roots.iter().filter(|root| is_below(&file, root)).max_by_key(|root| root.len());
        let place = root.cloned().unwrap_or_default();
        let inside = file.get(place.len()..).unwrap_or_default().trim_start_matches('/').to_owned();
        let skill = skills.entry(place.clone()).or_insert_with(|| Skill {
            name: if place.is_empty() { name.clone() } else { place.clone() },
            place,
            files: Vec::new(),
        });
        let size: usize = skill.files.iter().map(|file| file.text.len()).sum();
        if size.saturating_add(text.len()) > MAX_SKILL {
            walk.skipped.beyond = walk.skipped.beyond.saturating_add(1);
        } else {
            skill.files.push(File { path: inside, text });
        }
    }
    Ok(Collected { skills: skills.into_values().collect(), skipped: walk.skipped })
}

/// What git keeps in `.git` for itself.
fn is_history(place: &str, name: &str) -> bool {
    let folder = place.rsplit('/').next().unwrap_or(place);
    let hooks = place == ".git/hooks" || place.ends_with("/.git/hooks");
    folder == ".git" && matches!(name, "objects" | "logs" | "refs" | "index" | "packed-refs")
        || hooks && name.ends_with(".sample")
}

fn is_below(file: &str, root: &str) -> bool {
    root.is_empty() || file.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'))
}

impl Walk {
    fn folder(&mut self, dir: &Dir, place: &str, depth: usize) {
        let Ok(entries) = dir.entries() else {
            self.skipped.unreadable = self.skipped.unreadable.saturating_add(1);
            return;
        };
        for entry in entries {
            if self.files.len() >= MAX_FILES || depth > MAX_DEPTH {
                self.skipped.beyond = self.skipped.beyond.saturating_add(1);
                return;
            }
            let kind = entry.as_ref().map_err(drop).and_then(|entry| entry.file_type().map_err(drop));
            let (Ok(entry), Ok(kind)) = (entry, kind) else {
                self.skipped.unreadable = self.skipped.unreadable.saturating_add(1);
                continue;
            };
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if place.is_empty() { name.clone() } else { format!("{place}/{name}") };
            if kind.is_symlink() {
                self.skipped.links = self.skipped.links.saturating_add(1);
            } else if kind.is_dir() {
                if is_history(place, &name) {
                    self.skipped.history = self.skipped.history.saturating_add(1);
                    continue;
                }
                match entry.open_dir() {
                    Ok(inner) => self.folder(&inner, &path, depth + 1),
                    Err(_) => self.skipped.unreadable = self.skipped.unreadable.saturating_add(1),
                }
            } else if kind.is_file() {
                if name.eq_ignore_ascii_case("skill.md") {
                    self.roots.push(place.to_owned());
                }
                // Git puts these there, and runs them only under another name.
                if is_history(place, &name) {
                    self.skipped.history = self.skipped.history.saturating_add(1);
                    continue;
                }
                match entry.open() {
                    Ok(mut file) => self.file(path, &mut file),
                    Err(_) => self.skipped.unreadable = self.skipped.unreadable.saturating_add(1),
                }
            } else {
                self.skipped.special = self.skipped.special.saturating_add(1);
            }
        }
    }

    fn file(&mut self, path: String, file: &mut impl std::io::Read) {
        let mut bytes = Vec::new();
        if file.take(MAX_FILE + 1).read_to_end(&mut bytes).is_err() {
            self.skipped.unreadable = self.skipped.unreadable.saturating_add(1);
        } else if bytes.len() as u64 > MAX_FILE {
            self.skipped.large = self.skipped.large.saturating_add(1);
        } else if bytes.iter().take(PROBE).any(|byte| *byte == 0) {
            self.skipped.binary = self.skipped.binary.saturating_add(1);
        } else if self.bytes.saturating_add(bytes.len()) > MAX_ALL {
            self.skipped.beyond = self.skipped.beyond.saturating_add(1);
        } else {
            // Not only UTF-8: a source may declare another encoding, and its ASCII is what matters.
            let text = String::from_utf8_lossy(&bytes).into_owned();
            self.bytes = self.bytes.saturating_add(text.len());
            self.files.insert(path, text);
        }
    }
}
