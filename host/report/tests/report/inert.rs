//! What a guest wrote is text, whole and in its order, and nothing else: group E11 of the hostile cases.

use crate::support::page::elements;
use crate::support::schema::{faults, published};
use crate::support::{self, call, denied, end, ledger, open, sink, small, source, story};
use crate::{page, parsed, shows_all};
use customs_ledger::{Escaped, verify};
use customs_report::{Story, html, json, sarif, text};
use proptest::prelude::*;
use serde_json::json;

/// Whatever a browser, a terminal, a code scanner or a spreadsheet would take for more than text.
pub const EVIL: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)></title></style><!-- --><![CDATA[ javascript:alert(1) data:text/html,x \
    file:///etc/passwd http://evil.example/ =cmd|' /C calc'!A0 @SUM(1) ![](http://evil.example/) [a](http://evil.example/) {0} {{1}} \\ & &amp; \
    \u{1b}[31m\u{1b}]0;t\u{7}\r\n\u{8}\u{9b}2J\u{202e}gpj\u{200b}\u{2028}\u{2029}\u{feff}\u{e0041}\u{fffe}\u{7f} Z\u{fc}rich \u{5d0}\u{5d1}";

/// A ledger with that in every place that a text can stand.
pub fn hostile() -> Vec<u8> {
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

/// 170: nothing but the ledger goes into a report.
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
        tspan table thead tbody tr th td details summary footer ul li span small circle ";
    const ATTRIBUTES: &str = " lang charset http-equiv content name class role aria-label viewBox d stroke-width x y width height rx text-anchor direction \
        unicode-bidi scope dir data-label cx cy r id ";
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
            "", "ok", "total", "WARNING", "tool", "when", "grant", "warning", "call", "finding", "denied", "in", "out",
            "ended", "head", "traced",
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

/// 172: a host in letters that look like others is told as the network has it, wherever a host is told; its twin in plain letters is not.
#[test]
fn a_host_that_looks_like_another_is_told_in_plain_letters() {
    let made = |host: &str| {
        let mut answer = source(1, 1, &format!("https://{host}/v1#body"), 9);
        answer["kind"] = json!("http-response");
        answer["class"] = json!("untrusted");
        let mut look_up = sink(1, 1, host, 12);
        look_up["kind"] = json!("dns");
        let records = [
            open(),
            call(1, "t"),
            denied(1, "dns.lookup", host),
            denied(1, "http.request", &format!("GET https://user@{host}:8443/x?q=1")),
            denied(1, "tcp.connect", &format!("{host}:22")),
            answer,
            look_up,
            end(1),
        ];
        let mut records = records.to_vec();
        records[0]["grants"] = json!([format!("--allow-net=https://{host}"), format!("--allow-read={host}")]);
        story(&ledger(&records))
    };
    let (odd, plain) = (made("\u{430}pi.example.com"), made("api.example.com"));
    let host = "xn--pi-6kc.example.com";
    for (format, times) in [(text as fn(&Story) -> String, 6), (sarif, 3)] {
        assert_eq!(format(&odd).matches(&format!("(the host is {host})")).count(), times, "{}", format(&odd));
        assert!(!format(&plain).contains("the host is") && !format(&plain).contains("xn--"));
    }
    let elements = page(&odd);
    let told = elements.iter().filter(|e| e.tag == "small" && e.text == format!("the host is {host}")).count();
    assert_eq!(told, 5, "three denials, a source and a sink");
    let drawn = elements.iter().filter(|e| e.tag == "text" && e.text.contains(&format!("({host})"))).count();
    assert_eq!(drawn, 5);
    assert!(elements.iter().any(|e| e.tag == "code" && e.text.ends_with(&format!("(the host is {host})"))));
    assert!(!html(&plain).contains("xn--"));
    // The letters as they were are in the JSON.
    assert_eq!(parsed(&json(&odd))["calls"][0]["denials"][0]["requested"], "\u{430}pi.example.com");
    // One that no network has: each letter as an escape. What is no host at all is not told as one.
    let made_text = text(&made("xn--\u{430}.example"));
    assert!(made_text.contains("(the host is xn--\\u{430}.example)"), "{made_text}");
    assert!(!text(&made("a\u{430} <b>")).contains("the host is"));
}

/// 172: names in scripts that run from right to left stand in the order of the ledger.
#[test]
fn a_name_from_right_to_left_stays_in_its_order() {
    let name = "/\u{5d0}\u{5d1}/\u{645}/end";
    let story = story(&ledger(&[open(), call(1, name), denied(1, "fs.read", name), source(1, 1, name, 1), end(1)]));
    assert!(text(&story).contains(name) && sarif(&story).contains(name));
    let elements = page(&story);
    let of = |tag: &str| elements.iter().filter(|e| e.tag == tag && e.text.contains(name)).collect::<Vec<_>>();
    for (tag, key, value) in [("bdo", "dir", "ltr"), ("tspan", "unicode-bidi", "bidi-override")] {
        assert!(of(tag).len() >= 3, "{tag}");
        assert!(of(tag).iter().all(|e| e.attributes.get(key).is_some_and(|v| v == value)), "{tag}");
    }
    for cell in of("td").into_iter().chain(of("h2")) {
        assert!(elements.iter().any(|e| e.tag == "bdo" && cell.text.contains(&e.text)), "{cell:?}");
    }
}

/// 167: columns are those of the screen: what is drawn over two of them moves nothing.
#[test]
fn wide_letters_do_not_move_the_columns() {
    let rows = [source(1, 1, "/data/a", 5), source(1, 2, "/\u{6587}\u{4ef6}\u{1f600}", 5)];
    let records = [open(), call(1, "t"), rows[0].clone(), rows[1].clone(), end(1)];
    let made = text(&story(&ledger(&records)));
    assert!(made.contains("in       file          /data/a       5 B  private\n"), "{made}");
    assert!(made.contains("in       file          /\u{6587}\u{4ef6}\u{1f600}       5 B  private\n"), "{made}");
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
