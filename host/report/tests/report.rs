//! Reports: the same from the same ledger, true to it, and inert whatever a guest wrote into it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that fails panics, and fixtures are files"
)]

mod support;

use customs_ledger::{Escaped, is_unsafe_char, verify};
use customs_report::{Story, html, json, sarif, text};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::page::{Element, elements};
use support::schema::{faults, published};
use support::{call, denied, end, finding, fixture, ledger, open, sink, small, source, story, unclosed};

/// Whatever a browser, a terminal, a code scanner or a spreadsheet would take for more than text.
const EVIL: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)></title></style><!-- --><![CDATA[ javascript:alert(1) data:text/html,x \
    file:///etc/passwd http://evil.example/ =cmd|' /C calc'!A0 @SUM(1) ![](http://evil.example/) [a](http://evil.example/) {0} {{1}} \\ & &amp; \
    \u{1b}[31m\u{1b}]0;t\u{7}\r\n\u{8}\u{9b}2J\u{202e}gpj\u{200b}\u{2028}\u{2029}\u{feff}\u{e0041}\u{fffe}\u{7f} Z\u{fc}rich \u{5d0}\u{5d1}";

/// A ledger with that in every place that a text can stand.
fn hostile() -> Vec<u8> {
    let mut records = small();
    records[0]["run"] = json!(EVIL);
    records[0]["time"] = json!(EVIL);
    records[0]["customs"] = json!(EVIL);
    records[0]["wasmtime"] = json!(EVIL);
    records[0]["component"]["name"] = json!(EVIL);
    records[0]["grants"] = json!([EVIL, {"text": EVIL, "text_bytes": 5000, "text_sha256": support::zeros()}]);
    records[0]["warnings"] = json!([EVIL]);
    records[1]["tool"] = json!(EVIL);
    for key in ["op", "requested", "resolved", "code", "rule", "detail"] {
        records[2][key] = json!(EVIL);
    }
    records[3]["name"] = json!(EVIL);
    records[4]["name"] = json!(EVIL);
    records[5] =
        json!({"event": "end", "call": 1, "ending": "limit", "limit": EVIL, "observed": EVIL, "imports": {EVIL: 1}});
    for key in ["id", "rule", "preview", "note"] {
        records[6]["finding"][key] = json!(EVIL);
    }
    records[6]["finding"]["transform"] = json!([EVIL]);
    records.push(json!({"event": "suppressed", "call": 1, "cap": "fs.read", "op": EVIL, "code": EVIL, "count": 5}));
    ledger(&records)
}

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

/// 171: nothing but the ledger goes into a report.
#[test]
fn the_same_ledger_gives_the_same_report() {
    let bytes = hostile();
    for format in [text, json, sarif, html] {
        assert_eq!(format(&story(&bytes)), format(&story(&bytes)));
    }
}

/// 164, 165, 166: what a guest wrote is text on the page, all of it, and nothing else.
#[test]
fn markup_of_a_guest_is_text_on_the_page() {
    const TAGS: &str = " html head meta title style body main header h1 h2 h3 strong em p dl dt dd bdo code section figure figcaption svg g path rect text \
        tspan table thead tbody tr th td details summary footer ";
    const ATTRIBUTES: &str = " lang charset http-equiv content name class role aria-label viewBox d stroke-width x y width height rx text-anchor direction \
        unicode-bidi scope dir ";
    let story = story(&hostile());
    let made = html(&story);
    shows_all(&made);
    let elements = page(&story);
    for element in &elements {
        assert!(TAGS.contains(&format!(" {} ", element.tag)), "{element:?}");
        for key in element.attributes.keys() {
            assert!(ATTRIBUTES.contains(&format!(" {key} ")), "{element:?}");
        }
    }
    let shown = Escaped(EVIL).to_string().replace('\u{fffe}', "\\u{fffe}");
    let texts = elements.iter().filter(|e| e.tag == "bdo" && e.text == shown).count();
    // Facts, tool, ending, finding, denial, flows, timeline.
    assert!(texts >= 20, "{texts}");
    // Its tags are counted in the guest's text only.
    assert_eq!((made.matches("<style").count(), made.matches("<script").count()), (1, 0));
    let refresh = elements.iter().filter(|e| e.tag == "meta" && e.attributes.contains_key("http-equiv"));
    assert_eq!(refresh.count(), 1);
}

#[test]
fn the_page_allows_its_own_style_by_hash_and_nothing_else() {
    use base64::Engine as _;
    use sha2::Digest as _;
    let elements = page(&story(&ledger(&small())));
    let style = elements.iter().find(|e| e.tag == "style").unwrap();
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(&style.text));
    let policy = elements.iter().find(|e| e.attributes.contains_key("http-equiv")).unwrap();
    assert_eq!(policy.attributes["http-equiv"], "Content-Security-Policy");
    let wanted = format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'");
    assert_eq!(policy.attributes["content"], wanted);
    assert!(!style.text.contains("url(") && !style.text.contains("@import"), "{}", style.text);
}

/// 167: one line for each fact, its kind in the first nine columns.
#[test]
fn text_stays_in_its_lines_and_columns() {
    let made = text(&story(&hostile()));
    shows_all(&made);
    assert!(made.contains("<script>alert(1)</script>") && made.contains("\\u{e0041}"), "{made}");
    for line in made.lines().filter(|line| !line.is_empty()) {
        let label = line.split(' ').next().unwrap();
        let known = [
            "", "ok", "WARNING", "tool", "when", "grant", "warning", "call", "finding", "denied", "in", "out", "ended",
            "head",
        ];
        assert!(known.contains(&label), "{line}");
        assert!(line.chars().count() < 1200, "{line}");
        assert!(
            line.chars().nth(8).is_none_or(|c| c == ' ')
                && line.chars().nth(9).is_none_or(|c| c != ' ' || label.is_empty()),
            "{line}"
        );
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
    let line = "finding  high    env API_KEY -> return /debug   39 of 39 bytes, base64   CUS101 Secret in the output\n";
    assert!(made.contains(line), "{made}");
}

/// What a code-scanning viewer relies on.
fn sarif_is_sound(made: &str, ledger: &[u8]) -> Value {
    let log = parsed(made);
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let ids: std::collections::BTreeSet<_> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), rules.len(), "an id stands twice");
    let lines: Vec<Value> =
        ledger.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    for result in run["results"].as_array().unwrap() {
        assert_eq!(rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert_eq!(result["partialFingerprints"]["customsFlow/v1"].as_str().unwrap().len(), 32);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(
            (&place["artifactLocation"]["index"], place["artifactLocation"]["uri"].is_string()),
            (&json!(0), true)
        );
        let line = place["region"]["startLine"].as_u64().unwrap();
        assert!(line >= 1);
        let record = &lines.get(usize::try_from(line).unwrap() - 1);
        match result["ruleId"].as_str().unwrap() {
            "CUS-LEDGER" => {}
            denial if denial.starts_with("CUS-DENY-") => assert_eq!(record.unwrap()["decision"], "deny", "{result}"),
            _ => assert_eq!(record.unwrap()["event"], "finding", "{result}"),
        }
    }
    log
}

#[test]
fn sarif_points_at_the_records() {
    for bytes in [fixture("weather.jsonl"), hostile(), fixture("hostile.jsonl"), unclosed(&small())] {
        let made = sarif(&story(&bytes));
        shows_all(&made);
        sarif_is_sound(&made, &bytes);
    }
    let bytes = fixture("weather.jsonl");
    let log = sarif_is_sound(&sarif(&story(&bytes)), &bytes);
    let results = log["runs"][0]["results"].as_array().unwrap();
    let first = &results[0];
    assert_eq!((&first["ruleId"], &first["level"]), (&json!("CUS101"), &json!("error")));
    assert_eq!(first["message"]["text"], "env API_KEY is in return /debug: 39 of 39 bytes, base64");
    let path: Vec<u64> = first["codeFlows"][0]["threadFlows"][0]["locations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l["location"]["physicalLocation"]["region"]["startLine"].as_u64().unwrap())
        .collect();
    assert_eq!(path, [5, 15], "the records of the source and of the sink");
    assert!(
        results.iter().any(|r| r["ruleId"] == "CUS-DENY-no-grant" && r["occurrenceCount"] == 2 && r["level"] == "note")
    );
}

/// SARIF makes links of brackets in messages.
#[test]
fn a_message_of_sarif_has_no_link_of_a_guest() {
    let log = parsed(&sarif(&story(&hostile())));
    let mut messages = 0;
    let mut walk = vec![&log];
    while let Some(value) = walk.pop() {
        match value {
            Value::Object(members) => {
                if let Some(text) = members.get("text").and_then(Value::as_str) {
                    messages += 1;
                    let mut before = ' ';
                    for c in text.chars() {
                        assert!(!matches!(c, '[' | ']') || before == '\\', "{text}");
                        before = if before == '\\' && c == '\\' { ' ' } else { c };
                    }
                }
                walk.extend(members.values());
            }
            Value::Array(items) => walk.extend(items),
            _ => {}
        }
    }
    assert!(messages > 20);
}

#[test]
fn the_rules_of_sarif_are_those_of_findings_and_denials() {
    let log = parsed(&sarif(&story(&ledger(&small()))));
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    for rule in customs_flow::rules() {
        let told = rules.iter().find(|told| told["id"] == rule.code).unwrap();
        let tags = told["properties"]["tags"].as_array().unwrap();
        for id in rule.taxa {
            let tag = id.strip_prefix("CWE-").map_or((*id).to_owned(), |n| format!("external/cwe/cwe-{n}"));
            assert!(tags.contains(&json!(tag)), "{told}");
        }
        for part in ["name", "shortDescription", "fullDescription", "help", "defaultConfiguration"] {
            assert!(!told[part].is_null(), "{told}");
        }
    }
    for code in customs_policy::DenialCode::ALL {
        assert!(rules.iter().any(|told| told["id"] == format!("CUS-DENY-{code}")));
    }
}

/// A viewer knows a finding again in another run; another sink is another finding.
#[test]
fn fingerprints_are_of_the_flow_and_not_of_the_run() {
    let prints = |records: &[Value]| -> Vec<String> {
        let log = parsed(&sarif(&story(&ledger(records))));
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        results.iter().map(|r| r["partialFingerprints"]["customsFlow/v1"].to_string()).collect()
    };
    let first = prints(&small());
    let mut later = small();
    later[0]["run"] = json!("another");
    later[0]["time"] = json!("2027-01-01T00:00:00Z");
    later[3]["bytes"] = json!(10);
    later[2]["t"] = json!(77);
    assert_eq!(prints(&later), first);
    later[4]["name"] = json!("/texts");
    let moved = prints(&later);
    assert!(moved[0] != first[0] && moved[1] == first[1]);
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
        assert!(elements.iter().any(|e| e.tag == "h1" && e.text.ends_with(word)));
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

/// 169: as many records as there can be, and names as long as they can be.
#[test]
fn a_report_has_a_bound_and_counts_what_it_leaves_out() {
    let long = "\u{1b}".repeat(500);
    let mut records = vec![open(), call(1, "t")];
    records.extend((0..3000).map(|n| denied(1, "fs.read", &format!("/{n}/{long}"))));
    records.extend((0..12_000).map(|n| source(1, n + 1, &format!("/{n}{long}"), n)));
    records.push(sink(1, 1, &long, 7));
    records.push(end(1));
    records.extend((0..11_000).map(|n| finding(1, n % 12_000 + 1, 1, if n == 9_000 { "high" } else { "info" })));
    records.extend((2..1200).flat_map(|n| [call(n, &long), end(n)]));
    let bytes = ledger(&records);
    let story = story(&bytes);
    assert!(story.is_sound());
    let made = text(&story);
    assert!(made.len() < 256 << 10, "{}", made.len());
    assert!(made.lines().find(|l| l.starts_with("finding")).unwrap().contains("high"), "the gravest is shown first");
    assert!(made.contains("denied   2980 more that are not shown\n"), "counts are exact");
    assert!(made.contains("finding  and 10980 more that are not shown\n"));
    let report = parsed(&json(&story));
    let first = &report["calls"][0];
    assert_eq!((first["sources"].as_array().unwrap().len(), &first["left_out"]["sources"]), (10_000, &json!(2000)));
    assert_eq!((first["denials"].as_array().unwrap().len(), &first["left_out"]["denials"]), (1000, &json!(2000)));
    assert_eq!((&first["left_out"]["findings"], &report["left_out"]["calls"]), (&json!(1000), &json!(199)));
    assert_eq!((&first["complete"], &report["complete"]), (&json!(false), &json!(false)));
    let made = html(&story);
    assert!(made.len() < 6 << 20, "{}", made.len());
    elements(&made).unwrap();
    let log = sarif_is_sound(&sarif(&story), &bytes);
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), 5000);
    assert_eq!(log["runs"][0]["results"][0]["level"], "error", "the gravest are kept");
    assert_eq!(log["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap().len(), 1);
}

#[test]
fn numbers_as_large_as_they_can_be_are_told() {
    let suppressed =
        json!({"event": "suppressed", "call": 1, "cap": "fs.read", "op": "x", "code": "y", "count": u64::MAX});
    let mut records = small();
    records[0]["grants_omitted"] = json!(u64::MAX);
    records[0]["warnings_omitted"] = json!(u64::MAX);
    records[2]["requested_bytes"] = json!(u64::MAX);
    records[3]["bytes"] = json!(u64::MAX);
    records[3]["t"] = json!(u64::MAX);
    records[4]["bytes"] = json!(u64::MAX);
    records[6]["finding"]["more"] = json!(u64::MAX);
    records[6]["finding"]["source_ranges"] = json!([[0, u64::MAX]]);
    records.extend([
        suppressed.clone(),
        suppressed,
        denied(1, "fs.read", "/x"),
        call(u64::MAX, "t"),
        source(1, u64::MAX, "/y", u64::MAX),
    ]);
    let story = story(&ledger(&records));
    assert!(text(&story).contains(&format!("{} of {} bytes", u64::MAX, u64::MAX)), "{}", text(&story));
    let report = parsed(&json(&story));
    assert_eq!(faults(&published("customs.report-1.json"), &report), Vec::<String>::new());
    assert_eq!(report["calls"][0]["suppressed"]["fs.read x y"], json!(u64::MAX));
    elements(&html(&story)).unwrap();
    parsed(&sarif(&story));
}

/// 172: what is long keeps both ends and says how long it is.
#[test]
fn long_names_are_cut_in_the_middle() {
    let mut record = denied(1, "http.request", &format!("GET https://{}", "a".repeat(500)));
    record["requested_bytes"] = json!(10_000);
    record["requested_sha256"] = json!(support::zeros());
    let records = [open(), call(1, "t"), record, source(1, 1, &format!("/begin{}/end", "x".repeat(900)), 1), end(1)];
    let story = story(&ledger(&records));
    let made = text(&story);
    assert!(
        made.contains("..(10000 bytes)")
            && made.contains("/begin")
            && made.contains("..(910 characters)..")
            && made.contains("/end "),
        "{made}"
    );
    assert!(made.lines().all(|line| line.len() < 300), "{made}");
    assert!(page(&story).iter().any(|e| e.tag == "td" && e.text.ends_with("..(10000 bytes)")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever bytes are changed, cut or put in: a report or a refusal, and a page that is well-formed.
    #[test]
    fn a_changed_ledger_gives_a_report_or_a_refusal(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = hostile();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len() * 2));
        let verdict = verify(bytes.as_slice(), None).unwrap();
        if let Ok(story) = Story::read(bytes.as_slice(), verdict, "run.jsonl") {
            prop_assert!(elements(&html(&story)).is_ok());
            shows_all(&text(&story));
            prop_assert_eq!(faults(&published("customs.report-1.json"), &parsed(&json(&story))), Vec::<String>::new());
            parsed(&sarif(&story));
        }
    }
}
