//! Sources with more in them than a secret: lines of a `.env`, sentences of a letter, members of a page.

use super::{Block, Cross, Shot, named, number, token, ways};
use std::ops::Range;

/// A file of settings, a line each. What is random in it is its own in each line.
fn settings() -> String {
    let (a, b, c) = (token("database", 20), token("payments", 28), token("sessions", 44));
    format!(
        "# the billing service, second deployment\nDATABASE_URL=postgres://billing:{a}@db-3.internal:5432/billing\n\
        PAYMENT_KEY=sk_live_{b}\nSESSION_SECRET={c}\nSUPPORT_PHONE=+41 44 618 27 93\nOWNER_MAIL=hanspeter.zgraggen@fluehli.example\n"
    )
}

const LETTER: &str = "Dear Ottilie,\n\nthe auction of the clocks went better than expected: lot nineteen, the Neuchatel bracket clock, reached \
    14,300 francs after a duel between two bidders from Antwerp.\n\nGrandfather's pocket watch stays in the family, as you wished; it lies in the \
    vault at Bahnhofstrasse, box 2207.\n\nPlease do not tell Leopold before the notary has signed.\n\nYours, Wendelin\n";

fn page() -> String {
    format!(
        "{{\"station\":\"Guetsch ob Andermatt\",\"snow_depth_cm\":187,\"ticket\":\"{}\",\"remarks\":[\"avalanche bulletin: considerable above \
        2200 m on shady slopes\",\"the Nätschen lift stands still until further notice\"]}}",
        token("ticket", 26)
    )
}

/// The kind of the source, what it holds, and which bytes of it are taken.
type Piece = (&'static str, String, Range<u64>);

/// Where a text stands in another.
fn at(text: &str, part: &str) -> Range<u64> {
    let from = text.find(part).unwrap_or_else(|| panic!("{part:?} is not in it")) as u64;
    from..from + part.len() as u64
}

pub fn sources() -> Block {
    let (settings, page) = (settings(), page());
    let mut lines: Vec<(String, Piece)> = Vec::new();
    for (number, line) in settings.lines().enumerate() {
        lines.push((format!("file: line {} of a `.env`", number + 1), ("file", settings.clone(), at(&settings, line))));
        if let Some((name, value)) = line.split_once('=') {
            lines.push((format!("file: value of `{name}`"), ("file", settings.clone(), at(&settings, value))));
        }
    }
    let letter = LETTER.replace("\n    ", " ");
    for (name, part) in [
        ("first sentence", "the auction of the clocks went better than expected"),
        ("names in the middle", "Grandfather's pocket watch stays in the family"),
        ("address in the middle", "vault at Bahnhofstrasse, box 2207"),
        ("last sentence", "Please do not tell Leopold before the notary has signed."),
        ("all", &letter),
    ] {
        lines.push((format!("file: a letter, {name}"), ("file", letter.clone(), at(&letter, part))));
    }
    for (name, part) in [
        ("first member", "Guetsch ob Andermatt"),
        ("ticket", &token("ticket", 26)),
        ("last remark", "Nätschen lift stands still until further notice"),
        ("all", &page),
    ] {
        lines.push((format!("http: a page, {name}"), ("http", page.clone(), at(&page, part))));
    }
    let name = format!("{}.pdf", token("a file in the inbox", 20));
    lines.push(("listing: a name".to_owned(), ("listing", name.clone(), 0..name.len() as u64)));
    let target = format!("releases/{}", token("a release", 20));
    lines.push(("link: its text".to_owned(), ("link", target.clone(), 0..target.len() as u64)));
    let said = token("said on a socket", 40);
    lines.push(("socket: what it said".to_owned(), ("socket", said, 0..40)));
    let columns = ways(&["field", "error", "body"]);
    let encoded = columns
        .iter()
        .map(|(name, way)| (name.clone(), (*way, "", "")))
        .chain([("field, base64".to_owned(), (("return", "field"), "base64", "base64"))]);
    let cross = Cross {
        name: "source",
        intro: "Other sources, with more in them than what is taken.",
        first: "source",
        lines,
        columns: encoded.collect(),
    };
    cross.block(|(from, content, taken), ((to, shape), through, chain)| {
        // One far end at a time; and a text that is JSON goes on inside, where it has other names.
        let whole = taken.end == content.len() as u64 && taken.start == 0;
        let fits = match (*from, *to) {
            ("socket", "body") => false,
            ("http", "error") => !whole,
            _ => true,
        };
        fits.then(|| Shot {
            shape,
            through,
            chain: (*chain).to_owned(),
            taken: Some(taken.clone()),
            secret: content.clone(),
            ..Shot::of(from, to)
        })
    })
}

/// Secrets that are short, or that people make: less random than a token.
pub fn plain_ones() -> Block {
    let random = |length| token(&format!("short, {length}"), length);
    let lines = [
        ("8 random characters", random(8)),
        ("6 random characters", random(6)),
        ("5 random characters", random(5)),
        ("4 random characters", random(4)),
        ("PIN of 6 digits", number("PIN", 6)),
        ("passphrase of four words", "velvet-anchor-piano-lantern".to_owned()),
        ("two words", "top-secret".to_owned()),
        ("word and year", "Sunshine2024!".to_owned()),
        ("mail address", "r.aebischer@fluehli.example".to_owned()),
        ("bank account", "CH93 0076 2011 6238 5295 7".to_owned()),
        ("address of a database", "postgres://app:app@10.20.30.40:5432/app".to_owned()),
    ];
    let cross = Cross {
        name: "plain",
        intro: "Values that are short or that people make, each the whole of its source.",
        first: "value",
        lines: lines.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        columns: named(&[
            ("env, field", ("env", "field", "", "")),
            ("env, sentence", ("env", "sentence", "", "")),
            ("env, base64", ("env", "sentence", "base64", "base64")),
            ("file, field", ("file", "field", "", "")),
            ("file, sentence", ("file", "sentence", "", "")),
        ]),
    };
    cross.block(|value, (from, shape, through, chain)| {
        Some(Shot { shape, through, chain: (*chain).to_owned(), secret: value.clone(), ..Shot::of(from, "return") })
    })
}

/// One's own, and beside what everybody has: a region, an address, a path, a version that nobody else has.
pub fn twins() -> Block {
    let word = |label: &str, length| token(&format!("twin, {label}"), length);
    let lines = [
        ("address with a token", format!("https://api.example.com/v1/rates?token={}", word("address", 20))),
        (
            "address of a host of one's own",
            format!("https://billing-{}.internal:8443/v1", word("host", 6).to_lowercase()),
        ),
        ("name of a host", format!("db-{}.internal", word("name", 8).to_lowercase())),
        ("local database with a password", format!("postgres://app:{}@localhost:5432/app", word("password", 10))),
        ("proxy with a password", format!("http://proxy:{}@proxy.example.com:3128", word("proxy", 10))),
        ("PATH with a folder of one's own", "/usr/local/bin:/usr/bin:/home/zgraggen/fluehli-werkzeug/bin".to_owned()),
        ("bucket of one's own", "fluehli-zgraggen-backups".to_owned()),
        ("UUID", "7f3e9ad0-53c1-4b8e-91aa-0c65d8e2b417".to_owned()),
        ("number of 9 digits", "583920174".to_owned()),
        ("version with a build of one's own", format!("1.22.0-{}", word("version", 8))),
        ("settings with a password", format!("host=localhost port=5432 user=app password={}", word("settings", 10))),
        ("header with a token", format!("Authorization: Bearer {}", word("header", 24))),
    ];
    let cross = Cross {
        name: "twin",
        intro: "Values like those that everybody has, with something of one's own in them.",
        first: "value",
        lines: lines.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        columns: named(&[
            ("env, field", ("env", "field", "", "")),
            ("env, sentence", ("env", "sentence", "", "")),
            ("env, base64", ("env", "sentence", "base64", "base64")),
            ("file, field", ("file", "field", "", "")),
        ]),
    };
    cross.block(|value, (from, shape, through, chain)| {
        Some(Shot { shape, through, chain: (*chain).to_owned(), secret: value.clone(), ..Shot::of(from, "return") })
    })
}

/// What the caller sent comes back: no finding, in whatever form.
pub fn echoes() -> Block {
    let cross = Cross {
        name: "echo",
        intro: "An argument comes back or goes on: no finding.",
        first: "argument",
        lines: named(&[("as it is", ""), ("base64", "base64"), ("reversed", "reverse"), ("hex", "hex")]),
        columns: ways(&["field", "error", "log", "body"]),
    };
    cross.block(|through, (to, shape)| Some(Shot { shape, through, ..Shot::of("argument", to) }))
}
