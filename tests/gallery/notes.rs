//! `notes`: a folder of notes, in Rust. What it does in detail is tested all over this folder; here is what its policy makes of it.

use super::Shown;
use serde_json::json;

#[test]
fn notes_are_added_found_and_read_in_one_folder_and_nowhere_else() {
    let shown = Shown::of("notes").unwrap();
    shown.world.write("notes/harbour.md", "# The harbour\n\nIt opens at six.\nCustoms is on the left.\n");
    let hits = json!({"result": [{"path": "/data/harbour.md", "line": 4, "text": "Customs is on the left."}]});
    assert_eq!(shown.answer("search", &json!({"query": "LEFT customs"})), hits);
    let added = shown.answer("add-note", &json!({"title": "Bell", "body": "A new one.", "tags": []}));
    assert_eq!(added, json!({"result": "/data/bell.md"}));
    assert_eq!(shown.world.read("notes/bell.md"), b"# Bell\n\nA new one.\n");

    // The twin of each is a name that leads out of the folder.
    let path = shown.world.fill("{outside}/canary");
    shown.refuses("read-note", &json!({ "path": path }), &[&format!("fs.read no-grant {path}")]);
    shown.refuses("read-note", &json!({"path": "/etc/passwd"}), &["fs.read no-grant /etc/passwd"]);
    assert_eq!(shown.error("read-note", &json!({"path": "none.md"})), ("not-found".into(), "/data/none.md".into()));

    let call = json!({"query": "left"});
    let tools = ["add-note", "read-note", "search"];
    let hits = shown.answer("search", &call);
    shown.is_served(&tools, ("search", &call, &hits), ("read-note", &json!({"path": "/etc/passwd"}))).finish();
}

#[test]
fn notes_that_are_no_text_or_too_large_are_typed_errors_or_texts() {
    let shown = Shown::of("notes").unwrap();
    shown.world.write("notes/garbage.md", (0..=255).cycle().take(100_000).collect::<Vec<u8>>());
    shown.world.write("notes/large.md", vec![b'a'; (4 << 20) + 1]);
    shown.world.write("notes/empty.md", "");
    shown.answer("read-note", &json!({"path": "garbage.md"}));
    assert_eq!(shown.answer("read-note", &json!({"path": "empty.md"}))["words"], 0);
    assert_eq!(shown.error("read-note", &json!({"path": "large.md"})).0, "other");
    assert_eq!(shown.error("search", &json!({"query": "  "})).0, "invalid");
}
