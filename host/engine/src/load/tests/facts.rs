//! Facts: what bytes say about themselves, bounded and made visible.

use std::time::{Duration, Instant};

use super::super::{Docs, Facts, Kind, Wasm};
use super::{ADDER, component, core_module, custom, from_text, number, section};

fn facts(bytes: Vec<u8>) -> Facts {
    Facts::read(&Wasm::from_bytes(bytes, "tool.wasm").unwrap()).unwrap()
}

fn text(text: &str) -> Vec<u8> {
    [number(u32::try_from(text.len()).unwrap()), text.as_bytes().to_vec()].concat()
}

fn producers(role: &str, values: &[(&str, &str)]) -> Vec<u8> {
    let count = number(u32::try_from(values.len()).unwrap());
    let values: Vec<u8> = values.iter().flat_map(|(name, version)| [text(name), text(version)].concat()).collect();
    custom("producers", &[vec![1], text(role), count, values].concat())
}

fn docs_section(json: &str) -> Vec<u8> {
    custom("package-docs", &[b"\x01", json.as_bytes()].concat())
}

#[test]
fn facts_of_a_component_are_its_size_digest_and_imports() {
    let bytes = from_text(
        r#"(component
            (import "wasi:cli/environment@0.2.0" (instance))
            (component (import "inner" (func))))"#,
    );
    let size = u64::try_from(bytes.len()).unwrap();
    let facts = facts(bytes);
    assert_eq!((facts.kind, facts.size, facts.odd_text), (Kind::Component, size, false));
    assert_eq!(facts.imports, ["wasi:cli/environment@0.2.0"]);
}

#[test]
fn facts_of_a_core_module_name_module_and_function() {
    let facts = facts(from_text(super::adapting::COMMAND));
    assert_eq!(facts.kind, Kind::CoreModule);
    assert_eq!(facts.imports, ["wasi_snapshot_preview1.proc_exit"]);
}

#[test]
fn facts_producers_of_nested_modules_are_found_once() {
    let rust = producers("language", &[("Rust", "1.95.0")]);
    let inner = core_module(&[rust.clone(), producers("processed-by", &[("rustc", "1.95.0")])]);
    let facts = facts(component(&[section(1, &inner), rust]));
    let found: Vec<_> = facts.producers.iter().map(|p| (p.role, p.name.as_str(), p.version.as_str())).collect();
    assert_eq!(found, [("language", "Rust", "1.95.0"), ("processed-by", "rustc", "1.95.0")]);
}

#[test]
fn facts_have_the_data_of_all_modules_up_to_a_bound() {
    let module =
        |data: &str| from_text(&format!("(module (memory 40) (data (i32.const 8) \"{data}\") (data \"passive\"))"));
    assert_eq!(facts(module("hello world")).data, b"hello world\0passive\0");
    assert_eq!(facts(module(&"x".repeat(2 << 20))).data.len(), 1 << 20);
    let nested = r#"(component (core module (memory 1) (data (i32.const 0) "one")) (core module (memory 1) (data (i32.const 0) "two")))"#;
    assert_eq!(facts(from_text(nested)).data, b"one\0two\0");
}

#[test]
fn facts_text_with_invisible_characters_is_escaped_and_flagged() {
    let hostile = producers("language", &[("\u{1b}[31mRust\u{e0041}", "1\u{202e}")]);
    let facts = facts(component(&[hostile]));
    assert!(facts.odd_text);
    assert_eq!(facts.producers[0].name, "\\u{1b}[31mRust\\u{e0041}");
    assert_eq!(facts.producers[0].version, "1\\u{202e}");
}

#[test]
fn facts_of_enormous_sections_are_bounded() {
    let name = "\u{1b}".repeat(90_000);
    let endless = "x".repeat(5 << 20);
    let many = vec![("x", "y"); 1_000_000];
    let bytes = component(&[
        producers("sdk", &[(&name, &name)]),
        producers("sdk", &[(&endless, &endless)]),
        producers("sdk", &many),
        custom(&"n".repeat(50_000), &[0; 10 << 20]),
        docs_section(&format!(r#"{{"docs":"{}"}}"#, "d".repeat(10 << 20))),
    ]);
    let began = Instant::now();
    let facts = facts(bytes);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(facts.producers.iter().all(|producer| producer.name.len() < 1_000));
    assert_eq!((facts.producers.len(), facts.odd_text), (2, true), "the endless one is not readable");
    assert_eq!(facts.docs.interfaces.len(), 0);
}

#[test]
fn facts_docs_are_found_by_interface_and_function() {
    let json = r#"{
        "interfaces": {"api": {"docs": "All.", "funcs": {"read-note": {"docs": "Read one note.\nBy path."}, "old": "Plain."}}},
        "worlds": {"notes": {
            "funcs": {"search": {"docs": "The import."}},
            "func_exports": {"search": {"docs": "Find notes."}},
            "interface_exports": {"inline": {"funcs": {"f": {"docs": "Inline."}}}}}}}"#;
    let mut bytes = from_text(ADDER);
    bytes.extend(docs_section(json));
    let docs = facts(bytes).docs;
    assert_eq!(docs.of(Some("demo:notes/api@0.1.0"), "read-note"), Some("Read one note.\nBy path."));
    assert_eq!(docs.of(Some("api"), "old"), Some("Plain."));
    assert_eq!(docs.of(Some("inline"), "f"), Some("Inline."));
    assert_eq!(docs.of(None, "search"), Some("Find notes."));
    assert_eq!(docs.of(Some("api"), "search"), None);
}

#[test]
fn facts_docs_match_what_wit_tools_write() {
    let mut resolve = wit_parser::Resolve::default();
    let wit = "package demo:notes;\ninterface api {\n  /// Read one note.\n  read-note: func();\n}\nworld notes { export api; \n/// Find.\n export search: func(); }";
    let package = resolve.push_str("notes.wit", wit).unwrap();
    let data = wit_parser::PackageMetadata::extract(&resolve, package).encode().unwrap();
    let docs = facts(component(&[custom("package-docs", &data)])).docs;
    assert_eq!(docs.of(Some("demo:notes/api"), "read-note"), Some("Read one note."));
    assert_eq!(docs.of(None, "search"), Some("Find."));
}

#[test]
fn facts_docs_that_are_broken_or_hostile_are_left_out() {
    let deep = format!(r#"{{"worlds":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    for json in [
        "",
        "{",
        "[]",
        r#"{"interfaces":7,"worlds":[1]}"#,
        r#"{"interfaces":{"api":{"funcs":{"f":{"docs":1}}}}}"#,
        &deep,
    ] {
        let docs = facts(component(&[docs_section(json)])).docs;
        assert!(docs.interfaces.is_empty() && docs.functions.is_empty(), "{json:.40}");
    }
    let unknown_version = custom("package-docs", b"\x09{}");
    assert!(facts(component(&[unknown_version])).docs.functions.is_empty());
    let hidden = r#"{"interfaces":{"api":{"funcs":{"f":{"docs":"Read.\u{202e}"}}}}}"#;
    let hidden = hidden.replace("\\u{202e}", "\u{202e}");
    let facts = facts(component(&[docs_section(&hidden)]));
    assert!(facts.odd_text);
    assert_eq!(facts.docs.of(Some("api"), "f"), Some("Read.\\u{202e}"));
}

#[test]
fn docs_of_a_wit_text_beside_the_component_are_taken() {
    let docs = Docs::from_wit(
        "package demo:notes;\n/// not a function\ninterface api {\n  /// Reads one.\n  read: func(path: string) -> string;\n  bare: func();\n}\n\
         world w {\n  export api;\n  /// Runs.\n  export go: func();\n}\n",
    );
    assert_eq!(docs.of(Some("demo:notes/api@1.0.0"), "read"), Some("Reads one."));
    assert_eq!(docs.of(Some("demo:notes/api"), "bare"), None);
    assert_eq!(docs.of(None, "go"), Some("Runs."));
}

#[test]
fn docs_of_a_hostile_wit_text_must_not_panic() {
    let nested =
        format!("package a:b; interface c {{ d: func(e: {}u8{}); }}", "list<".repeat(50_000), ">".repeat(50_000));
    for text in ["", "not wit", "package", "package a:b; interface c { /// \u{1b}[31m\n d: func(", nested.as_str()] {
        assert!(Docs::from_wit(text).is_empty(), "{:.40}", text);
    }
    // The WIT grammar itself refuses text that is not displayed as it is written.
    assert!(Docs::from_wit("package a:b;\ninterface c {\n/// \u{202e}gniht\nd: func();\n}").is_empty());
    assert!(!Docs::from_wit("package a:b;\ninterface c {\n/// thing\nd: func();\n}").is_empty());
}
