//! Honest tools in everyday surroundings: `fixtures/evidence/benign.toml` and `boilerplate.toml`, on the guest `ordinary`.

use super::row::{Act, Expect, Row};
use super::table::{Block, Cell, Table};
use crate::support::checkout;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Honest {
    name: String,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    stdin: String,
    /// The guest has it; here it only has to be there.
    says: String,
}

#[derive(Deserialize)]
struct File {
    row: Vec<Honest>,
}

fn rows(file: &str) -> Vec<Honest> {
    let path = checkout().join("fixtures/evidence").join(file);
    let file: File = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(file.row.iter().all(|row| !row.says.trim().is_empty()));
    file.row
}

fn line(honest: Honest) -> Vec<Cell> {
    let mut reads: Vec<String> = honest.env.keys().map(|name| format!("`{name}`")).collect();
    reads.extend(honest.files.keys().map(|name| format!("`/data/{name}`")));
    reads.extend(Some("stdin".to_owned()).filter(|_| !honest.stdin.is_empty()));
    let mut flags: Vec<String> = honest.env.iter().map(|(name, value)| format!("--env={name}={value}")).collect();
    flags.push("--allow-read={world}/data::/data".to_owned());
    let mut files: Vec<(String, Vec<u8>)> =
        honest.files.into_iter().map(|(name, text)| (format!("data/{name}"), text.into_bytes())).collect();
    // The folder is there in any case; so is what it is called.
    files.push(("data/notes/.keep".to_owned(), Vec::new()));
    let args = json!({"args": [honest.name], "stdin": honest.stdin});
    let act = Act { guest: "ordinary", args, flags, files, ..Act::default() };
    let name = Cell::text(&honest.name);
    vec![name, Cell::text(reads.join(", ")), Cell::row(Row { id: honest.name, act, expect: Expect::Nothing })]
}

pub fn table() -> Table {
    let block = |file: &str, intro: &str| Block {
        intro: intro.to_owned(),
        columns: ["row", "reads", "customs"].map(str::to_owned).to_vec(),
        lines: rows(file).into_iter().map(line).collect(),
        in_full: false,
    };
    Table {
        name: "benign",
        title: "Honest tools",
        intro: "Tools that read everything they are given and answer in words of their own: summaries, counts, help texts, errors. A finding of severity \
            low or more is a false alarm.",
        blocks: vec![
            block(
                "benign.toml",
                "The answer is in the component in a form that it has to undo first, so that only the rarity of words decides:",
            ),
            block("boilerplate.toml", "The same public text stands in what the tool reads and, as it is, in the tool:"),
        ],
    }
}
