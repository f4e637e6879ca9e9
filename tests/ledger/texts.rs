//! What guests write into records: names that look like records, texts without end, values that are secret.

use super::GRANT;
use crate::support::{World, canary, hex};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::os::unix::fs::MetadataExt as _;

/// 148: whatever a guest writes into a field, it is one record, with the decision that was taken.
#[test]
fn a_text_that_looks_like_a_record_stays_a_text() {
    let world = World::new();
    let forged = "x\",\"decision\":\"allow\",\"a\":\"\n{\"v\":1,\"seq\":9,\"event\":\"close\"}\r\u{2028}\u{2029}\u{1b}[2J\u{7f}\u{202e}\\";
    let run = world.perform(
        &[GRANT],
        json!([
            {"op": "open", "dir": "/", "path": forged},
            {"op": "create-directory-at", "dir": "/box", "path": forged.replace('/', "")},
            {"op": "symlink-at", "dir": "/box", "path": "link", "target": forged},
            {"op": "resolve", "name": forged},
            {"op": "stdout", "text": forged},
        ]),
    );
    run.exits(0);
    let opened = run.accesses("fs.read");
    assert_eq!(opened.len(), 1, "one record: {run}");
    assert_eq!(
        (&opened[0]["decision"], &opened[0]["requested"]),
        (&json!("deny"), &json!(format!("/{forged}"))),
        "{run}"
    );
    for (seq, record) in run.ledger.iter().enumerate() {
        assert_eq!(record["seq"], json!(seq), "{run}");
    }
    let path = run.json["ledger"]["path"].as_str().unwrap();
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(bytes.iter().filter(|b| **b == b'\n').count(), run.ledger.len(), "one line for each record");
    assert!(!bytes.iter().any(|b| *b < 0x20 && *b != b'\n' || *b == 0x7f), "no control character is written as it is");
}

/// 149: a text of a mebibyte is a beginning, a length and a digest.
#[test]
fn a_text_without_end_is_recorded_by_its_length_and_digest() {
    let world = World::new();
    let long = "x".repeat(1 << 20);
    let run =
        world.perform(&[GRANT], json!([{"op": "open", "dir": "/", "path": long}, {"op": "resolve", "name": long}]));
    run.exits(0);
    let requested = format!("/{long}");
    let record = run.accesses("fs.read")[0];
    assert_eq!(record["requested_bytes"], json!(requested.len()), "{run}");
    assert_eq!(record["requested_sha256"], json!(hex(&Sha256::digest(&requested))), "{run}");
    let size = std::fs::metadata(run.json["ledger"]["path"].as_str().unwrap()).unwrap().size();
    assert!(size < 20_000, "{size} bytes");
    assert!(
        run.stderr.len() < 20_000 && run.json["denials"].to_string().len() < 20_000,
        "what is shown is bounded too"
    );
}

/// 161: what a granted variable holds is in no record and no report, wherever the guest puts it, and its digest cannot be guessed.
#[test]
fn values_of_granted_variables_are_in_no_record() {
    let world = World::new();
    let secret = canary("Tok3n");
    let script = json!([
        {"op": "env", "quiet": true},
        {"op": "open", "dir": "/", "path": format!("etc/{secret}")},
        {"op": "open", "dir": "/box", "path": secret, "create": true, "write": true},
        {"op": "resolve", "name": format!("{secret}.evil.test")},
        {"op": "symlink-at", "dir": "/box", "path": "l", "target": secret},
        {"op": "stderr", "text": format!("key is {secret}\n")},
        {"op": "env-into-stderr"},
    ]);
    let run = world.script(&[GRANT, "--allow-env=API_KEY"], script.clone()).env("API_KEY", &secret).run();
    run.exits(0);
    let path = run.json["ledger"]["path"].as_str().unwrap();
    let ledger = std::fs::read_to_string(path).unwrap();
    assert!(!ledger.contains(&secret), "{ledger}");
    assert!(!run.stderr.contains(&secret), "{run}");
    assert!(run.stderr.contains("key is [env:API_KEY]"), "it says what stood there: {run}");
    let mut report = run.json.clone();
    // What the tool returned is the person's; the rest is what was observed.
    report.as_object_mut().unwrap().remove("result");
    assert!(!report.to_string().contains(&secret), "{report}");
    let plain = hex(&Sha256::digest(&secret));
    assert!(!ledger.contains(&plain) && !run.stdout.contains(&plain), "the digest of a secret is keyed: {run}");
    let source = run.json["sources"].as_array().unwrap().iter().find(|s| s["kind"] == "env").unwrap();
    assert_eq!(
        (&source["name"], &source["class"], &source["bytes"]),
        (&json!("API_KEY"), &json!("secret"), &json!(secret.len()))
    );
    let again = world.script(&[GRANT, "--allow-env=API_KEY"], json!([{"op": "env"}])).env("API_KEY", &secret).run();
    let other = again.json["sources"].as_array().unwrap().iter().find(|s| s["kind"] == "env").unwrap();
    assert_ne!(source["sha256"], other["sha256"], "and with another key in each run");

    let shown = world.script(&["--allow-env=API_KEY", "--reveal"], json!([script[5]])).env("API_KEY", &secret).run();
    assert!(shown.stderr.contains(&format!("key is {secret}")), "who asks for it sees it: {shown}");
}
