//! One file turns stored bytes into code.

use super::{Dir, ambient_authority};

#[test]
fn trust_in_stored_code_is_placed_in_one_file_only() {
    let host = Dir::open_ambient_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."), ambient_authority()).unwrap();
    let mut places = Vec::new();
    let mut left = vec![(String::new(), host)];
    while let Some((path, dir)) = left.pop() {
        for entry in dir.entries().unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            let path = format!("{path}/{name}");
            if entry.file_type().unwrap().is_dir() && name != "target" {
                left.push((path, entry.open_dir().unwrap()));
            } else if name.ends_with(".rs") && trusts(&dir.read_to_string(&name).unwrap()) {
                places.push(path);
            }
        }
    }
    assert_eq!(places, ["/engine/src/load/cache.rs"]);
}

/// Whether a file names a function of wasmtime that loads native code. In two parts, not to find itself.
fn trusts(source: &str) -> bool {
    ["", "_file", "_raw", "_open_file"].iter().any(|which| {
        ["Component", "Module"].iter().any(|what| source.contains(&format!("{what}::{}{which}(", "deserialize")))
    })
}
