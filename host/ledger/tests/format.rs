//! The records as the contract names them, read back by a JSON library that is not ours.

#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod sample;

use customs_ledger::{Access, Decision, Event, Ledger, Outcome, hex, read, verify};
use serde_json::{Value, json};

fn written(event: &Event<'_>) -> Value {
    let mut ledger = Ledger::memory_keeping();
    ledger.append(&sample::opening(&[])).unwrap();
    ledger.append(event).unwrap();
    let line = ledger.lines().last().unwrap().to_owned();
    assert!(!line.contains('\n'));
    serde_json::from_str(&line).unwrap()
}

#[test]
fn ledger_with_every_kind_of_record_has_the_lines_of_the_contract() {
    let (bytes, head) = sample::closed();
    let values: Vec<Value> =
        bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|l| serde_json::from_slice(l).unwrap()).collect();
    let events: Vec<_> = values.iter().map(|v| v["event"].as_str().unwrap()).collect();
    let expected = ["open", "call", "access", "outcome", "access", "suppressed", "outcome", "finding", "end", "close"];
    assert_eq!(events, expected);
    assert_eq!(values[0]["prev"], "0".repeat(64));
    for (at, value) in values.iter().enumerate() {
        assert_eq!((&value["v"], &value["seq"]), (&json!(1), &json!(at)));
    }

    let mut without_prev = values.clone();
    for value in &mut without_prev {
        value.as_object_mut().unwrap().remove("prev");
    }
    assert_eq!(without_prev[0]["component"], json!({"name": "notes.wasm", "sha256": "07".repeat(32)}));
    assert_eq!(without_prev[0]["grants"], json!(["--allow-read=./data::/data"]));
    assert_eq!(
        without_prev[2],
        json!({"v":1,"seq":2,"event":"access","call":1,"t":42,"cap":"fs.read","op":"open-at",
               "requested":"/data/a.txt","decision":"allow","rule":"--allow-read=./data"})
    );
    assert_eq!(
        without_prev[3],
        json!({"v":1,"seq":3,"event":"outcome","call":1,"of":2,"t":50,"ok":true,"bytes":5,"sha256":"03".repeat(32),
               "keyed":true,"source":1,"kind":"file","name":"/data/a.txt","class":"private","complete":true})
    );
    assert_eq!(without_prev[4]["code"], "no-grant");
    assert_eq!(without_prev[4].get("rule"), None);
    assert_eq!(without_prev[7]["finding"]["source_ranges"], json!([[0, 39]]));
    assert_eq!(without_prev[8]["imports"]["wasi:filesystem/types#open-at"], 2);
    assert_eq!(without_prev[8]["methods"], json!(["match", "trace"]));
    assert_eq!(without_prev[8]["traced"][0]["ranges"][0], json!({"from": 0, "to": 4, "strong": [1], "weak": []}));
    assert_eq!(without_prev[8]["traced_omitted"], 2);
    assert_eq!(without_prev[9], json!({"v":1,"seq":9,"event":"close","events":9}));
    assert_eq!(head.events, 9);
}

#[test]
fn suppressed_denials_have_their_exact_count() {
    let record = written(&Event::Suppressed { call: 7, cap: "env.get", op: "get", code: "no-grant", count: u64::MAX });
    assert_eq!(record["count"].as_u64(), Some(u64::MAX));
    assert_eq!(record["call"], 7);
}

#[test]
fn counts_follow_what_was_appended() {
    let mut ledger = Ledger::memory();
    sample::fill(&mut ledger);
    let counts = ledger.counts();
    assert_eq!((counts.calls, counts.accesses, counts.denials, counts.outcomes), (1, 2, 1, 2));
    assert_eq!((counts.suppressed, counts.findings), (999_000, 1));
    assert_eq!(ledger.kept(), b"", "memory() keeps no lines");
    assert_eq!(ledger.close().unwrap(), sample::closed().1, "and the same chain as one that does");
}

#[test]
fn injection_through_every_guest_field_stays_inside_its_string() {
    let payload = "a\",\"decision\":\"allow\",\"x\":\"\u{2028}\u{2029}\n\r\u{1b}[2J\\\u{0}\u{202e}\u{fffd}{}";
    let deny = Decision::Deny { code: payload, rule: Some(payload) };
    let record = written(&Event::Access(Access {
        call: 1,
        t: 1,
        cap: payload,
        op: payload,
        requested: payload,
        resolved: Some(payload),
        decision: deny,
        detail: Some(payload),
    }));
    assert_eq!(record["decision"], "deny");
    for field in ["cap", "op", "requested", "resolved", "code", "rule", "detail"] {
        assert_eq!(record[field], payload, "{field}");
    }
    assert_eq!(record.as_object().unwrap().len(), 14, "no field of the guest's making");
}

#[test]
fn oversized_text_is_stored_as_start_length_and_digest() {
    let path = "/\u{e9}".repeat(35 << 20);
    let record = written(&sample::denied(&path));
    assert_eq!(path.len(), 105 << 20);
    // 512 falls inside the two bytes of a character, so the cut is before it.
    assert_eq!(record["requested"], path[..511]);
    assert_eq!(record["requested_bytes"].as_u64(), Some(path.len() as u64));
    assert_eq!(record["requested_sha256"], hex(&customs_ledger::Digest::of(path.as_bytes()).bytes));
    assert_eq!(record["decision"], "deny");
    let whole = "y".repeat(1024);
    let record = written(&sample::denied(&whole));
    assert_eq!((&record["requested"], record.get("requested_bytes")), (&json!(whole), None));
}

#[test]
fn grants_beyond_a_lines_room_are_counted_and_the_ledger_still_verifies() {
    let grants: Vec<String> = (0..20_000).map(|n| format!("--allow-env=A_VERY_LONG_VARIABLE_NAME_{n}")).collect();
    let mut ledger = Ledger::memory_keeping();
    ledger.append(&sample::opening(&grants)).unwrap();
    ledger.close().unwrap();
    let (_, open) = read(ledger.kept()).next().unwrap().unwrap();
    let listed = open["grants"].as_array().unwrap().len();
    assert_eq!(listed as u64 + open["grants_omitted"].as_u64().unwrap(), 20_000);
    assert_eq!(verify(ledger.kept(), None).unwrap().verdict.as_str(), "ok");

    let long = ["x".repeat(5000)];
    let record = {
        let mut ledger = Ledger::memory_keeping();
        ledger.append(&sample::opening(&long)).unwrap();
        serde_json::from_str::<Value>(ledger.lines().next().unwrap()).unwrap()
    };
    assert_eq!(record["grants"][0]["text_bytes"], 5000);
    assert_eq!(record.get("grants_omitted"), None);
}

#[test]
fn finding_that_is_no_object_is_refused_and_the_ledger_goes_on() {
    let mut ledger = Ledger::memory_keeping();
    ledger.append(&sample::opening(&[])).unwrap();
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for json in ["", "[]", "{", "{}\n{}", "{\"a\":1,\"a\":2}", "{}x", &deep] {
        assert!(ledger.append(&Event::Finding { call: 1, json }).is_err(), "{json:.20}");
    }
    let long = format!("{{\"a\":\"{}\"}}", "\u{1}".escape_default().to_string().repeat(1 << 20));
    assert!(ledger.append(&Event::Finding { call: 1, json: &long }).is_err());
    ledger.append(&Event::Finding { call: 1, json: "{ \"a\" :\n\"\u{2028}\" }" }).unwrap();
    assert!(ledger.lines().last().unwrap().contains(r#""finding":{"a":"\u2028"}"#));
    ledger.close().unwrap();
    assert_eq!(verify(ledger.kept(), None).unwrap().verdict.as_str(), "ok");
}

#[test]
fn ledger_used_out_of_order_refuses_and_stays_sound() {
    let mut ledger = Ledger::memory_keeping();
    assert!(ledger.append(&sample::call()).is_err(), "nothing before open");
    assert!(ledger.close().is_err(), "not even close");
    ledger.append(&sample::opening(&[])).unwrap();
    assert!(ledger.append(&sample::opening(&[])).is_err(), "no second open");
    assert!(
        ledger.append(&Event::Outcome(Outcome { of: 1, ..Outcome::default() })).is_err(),
        "no outcome of the future"
    );
    assert_eq!(ledger.append(&sample::call()).unwrap(), 1);
    ledger.close().unwrap();
    let kept = ledger.kept().to_vec();
    assert!(ledger.append(&sample::call()).is_err(), "nothing after close");
    assert!(ledger.close().is_err(), "no second close");
    assert_eq!(ledger.kept(), kept);
    assert_eq!(verify(kept.as_slice(), None).unwrap().verdict.as_str(), "ok");
}

#[test]
fn parallel_calls_give_strictly_increasing_seqs_and_whole_lines() {
    let mut ledger = Ledger::memory_keeping();
    ledger.append(&sample::opening(&[])).unwrap();
    let shared = std::sync::Mutex::new(ledger);
    std::thread::scope(|scope| {
        for call in 0..100 {
            let shared = &shared;
            scope.spawn(move || {
                for t in 0..20 {
                    let access = sample::access("/x", Decision::Allow { rule: "r" });
                    shared.lock().unwrap().append(&Event::Access(Access { call, t, ..access })).unwrap();
                }
            });
        }
    });
    let mut ledger = shared.into_inner().unwrap();
    ledger.close().unwrap();
    assert_eq!(verify(ledger.kept(), None).unwrap().verdict.as_str(), "ok");
    let mut next_of_call = [0; 100];
    for record in read(ledger.kept()).skip(1).take(2000) {
        let (_, record) = record.unwrap();
        let next = &mut next_of_call[usize::try_from(record["call"].as_u64().unwrap()).unwrap()];
        assert_eq!(record["t"].as_u64(), Some(*next), "a call's records are in its order");
        *next += 1;
    }
    assert_eq!(next_of_call, [20; 100]);
}
