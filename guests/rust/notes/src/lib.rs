//! Notes in a folder: read one, search them all, add one. The functions are described in `wit/notes.wit`.
//!
//! It asks the host for no more than it needs (`NOTES_DIR`, and files under that folder) and turns each refusal into a
//! typed error, so that a caller can tell "not permitted" from "not there".

mod folder;

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    path::Path,
    time::UNIX_EPOCH,
};

wit_bindgen::generate!({ path: "wit", world: "notebook" });

use exports::customs::notes::notes::{Guest, Hit, Note, NoteError};

const DEFAULT_HITS: u32 = 20;
/// Same-named notes get a number; past this many something else is wrong.
const MAX_NAMESAKES: u32 = 100;

struct Notes;

impl Guest for Notes {
    fn read_note(path: String) -> Result<Note, NoteError> {
        if path.is_empty() {
            return Err(NoteError::Invalid("path: it is empty".to_owned()));
        }
        // An absolute path replaces the folder: whether it may be read is the host's decision, not ours.
        let place = folder::notes_dir().join(&path);
        let shown = place.to_string_lossy().into_owned();
        let body = folder::read_text(&place).map_err(|error| describe(&shown, &error))?;
        let modified = place
            .metadata()
            .and_then(|metadata| metadata.modified())
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .map_or(0, |age| age.as_secs());
        Ok(Note { title: title_of(&body, &place), words: count(body.split_whitespace()), path: shown, body, modified })
    }

    fn search(query: String, limit: Option<u32>) -> Result<Vec<Hit>, NoteError> {
        let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
        if words.is_empty() {
            return Err(NoteError::Invalid("query: it has no words".to_owned()));
        }
        let limit = limit.unwrap_or(DEFAULT_HITS) as usize;
        let root = folder::notes_dir();
        let places = folder::list(&root).map_err(|error| describe(&root.to_string_lossy(), &error))?;
        let mut hits = Vec::new();
        for place in places {
            // A note that cannot be read is no hit; the host knows that it was tried.
            let Ok(text) = folder::read_text(&place) else { continue };
            for (line, text) in (1..).zip(text.lines()) {
                if hits.len() >= limit {
                    return Ok(hits);
                }
                let lower = text.to_lowercase();
                if words.iter().all(|word| lower.contains(word)) {
                    hits.push(Hit { path: place.to_string_lossy().into_owned(), line, text: text.to_owned() });
                }
            }
        }
        Ok(hits)
    }

    fn add_note(title: String, body: String, tags: Vec<String>) -> Result<String, NoteError> {
        let slug = slug(&title);
        if slug.is_empty() {
            return Err(NoteError::Invalid("title: it has no letter or digit to name the file after".to_owned()));
        }
        if let Some(tag) = tags.iter().find(|tag| tag.is_empty() || tag.contains(char::is_whitespace)) {
            return Err(NoteError::Invalid(format!("tags: {tag:?} is not one word")));
        }
        let mut text = format!("# {}\n\n{}\n", title.trim(), body.trim_end());
        if !tags.is_empty() {
            text.push_str(&format!("\ntags: {}\n", tags.join(", ")));
        }
        for number in 1..=MAX_NAMESAKES {
            let name = if number == 1 { format!("{slug}.md") } else { format!("{slug}-{number}.md") };
            let place = folder::notes_dir().join(name);
            let shown = place.to_string_lossy().into_owned();
            match OpenOptions::new().write(true).create_new(true).open(&place) {
                Ok(mut file) => {
                    file.write_all(text.as_bytes()).map_err(|error| describe(&shown, &error))?;
                    return Ok(shown);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(describe(&shown, &error)),
            }
        }
        Err(NoteError::Other(format!("there are {MAX_NAMESAKES} notes of that title already")))
    }
}

fn describe(path: &str, error: &std::io::Error) -> NoteError {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => NoteError::NotPermitted(path.to_owned()),
        ErrorKind::NotFound => NoteError::NotFound(path.to_owned()),
        _ => NoteError::Other(format!("{path}: {error}")),
    }
}

fn title_of(body: &str, place: &Path) -> String {
    let heading = body.lines().find_map(|line| line.strip_prefix("# "));
    let title = heading.map_or_else(|| place.file_stem().unwrap_or_default().to_string_lossy(), Into::into);
    title.trim().to_owned()
}

fn slug(title: &str) -> String {
    let words = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

fn count(items: impl Iterator) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

export!(Notes);
