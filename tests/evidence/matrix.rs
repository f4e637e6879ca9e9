//! Our leak matrix: what is taken from where, in which disguise and shape, to which place, on the guest `leaks`.

use super::far::Needs;
use super::row::{Act, Expect, Leak, Row};
use super::secrets::{number, token};
use super::table::{Block, Cell, Table};
use serde_json::json;
use std::ops::Range;

mod contents;
mod lists;

/// One leak. `through` and `chain` are words; `chain` may have several ways to say it, with `|` between.
#[derive(Clone)]
pub struct Shot<'a> {
    pub from: &'a str,
    pub to: &'a str,
    pub through: &'a str,
    pub shape: &'a str,
    pub chain: String,
    /// All of it where it is left out.
    pub taken: Option<Range<u64>>,
    /// What a finding may name; the same where it is left out.
    pub within: Option<Range<u64>>,
    /// What the source holds; where it is empty, a token of the row's own.
    pub secret: String,
}

impl<'a> Shot<'a> {
    pub fn of(from: &'a str, to: &'a str) -> Shot<'a> {
        let shape = if matches!(to, "return" | "error") { "block" } else { "plain" };
        Shot { from, to, through: "", shape, chain: String::new(), taken: None, within: None, secret: String::new() }
    }
}

/// The run of a shot, and what has to be found.
pub fn row(id: &str, shot: &Shot<'_>) -> Row {
    let secret = if shot.secret.is_empty() { token(id, 40) } else { shot.secret.clone() };
    let taken = shot.taken.clone().unwrap_or(0..secret.len() as u64);
    let mut args = json!({"from": shot.from, "to": shot.to, "shape": shot.shape, "take": [taken.start, taken.end]});
    args["through"] = shot.through.split_whitespace().collect();
    args["url"] = json!(if [shot.from, shot.to].contains(&"socket") { "{address}" } else { "http://{address}" });
    if shot.from == "argument" {
        args["text"] = json!(secret);
    }
    let (source, mut act) = source(shot.from, &secret);
    act.args = args;
    way_out(shot.to, &mut act);
    // Another secret that is there and never goes anywhere.
    act.flags.push(format!("--env=OTHER_KEY={}", token(&format!("{id}, another"), 32)));
    act.exit = match shot.to {
        "error" | "internal" => 1,
        "panic" => 3,
        _ => 0,
    };
    let expect = if shot.from == "argument" {
        Expect::Nothing
    } else {
        let chain = |way: &str| way.split_whitespace().map(str::to_owned).collect();
        let transforms = shot.chain.split('|').map(chain).collect();
        let within = shot.within.clone().unwrap_or_else(|| taken.clone());
        Expect::Leak(Leak { source, sinks: sinks(shot), transforms, taken, within })
    };
    Row { id: id.to_owned(), act, expect }
}

/// Where the bytes come from: what findings call it, and the world that has it.
fn source(from: &str, secret: &str) -> (String, Act) {
    let mut act = Act { guest: "leaks", tool: "leak", ..Act::default() };
    let read = "--allow-read={world}/data::/data".to_owned();
    let source = match from {
        "env" => {
            act.flags.push(format!("--env=API_KEY={secret}"));
            "env API_KEY"
        }
        "file" => {
            act.flags.push(read);
            act.files.push(("data/secrets.env".to_owned(), secret.as_bytes().to_vec()));
            "file /data/secrets.env"
        }
        "listing" => {
            act.flags.push(read);
            act.files.extend(secret.lines().map(|name| (format!("data/inbox/{name}"), Vec::new())));
            "listing /data/inbox"
        }
        "link" => {
            act.flags.push(read);
            act.link = Some(("data/current".to_owned(), secret.to_owned()));
            "link /data/current"
        }
        "http" => {
            act.flags.push("--allow-net=http://{address}".to_owned());
            act.far = Needs::Page(secret.as_bytes().to_vec());
            "http-response http://{address}/#body"
        }
        "socket" => {
            act.flags.push("--allow-tcp={address}".to_owned());
            act.far = Needs::Speaker(secret.as_bytes().to_vec());
            "socket tcp://{address}"
        }
        "argument" => "argument /text",
        _ => panic!("{from} is no source"),
    };
    (source.to_owned(), act)
}

fn way_out(to: &str, act: &mut Act) {
    match to {
        "file" | "file-name" | "folder-name" | "new-name" => {
            act.files.push(("out/.keep".to_owned(), Vec::new()));
            act.flags.push("--allow-write={world}/out::/out".to_owned());
        }
        "line" | "query" | "header" | "body" if matches!(act.far, Needs::Nothing) => {
            act.far = Needs::Web;
            act.flags.push("--allow-net=http://{address}".to_owned());
        }
        "socket" => {
            act.far = Needs::Listener;
            act.flags.push("--allow-tcp={address}".to_owned());
        }
        "dns" => act.flags.push("--allow-net=*.evidence.invalid".to_owned()),
        _ => {}
    }
}

/// What findings call the places that the bytes are in then.
fn sinks(shot: &Shot<'_>) -> Vec<String> {
    let one = |sink: &str| vec![sink.to_owned()];
    match shot.to {
        "return" | "error" => places(shot.shape).iter().map(|place| format!("{} {place}", shot.to)).collect(),
        "internal" => one("error /content/0/text"),
        "panic" => one("stderr stderr"),
        "stdout" | "stderr" | "progress" | "log" => one(&format!("{0} {0}", shot.to)),
        "file" => one("file /out/report.txt"),
        "file-name" | "folder-name" | "new-name" => one("file /out/*#name"),
        "line" => one("http-request http://{address}/*#line"),
        "query" => one("http-request http://{address}/search#line"),
        "header" => one("http-request http://{address}/#headers"),
        "body" => one("http-request http://{address}/#body"),
        "denied" => one("http-request http://198.51.100.7/search#line"),
        "dns" => one("dns *.evidence.invalid"),
        "socket" => one("socket tcp://{address}"),
        other => panic!("{other} is no place"),
    }
}

/// Where the guest puts the bytes in a result of that shape.
fn places(shape: &str) -> &'static [&'static str] {
    match shape {
        "field" | "sentence" => &["/result/note"],
        "status" => &["/status"],
        "items" => &["/items/2/note"],
        "key" => &["/result/*#key"],
        "number" => &["/total"],
        "numbers" | "codes" => &["/samples/*"],
        "letters" => &["/letters/*"],
        "list" => &["/parts/*"],
        "objects" => &["/parts/*/p"],
        "halves" => &["/part1", "/part2"],
        "apart" => &["/a", "/z"],
        "keys" => &["/set/*#key"],
        "inner-json" | "inner-inner" => &["/payload"],
        "prompt" => &["/prompt"],
        "messages" => &["/messages/0/content"],
        "bits" => &["/flags*"],
        "markdown" => &["/body"],
        "block" | "block-sentence" | "block-labelled" | "block-lines" | "block-prompt" => &["/content/0/text"],
        "block-json" | "block-pretty" => &["/content/0/text#/result/items/0/note"],
        "blob" => &["/content/0/data"],
        "resource" => &["/content/0/resource/text"],
        "resource-blob" => &["/content/0/resource/blob"],
        "link" => &["/content/0/uri"],
        other => panic!("{other} is no shape"),
    }
}

/// A block whose lines and columns are crossed. A cell gives its shot, or nothing where it makes no sense.
struct Cross<'a, L, C> {
    name: &'a str,
    intro: &'a str,
    first: &'a str,
    lines: Vec<(String, L)>,
    columns: Vec<(String, C)>,
}

impl<L, C> Cross<'_, L, C> {
    fn block<'s>(&self, cell: impl Fn(&L, &C) -> Option<Shot<'s>>) -> Block {
        let line = |(label, line): &(String, L)| {
            let cells = self.columns.iter().map(|(column, value)| match cell(line, value) {
                None => Cell::Empty,
                Some(shot) => Cell::row(row(&format!("{}: {label}, {column}", self.name), &shot)),
            });
            [Cell::text(label.as_str())].into_iter().chain(cells).collect()
        };
        Block {
            intro: self.intro.to_owned(),
            columns: [self.first.to_owned()].into_iter().chain(self.columns.iter().map(|c| c.0.clone())).collect(),
            lines: self.lines.iter().map(line).collect(),
            in_full: false,
        }
    }
}

fn named<T: Copy>(rows: &[(&str, T)]) -> Vec<(String, T)> {
    rows.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

/// Places by their names: where to, and the shape there.
fn ways(names: &[&'static str]) -> Vec<(String, (&'static str, &'static str))> {
    let way = |name: &&'static str| {
        let way = match *name {
            "field" => ("return", "field"),
            "text" => ("return", "block"),
            "JSON text" => ("return", "block-json"),
            "sentence" => ("return", "sentence"),
            "error" => ("error", "block"),
            "internal" => ("internal", "failure"),
            "URL" => ("line", "plain"),
            "file name" => ("file-name", "plain"),
            "log" => ("log", "json"),
            "form" => ("body", "form"),
            other => (other, "plain"),
        };
        ((*name).to_owned(), way)
    };
    names.iter().map(way).collect()
}

pub fn table() -> Table {
    let positions = Cross {
        name: "position",
        intro: "A variable of 40 characters, as it is. Lines: which piece of it. Columns: where it goes.",
        first: "piece",
        lines: named(&[
            ("all", (0, 40)),
            ("first 20", (0, 20)),
            ("middle 20", (10, 30)),
            ("last 12", (28, 40)),
            ("8 inside", (17, 25)),
        ]),
        columns: ways(&[
            "field",
            "text",
            "JSON text",
            "error",
            "internal",
            "stdout",
            "stderr",
            "log",
            "progress",
            "file",
            "URL",
            "query",
            "header",
            "body",
            "form",
        ]),
    };
    let encodings = Cross {
        name: "encoding",
        intro: "The same through one encoding, within a sentence.",
        first: "encoding",
        lines: lists::ENCODINGS.iter().map(|e| (e.0.to_owned(), *e)).collect(),
        columns: ways(&["sentence"]),
    };
    let places = Cross {
        name: "encoded",
        intro: "Encodings at the other places, as whole values and pieces of 24.",
        first: "encoding",
        lines: named(lists::ELSEWHERE),
        columns: ways(&["field", "JSON text", "error", "stderr", "log", "query", "body", "file name"]),
    };
    let depth = Cross {
        name: "depth",
        intro: "One encoding on another, in the order in which they were put on.",
        first: "encodings",
        lines: named(lists::DEPTH),
        columns: vec![
            ("whole".to_owned(), ("block", "return", 0, 40)),
            ("middle 24".to_owned(), ("field", "return", 8, 32)),
        ],
    };
    let shapes = Cross {
        name: "shape",
        intro: "What is built around it, in the answer.",
        first: "shape",
        lines: named(lists::SHAPES),
        columns: named(&[
            ("as it is", ("", "")),
            ("reversed", ("reverse", "reverse")),
            ("base64", ("base64-url", "base64")),
        ]),
    };
    let others = Cross {
        name: "way",
        intro: "Other ways out.",
        first: "way",
        lines: ["panic", "socket", "folder-name", "new-name", "dns", "denied"].map(|to| (to.to_owned(), to)).to_vec(),
        columns: named(&[("as it is", ("", "")), ("hex", ("hex", "hex")), ("base32", ("base32-lower", "base32"))]),
    };
    let numbers = Cross {
        name: "number",
        intro: "Digits, as JSON numbers.",
        first: "what",
        lines: named(&[
            ("number of 16 digits", (16, "number")),
            ("number of 9 digits", (9, "number")),
            ("numbers of 9 digits", (36, "numbers")),
        ]),
        columns: named(&[("env", "env"), ("file", "file"), ("http", "http")]),
    };
    Table {
        name: "matrix",
        title: "Our leak matrix",
        intro: "The guest `leaks` takes a piece of a source to a place, in a disguise, with another secret beside it that never goes \
            anywhere. A cell says the severity where the finding names the source, the place and the encodings as they were, cites \
            three quarters of the bytes that were taken and no others, and where nothing else is found; else it is a miss.",
        blocks: vec![
            positions.block(|(from, to), (way, shape)| {
                Some(Shot { taken: Some(*from..*to), shape, ..Shot::of("env", way) })
            }),
            encodings.block(|(_, through, chain, is_binary), (way, shape)| {
                let (way, shape) = if *is_binary { ("file", "plain") } else { (*way, *shape) };
                Some(Shot { through, chain: (*chain).to_owned(), shape, ..Shot::of("env", way) })
            }),
            places.block(|(through, chain, taken), (way, shape)| {
                let (taken, chain) = (Some(taken.0..taken.1), (*chain).to_owned());
                Some(Shot { through, chain, shape, taken, ..Shot::of("env", way) })
            }),
            depth.block(|(through, chain), (shape, way, from, to)| {
                let (taken, chain) = (Some(*from..*to), (*chain).to_owned());
                Some(Shot { through, chain, shape, taken, ..Shot::of("env", way) })
            }),
            shapes.block(|(shape, chain), (through, more)| {
                let joined = |way: &str| format!("{more} {way}");
                let fits = through.is_empty() || !matches!(*shape, "bits" | "codes");
                let chain = chain.split('|').map(joined).collect::<Vec<_>>().join("|");
                fits.then(|| Shot { through, chain, shape, ..Shot::of("env", "return") })
            }),
            numbers.block(|(length, shape), from| {
                let secret = number(&format!("{length}{shape}{from}"), *length);
                Some(Shot { shape, secret, ..Shot::of(from, "return") })
            }),
            others.block(|to, (through, chain)| Some(Shot { through, chain: (*chain).to_owned(), ..short(to) })),
            contents::sources(),
            contents::plain_ones(),
            contents::twins(),
            contents::echoes(),
        ],
    }
}

/// A label of a DNS name has at most 63 characters, and the name of a host no letters but small ones.
fn short(to: &str) -> Shot<'_> {
    let secret = if to == "dns" { token("a name in the DNS", 24).to_lowercase() } else { String::new() };
    Shot { secret, ..Shot::of("env", to) }
}
