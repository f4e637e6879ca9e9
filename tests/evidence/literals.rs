//! What a search for literals in the component says: no run, no cause. The baseline of their static versus dynamic table.

use super::matrix::{Shot, row};
use super::row::{Act, Expect, Leak, Row};
use super::secrets::{LONG_TOKEN, token};
use super::table::{Block, Cell, Table};
use crate::support::guest;
use serde_json::json;

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// What the component's bytes have of a secret and of the name of where it is kept.
pub fn scan(component: &str, secret: &str, name: &str) -> String {
    let bytes = std::fs::read(guest(component)).unwrap();
    match (contains(&bytes, secret), contains(&bytes, name)) {
        (true, _) => "the secret".to_owned(),
        (false, true) => format!("names {name}"),
        (false, false) => "nothing".to_owned(),
    }
}

/// A command with these variables, and a folder `/data` that has one file.
fn command(guest: &'static str, argument: &str, env: &[String], file: (&str, &str), expect: Expect) -> Cell {
    let mut flags: Vec<String> = env.iter().map(|e| format!("--env={e}")).collect();
    flags.push("--allow-read={world}/data::/data".to_owned());
    let files = vec![(format!("data/{}", file.0), file.1.as_bytes().to_vec())];
    let args = json!({"args": argument.split_whitespace().collect::<Vec<_>>()});
    let source = if let Expect::Leak(leak) = &expect { leak.source.as_str() } else { "no leak" };
    let id = format!("{guest} {argument}, {source}");
    Cell::row(Row { id, act: Act { guest, args, flags, files, ..Act::default() }, expect })
}

/// All of a source, as it is.
fn all(source: &str, sinks: &[&str], length: usize) -> Expect {
    let range = 0..length as u64;
    let sinks = sinks.iter().map(|s| (*s).to_owned()).collect();
    let (taken, within) = (range.clone(), range);
    Expect::Leak(Leak { source: source.to_owned(), sinks, transforms: vec![Vec::new()], taken, within })
}

pub fn table() -> Table {
    let key = token("literals", 32);
    let api_key = [format!("API_KEY={key}")];
    let returned = ["stdout stdout", "return /content/0/text"];
    let note = ["stdout stdout", "return /content/0/text#/result/note"];
    let with_mode = |mode: &str| [format!("MODE={mode}"), format!("API_KEY={LONG_TOKEN}")];
    let other = ("other.txt", "nothing of interest");
    let leaks = |from: &'static str| {
        let shot = Shot { shape: "field", secret: key.clone(), ..Shot::of(from, "return") };
        Cell::row(row(&format!("leaks {from}"), &shot))
    };
    let refused = Expect::Denied(vec!["fs.read no-grant /etc/passwd".to_owned()]);
    let line = |guest: &str, does: &str, secret: &str, name: &str, cell: Cell| {
        vec![Cell::text(format!("`{guest}`")), Cell::text(does), Cell::text(scan(guest, secret, name)), cell]
    };
    let (bench, evil) = ("tool-return-microbench", "evil-prompt-tool");
    let lines = vec![
        line(
            bench,
            "returns a variable",
            LONG_TOKEN,
            "API_KEY",
            command(bench, "", &with_mode("plain"), other, all("env API_KEY", &note, 39)),
        ),
        line(
            bench,
            "reads it and keeps it",
            LONG_TOKEN,
            "API_KEY",
            command(bench, "", &with_mode("noise"), other, Expect::Nothing),
        ),
        line(
            evil,
            "puts a variable into a prompt",
            &key,
            "API_KEY",
            command(evil, "", &api_key, other, all("env API_KEY", &returned, 32)),
        ),
        line(
            evil,
            "puts a file into a prompt",
            &key,
            "/data/plan.txt",
            command(
                evil,
                "",
                &["FILE_TO_READ=plan.txt".to_owned()],
                ("plan.txt", &key),
                all("file /data/plan.txt", &returned, 32),
            ),
        ),
        line(
            "fs-violation",
            "reaches for a file of the system",
            "root:x:",
            "/etc/passwd",
            command("fs-violation", "", &[], other, refused),
        ),
        line("leaks", "returns a variable", &key, "API_KEY", leaks("env")),
        line("leaks", "returns a file", &key, "/data/secrets.env", leaks("file")),
        line("leaks", "returns a page", &key, "http://", leaks("http")),
        line("typedleaks", "returns a variable in a record", &key, "API_KEY", super::shapes::plain(&key)),
        line(
            "ordinary",
            "reads all variables and keeps them",
            &key,
            "API_KEY",
            command("ordinary", "env-git", &api_key, other, Expect::Nothing),
        ),
    ];
    Table {
        name: "literals",
        title: "Search for literals",
        intro: "What a search through the component's bytes for the secret and for the name of its place would say, beside what one run says. The secret \
            itself is in no component. A name says that a tool may look there, the same for a tool that leaks and one that does not; a name that is put \
            together at run time is not there at all.",
        blocks: vec![Block {
            intro: String::new(),
            columns: ["component", "does", "search for literals", "customs"].map(str::to_owned).to_vec(),
            lines,
            in_full: true,
        }],
    }
}
