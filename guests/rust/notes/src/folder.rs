//! Where the notes are: the folder, its files, and the text of one file. The only part that touches the file system
//! to read.

use std::{
    env,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// A note is something a person wrote; a file larger than this is something else.
const MAX_NOTE_BYTES: u64 = 4 << 20;
/// Notes are looked for this many folders deep, so that a folder linked into itself ends.
const MAX_DEPTH: u32 = 8;

pub fn notes_dir() -> PathBuf {
    env::var_os("NOTES_DIR").filter(|dir| !dir.is_empty()).map_or_else(|| PathBuf::from("/data"), PathBuf::from)
}

/// Every note under `root`, in the order of their paths.
pub fn list(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut notes = Vec::new();
    let mut folders = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if depth == 0 => return Err(error),
            // One closed folder does not hide the open ones.
            Err(_) => continue,
        };
        for entry in entries.flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < MAX_DEPTH => folders.push((path, depth + 1)),
                Ok(kind) if kind.is_file() && is_note(&path) => notes.push(path),
                _ => {}
            }
        }
    }
    notes.sort();
    Ok(notes)
}

pub fn read_text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_NOTE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_NOTE_BYTES {
        return Err(io::Error::other("it is larger than a note can be (4 MiB)"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn is_note(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md" || extension == "txt")
}
