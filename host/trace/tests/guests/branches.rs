//! Branches followed, for a guest in Rust: a copy by branches alone is found, and no byte that the secret can change is
//! without a label, in any transformation. Much besides is labelled.

use customs_trace::{Follow, Step};
use wasmtime::component::Val;

use super::rig::{FILE, Traced, guest, picture};

const INTERFACE: &str = "customs:transforms/transforms@0.1.0";
const SECRET: &str = "token id 42 true";
const SOURCE: &str = "file:/data/secret.txt";

fn arguments(transform: &str) -> [Val; 2] {
    [Val::String(transform.into()), Val::String(SOURCE.into())]
}

fn field<'v>(value: &'v Val, name: &str) -> &'v Val {
    let Val::Record(fields) = value else { panic!("no record: {value:?}") };
    &fields.iter().find(|(field, _)| field == name).unwrap().1
}

fn text(value: &Val) -> String {
    let Val::Result(Ok(Some(answer))) = value else { panic!("no answer: {value:?}") };
    let Val::String(text) = field(answer, "text") else { panic!("no text") };
    text.clone()
}

fn shown(traced: &Traced, transform: &str) -> (String, String) {
    let (answer, seen) = traced.call(true, SECRET, INTERFACE, "apply", &arguments(transform), None);
    let text = text(&answer);
    let steps = [Step::Result, Step::Ok, Step::Field("text".into())];
    let labels = picture(&seen, "apply", &steps, [0; 3], FILE, text.len());
    (text, labels)
}

#[test]
fn with_branches_followed_a_copy_by_branches_is_found_and_no_byte_that_changes_is_clean() {
    let bytes = guest("transforms").expect("transforms is built by make guests");
    let traced = Traced::following(&bytes, Follow::Branches);
    let (copy, labels) = shown(&traced, "branch");
    assert_eq!((copy.as_str(), labels.as_str()), (SECRET, "w".repeat(16).as_str()));
    let (_, labels) = shown(&traced, "untouched");
    println!("untouched {labels}");
    let mut changed = 0;
    for transform in ["plain", "caesar", "base64-table", "hex-arithmetic", "split", "run-length", "json", "branch"] {
        let (before, labels) = shown(&traced, transform);
        println!("{transform:15} {before}\n                {labels}");
        for at in 0..SECRET.len() {
            for flip in [0x15, 0x01, 0x20] {
                let mut other = SECRET.as_bytes().to_vec();
                other[at] ^= flip;
                let other = String::from_utf8(other).unwrap().replace(char::is_control, "~");
                let (answer, _) = traced.call(false, &other, INTERFACE, "apply", &arguments(transform), None);
                for (at, (one, two)) in before.bytes().zip(text(&answer).bytes()).enumerate() {
                    if one != two {
                        changed += 1;
                        assert_ne!(labels.as_bytes()[at], b'.', "{transform}: byte {at} of {before} / {other}");
                    }
                }
            }
        }
    }
    assert!(changed > 400, "only {changed} bytes changed");
}
