//! Reports: the same from the same ledger, true to it, and inert whatever a guest wrote into it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test that fails panics, one that is skipped says so, and fixtures are files"
)]

mod audits;
mod bounds;
mod browser;
mod inert;
mod scanning;
#[path = "../support/mod.rs"]
mod support;
mod traced;

use customs_ledger::{is_unsafe_char, verify};
use customs_report::{Story, html, json, sarif, text};
use inert::{EVIL, hostile};
use scanning::sarif_is_sound;
use serde_json::{Value, json};
use support::page::{Element, elements};
use support::schema::{faults, published};
use support::{call, end, finding, fixture, ledger, open, sink, small, source, story, unclosed};

fn page(story: &Story) -> Vec<Element> {
    elements(&html(story)).unwrap()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Nothing that a terminal would obey or a reader would not see.
fn shows_all(text: &str) {
    let hidden = text.chars().find(|c| *c != '\n' && is_unsafe_char(*c));
    assert_eq!(hidden, None);
}

#[test]
fn every_format_of_the_fixtures_is_as_it_was() {
    for name in ["weather", "hostile"] {
        let bytes = fixture(&format!("{name}.jsonl"));
        let story =
            Story::read(bytes.as_slice(), verify(bytes.as_slice(), None).unwrap(), &format!("{name}.jsonl")).unwrap();
        // Rules have a test of their own, and change when one is added.
        let mut scan = parsed(&sarif(&story));
        scan["runs"][0]["tool"]["driver"].as_object_mut().unwrap().remove("rules");
        scan["runs"][0].as_object_mut().unwrap().remove("taxonomies");
        for result in scan["runs"][0]["results"].as_array_mut().unwrap() {
            result.as_object_mut().unwrap().remove("ruleIndex");
        }
        let made =
            [("txt", text(&story)), ("json", json(&story)), ("sarif", format!("{scan:#}\n")), ("html", html(&story))];
        for (kind, made) in made {
            let path = support::checkout().join("fixtures/reports").join(format!("{name}.{kind}"));
            if std::env::var_os("CUSTOMS_WRITE_FIXTURES").is_some() {
                std::fs::write(&path, &made).unwrap();
            }
            let kept = std::fs::read_to_string(&path).unwrap();
            assert!(kept == made, "{name}.{kind} differs; CUSTOMS_WRITE_FIXTURES=1 writes it anew\n{made}");
        }
    }
}

#[test]
fn json_fits_its_schema_and_has_the_texts_as_they_were() {
    let schema = published("customs.report-1.json");
    for bytes in [hostile(), ledger(&small()), fixture("weather.jsonl"), fixture("hostile.jsonl"), unclosed(&small())] {
        let made = json(&story(&bytes));
        shows_all(&made);
        assert_eq!(made.lines().count(), 1);
        assert_eq!(faults(&schema, &parsed(&made)), Vec::<String>::new());
    }
    let report = parsed(&json(&story(&hostile())));
    let call = &report["calls"][0];
    for place in [
        &report["run"]["id"],
        &report["component"]["path"],
        &report["run"]["grants"][0],
        &call["tool"],
        &call["denials"][0]["requested"],
    ] {
        assert_eq!(place, EVIL);
    }
    for place in [
        &call["sources"][0]["name"],
        &call["sinks"][0]["name"],
        &call["findings"][0]["preview"],
        &call["ending"]["detail"],
    ] {
        assert_eq!(place, EVIL);
    }
}

/// The two schemas describe the same rows, and the validator notices what does not fit.
#[test]
fn the_published_schemas_agree_and_reject() {
    let (run, report) = (published("customs.run-1.json"), published("customs.report-1.json"));
    for (name, rows) in run["$defs"].as_object().unwrap() {
        assert_eq!(*rows, report["$defs"][name], "{name}");
    }
    let good = parsed(&json(&story(&ledger(&small()))));
    assert!(faults(&report, &good).is_empty());
    for (place, value) in [
        ("/schema", json!("customs.report/2")),
        ("/verdict/verdict", json!("fine")),
        ("/calls/0/denials/0/count", json!(0)),
        ("/calls/0/sources/0/class", json!("any")),
        ("/calls/0/sinks/0/sha256", json!("00")),
        ("/calls/0/findings/0/coverage", json!(1.5)),
        ("/calls/0/findings/0/source_ranges/0", json!([1])),
        ("/run", json!(3)),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = value;
        assert!(!faults(&report, &bad).is_empty(), "{place}");
    }
    let mut bad = good.clone();
    bad["calls"][0].as_object_mut().unwrap().insert("more".into(), json!(1));
    assert!(!faults(&report, &bad).is_empty());
}

#[test]
fn what_the_ledger_says_is_what_the_report_says() {
    let report = parsed(&json(&story(&fixture("weather.jsonl"))));
    assert_eq!(report["verdict"]["verdict"], "ok");
    let (first, second) = (&report["calls"][0], &report["calls"][1]);
    assert_eq!(first["denials"].as_array().unwrap().len(), 2);
    assert_eq!((&first["denials"][0]["count"], &first["denials"][0]["seq"]), (&json!(2), &json!(5)));
    assert_eq!((first["sources"].as_array().unwrap().len(), first["sinks"].as_array().unwrap().len()), (4, 4));
    assert_eq!((&first["complete"], &first["findings"][0]["rule"]), (&json!(true), &json!("CUS101")));
    assert_eq!(
        (&second["complete"], &second["suppressed"]["fs.read open-at no-grant"]),
        (&json!(false), &json!(19000))
    );
    assert_eq!(second["ending"], json!({"kind": "limit", "limit": "time", "detail": "still running after 30 s"}));
    let made = text(&story(&fixture("weather.jsonl")));
    for line in [
        "total    2 findings (1 high, 1 info), 19003 denials in 2 calls; 48.9 KiB came in, 143 B went out\n",
        "39 of 39 bytes, base64   CUS101 Secret in the output\n",
        "denied   fs.read       /etc/passwd (2 times)           no grant covers it\n",
    ] {
        assert!(made.contains(line), "{made}");
    }
    let finding = made.lines().find(|line| line.contains("CUS101")).unwrap();
    assert!(finding.starts_with("finding  high    env API_KEY -> return /debug  "), "{made}");
}

/// A report on a ledger that is not sound says so first, and still shows what can be read.
#[test]
fn a_ledger_that_is_not_sound_is_told_loudly_and_read_as_far_as_it_goes() {
    let sound = ledger(&small());
    let cut = |by: usize| sound[..sound.len() - by].to_vec();
    let altered = String::from_utf8(sound.clone()).unwrap().replace("/etc/passwd", "/etc/passwe").into_bytes();
    for (bytes, word) in [(cut(5), "torn"), (unclosed(&small()), "unclosed"), (altered, "altered"), (sound, "ok")] {
        let story = story(&bytes);
        let is_sound = word == "ok";
        assert_eq!(story.is_sound(), is_sound);
        let made = text(&story);
        let mut lines = made.lines();
        assert!(lines.next().unwrap().starts_with(word), "{made}");
        assert_eq!(lines.next().unwrap().starts_with("WARNING "), !is_sound, "{made}");
        assert!(made.contains("/data/note") && made.contains("CUS111"), "{made}");

        let report = parsed(&json(&story));
        assert_eq!(faults(&published("customs.report-1.json"), &report), Vec::<String>::new());
        assert_eq!((&report["verdict"]["verdict"], &report["complete"]), (&json!(word), &json!(is_sound)));
        assert_eq!(report["alarms"].as_array().unwrap().is_empty(), is_sound);
        assert_eq!(report["verdict"].get("seq").is_some(), word == "altered");

        let log = sarif_is_sound(&sarif(&story), &bytes);
        let run = &log["runs"][0];
        assert_eq!(run["results"][0]["ruleId"] == "CUS-LEDGER", !is_sound, "{run}");
        assert_eq!(run["invocations"][0]["executionSuccessful"], is_sound);

        let elements = page(&story);
        assert_eq!(elements.iter().any(|e| e.attributes.get("role").is_some_and(|r| r == "alert")), !is_sound);
        let verdict = elements.iter().find(|e| e.attributes.get("class").is_some_and(|class| class == "verdict"));
        assert_eq!(verdict.unwrap().text, word);
        // Before anything else, and in a banner that is not as others.
        let made = html(&story);
        assert_eq!(made.find("role=\"alert\"").is_some_and(|at| at < made.find("<h1").unwrap()), !is_sound);
        assert_eq!(made.contains("\"banner bad\""), !is_sound);
    }
}

#[test]
fn a_record_without_the_form_of_its_kind_is_counted_and_said() {
    let spoil = |key: &str, value: Value| {
        let mut records = small();
        records[6]["finding"][key] = value;
        parsed(&json(&story(&ledger(&records))))
    };
    let good = spoil("severity", json!("low"));
    assert_eq!((&good["left_out"]["malformed"], good["alarms"].as_array().unwrap().len()), (&json!(0), 0));
    for (key, value) in [
        ("severity", json!("huge")),
        ("source", json!("1")),
        ("sink", json!(-1)),
        ("coverage", Value::Null),
        ("source_ranges", json!([[2, 1]])),
        ("action", json!(EVIL)),
    ] {
        let bad = spoil(key, value);
        assert_eq!((&bad["left_out"]["malformed"], &bad["complete"]), (&json!(1), &json!(false)), "{key}");
        assert_eq!(bad["alarms"].as_array().unwrap().len(), 1, "{key}");
    }
}

/// What an earlier call had is told with the finding and with the source, and a ledger without it says nothing of it.
#[test]
fn where_bytes_were_before_is_told() {
    let from = json!({"call": 1, "kind": "env", "name": "API_KEY", "class": "secret", "ranges": [[0, 9]]});
    let mut records =
        vec![open(), call(1, "a"), end(1), call(2, "b"), source(2, 1, "/x", 9), sink(2, 1, "/text", 12), end(2)];
    records.push(finding(2, 1, 1, "high"));
    let before = story(&ledger(&records));
    for format in [text, json, sarif, html] {
        assert!(!format(&before).contains("came from env") && !format(&before).contains("\"origin"));
    }
    records[4]["origins"] = json!([from, {"call": "x"}, 7]);
    records[7]["finding"]["origin"] = from.clone();
    let told = story(&ledger(&records));
    let made = text(&told);
    assert!(
        made.contains("\n                 came from env:API_KEY in call 1\n") && made.matches("came from").count() == 1,
        "{made}"
    );
    let report = parsed(&json(&told));
    assert_eq!(faults(&published("customs.report-1.json"), &report), Vec::<String>::new());
    assert_eq!(report["calls"][1]["sources"][0]["origins"], json!([from]), "what has no form is not told");
    assert_eq!(report["calls"][1]["findings"][0]["origin"], from);
    assert_eq!(report["left_out"]["malformed"], 0);
    assert!(page(&told).iter().any(|e| e.tag == "small" && e.text == "came from env:API_KEY in call 1"));
    assert!(sarif(&told).contains("It came from env:API_KEY in call 1"));
}
