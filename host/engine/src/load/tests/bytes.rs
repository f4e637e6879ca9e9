//! Reading: what file, how large, and is it the pinned one.

use std::io::{Seek, Write};

use super::super::{ErrorKind, Kind, MAX_WASM_BYTES, read_component};
use super::{Dir, adder, ambient_authority, from_text, limit_of, temporary};

fn file_with(bytes: &[u8]) -> std::fs::File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

fn message(bytes: &[u8]) -> String {
    let error = read_component(file_with(bytes), "tool.wasm", None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    error.to_string()
}

#[test]
fn read_component_file_is_read_whole_and_hashed() {
    let expected = adder();
    let wasm = read_component(file_with(expected.bytes()), "adder.wasm", None).unwrap();
    assert_eq!((wasm.bytes(), wasm.sha256(), wasm.kind()), (expected.bytes(), expected.sha256(), Kind::Component));
    let core = read_component(file_with(&from_text("(module)")), "core.wasm", None).unwrap();
    assert_eq!(core.kind(), Kind::CoreModule);
}

#[test]
fn read_of_any_size_has_the_digest_of_all_bytes() {
    // Around one chunk, and around the size from which two threads read and hash.
    for size in [0, (256 << 10) - 22, 256 << 10, 700 << 10, (1 << 20) + (256 << 10), 3 << 20] {
        let padding: Vec<u8> = (0..size).map(|index: u32| index.to_le_bytes()[1]).collect();
        let large = super::component(&[super::custom("padding", &padding)]);
        let wasm = read_component(file_with(&large), "large.wasm", None).unwrap();
        let expected = super::Wasm::from_bytes(large, "large.wasm").unwrap();
        assert_eq!(wasm.sha256(), expected.sha256(), "{size}");
        assert!(wasm.bytes() == expected.bytes(), "{size}");
    }
}

#[test]
fn read_other_kinds_of_file_are_refused_with_one_sentence() {
    assert_eq!(message(b""), "tool.wasm is empty");
    assert_eq!(message(b"\x7fELF\x02\x01\x01"), {
        "tool.wasm is a native or precompiled file; customs compiles only wasm"
    });
    let text = "tool.wasm is WebAssembly text; convert it first, for example with `wasm-tools parse`";
    assert_eq!(message(b"(module)"), text);
    assert_eq!(message(b"\n ;; a comment\n (component\n)"), text);
    assert_eq!(message(b";; (module"), "tool.wasm is not a WebAssembly file");
    assert_eq!(message(b"#!/bin/sh"), "tool.wasm is not a WebAssembly file");
    assert_eq!(message(b"\0as"), "tool.wasm is not a WebAssembly file");
    assert_eq!(message(b"\0asm\x01"), "tool.wasm is cut short: only part of a WebAssembly header");
    assert_eq!(message(b"\0asm\x02\0\0\0"), "tool.wasm has a WebAssembly version that this program does not know");
}

#[test]
fn read_code_compiled_by_wasmtime_is_refused() {
    let engine = super::engine(super::Fuel::Off, super::Allocation::OnDemand).unwrap();
    let code = engine.precompile_component(adder().bytes()).unwrap();
    assert!(message(&code).contains("precompiled"));
}

#[test]
fn read_sparse_gigabyte_is_refused_by_its_size_without_reading() {
    let file = file_with(b"\0asm\x0d\0\x01\0");
    file.set_len(1 << 30).unwrap();
    let mut same = file.try_clone().unwrap();
    let error = read_component(file, "tool.wasm", None).unwrap_err();
    assert_eq!(limit_of(&error), "size");
    assert_eq!(same.stream_position().unwrap(), 0, "nothing was read");
    assert_eq!(error.to_string(), "tool.wasm is 1073741824 bytes; at most 256 MiB can be loaded");
}

#[test]
fn read_large_file_that_is_no_wasm_is_refused_by_its_first_bytes() {
    let file = file_with(b"RIFF");
    file.set_len(MAX_WASM_BYTES).unwrap();
    let mut same = file.try_clone().unwrap();
    let error = read_component(file, "film.wasm", None).unwrap_err();
    assert_eq!(error.to_string(), "film.wasm is not a WebAssembly file");
    assert!(same.stream_position().unwrap() < 1 << 20, "the rest was not read");
}

#[test]
fn read_directories_and_devices_are_refused() {
    let (_holder, dir) = temporary();
    let opened = dir.into_std_file();
    let error = read_component(opened, "tools", None).unwrap_err();
    assert_eq!(error.to_string(), "tools is a directory, not a WebAssembly file");
    let devices = Dir::open_ambient_dir("/dev", ambient_authority()).unwrap();
    let zero = devices.open("zero").unwrap().into_std();
    let error = read_component(zero, "/dev/zero", None).unwrap_err();
    assert_eq!(error.to_string(), "/dev/zero is not a regular file");
}

#[test]
fn read_with_a_pin_takes_only_those_bytes() {
    let wasm = adder();
    assert!(read_component(file_with(wasm.bytes()), "tool.wasm", Some(wasm.sha256())).is_ok());
    let error = read_component(file_with(wasm.bytes()), "tool.wasm", Some([0xab; 32])).unwrap_err();
    let text = error.to_string();
    let digest: String = wasm.sha256().iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(text.contains(&digest) && text.contains(&"ab".repeat(32)), "{text}");
}

#[test]
fn read_name_with_terminal_sequences_is_shown_escaped() {
    let error = read_component(file_with(b""), "\u{1b}[2Jtool\u{202e}.wasm", None).unwrap_err();
    assert_eq!(error.to_string(), "\\u{1b}[2Jtool\\u{202e}.wasm is empty");
}
