//! The eight rows of MCP-SandboxScan's `tool_return_microbench`, on the guest that re-makes it.

use super::literals;
use super::row::{Act, Expect, Leak, Row};
use super::secrets::{LONG_TOKEN, SHORT_TOKEN};
use super::table::{Block, Cell, Table};
use serde_json::json;

const GUEST: &str = "tool-return-microbench";

/// Name, mode, token, what of it goes where through what, and what their shipped matcher says.
type Line = (&'static str, &'static str, Option<&'static str>, Option<Goes>, &'static str);
type Goes = (std::ops::Range<u64>, &'static [&'static str], &'static str);

const ROWS: [Line; 8] = [
    ("TP_plain", "plain", Some(LONG_TOKEN), Some((0..39, &["note"], "")), "found"),
    (
        "ROB_split_partial_leak",
        "split",
        Some(LONG_TOKEN),
        Some((0..39, &["part1", "part2"], "")),
        "found, the first 16 bytes",
    ),
    ("FN_base64", "base64", Some(LONG_TOKEN), Some((0..39, &["note"], "base64")), "**missed**"),
    ("FN_truncate", "truncate", Some(LONG_TOKEN), Some((0..8, &["note"], "")), "**missed**"),
    ("FN_meta_path", "meta_path", Some(LONG_TOKEN), Some((0..39, &["status"], "")), "**missed**"),
    ("FP_short_token_collision", "noise", Some(SHORT_TOKEN), None, "**false alarm**"),
    ("FP_long_token", "noise", Some(LONG_TOKEN), None, "nothing"),
    ("FP_no_env", "noise", None, None, "nothing"),
];

pub fn table() -> Table {
    let lines = ROWS.iter().map(|(id, mode, token, goes, theirs)| {
        let expect = match goes {
            None => Expect::Nothing,
            Some((taken, members, transform)) => {
                let returned = members.iter().map(|member| format!("return /content/0/text#/result/{member}"));
                Expect::Leak(Leak {
                    source: "env API_KEY".to_owned(),
                    sinks: returned.chain(["stdout stdout".to_owned()]).collect(),
                    transforms: vec![transform.split_whitespace().map(str::to_owned).collect()],
                    taken: taken.clone(),
                    within: taken.clone(),
                })
            }
        };
        let mut flags = vec![format!("--env=MODE={mode}"), "--env=USER_INPUT=hello".to_owned()];
        flags.extend(["--env=FILE_TO_READ=secret.txt", "--allow-read={world}/data::/data"].map(str::to_owned));
        flags.extend(token.map(|token| format!("--env=API_KEY={token}")));
        let files = vec![("data/secret.txt".to_owned(), b"top-secret".to_vec())];
        let act = Act { guest: GUEST, args: json!({}), flags, files, ..Act::default() };
        let scan = literals::scan(GUEST, token.unwrap_or(LONG_TOKEN), "API_KEY");
        vec![
            Cell::text(*id),
            Cell::text(*theirs),
            Cell::text(scan),
            Cell::row(Row { id: (*id).to_owned(), act, expect }),
        ]
    });
    Table {
        name: "microbench",
        title: "Their microbench",
        intro: "The rows of `tool_return_microbench`, made again from their description. A leak counts as found only where the finding names the \
            variable, the place in the answer and the encoding.",
        blocks: vec![Block {
            intro: String::new(),
            columns: ["row", "SandScope", "search for literals", "customs"].map(str::to_owned).to_vec(),
            lines: lines.collect(),
            in_full: true,
        }],
    }
}
