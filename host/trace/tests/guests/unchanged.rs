//! Guests that were built for other tests can all be instrumented, or are refused with a reason.

use customs_trace::{Follow, instrument};
use wasmparser::{Validator, WasmFeatures};

use super::rig::guest;

#[test]
fn guests_of_all_kinds_are_instrumented_into_valid_components() {
    for name in [
        "bench",
        "conformance",
        "dynamic",
        "fetch",
        "hello",
        "leaks",
        "notes",
        "ordinary",
        "puppet",
        "scanner",
        "typedleaks",
    ] {
        let Some(bytes) = guest(name) else { panic!("{name} is not built: make guests") };
        let instrumented = instrument(&bytes, Follow::Data).unwrap_or_else(|why| panic!("{name} {why}"));
        let types = Validator::new_with_features(WasmFeatures::default()).validate_all(&instrumented.component);
        types.unwrap_or_else(|why| panic!("{name}: {why}"));
        println!("{name}: {} -> {}", bytes.len(), instrumented.component.len());
    }
}

/// Interpreters: more than ten thousand functions each. Compiling what is written takes many seconds, so only its
/// validity is looked at here.
#[test]
fn interpreters_are_instrumented_into_valid_components() {
    for name in ["fetch-js", "fetch-py"] {
        let Some(bytes) = guest(name) else {
            println!("{name} is not built, and left out");
            continue;
        };
        let start = std::time::Instant::now();
        let instrumented = instrument(&bytes, Follow::Data).unwrap_or_else(|why| panic!("{name} {why}"));
        let took = start.elapsed();
        let types = Validator::new_with_features(WasmFeatures::default()).validate_all(&instrumented.component);
        types.unwrap_or_else(|why| panic!("{name}: {why}"));
        println!("{name}: {} -> {} in {took:?}", bytes.len(), instrumented.component.len());
    }
}
