//! Ledgers that nobody's writer wrote: bounded time and memory, an answer, never a panic.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what it does not expect"
)]

mod sample;

use customs_ledger::{MAX_LINE, ReadError, Verdict, read, verify};
use std::io::{self, Read};

/// Counts what is taken from a source that never ends.
struct Endless<'c> {
    start: &'c [u8],
    byte: u8,
    taken: &'c mut usize,
}

impl Read for Endless<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let from_start = self.start.read(to)?;
        to[from_start..].fill(self.byte);
        *self.taken += to.len();
        Ok(to.len())
    }
}

fn altered(bytes: &[u8]) -> u64 {
    match verify(bytes, None).unwrap().verdict {
        Verdict::Altered { seq } => seq,
        other => panic!("{other:?}"),
    }
}

#[test]
fn verify_line_without_end_is_given_up_after_a_bounded_read() {
    let (bytes, _) = sample::closed();
    let three = sample::lines(&bytes)[..3].concat();
    for start in [&[][..], &three] {
        for byte in [b'a', b'[', b' ', 0] {
            let mut taken = 0;
            let report = verify(Endless { start, byte, taken: &mut taken }, None).unwrap();
            assert_eq!(report.verdict, Verdict::Altered { seq: start.iter().filter(|b| **b == b'\n').count() as u64 });
            assert!(taken < start.len() + MAX_LINE + (256 << 10), "{taken} bytes read");
        }
    }
    let mut taken = 0;
    let mut records = read(Endless { start: &three, byte: b'a', taken: &mut taken });
    assert_eq!(records.by_ref().take(3).filter(Result::is_ok).count(), 3);
    assert!(matches!(records.next(), Some(Err(ReadError::Malformed { seq: 3, .. }))));
    assert!(records.next().is_none());
}

#[test]
fn verify_deep_json_is_refused_without_recursion() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let depth = MAX_LINE / 8;
        let line = format!("{{\"x\":{}1{}}}\n", open.repeat(depth), close.repeat(depth));
        assert_eq!(altered(line.as_bytes()), 0);
        assert!(matches!(read(line.as_bytes()).next(), Some(Err(ReadError::Malformed { seq: 0, .. }))));
    }
}

#[test]
fn verify_first_record_that_is_malformed_is_named() {
    let (bytes, _) = sample::closed();
    let first = String::from_utf8(sample::lines(&bytes)[0].clone()).unwrap();
    assert_eq!(verify(first.as_bytes(), None).unwrap().verdict, Verdict::Unclosed);
    for (from, to) in [
        ("\"v\":1", "\"v\":2"),
        ("\"v\":1", "\"v\":\"1\""),
        ("\"v\":1,", ""),
        ("\"seq\":0", "\"seq\":1"),
        ("\"seq\":0", "\"seq\":-1"),
        ("\"seq\":0", "\"seq\":0.0"),
        ("\"seq\":0", "\"seq\":18446744073709551615"),
        ("\"seq\":0", "\"seq\":18446744073709551616"),
        ("\"event\":\"open\"", "\"event\":\"opening\""),
        ("\"event\":\"open\"", "\"event\":\"close\""),
        ("\"event\":\"open\"", "\"event\":\"call\""),
        ("\"run\":", "\"ran\":"),
        ("\"grants\":[", "\"grants\":[1,"),
        ("\"prev\":\"00", "\"prev\":\"01"),
        ("\"prev\":\"00", "\"prev\":\"0"),
        ("\"prev\":\"00", "\"prev\":\"0A"),
        ("\"run\":", "\"v\":1,\"run\":"),
        ("\"run\":", "\"\\u0076\":1,\"run\":"),
        ("\"name\":", "\"sha256\":\"\",\"name\":"),
        ("{\"v\"", " {\"v\""),
        ("}\n", "} \n"),
        ("}\n", "}\r\n"),
        ("notes.wasm", "notes\0wasm"),
        ("notes.wasm", "notes\\ud800wasm"),
    ] {
        let edited = first.replacen(from, to, 1);
        assert_ne!(edited, first, "{from} -> {to}");
        assert_eq!(altered(edited.as_bytes()), 0, "{from} -> {to}");
    }
    let mut not_utf8 = first.clone().into_bytes();
    let at = first.find("notes").unwrap();
    not_utf8[at] = 0xff;
    assert_eq!(altered(&not_utf8), 0);
}

/// A ledger of an open record and one more, chained as it should be.
fn with_second(fields: &str) -> Vec<u8> {
    let (bytes, _) = sample::closed();
    let first = &sample::lines(&bytes)[0];
    let prev = customs_ledger::Digest::of(first.strip_suffix(b"\n").unwrap()).hex();
    [first, format!("{{\"v\":1,\"seq\":1,{fields},\"prev\":\"{prev}\"}}\n").as_bytes()].concat()
}

#[test]
fn verify_well_chained_record_without_what_its_kind_needs_is_named() {
    let access = "\"event\":\"access\",\"call\":1,\"t\":1,\"cap\":\"a\",\"op\":\"b\",\"requested\":\"c\"";
    for fields in [
        format!("{access},\"decision\":\"allow\",\"rule\":\"r\""),
        format!("{access},\"decision\":\"deny\",\"code\":\"r\""),
        format!("{access},\"decision\":\"deny\",\"code\":\"r\",\"later\":{{\"a\":[1]}}"),
        "\"event\":\"outcome\",\"call\":1,\"of\":0,\"t\":1,\"ok\":false".to_owned(),
    ] {
        assert_eq!(verify(with_second(&fields).as_slice(), None).unwrap().verdict, Verdict::Unclosed, "{fields}");
    }
    for fields in [
        access.to_owned(),
        format!("{access},\"decision\":\"maybe\",\"rule\":\"r\""),
        format!("{access},\"decision\":\"allow\",\"code\":\"r\""),
        format!("{access},\"decision\":\"deny\",\"rule\":\"r\""),
        format!("{access},\"decision\":\"allow\",\"rule\":7"),
        "\"event\":\"outcome\",\"call\":1,\"of\":1,\"t\":1,\"ok\":false".to_owned(),
        "\"event\":\"outcome\",\"call\":1,\"of\":0,\"t\":1,\"ok\":1".to_owned(),
        "\"event\":\"end\",\"call\":1,\"ending\":\"trap\",\"imports\":{\"a\":-1}".to_owned(),
        "\"event\":\"finding\",\"call\":1,\"finding\":[]".to_owned(),
        "\"event\":\"close\",\"events\":2".to_owned(),
        "\"event\":\"close\",\"events\":1,\"note\":\"\"".to_owned(),
        "\"event\":\"rumour\"".to_owned(),
        "\"event\":\"open\"".to_owned(),
    ] {
        assert_eq!(altered(&with_second(&fields)), 1, "{fields}");
    }
    assert_eq!(verify(with_second("\"event\":\"close\",\"events\":1").as_slice(), None).unwrap().verdict, Verdict::Ok);
}

#[test]
fn verify_of_a_file_that_cannot_be_read_is_an_error_not_a_verdict() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("gone"))
        }
    }
    assert!(verify(Broken, None).is_err());
    assert!(matches!(read(Broken).next(), Some(Err(ReadError::Io(_)))));
}

#[test]
fn read_torn_ledger_gives_the_records_before_the_cut() {
    let (bytes, _) = sample::closed();
    let cut = &bytes[..bytes.len() - 1];
    let items: Vec<_> = read(cut).collect();
    assert_eq!(items.len(), 10);
    assert!(items[..9].iter().enumerate().all(|(at, item)| matches!(item, Ok((seq, _)) if *seq == at as u64)));
    assert!(matches!(items[9], Err(ReadError::Torn)));
    assert_eq!(read(bytes.as_slice()).filter(Result::is_ok).count(), 10);
}
