//! What `verify` says of a ledger that was changed: every change is seen, and the first record that is wrong is named.

#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod sample;

use customs_ledger::{Digest, Ledger, Verdict, verify};

fn verdict(bytes: &[u8]) -> Verdict {
    verify(bytes, None).unwrap().verdict
}

#[test]
fn verify_whole_ledger_says_ok_with_its_head() {
    let (bytes, head) = sample::closed();
    let report = verify(bytes.as_slice(), None).unwrap();
    assert_eq!((report.verdict, report.events, report.head), (Verdict::Ok, 9, head.hash));
    assert_eq!(verify(bytes.as_slice(), Some(head.hash)).unwrap(), report);
    let last = sample::lines(&bytes).pop().unwrap();
    assert_eq!(report.head, Digest::of(last.strip_suffix(b"\n").unwrap()).bytes, "the head is of the last line");
}

#[test]
fn verify_empty_file_says_unclosed() {
    let report = verify(&[][..], None).unwrap();
    assert_eq!((report.verdict, report.events, report.head), (Verdict::Unclosed, 0, [0; 32]));
    assert_eq!(verify(&[][..], Some([1; 32])).unwrap().verdict, Verdict::Mismatch);
}

#[test]
fn verify_ledger_cut_at_any_byte_says_torn_or_unclosed() {
    let (bytes, head) = sample::closed();
    for end in 0..bytes.len() {
        let cut = &bytes[..end];
        let at_boundary = end == 0 || cut.ends_with(b"\n");
        let report = verify(cut, None).unwrap();
        assert_eq!(report.verdict, if at_boundary { Verdict::Unclosed } else { Verdict::Torn }, "cut at {end}");
        assert_eq!(report.events, cut.iter().filter(|b| **b == b'\n').count() as u64, "cut at {end}");
        let known = verify(cut, Some(head.hash)).unwrap().verdict;
        assert_eq!(known, if at_boundary { Verdict::Mismatch } else { Verdict::Torn }, "cut at {end}");
    }
}

#[test]
fn verify_any_flipped_bit_is_seen_and_its_record_named() {
    let (bytes, head) = sample::closed();
    let last = bytes.iter().filter(|b| **b == b'\n').count() as u64 - 1;
    let mut seq = 0;
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut edited = bytes.clone();
            edited[at] ^= 1 << bit;
            let says = verdict(&edited);
            if at == bytes.len() - 1 {
                assert_eq!(says, Verdict::Torn, "the last newline");
            } else if seq == last {
                // Without the head, a changed `prev` of the last record looks like a change of the record before it.
                let seen = matches!(says, Verdict::Altered { seq } if seq == last || seq == last - 1);
                assert!(seen, "byte {at} bit {bit}: {says:?}");
                assert_eq!(verify(edited.as_slice(), Some(head.hash)).unwrap().verdict, Verdict::Altered { seq: last });
            } else {
                assert_eq!(says, Verdict::Altered { seq }, "byte {at} bit {bit}");
            }
        }
        seq += u64::from(bytes[at] == b'\n');
    }
}

#[test]
fn verify_close_record_with_any_other_byte_anywhere_is_not_ok() {
    let mut ledger = Ledger::memory_keeping();
    ledger.append(&sample::opening(&[])).unwrap();
    ledger.close().unwrap();
    let bytes = ledger.kept().to_vec();
    assert_eq!(verdict(&bytes), Verdict::Ok);
    let begin = bytes.len() - sample::lines(&bytes).last().unwrap().len();
    for at in begin..bytes.len() {
        for other in 1..=255 {
            let mut edited = bytes.clone();
            edited[at] ^= other;
            assert_ne!(verdict(&edited), Verdict::Ok, "byte {at} ^ {other}");
        }
        let mut longer = bytes.clone();
        longer.insert(at, b' ');
        assert_ne!(verdict(&longer), Verdict::Ok, "space at {at}");
    }
}

#[test]
fn verify_dropped_record_is_named_by_its_place() {
    let (bytes, _) = sample::closed();
    let lines = sample::lines(&bytes);
    for at in 0..lines.len() - 1 {
        let mut edited = lines.clone();
        edited.remove(at);
        assert_eq!(verdict(&edited.concat()), Verdict::Altered { seq: at as u64 });
    }
    assert_eq!(verdict(&lines[..lines.len() - 1].concat()), Verdict::Unclosed);
}

#[test]
fn verify_duplicated_record_is_named_at_its_second_place() {
    let (bytes, _) = sample::closed();
    for (at, line) in sample::lines(&bytes).iter().enumerate() {
        let mut edited = sample::lines(&bytes);
        edited.insert(at + 1, line.clone());
        assert_eq!(verdict(&edited.concat()), Verdict::Altered { seq: at as u64 + 1 });
    }
}

#[test]
fn verify_swapped_records_are_named_at_the_first() {
    let (bytes, _) = sample::closed();
    let lines = sample::lines(&bytes);
    for one in 0..lines.len() {
        for other in one + 1..lines.len() {
            let mut edited = lines.clone();
            edited.swap(one, other);
            assert_eq!(verdict(&edited.concat()), Verdict::Altered { seq: one as u64 }, "{one} and {other}");
        }
    }
}

#[test]
fn verify_inserted_record_is_named_whatever_it_claims_to_follow() {
    let (bytes, _) = sample::closed();
    let lines = sample::lines(&bytes);
    for at in 1..lines.len() {
        let before = lines[at - 1].strip_suffix(b"\n").unwrap();
        for prev in [Digest::of(before).hex(), "5".repeat(64)] {
            let forged = format!(
                "{{\"v\":1,\"seq\":{at},\"event\":\"suppressed\",\"call\":1,\"cap\":\"a\",\"op\":\"b\",\"code\":\"c\",\"count\":1,\"prev\":\"{prev}\"}}\n"
            );
            let mut edited = lines.clone();
            edited.insert(at, forged.into_bytes());
            assert_eq!(verdict(&edited.concat()), Verdict::Altered { seq: at as u64 }, "{prev}");
        }
    }
}

#[test]
fn verify_changed_decision_is_named_and_the_unchanged_twin_is_ok() {
    let (bytes, head) = sample::closed();
    let text = String::from_utf8(bytes).unwrap();
    let edited = text.replace(r#""decision":"deny","code""#, r#""decision":"allow","rule""#);
    assert_ne!(edited, text);
    let report = verify(edited.as_bytes(), Some(head.hash)).unwrap();
    assert_eq!(report.verdict, Verdict::Altered { seq: 4 });
    assert_eq!(report.detail, "record 4 is not as it was written: the next one holds another hash of it");
    assert_eq!(verify(text.as_bytes(), Some(head.hash)).unwrap().verdict, Verdict::Ok);
}

#[test]
fn verify_ledger_rewritten_as_a_whole_is_seen_only_by_its_head() {
    let (bytes, head) = sample::closed();
    let mut forged: Vec<u8> = Vec::new();
    let mut prev = "0".repeat(64);
    for line in sample::lines(&bytes) {
        let text = String::from_utf8(line).unwrap().replace("/etc/passwd", "/etc/hosts");
        let (fields, _) = text.split_once(",\"prev\":").unwrap();
        let line = format!("{fields},\"prev\":\"{prev}\"}}");
        prev = Digest::of(line.as_bytes()).hex();
        forged.extend_from_slice(line.as_bytes());
        forged.push(b'\n');
    }
    assert_eq!(verdict(&forged), Verdict::Ok);
    assert_eq!(verify(forged.as_slice(), Some(head.hash)).unwrap().verdict, Verdict::Mismatch);
}

#[test]
fn verify_anything_after_close_is_named_after_it() {
    let (bytes, _) = sample::closed();
    for more in ["x", "\n", "{}\n", " "] {
        let longer = [&bytes, more.as_bytes()].concat();
        assert_eq!(verdict(&longer), Verdict::Altered { seq: 10 }, "{more:?}");
    }
}
