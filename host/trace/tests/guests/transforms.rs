//! The table of transformations, for a guest in Rust: every byte that comes from the secret is found, and no other.

use customs_trace::Step;
use wasmtime::component::Val;

use super::rig::{ARGUMENT, FILE, Seen, Traced, VARIABLE, guest, picture, summary};

const INTERFACE: &str = "customs:transforms/transforms@0.1.0";
const SECRET: &str = "token id 42 true";

fn traced() -> Traced {
    Traced::new(&guest("transforms").expect("transforms is not built: make guests"))
}

fn arguments(transform: &str, source: &str) -> Vec<Val> {
    vec![Val::String(transform.into()), Val::String(source.into())]
}

/// A field of the answer.
fn field(answer: &Val, name: &str) -> Val {
    let Val::Result(Ok(Some(answer))) = answer else { panic!("{answer:?} is no answer") };
    let Val::Record(fields) = answer.as_ref() else { panic!("{answer:?} is no record") };
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone()).unwrap()
}

fn text(answer: &Val) -> String {
    let Val::String(text) = field(answer, "text") else { panic!("no text") };
    text
}

/// The bytes of the second piece.
fn piece(answer: &Val) -> usize {
    let Val::List(pieces) = field(answer, "pieces") else { panic!("no pieces") };
    let Val::Record(fields) = &pieces[1] else { panic!("no piece") };
    let Val::List(bytes) = &fields[1].1 else { panic!("no bytes") };
    bytes.len()
}

fn in_answer(steps: &[&str]) -> Vec<Step> {
    let mut path = vec![Step::Result, Step::Ok];
    path.extend(steps.iter().map(|step| if *step == "*" { Step::Each } else { Step::Field((*step).to_owned()) }));
    path
}

fn apply(traced: &Traced, transform: &str, source: &str) -> (Val, Vec<Seen>) {
    let (before, _) = traced.call(false, SECRET, INTERFACE, "apply", &arguments(transform, source), None);
    let (after, seen) = traced.call(true, SECRET, INTERFACE, "apply", &arguments(transform, source), None);
    assert_eq!(format!("{before:?}"), format!("{after:?}"), "{transform}: tracing changed the result");
    (after, seen)
}

fn shown_text(traced: &Traced, transform: &str, source: &str, number: u8) -> (String, String) {
    let (answer, seen) = apply(traced, transform, source);
    let text = text(&answer);
    let picture = picture(&seen, "apply", &in_answer(&["text"]), [0; 3], number, text.len());
    (text, picture)
}

/// Each byte of the text that must be labelled, as `1` where its value is from the secret and `w` where it was chosen
/// by it, `?` where either will do. `~` may be weak: an allocator that was asked for as much as the secret is long
/// gives addresses that depend on it, and what is read through them does too.
fn agrees(picture: &str, expected: &str) -> bool {
    let fits = |(is, want): (char, char)| match want {
        '?' => is != '.',
        '~' => is != '1',
        _ => is == want,
    };
    picture.len() == expected.len() && picture.chars().zip(expected.chars()).all(fits)
}

#[test]
fn each_transformation_of_a_file_is_found_to_the_byte() {
    let traced = traced();
    let source = "file:/data/secret.txt";
    let all = "1".repeat(16);
    for (transform, expected) in [
        ("plain", all.clone()),
        ("reverse", all.clone()),
        ("caesar", "?".repeat(16)),
        ("base64-table", format!("{}..", "?".repeat(22))),
        ("base64-arithmetic", format!("{}..", "?".repeat(22))),
        ("hex-table", "w".repeat(32)),
        ("hex-arithmetic", "?".repeat(32)),
        ("split", format!("{}{}{}{}", ".....", "1".repeat(8), "..", "1".repeat(8))),
        ("json", format!("~~~~~~{all}{}", "~".repeat(12))),
    ] {
        let (text, picture) = shown_text(&traced, transform, source, FILE);
        println!("{transform:18} {text}\n{:18} {picture}", "");
        assert!(agrees(&picture, &expected), "{transform}: {text}\n  {picture}\n  {expected}");
    }
}

#[test]
fn a_transformation_into_bytes_is_found_by_its_place_in_the_answer() {
    let traced = traced();
    for transform in ["xor", "sha256", "deflate"] {
        let (answer, seen) = apply(&traced, transform, "file:/data/secret.txt");
        let bytes = piece(&answer);
        let shown = picture(&seen, "apply", &in_answer(&["pieces", "*", "bytes"]), [1, 0, 0], FILE, bytes);
        println!("{transform:10} {shown}");
        let found = shown.chars().filter(|byte| *byte != '.').count();
        assert!(
            found * 10 >= bytes * if transform == "deflate" { 5 } else { 10 },
            "{transform}: {found} of {bytes} bytes"
        );
        let first = picture(&seen, "apply", &in_answer(&["pieces", "*", "bytes"]), [0, 0, 0], FILE, 3);
        assert_eq!(first, "...", "{transform}: the first piece is a constant");
    }
}

#[test]
fn an_environment_variable_is_another_source_than_a_file_and_than_its_name() {
    let traced = traced();
    let (text, picture) = shown_text(&traced, "plain", "env:SECRET", VARIABLE);
    assert_eq!((text.as_str(), picture), (SECRET, "1".repeat(16)));
    let (_, as_file) = shown_text(&traced, "plain", "env:SECRET", FILE);
    assert_eq!(as_file, ".".repeat(16));
    let (text, other) = shown_text(&traced, "plain", "env:PATH", VARIABLE);
    assert_eq!((text.as_str(), other), ("/usr/bin", ".".repeat(8)));
}

#[test]
fn an_argument_is_a_source_where_the_host_says_so_and_clean_where_not() {
    let traced = traced();
    let call =
        |labelled| traced.call(true, SECRET, INTERFACE, "apply", &arguments("reverse", "from outside"), labelled);
    let shown = |seen: &[Seen]| picture(seen, "apply", &in_answer(&["text"]), [0; 3], ARGUMENT, 12);
    assert_eq!(shown(&call(Some("source")).1), "1".repeat(12));
    assert_eq!(shown(&call(None).1), ".".repeat(12));
    assert_eq!(shown(&call(Some("transform")).1), ".".repeat(12));
}

#[test]
fn options_errors_and_numbers_carry_labels_where_the_bytes_are() {
    let traced = traced();
    let (answer, seen) = apply(&traced, "note", "file:/data/secret.txt");
    let mut note = in_answer(&["note"]);
    note.push(Step::Some);
    assert_eq!(picture(&seen, "apply", &note, [0; 3], FILE, 22), format!("......{}", "1".repeat(16)), "{answer:?}");
    let (_, seen) = apply(&traced, "error", "file:/data/secret.txt");
    let error = [Step::Result, Step::Err, Step::Case("unknown".to_owned())];
    assert_eq!(picture(&seen, "apply", &error, [0; 3], FILE, 25), format!("........{}.", "1".repeat(16)), "{seen:?}");
    let (_, seen) = apply(&traced, "numbers", "file:/data/secret.txt");
    let numbers = picture(&seen, "apply", &in_answer(&["pieces", "*", "numbers"]), [0; 3], FILE, 64);
    // A sum with a carry: the byte above is labelled too, and by the rule of sums those above it.
    assert!(numbers.as_bytes().chunks(4).all(|number| number[..2] == *b"11"), "{numbers}");
    let sum = |name: &str| traced.call(true, SECRET, INTERFACE, "sum", &[Val::String(name.to_string())], None);
    let (_, seen) = sum("file:/data/secret.txt");
    assert!(picture(&seen, "sum", &[Step::Result], [0; 3], FILE, 8).starts_with("11"), "{seen:?}");
    let (_, seen) = sum("constant");
    assert!(seen.is_empty(), "{seen:?}");
}

#[test]
fn what_is_printed_or_written_to_a_file_is_seen_before_it_leaves() {
    let traced = traced();
    let (_, seen) = apply(&traced, "print", "file:/data/secret.txt");
    let printed: Vec<&Seen> = seen.iter().filter(|run| run.function.contains("write")).collect();
    assert_eq!(
        printed.iter().map(|run| (run.offset, run.length)).collect::<Vec<_>>(),
        [(1, 16)],
        "{:?}",
        summary(&seen)
    );
    let (_, seen) = apply(&traced, "write", "file:/data/secret.txt");
    let written: Vec<&Seen> = seen.iter().filter(|run| run.function.contains("write")).collect();
    assert_eq!(
        written.iter().map(|run| (run.offset, run.length)).collect::<Vec<_>>(),
        [(6, 16)],
        "{:?}",
        summary(&seen)
    );
    assert!(written.iter().all(|run| run.label.strong(FILE)));
}

#[test]
fn answers_that_do_not_come_from_the_secret_have_no_label() {
    let traced = traced();
    for transform in ["unrelated", "untouched"] {
        let (answer, seen) = apply(&traced, transform, "file:/data/secret.txt");
        let text = text(&answer);
        let shown = picture(&seen, "apply", &in_answer(&["text"]), [0; 3], FILE, text.len());
        println!("{transform:10} {text}\n           {shown}");
        assert!(shown.bytes().all(|label| label == b'.'), "{transform}: {text}\n  {shown}");
    }
}

/// What is not followed, so that nobody believes it is.
#[test]
fn a_copy_by_branches_alone_is_not_seen() {
    let (text, picture) = shown_text(&traced(), "branch", "file:/data/secret.txt", FILE);
    assert_eq!(text, SECRET);
    assert!(!picture.contains('1'), "branches are followed now: say so in docs/trace.md\n  {picture}");
}

/// The oracle: change the secret, and look at what the original gives. Every byte that changes must be labelled.
#[test]
fn no_byte_that_the_secret_can_change_is_without_a_label() {
    let traced = traced();
    let mut changed = 0;
    for transform in
        ["plain", "reverse", "caesar", "base64-table", "base64-arithmetic", "hex-table", "hex-arithmetic", "split"]
    {
        let (text_before, shown) = shown_text(&traced, transform, "file:/data/secret.txt", FILE);
        for at in 0..SECRET.len() {
            let mut other = SECRET.as_bytes().to_vec();
            other[at] ^= 0x15;
            let other = String::from_utf8(other).unwrap().replace(char::is_control, "~");
            let arguments = arguments(transform, "file:/data/secret.txt");
            let (answer, _) = traced.call(false, &other, INTERFACE, "apply", &arguments, None);
            let after = text(&answer);
            assert_eq!(after.len(), text_before.len());
            for (at, (one, two)) in text_before.bytes().zip(after.bytes()).enumerate() {
                if one != two {
                    changed += 1;
                    assert_ne!(shown.as_bytes()[at], b'.', "{transform}: byte {at} of {text_before} / {after}");
                }
            }
        }
    }
    assert!(changed > 150, "only {changed} bytes changed");
}
