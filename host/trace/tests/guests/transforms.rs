//! Guests that are compiled, in Rust and in C: the table of transformations, and where else labels come from and go.

use customs_trace::Step;
use wasmtime::component::Val;

use super::place::Place;
use super::proof::{INTERFACE, SOURCE, prove};
use super::rig::{ARGUMENT, FILE, Seen, Traced, VARIABLE, guest, picture, summary};
use super::table::{Language, SECRET};

fn traced() -> Traced {
    Traced::new(&guest("transforms").expect("transforms is not built: make guests"))
}

fn arguments(transform: &str, source: &str) -> Vec<Val> {
    vec![Val::String(transform.into()), Val::String(source.into())]
}

fn apply(traced: &Traced, transform: &str, source: &str) -> (Vec<u8>, Vec<Seen>) {
    let outcome = traced.run(true, SECRET, INTERFACE, "apply", &arguments(transform, source), None);
    (Place::Text.bytes(&outcome).unwrap(), outcome.seen)
}

fn shown(seen: &[Seen], source: u8, length: usize) -> String {
    let steps = [Step::Result, Step::Ok, Step::Field("text".to_owned())];
    picture(seen, "apply", &steps, [0; 3], source, length)
}

#[test]
fn in_rust_each_transformation_is_labelled_to_the_byte_and_nothing_else_is() {
    prove(&traced(), Language::Rust, SECRET.len());
}

#[test]
fn in_c_each_transformation_is_labelled_to_the_byte_and_nothing_else_is() {
    let Some(bytes) = guest("transforms-c") else {
        println!("transforms-c is not built, and left out");
        return;
    };
    prove(&Traced::new(&bytes), Language::C, SECRET.len());
}

#[test]
fn an_environment_variable_is_another_source_than_a_file_and_than_its_name() {
    let traced = traced();
    let (text, seen) = apply(&traced, "plain", "env:SECRET");
    assert_eq!(text, SECRET.as_bytes());
    assert_eq!(shown(&seen, VARIABLE, 16), "1".repeat(16));
    assert_eq!(shown(&seen, FILE, 16), ".".repeat(16));
    let (text, seen) = apply(&traced, "plain", "env:PATH");
    assert_eq!(text, b"/usr/bin");
    assert_eq!(shown(&seen, VARIABLE, 8), ".".repeat(8));
}

#[test]
fn an_argument_is_a_source_where_the_host_says_so_and_clean_where_not() {
    let traced = traced();
    let call =
        |labelled| traced.call(true, SECRET, INTERFACE, "apply", &arguments("reverse", "from outside"), labelled);
    assert_eq!(shown(&call(Some("source")).1, ARGUMENT, 12), "1".repeat(12));
    assert_eq!(shown(&call(None).1, ARGUMENT, 12), ".".repeat(12));
    assert_eq!(shown(&call(Some("transform")).1, ARGUMENT, 12), ".".repeat(12));
}

#[test]
fn a_number_that_is_returned_alone_carries_labels() {
    let traced = traced();
    let sum = |source: &str| traced.call(true, SECRET, INTERFACE, "sum", &[Val::String(source.to_owned())], None).1;
    // A sum with a carry: the byte above is labelled too, and by the rule of sums those above it.
    let seen = sum(SOURCE);
    assert!(picture(&seen, "sum", &[Step::Result], [0; 3], FILE, 8).starts_with("11"), "{:?}", summary(&seen));
    assert!(sum("constant").is_empty());
}
