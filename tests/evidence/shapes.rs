//! Typed results: the variable in each type of WIT, by the guest `typedleaks`.

use super::row::{Act, Expect, Leak, Row};
use super::secrets::{number, token};
use super::table::{Block, Cell, Table};
use serde_json::json;

fn typed(tool: &'static str, secret: &str, sinks: &[String], chains: &[&str]) -> Row {
    let chain = |text: &&str| text.split_whitespace().map(str::to_owned).collect();
    Row {
        id: tool.to_owned(),
        act: Act {
            guest: "typedleaks",
            tool,
            args: json!({}),
            flags: vec![format!("--env=API_KEY={secret}"), format!("--env=OTHER_KEY={}", token("another", 24))],
            exit: i32::from(tool == "as-error"),
            ..Act::default()
        },
        expect: Expect::Leak(Leak {
            source: "env API_KEY".to_owned(),
            sinks: sinks.to_vec(),
            transforms: chains.iter().map(chain).collect(),
            taken: 0..secret.len() as u64,
            within: 0..secret.len() as u64,
        }),
    }
}

/// The whole of it in a record.
pub fn plain(secret: &str) -> Cell {
    Cell::row(typed("as-entry", secret, &["return /note".to_owned()], &[""]))
}

pub fn table() -> Table {
    let (key, digits) = (token("typed", 40), |length| number("typed", length));
    let one = |sink: &str| vec![sink.to_owned()];
    let many = |count: usize| (0..count).map(|at| format!("return /result/{at}")).collect::<Vec<_>>();
    let rows: Vec<(&str, Row)> = vec![
        ("string", typed("as-text", &key, &one("return /result"), &[""])),
        ("option in a record", typed("as-entry", &key, &one("return /note"), &[""])),
        ("record in a list", typed("as-entries", &key, &one("return /result/2/note"), &[""])),
        (
            "halves in a list in a record",
            typed("as-tags", &key, &["return /tags/1".to_owned(), "return /tags/2".to_owned()], &[""]),
        ),
        ("tuple", typed("as-pair", &key, &one("return /result/1"), &[""])),
        (
            "tuples in a list",
            typed("as-pairs", &key, &["return /result/0/1".to_owned(), "return /result/1/1".to_owned()], &[""]),
        ),
        ("variant", typed("as-answer", &key, &one("return /plain"), &[""])),
        (
            "bytes in a variant, reversed",
            typed("as-coded", &key, &one("return /coded"), &["reverse base64", "reverse"]),
        ),
        ("list of bytes", typed("as-bytes", &key, &one("return /result"), &["base64", ""])),
        ("typed error", typed("as-error", &key, &one("error /error/refused"), &[""])),
        ("result", typed("as-ok", &key, &one("return /result"), &[""])),
        ("list of characters", typed("as-letters", &key, &many(40), &[""])),
        ("list of UTF-16 units", typed("as-units", &key, &many(40), &["byte-list", "word-list"])),
        ("list of 32-bit words", typed("as-words", &key, &many(10), &["integer", "word-list"])),
        ("u64 of 18 digits", typed("as-big", &digits(18), &one("return /result"), &[""])),
        ("s64 of 15 digits, negative", typed("as-signed", &digits(15), &one("return /result"), &[""])),
        ("list of u32 of 8 digits", typed("as-numbers", &digits(32), &many(4), &[""])),
        ("f64 of 14 digits", typed("as-float", &digits(14), &one("return /result"), &[""])),
        ("list of bool", typed("as-bits", &key, &one("return /result*"), &["bits"])),
    ];
    let line = |(name, row): (&str, Row)| vec![Cell::text(name), Cell::text(format!("`{}`", row.id)), Cell::row(row)];
    Table {
        name: "types",
        title: "Typed results",
        intro: "A variable returned in each type of WIT. The place is the JSON Pointer of the value, and in a list of characters or numbers each element \
            is one.",
        blocks: vec![Block {
            intro: String::new(),
            columns: ["type", "tool", "customs"].map(str::to_owned).to_vec(),
            lines: rows.into_iter().map(line).collect(),
            in_full: false,
        }],
    }
}
