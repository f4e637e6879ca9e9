//! The transforms of MCP-SandboxScan's evasion table, each as the whole of an answer and within a sentence, and the wrappers beyond it.

use super::literals;
use super::matrix::{Shot, row};
use super::secrets::LONG_TOKEN;
use super::table::{Block, Cell, Table};

const WRAPPED: &str = "block-sentence";

pub fn table() -> Table {
    // The token repeats itself: any of its bytes may be named.
    let shot = |id: String, through: &str, shape: &str, taken: std::ops::Range<u64>, chain: &str| {
        let secret = LONG_TOKEN.to_owned();
        let shot = Shot {
            through,
            shape,
            chain: chain.to_owned(),
            taken: Some(taken),
            within: Some(0..39),
            secret,
            ..Shot::of("env", "return")
        };
        Cell::row(row(&id, &shot))
    };
    let scan = || Cell::text(literals::scan("leaks", LONG_TOKEN, "API_KEY"));
    let theirs = [
        ("plain", "", "", 0..39, ["found", "found", "found"]),
        ("first and last 16", "first-and-last-16", "", 0..39, ["found", "found", "found"]),
        ("rot13", "rot13", "rot13", 0..39, ["missed", "found", "missed"]),
        ("hex", "hex", "hex", 0..39, ["missed", "found", "missed"]),
        ("base64", "base64", "base64", 0..39, ["missed", "found", "missed"]),
        ("chunks of 4 with hyphens", "chunks", "separators", 0..39, ["missed", "found", "missed"]),
        ("last 16", "", "", 23..39, ["found", "found", "missed"]),
    ];
    let seven = theirs.into_iter().map(|(name, through, chain, taken, said)| {
        let mut line = vec![Cell::text(name)];
        line.extend(said.map(Cell::text));
        line.extend([
            scan(),
            shot(format!("{name}, alone"), through, "block", taken.clone(), chain),
            shot(format!("{name}, in a sentence"), through, WRAPPED, taken, chain),
        ]);
        line
    });
    let wrappers = [
        ("`b64=` and base64", "base64", "block-labelled", 0..39, "base64", "missed"),
        ("base64 in a sentence", "base64-bare", WRAPPED, 0..39, "base64", "missed"),
        ("`data=` and hex", "hex", "block-labelled", 0..39, "hex", "missed"),
        ("reversed", "reverse", WRAPPED, 0..39, "reverse", "missed"),
        ("the first 8 characters", "", "block-labelled", 0..8, "", "missed"),
        ("base32", "base32", "block", 0..39, "base32", "missed"),
        ("base64 twice", "base64 base64", "block", 0..39, "base64 base64", "missed"),
        ("xor and hex", "xor hex", "block", 0..39, "xor hex", "missed"),
        ("list of byte values", "", "codes", 0..39, "byte-list", "missed"),
        ("deflate and base64", "deflate base64", "block", 0..39, "deflate base64", "missed"),
        ("18 bytes from the middle", "", WRAPPED, 10..28, "", "missed"),
        ("letters with x between", "letters-x", "block", 0..39, "separators", "missed"),
        ("HTML entities", "html", "block", 0..39, "html", "missed"),
        ("base64 alone", "base64-url", "block", 0..39, "base64", "found"),
        ("hex alone", "hex-upper", "block", 0..39, "hex", "found"),
        ("percent escapes", "percent", "block", 0..39, "percent", "found, by luck"),
        ("letters with dots between", "dots", "block", 0..39, "separators", "found"),
        ("zero-width characters between", "zero-width", "block", 0..39, "zero-width", "found"),
        ("rot13 in a sentence", "rot13", "block-pretty", 0..39, "rot13", "found"),
        ("chunks with hyphens", "chunks", "block-labelled", 0..39, "separators", "found"),
    ];
    let wrappers = wrappers.into_iter().map(|(name, through, shape, taken, chain, said)| {
        vec![
            Cell::text(name),
            Cell::text(said),
            Cell::text("missed"),
            scan(),
            shot(name.replace('`', ""), through, shape, taken, chain),
        ]
    });
    let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Table {
        name: "evasion",
        title: "Their evasions",
        intro: "The seven transforms of their evasion table, on their token, once as the whole answer and once within a sentence; then the wrappers \
            that were tried on their program besides. `raw only` and `default` are matchers of their `evasion` program; what `sandscope` itself runs is \
            the shipped one.",
        blocks: vec![
            Block {
                intro: String::new(),
                columns: columns(&[
                    "transform",
                    "raw only",
                    "default",
                    "shipped",
                    "search for literals",
                    "customs, alone",
                    "customs, in a sentence",
                ]),
                lines: seven.collect(),
                in_full: false,
            },
            Block {
                intro: "Wrappers as tools use them:".to_owned(),
                columns: columns(&["what is returned", "default", "shipped", "search for literals", "customs"]),
                lines: wrappers.collect(),
                in_full: false,
            },
        ],
    }
}
