//! A guest in JavaScript: twelve thousand functions of an interpreter between the file and the answer. Compiling it takes
//! minutes on a busy machine, so it runs where it is asked for: `-- --ignored`.

use customs_trace::Step;
use wasmtime::component::Val;

use super::rig::{ARGUMENT, FILE, Traced, guest, picture, summary};

const INTERFACE: &str = "customs:slug/slug@0.1.0";

#[test]
#[ignore = "compiles an interpreter, twice"]
fn javascript_gives_the_bytes_of_a_file_and_of_an_argument_with_their_labels() {
    let Some(bytes) = guest("slug") else { panic!("slug is not built: make guests-js") };
    let traced = Traced::new(&bytes);
    let path = [Val::String("/data/secret.txt".into())];
    let secret = "token id 42 true\nand a second line";
    let (before, _) = traced.call(false, secret, INTERFACE, "read-first-line", &path, None);
    let (after, seen) = traced.call(true, secret, INTERFACE, "read-first-line", &path, None);
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
    let shown = picture(&seen, "read-first-line", &[Step::Result, Step::Ok], [0; 3], FILE, 16);
    assert_eq!(shown, "1".repeat(16), "{:?}", summary(&seen));

    let title = [Val::String("A Title, of Words".into())];
    let (before, _) = traced.call(false, secret, INTERFACE, "slugify", &title, None);
    let (after, seen) = traced.call(true, secret, INTERFACE, "slugify", &title, Some("text"));
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
    let Val::String(slug) = after else { panic!("no text") };
    let shown = picture(&seen, "slugify", &[Step::Result], [0; 3], ARGUMENT, slug.len());
    println!("{slug}\n{shown}");
    for (byte, label) in slug.chars().zip(shown.chars()) {
        assert!(label != '.' || byte == '-', "{slug}\n{shown}");
    }
    let (_, seen) = traced.call(true, secret, INTERFACE, "slugify", &title, None);
    assert!(seen.is_empty(), "{:?}", summary(&seen));
}
