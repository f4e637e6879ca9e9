//! What a trace said, drawn: each byte in what it comes from, on a terminal and on the page; bars where nothing but the ledger is known.

use crate::inert::EVIL;
use crate::support::page::{Element, elements};
use crate::support::schema::{faults, published};
use crate::support::{call, end, ledger, open, sink, source, story};
use crate::{parsed, shows_all};
use customs_ledger::Escaped;
use customs_report::{Contents, Paint, Shown, Story, html, html_of_run, json, text, traced_text};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// `from`, `to`, strong sources, weak ones.
type Range = (u64, u64, &'static [u64], &'static [u64]);

fn labelled(sink: u64, ranges: &[Range]) -> Value {
    let range = |(from, to, strong, weak): &Range| json!({"from": from, "to": to, "strong": strong, "weak": weak});
    json!({"sink": sink, "ranges": ranges.iter().map(range).collect::<Vec<_>>()})
}

/// The end of a call whose data was followed.
fn traced_end(sinks: &[Value]) -> Value {
    let mut end = end(1);
    end["searched"] = json!("whole");
    end["methods"] = json!(["match", "trace"]);
    end["traced"] = json!(sinks);
    end
}

/// A call with sources 1 to 3, a sink with these bytes, and what a trace said of it.
fn run(bytes: &[u8], ranges: &[Range]) -> (Story, Contents) {
    let records = [
        open(),
        call(1, "read"),
        source(1, 1, "/data/note", 9),
        source(1, 2, "/data/other", 9),
        source(1, 3, "/data/third", 9),
        sink(1, 4, "/text", bytes.len() as u64),
        traced_end(&[labelled(4, ranges)]),
    ];
    let shown = Shown { bytes: bytes.to_vec(), cuts: Vec::new() };
    (story(&ledger(&records)), Contents { call: 1, sinks: BTreeMap::from([(4, shown)]) })
}

fn is(element: &Element, class: &str) -> bool {
    element.attributes.get("class").is_some_and(|c| c.split(' ').any(|c| c == class))
}

/// The labelled stretches of a page, each with its mark and its text.
fn stretches(page: &str) -> Vec<(String, String)> {
    let all = elements(page).unwrap();
    // The legend has a sample of each.
    let of_bytes = all.iter().filter(|e| is(e, "b") && e.attributes.contains_key("title"));
    of_bytes.map(|e| (e.attributes["data-n"].clone(), e.text.clone())).collect()
}

fn bytes_of(page: &str) -> String {
    elements(page).unwrap().into_iter().find(|e| is(e, "bytes")).map(|e| e.text).unwrap_or_default()
}

#[test]
fn a_mark_stands_below_each_byte_and_the_legend_says_whose_it_is() {
    let (story, contents) = run(
        b"key=SECRET, and twice: SECRET\nabc\tdef",
        &[(4, 10, &[1], &[]), (23, 29, &[], &[2]), (30, 31, &[1], &[2]), (34, 37, &[], &[1])],
    );
    let plain = "\
traced   return /text   16 of its 37 bytes
         key=SECRET, and twice: SECRET\\n
         ....111111.............bbbbbb
         abc\\tdef
         +...aaaa
         1  file /data/note
         a  file /data/note, weak
         b  file /data/other, weak
         +  several of them
";
    // The tab is two columns wide, and the byte before `d` is its second.
    let plain = plain.replace("         +...aaaa\n", "         +....aaa\n");
    assert_eq!(traced_text(&story, &contents, Paint::Plain), plain);
    let coloured = traced_text(&story, &contents, Paint::Colour);
    for row in [
        "         key=\u{1b}[30;43mSECRET\u{1b}[0m, and twice: \u{1b}[4;36mSECRET\u{1b}[0m\\n\n",
        "         \u{1b}[30;43ma\u{1b}[0mbc\\t\u{1b}[4;33mdef\u{1b}[0m\n",
        "         \u{1b}[30;43m 1 \u{1b}[0m  file /data/note\n",
    ] {
        assert!(coloured.contains(row), "{row:?}\n{coloured:?}");
    }
    assert_eq!(coloured.lines().count(), plain.lines().count() - 2, "colour needs no marks");
}

#[test]
fn wide_letters_have_two_marks_and_what_is_no_text_has_one_for_each_digit() {
    let (wide, contents) = run("a\u{6587}b".as_bytes(), &[(2, 3, &[3], &[])]);
    let told = traced_text(&wide, &contents, Paint::Plain);
    // A byte of a letter is labelled: the letter is.
    assert!(told.contains("         a\u{6587}b\n         .11\n         1  file /data/third\n"), "{told}");
    let (binary, contents) = run(&[0, 255, 16, 7], &[(1, 3, &[1], &[])]);
    let told = traced_text(&binary, &contents, Paint::Plain);
    assert!(told.contains("         00 ff 10 07\n         ...11.11\n"), "{told}");
}

#[test]
fn a_long_answer_shows_what_is_labelled_and_counts_the_rest() {
    let bytes: String = (0..500).map(|n| format!("line {n:04}.\n")).collect();
    let (story, contents) = run(bytes.as_bytes(), &[(2_500, 2_510, &[1], &[]), (5_400, 5_402, &[], &[2])]);
    let told = traced_text(&story, &contents, Paint::Plain);
    assert!(told.contains("(2450 bytes that are not shown)\n"), "{told}");
    assert!(told.contains("line 0227") && !told.contains("line 0100"), "{told}");
    assert!(told.lines().count() < 60 && told.lines().all(|line| line.chars().count() <= 80), "{told}");
    let many: Vec<Range> = (0..2_000).map(|n| (n * 2, n * 2 + 1, &[1][..], &[][..])).collect();
    let (story, contents) = run("ab".repeat(5_000).as_bytes(), &many);
    let told = traced_text(&story, &contents, Paint::Plain);
    assert!(told.contains(" of them labelled)\n") && told.lines().count() < 60, "{told}");
}

#[test]
fn the_page_begins_with_the_bytes_of_the_answer_each_in_what_it_comes_from() {
    let bytes = "{\"a\":\"SECRET\",\"b\":\"odd \u{e9}\"}\nsecond";
    let (story, contents) = run(bytes.as_bytes(), &[(6, 12, &[1], &[]), (19, 24, &[2], &[3]), (26, 27, &[], &[1])]);
    let page = html_of_run(&story, &contents);
    let expected = [("1", "SECRET"), ("2+3~", "odd \u{e9}"), ("1~", "}")];
    assert_eq!(stretches(&page), expected.map(|(mark, text)| (mark.to_owned(), text.to_owned())));
    assert_eq!(bytes_of(&page), bytes.replace('\n', "\\n\n"));
    let all = elements(&page).unwrap();
    let titles: Vec<&str> =
        all.iter().filter(|e| is(e, "b")).filter_map(|e| e.attributes.get("title")).map(String::as_str).collect();
    assert_eq!(
        titles,
        [
            "file /data/note, strong: bytes 6 to 12 of 34",
            "file /data/other, strong; file /data/third, weak: bytes 19 to 25 of 34",
            "file /data/note, weak: bytes 26 to 27 of 34"
        ]
    );
    // Each colour leads to the row of its source.
    for (place, name) in [("source-1-1", "/data/note"), ("source-1-2", "/data/other"), ("source-1-3", "/data/third")] {
        let link = all.iter().find(|e| e.attributes.get("href").is_some_and(|href| *href == format!("#{place}")));
        assert!(link.unwrap().text.ends_with(name), "{place}");
        assert_eq!(all.iter().filter(|e| e.attributes.get("id").is_some_and(|id| id == place)).count(), 1, "{place}");
    }
    assert!(page.find("Where the bytes of the answer come from") < page.find("Nothing was granted."), "it comes first");
    // Strong and weak are drawn in different ways, and so are the sources.
    let classes: Vec<&str> = all.iter().filter(|e| is(e, "b")).map(|e| e.attributes["class"].as_str()).collect();
    assert_eq!(classes, ["b s1", "b s2", "b s3", "b s1", "b s2", "b s1 weak"]);
}

/// What a rule took out of an answer is not drawn: what stands there instead is.
#[test]
fn what_was_taken_out_is_drawn_as_what_stands_there_instead() {
    let (story, mut contents) = run(b"key=******.", &[(4, 10, &[1], &[])]);
    contents.sinks.get_mut(&4).unwrap().cuts = vec![(4, 10, "[redacted:env]".to_owned())];
    let page = html_of_run(&story, &contents);
    assert_eq!(stretches(&page), [("1".to_owned(), "[redacted:env]".to_owned())]);
    assert_eq!(bytes_of(&page), "key=[redacted:env].");
    let told = traced_text(&story, &contents, Paint::Plain);
    assert!(told.contains("         key=[redacted:env].\n         ....11111111111111\n"), "{told}");
    // A number is taken out as a whole.
    contents.sinks.get_mut(&4).unwrap().cuts = vec![(0, u64::MAX, "[redacted:env]".to_owned())];
    assert_eq!(bytes_of(&html_of_run(&story, &contents)), "[redacted:env]");
}

/// A ledger has no contents: it has where, and how long.
#[test]
fn a_ledger_alone_gives_bars_of_what_is_where() {
    let (story, _) = run(&[b'x'; 1_000], &[(0, 500, &[1], &[]), (500, 502, &[], &[2])]);
    let page = html(&story);
    let all = elements(&page).unwrap();
    assert!(!all.iter().any(|e| is(e, "bytes")) && !page.contains("xxx"));
    let bar: Vec<&Element> = all.iter().filter(|e| e.tag == "rect" && e.attributes["height"] != "8").collect();
    let filled: Vec<(&str, &str, &str)> = bar
        .iter()
        .filter(|e| ["14", "7"].contains(&e.attributes["height"].as_str()))
        .map(|e| (e.attributes["x"].as_str(), e.attributes["width"].as_str(), e.attributes["height"].as_str()))
        .collect();
    assert_eq!(filled, [("0", "250", "14"), ("250", "1", "7")], "half as high where it is weak");
    assert!(all.iter().any(|e| e.tag == "title" && e.text == "file /data/other, weak: about bytes 500 to 502"));
    let made = text(&story);
    let wanted = format!(
        "traced   return /text   502 of its 1000 bytes\n         {}\n         {}b\n",
        "-".repeat(70),
        "1".repeat(35)
    );
    assert!(made.contains(&wanted), "{made}");
    let report = parsed(&json(&story));
    assert_eq!(faults(&published("customs.report-1.json"), &report), Vec::<String>::new());
    assert_eq!(report["calls"][0]["methods"], json!(["match", "trace"]));
    let ranges =
        json!([{"from": 0, "to": 500, "strong": [1], "weak": []}, {"from": 500, "to": 502, "strong": [], "weak": [2]}]);
    assert_eq!(report["calls"][0]["traced"], json!([{"sink": 4, "ranges": ranges}]));
}

/// A call that was not traced says nothing of a trace, and one in which nothing was found does.
#[test]
fn a_trace_that_found_nothing_is_no_picture_and_is_said() {
    let (story, contents) = run(b"clean", &[]);
    assert_eq!(traced_text(&story, &contents, Paint::Plain), "");
    assert!(stretches(&html_of_run(&story, &contents)).is_empty());
    let report = parsed(&json(&story));
    assert_eq!(
        (&report["calls"][0]["methods"], &report["calls"][0]["left_out"]["traced"]),
        (&json!(["match", "trace"]), &json!(0))
    );
    assert!(text(&story).contains("looked for by: match, trace"), "{}", text(&story));
    let mut untraced = end(1);
    untraced["searched"] = json!("whole");
    let records = [open(), call(1, "t"), sink(1, 4, "/text", 5), untraced];
    let report = parsed(&json(&crate::support::story(&ledger(&records))));
    assert_eq!(report["calls"][0]["methods"], json!(["match"]));
    assert!(report["calls"][0].get("traced").is_none() && report["calls"][0]["left_out"].get("traced").is_none());
}

/// A picture in which everything is called so, and the sink holds these bytes.
pub fn drawn_as(name: &str, bytes: &[u8]) -> (Story, Contents) {
    let (_, contents) = run(bytes, &[]);
    let records = [
        open(),
        call(1, name),
        source(1, 1, name, 9),
        sink(1, 4, name, bytes.len() as u64),
        traced_end(&[labelled(4, &[(0, 4, &[1], &[]), (7, 900, &[], &[1])])]),
    ];
    (story(&ledger(&records)), contents)
}

#[test]
fn a_tool_cannot_get_markup_or_a_control_character_into_its_picture() {
    let evil = format!("{EVIL}\u{0}");
    for bytes in [EVIL.as_bytes(), evil.as_bytes(), b"<b>\xff</b>\"'"] {
        let (story, contents) = drawn_as("</bdo><script>alert(1)</script>\u{1b}[2J\u{202e}", bytes);
        let page = html_of_run(&story, &contents);
        shows_all(&page);
        let all = elements(&page).unwrap();
        let known = "html head meta title style body main header h1 h2 h3 strong em p dl dt dd bdo code section figure figcaption svg g path rect text tspan \
            table thead tbody tr th td details summary footer ul li span small circle a div";
        for element in &all {
            assert!(known.split_ascii_whitespace().any(|tag| tag == element.tag), "{element:?}");
            if let Some(href) = element.attributes.get("href") {
                assert!(href == "#source-1-1", "{href}");
            }
        }
        for paint in [Paint::Plain, Paint::Colour] {
            let told = traced_text(&story, &contents, paint)
                .replace("\u{1b}[30;43m", "")
                .replace("\u{1b}[4;33m", "")
                .replace("\u{1b}[0m", "");
            shows_all(&told);
            assert!(told.lines().all(|line| line.starts_with("traced") || line.starts_with("         ")), "{told}");
        }
    }
}

/// Labels that a file has in another order, over each other, empty or of source 0 are not told, and counted.
#[test]
fn labels_without_their_form_are_no_picture_and_the_record_is_counted() {
    let spoil = |ranges: Value| {
        let mut end = traced_end(&[labelled(4, &[])]);
        end["traced"][0]["ranges"] = ranges;
        let records = [open(), call(1, "t"), source(1, 1, "/x", 9), sink(1, 4, "/text", 12), end];
        let report = parsed(&json(&story(&ledger(&records))));
        assert_eq!(faults(&published("customs.report-1.json"), &report), Vec::<String>::new());
        report["left_out"]["malformed"].as_u64().unwrap()
    };
    let range = |from: u64, to: u64, strong: Value| json!({"from": from, "to": to, "strong": strong, "weak": []});
    assert_eq!(spoil(json!([range(0, 4, json!([1])), range(4, 5, json!([1]))])), 0);
    for bad in [
        json!([range(4, 5, json!([1])), range(0, 4, json!([1]))]),
        json!([range(0, 4, json!([1])), range(3, 5, json!([1]))]),
        json!([range(4, 4, json!([1]))]),
        json!([range(5, 4, json!([1]))]),
        json!([range(0, 4, json!([0]))]),
        json!([range(0, 4, json!("1"))]),
        json!([{"from": 0, "to": 4}]),
        json!({}),
        json!([7]),
    ] {
        assert_eq!(spoil(bad.clone()), 1, "{bad}");
    }
}

#[test]
fn a_picture_of_very_much_has_a_bound_and_counts_what_it_leaves_out() {
    let mut records = vec![open(), call(1, "t")];
    records.extend((1..=300).map(|n| source(1, n, &format!("/s{n}"), 9)));
    records.extend((1..=400).map(|n| sink(1, n, &format!("/items/{n}"), 1 << 20)));
    let ranges = |sink: u64| {
        let range =
            |n: u64| json!({"from": n * 3, "to": n * 3 + 1, "strong": [sink % 300 + 1], "weak": [(n % 300) + 1]});
        json!({"sink": sink, "ranges": (0..40).map(range).collect::<Vec<_>>(), "more": 7})
    };
    let mut end = traced_end(&(1..=400).map(ranges).collect::<Vec<_>>());
    end["traced_omitted"] = json!(u64::MAX);
    records.push(end);
    let story = story(&ledger(&records));
    let shown =
        |n: u64| (n, Shown { bytes: vec![if n.is_multiple_of(2) { b'x' } else { 0xff }; 1 << 20], cuts: Vec::new() });
    let contents = Contents { call: 1, sinks: (1..=400).map(shown).collect() };
    let page = html_of_run(&story, &contents);
    assert!(page.len() < 6 << 20, "{}", page.len());
    assert!(page.contains("sinks that are not drawn"));
    elements(&page).unwrap();
    let told = traced_text(&story, &contents, Paint::Plain);
    assert!(told.len() < 64 << 10 && told.contains("at least 40 of its 1048576 bytes"), "{}", told.len());
    let report = parsed(&json(&story));
    assert_eq!(faults(&published("customs.report-1.json"), &report), Vec::<String>::new());
    let all: usize =
        report["calls"][0]["traced"].as_array().unwrap().iter().map(|t| t["ranges"].as_array().unwrap().len()).sum();
    assert_eq!((all, &report["calls"][0]["left_out"]["traced"]), (10_000, &json!(u64::MAX)));
    assert_eq!(report["calls"][0]["traced"][399]["more"], 47, "what has no room is counted");
}

/// What a reader should find: each character with all that is in one of its bytes.
fn expected(text: &str, ranges: &[(u64, u64, u64, bool)]) -> Vec<(String, String)> {
    let mut runs: Vec<(String, String)> = Vec::new();
    let mut before = String::new();
    for (at, c) in text.char_indices() {
        let (from, to) = (at as u64, (at + c.len_utf8()) as u64);
        let inside = || ranges.iter().filter(|(a, b, ..)| *a < to && *b > from);
        let strong: Vec<u64> = inside().filter(|r| r.3).map(|r| r.2).collect();
        let weak: Vec<u64> = inside().filter(|r| !r.3 && !strong.contains(&r.2)).map(|r| r.2).collect();
        let sorted = |mut ids: Vec<u64>| {
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let marks: Vec<String> =
            sorted(strong).iter().map(u64::to_string).chain(sorted(weak).iter().map(|id| format!("{id}~"))).collect();
        let mark = marks.join("+");
        let escaped = if c == '\n' { "\\n\n".to_owned() } else { Escaped(&c.to_string()).to_string() };
        match runs.last_mut() {
            Some((_, text)) if mark == before => text.push_str(&escaped),
            _ => runs.push((mark.clone(), escaped)),
        }
        before = mark;
    }
    runs.retain(|(mark, _)| !mark.is_empty());
    runs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is labelled in whatever text: the page has exactly that, byte for byte.
    #[test]
    fn the_page_covers_exactly_what_is_labelled(
        text in "[a-c<\"é文\u{202e}\n]{0,40}", lengths in prop::collection::vec((0_u64..6, 1_u64..6, any::<bool>()), 0..8),
    ) {
        let mut ranges = Vec::new();
        let mut at = 0;
        for (gap, length, strong) in lengths {
            let (from, to) = (at + gap, (at + gap + length).min(text.len() as u64));
            if from < to {
                // The page numbers sources in the order in which it finds them; here there is one.
                ranges.push((from, to, 1, strong));
            }
            at += gap + length;
        }
        let told: Vec<Value> = ranges.iter().map(|(from, to, id, strong)| {
            let (s, w): (&[u64], &[u64]) = if *strong { (&[*id], &[]) } else { (&[], &[*id]) };
            json!({"from": from, "to": to, "strong": s, "weak": w})
        }).collect();
        let records = [open(), call(1, "t"), source(1, 1, "/x", 9), sink(1, 4, "/text", text.len() as u64),
            traced_end(&[json!({"sink": 4, "ranges": told})])];
        let shown = Shown { bytes: text.clone().into_bytes(), cuts: Vec::new() };
        let contents = Contents { call: 1, sinks: BTreeMap::from([(4, shown)]) };
        let page = html_of_run(&story(&ledger(&records)), &contents);
        prop_assert_eq!(stretches(&page), expected(&text, &ranges));
        if !ranges.is_empty() {
            prop_assert_eq!(bytes_of(&page), Escaped(&text).to_string().replace("\\n", "\\n\n"));
        }
    }

    /// Random places of random bytes, and what was taken out anywhere: no panic, a page that is well-formed.
    #[test]
    fn a_picture_of_any_bytes_must_not_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..60), places in prop::collection::vec((0_u64..80, 1_u64..9), 0..5),
        cuts in prop::collection::vec((0_u64..80, 0_u64..90), 0..3), length in 0_u64..100,
    ) {
        let mut at = 0;
        let mut ranges = Vec::new();
        for (gap, length) in places {
            ranges.push(json!({"from": at + gap, "to": at + gap + length, "strong": [1], "weak": [2]}));
            at += gap + length;
        }
        let records = [open(), call(1, "t"), source(1, 1, "/x", 9), sink(1, 4, "/text", length), traced_end(&[json!({"sink": 4, "ranges": ranges})])];
        let story = story(&ledger(&records));
        let mut cuts: Vec<(u64, u64, String)> = cuts.into_iter().map(|(a, b)| (a.min(b), a.max(b), "[x]".to_owned())).collect();
        cuts.sort();
        let contents = Contents { call: 1, sinks: BTreeMap::from([(4, Shown { bytes, cuts })]) };
        let page = html_of_run(&story, &contents);
        prop_assert!(elements(&page).is_ok());
        shows_all(&traced_text(&story, &contents, Paint::Plain));
    }
}
