//! What the static look says of real components: our guests, made by real toolchains. `make guests` builds them.

#![cfg(test)]

use customs_audit::statics::{Statics, look};
use customs_audit::{Severity, sbom};
use customs_policy::Capability;
use std::path::PathBuf;

#[expect(clippy::disallowed_methods, reason = "a test reads a guest that was built for it")]
fn guest(name: &str) -> Statics {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../guests/dist").join(format!("{name}.wasm"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; run make guests", path.display()));
    look(&bytes)
}

/// What a person is told of it.
fn told(statics: &Statics) -> Vec<String> {
    statics
        .indications
        .iter()
        .filter(|indication| indication.severity > Severity::Info)
        .map(|i| format!("{} {} {} {} [{}]", i.place, i.kind.as_str(), i.severity, i.what, i.decoding.join(" ")))
        .collect()
}

#[test]
fn guests_of_three_languages_are_quiet() {
    for name in [
        "notes",
        "slug",
        "fetch",
        "fetch-js",
        "fetch-py",
        "hello",
        "benign-tool",
        "dynamic",
        "conformance",
        "bench",
        "fetchbench",
        "typedleaks",
        "tool-return-microbench",
        "wordcount",
        "puppet",
        "leaks",
        "evil-prompt-tool",
    ] {
        let statics = guest(name);
        assert!(told(&statics).is_empty(), "{name}: {:#?}", told(&statics));
        assert!(statics.complete, "{name}");
        assert!(!statics.imports.is_empty() && statics.modules > 0, "{name}");
    }
}

#[test]
fn guest_with_an_obfuscated_path_is_told_by_that_path() {
    let told = told(&guest("fs-violation"));
    assert_eq!(told, ["data path high /etc/passwd [xor 0x5a]"]);
}

#[test]
fn guest_that_keeps_its_texts_under_a_key_is_told_by_what_stands_there() {
    let told = told(&guest("ordinary"));
    assert!(
        !told.is_empty() && told.iter().all(|line| line.starts_with("data url medium") && line.ends_with("[xor 0xa5]")),
        "{told:#?}"
    );
}

#[test]
fn guest_with_hidden_characters_in_its_texts_is_told_by_them() {
    let told = told(&guest("shapes"));
    assert!(matches!(told.as_slice(), [one] if one.starts_with("data hidden-text medium")), "{told:#?}");
}

#[test]
fn guest_that_looks_for_such_paths_itself_is_told_by_them() {
    let told = told(&guest("scanner"));
    assert!(told.iter().any(|line| line.contains("/etc/shadow")), "{told:#?}");
    assert!(told.iter().all(|line| !line.starts_with("data secret")), "rules are no secrets: {told:#?}");
}

#[test]
fn guests_import_what_they_use_and_no_more() {
    let may =
        |name: &str, capability| guest(name).imports.iter().any(|import| import.capabilities.contains(&capability));
    assert!(may("notes", Capability::FsRead) && !may("notes", Capability::HttpRequest));
    assert!(may("fetch", Capability::HttpRequest) && may("fetch-js", Capability::HttpRequest));
    for name in ["notes", "fetch"] {
        assert!(!may(name, Capability::TcpListen), "{name}");
        assert!(guest(name).imports.iter().all(|import| import.known), "{name}");
    }
}

#[test]
fn guests_say_what_they_were_made_with() {
    let statics = guest("notes");
    assert!(statics.producers.iter().any(|producer| producer.name == "rustc"), "{:?}", statics.producers);
    let bom = sbom::cyclonedx(&statics, "notes.wasm", &[0; 32]);
    assert!(bom["components"].as_array().is_some_and(|list| list.iter().any(|c| c["name"] == "rustc")));
    assert_eq!(bom["vulnerabilities"].as_array().map(Vec::len), Some(0));
    assert!(statics.features.contains(&"component-model"), "{:?}", statics.features);
}
