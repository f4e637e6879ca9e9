//! Promises for any text and any bytes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it does not expect")]

mod sample;

use customs_ledger::{
    Access, Component, Decision, Digest, End, Escaped, Event, Ledger, Open, Outcome, Verdict, is_unsafe_char, read,
    verify,
};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Text that looks for trouble: pieces of JSON, unsafe characters, anything, short and long.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            "\"",
            "\\",
            "\",\"decision\":\"allow\"",
            "\n",
            "\r\n",
            "{",
            "}",
            "\u{0}",
            "\u{1b}[2J",
            "\u{7f}",
            "\u{9b}",
            "\u{ad}",
            "\u{200b}",
            "\u{202e}",
            "\u{2028}",
            "\u{2029}",
            "\u{2066}",
            "\u{feff}",
            "\u{fffb}",
            "\u{e0041}",
            "\u{1f980}",
            "\u{ffff}",
            "\\u0000",
            "/data",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    (vec(piece, 0..12), prop_oneof![9 => Just(1_usize), 1 => 100..400_usize])
        .prop_map(|(pieces, times)| pieces.concat().repeat(times))
}

fn assert_field(record: &serde_json::Value, field: &str, text: &str) {
    let written = record[field].as_str().unwrap();
    if text.len() <= 1024 {
        assert_eq!(written, text);
        assert_eq!(record.get(format!("{field}_bytes")), None);
    } else {
        assert!(text.starts_with(written) && written.len() <= 512 && written.len() > 508);
        assert_eq!(record[format!("{field}_bytes")].as_u64(), Some(text.len() as u64));
        assert_eq!(record[format!("{field}_sha256")], Digest::of(text.as_bytes()).hex());
    }
}

/// The last line of a ledger in which `event` is the second record, after checking what holds for any line.
fn second(event: &Event<'_>) -> serde_json::Value {
    let mut ledger = Ledger::memory_keeping();
    ledger.append(&sample::opening(&[])).unwrap();
    let before = ledger.kept().len();
    ledger.append(event).unwrap();
    let line = std::str::from_utf8(&ledger.kept()[before..]).unwrap().strip_suffix('\n').unwrap();
    assert!(!line.contains(is_unsafe_char), "{line:?}");
    let record: serde_json::Value = serde_json::from_str(line).unwrap();
    ledger.close().unwrap();
    assert_eq!(verify(ledger.kept(), None).unwrap().verdict, Verdict::Ok);
    record
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn access_with_any_text_round_trips_and_keeps_its_decision(
        texts in vec(text(), 7), allow in any::<bool>(), call in any::<u64>(), t in any::<u64>()
    ) {
        let [cap, op, requested, resolved, rule, code, detail] = texts.as_slice() else { unreachable!() };
        let decision = if allow { Decision::Allow { rule } } else { Decision::Deny { code, rule: Some(rule) } };
        let record = second(&Event::Access(Access {
            call, t, cap, op, requested, resolved: Some(resolved), decision, detail: Some(detail),
        }));
        prop_assert_eq!(&record["decision"], if allow { "allow" } else { "deny" });
        prop_assert_eq!((record["call"].as_u64(), record["t"].as_u64()), (Some(call), Some(t)));
        for (field, text) in [("cap", cap), ("op", op), ("requested", requested), ("resolved", resolved), ("rule", rule), ("detail", detail)] {
            assert_field(&record, field, text);
        }
        if !allow {
            assert_field(&record, "code", code);
        }
    }

    #[test]
    fn other_records_with_any_text_round_trip(texts in vec(text(), 5), numbers in vec(any::<u64>(), 5)) {
        let [a, b, c, d, e] = texts.as_slice() else { unreachable!() };
        let [call, bytes, id, count, t] = numbers[..] else { unreachable!() };
        let record = second(&Event::Call { call, tool: a, bytes, digest: Digest::of(b"") });
        assert_field(&record, "tool", a);
        prop_assert_eq!(record["args"]["bytes"].as_u64(), Some(bytes));

        let record = second(&Event::Outcome(Outcome {
            call, of: 0, t, ok: false, error: Some(a), bytes: Some(bytes), digest: None, source: Some(id), sink: None,
            kind: Some(b), name: Some(c), class: Some(d), complete: Some(false), count: Some(count),
        }));
        for (field, text) in [("error", a), ("kind", b), ("name", c), ("class", d)] {
            assert_field(&record, field, text);
        }
        prop_assert_eq!((record["source"].as_u64(), record["count"].as_u64()), (Some(id), Some(count)));

        let imports = BTreeMap::from([(a.as_str(), bytes), (b.as_str(), count)]);
        let record = second(&Event::End(End {
            call, ending: "trap", limit: Some(c), observed: Some(d), detail: Some(e), imports: &imports, memory: None, searched: None, methods: &[], traced: None,
        }));
        for (field, text) in [("limit", c), ("observed", d), ("detail", e)] {
            assert_field(&record, field, text);
        }
        let omitted = record.get("imports_omitted").and_then(serde_json::Value::as_u64).unwrap_or(0);
        prop_assert_eq!(record["imports"].as_object().unwrap().len() as u64 + omitted, imports.len() as u64);

        let record = second(&Event::Suppressed { call, cap: a, op: b, code: c, count });
        assert_field(&record, "code", c);

        let json = serde_json::json!({ "text": a, b.as_str(): [c, id, null, true, -1.5e300] });
        let record = second(&Event::Finding { call, json: &json.to_string() });
        prop_assert_eq!(&record["finding"], &json);
    }

    #[test]
    fn opening_with_any_text_round_trips(texts in vec(text(), 6)) {
        let [run, time, customs, wasmtime, name, grant] = texts.as_slice() else { unreachable!() };
        let lists = [grant.clone(), name.clone()];
        let mut ledger = Ledger::memory_keeping();
        let component = Component { name, sha256: [1; 32] };
        let open = Open { run, time, customs, wasmtime, component, policy: [2; 32], grants: &lists, warnings: &lists };
        ledger.append(&Event::Open(open)).unwrap();
        ledger.close().unwrap();
        prop_assert_eq!(verify(ledger.kept(), None).unwrap().verdict, Verdict::Ok);
        let (_, record) = read(ledger.kept()).next().unwrap().unwrap();
        assert_field(&record, "run", run);
        assert_field(&record["component"], "name", name);
        match &record["grants"][0] {
            serde_json::Value::String(whole) => prop_assert_eq!(whole, grant),
            cut => assert_field(cut, "text", grant),
        }
    }

    #[test]
    fn escaped_text_has_nothing_unsafe_and_clean_text_is_unchanged(text in text()) {
        let shown = Escaped(&text).to_string();
        prop_assert!(!shown.contains(is_unsafe_char));
        if !text.contains(is_unsafe_char) {
            prop_assert_eq!(shown, text);
        }
    }

    #[test]
    fn verify_and_read_of_any_bytes_must_not_panic(bytes in vec(any::<u8>(), 0..2000), head in any::<Option<[u8; 32]>>()) {
        let report = verify(bytes.as_slice(), head).unwrap();
        prop_assert_ne!(report.verdict, Verdict::Ok);
        let _ = read(bytes.as_slice()).count();
    }

    #[test]
    fn verify_of_a_ledger_with_any_splice_is_not_ok(
        at in any::<proptest::sample::Index>(), remove in 0..400_usize, bytes in vec(any::<u8>(), 0..200), with_head in any::<bool>()
    ) {
        let (whole, head) = sample::closed();
        let at = at.index(whole.len());
        let end = (at + remove).min(whole.len());
        let edited = [&whole[..at], &bytes, &whole[end..]].concat();
        prop_assume!(edited != whole);
        let report = verify(edited.as_slice(), with_head.then_some(head.hash)).unwrap();
        prop_assert_ne!(report.verdict, Verdict::Ok);
        let _ = read(edited.as_slice()).count();
    }

    #[test]
    fn verify_of_a_ledger_with_lines_in_any_order_is_not_ok(order in vec(0..10_usize, 0..14)) {
        let (whole, _) = sample::closed();
        let lines = sample::lines(&whole);
        let edited = order.iter().map(|at| lines[*at].clone()).collect::<Vec<_>>().concat();
        prop_assume!(edited != whole);
        prop_assert_ne!(verify(edited.as_slice(), None).unwrap().verdict, Verdict::Ok);
    }
}
