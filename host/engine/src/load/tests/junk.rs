//! Bytes that are no component: loaded or refused, quickly, and never a panic.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::super::{Facts, Wasm, check};
use super::{from_text, load, refused};

/// A component with most kinds of sections.
const SAMPLE: &str = r#"(component
    (import "demo:host/log" (instance $log (export "write" (func (param "text" string)))))
    (type $note (record (field "title" string) (field "tags" (list string))))
    (export $exported "note" (type $note))
    (core module $m
        (memory (export "memory") 1)
        (table 2 funcref) (elem (i32.const 0) $f)
        (global $g (mut i32) (i32.const 4))
        (func $f (export "read") (result i32) (local i64) (global.set $g (i32.const 8)) (i32.const 16))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable)
        (data (i32.const 16) "abcdefgh"))
    (core instance $i (instantiate $m))
    (func (export "read") (result $exported)
        (canon lift (core func $i "read") (memory $i "memory") (realloc (func $i "realloc")))))"#;

fn survives(bytes: Vec<u8>, what: &str) -> bool {
    let began = Instant::now();
    let outcome = load(bytes);
    assert!(began.elapsed() < Duration::from_secs(1), "{what} took {:?}", began.elapsed());
    match outcome {
        Ok(_) => true,
        outcome => {
            refused(outcome);
            false
        }
    }
}

#[test]
fn junk_sample_itself_is_loaded() {
    assert!(survives(from_text(SAMPLE), "the sample"));
}

#[test]
fn junk_truncated_component_is_refused() {
    let sample = from_text(SAMPLE);
    let loaded = (0..32)
        .map(|part| 8 + (sample.len() - 9) * part / 31)
        .filter(|length| survives(sample[..*length].to_vec(), &format!("cut at {length}")))
        .count();
    // A cut between two sections can leave a smaller component that is valid.
    assert!(loaded <= 8, "{loaded} of 32 were loaded");
}

#[test]
fn junk_flipped_bits_are_refused_or_harmless() {
    let sample = from_text(SAMPLE);
    let mut refusals = 0;
    for position in 8..sample.len() {
        let mut flipped = sample.clone();
        flipped[position] ^= 1 << (position % 8);
        refusals += usize::from(!survives(flipped, &format!("bit flipped at {position}")));
    }
    assert!(refusals > sample.len() / 4, "{refusals} of {}", sample.len());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn junk_after_a_header_must_not_panic(component in any::<bool>(), tail in proptest::collection::vec(any::<u8>(), 0..600)) {
        let header: &[u8] = if component { b"\0asm\x0d\0\x01\0" } else { b"\0asm\x01\0\0\0" };
        let wasm = Wasm::from_bytes([header, &tail].concat(), "tool.wasm").unwrap();
        let facts = Facts::read(&wasm);
        let checked = check::check(wasm.bytes(), wasmparser::WasmFeatures::default());
        prop_assert!(facts.is_ok() || checked.is_err(), "valid bytes have facts");
    }

    #[test]
    fn junk_as_a_whole_file_must_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Err(error) = Wasm::from_bytes(bytes, "tool.wasm") {
            prop_assert!(error.to_string().starts_with("tool.wasm "));
        }
    }
}
