//! Guests that are interpreted: more than ten thousand functions of an engine between the secret and the answer. What is
//! made of an engine is compiled once, for one test.

use std::time::Instant;

use customs_trace::Step;
use wasmtime::component::Val;

use super::proof::{INTERFACE, prove};
use super::rig::{ARGUMENT, FILE, Traced, VARIABLE, guest, picture, summary};
use super::table::{Language, SECRET};

/// Places of the secret that the oracle changes: a call takes milliseconds, each of some sixty times.
const PLACES: usize = 3;

fn prove_interpreted(name: &str, language: Language) {
    let Some(bytes) = guest(name) else {
        println!("{name} is not built, and left out");
        return;
    };
    let start = Instant::now();
    let traced = Traced::new(&bytes);
    println!("{name}: rewritten and compiled, both, in {:?}", start.elapsed());
    prove(&traced, language, PLACES);

    let steps = [Step::Result, Step::Ok, Step::Field("text".to_owned())];
    let call = |source: &str, labelled| {
        let arguments = [Val::String("plain".into()), Val::String(source.into())];
        traced.call(true, SECRET, INTERFACE, "apply", &arguments, labelled).1
    };
    let shown = |seen: &[_], source| picture(seen, "apply", &steps, [0; 3], source, SECRET.len());
    let seen = call("env:SECRET", None);
    assert_eq!((shown(&seen, VARIABLE), shown(&seen, FILE)), ("1".repeat(16), ".".repeat(16)), "{:?}", summary(&seen));
    let seen = call(SECRET, Some("source"));
    assert_eq!(shown(&seen, ARGUMENT), "1".repeat(16), "{:?}", summary(&seen));
    let seen = call(SECRET, None);
    assert!(seen.is_empty(), "an argument that is no source: {:?}", summary(&seen));
}

#[test]
fn in_javascript_each_transformation_is_labelled_to_the_byte_and_nothing_else_is() {
    prove_interpreted("transforms-js", Language::JavaScript);
}

#[test]
fn in_python_each_transformation_is_labelled_to_the_byte_and_nothing_else_is() {
    prove_interpreted("transforms-py", Language::Python);
}
