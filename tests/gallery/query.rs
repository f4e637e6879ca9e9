//! `query`: CSV and JSON, in Rust.

use super::{Shown, survives};
use serde_json::{Value, json};
use std::fmt::Write as _;

const SALES: &str = "city,product,price,sold\n\
    Bern,bell,9.90,3\n\
    Zürich,lamp,24.5,1\n\
    Bern,lamp,24.50,2\n\
    Basel,bell,,4\n\
    \"Genf, Genève\",\"bell \"\"big\"\"\",12.10,10\n";

fn shown() -> Shown {
    let shown = Shown::of("query").unwrap();
    shown.world.write("data/sales.csv", SALES);
    shown
}

#[test]
fn query_describes_selects_and_summarizes_a_table() {
    let shown = shown();
    let path = "/data/sales.csv";
    let about = shown.answer("describe", &json!({ "path": path }));
    let columns: Vec<_> =
        about["columns"].as_array().unwrap().iter().map(|c| (&c["name"], &c["kind"], &c["filled"])).collect();
    let column = |name, kind, filled| (json!(name), json!(kind), json!(filled));
    let wanted = [
        column("city", "text", 5),
        column("product", "text", 5),
        column("price", "number", 4),
        column("sold", "number", 5),
    ];
    assert_eq!(columns, wanted.iter().map(|(a, b, c)| (a, b, c)).collect::<Vec<_>>());
    assert_eq!((&about["rows"], &about["bytes"]), (&json!(5), &json!(SALES.len())));

    let question = json!({"path": path, "columns": ["city", "price"], "where": [{"column": "price", "test": "at-least", "value": "12"}],
        "order": [{"column": "price", "descending": true}, {"column": "city", "descending": false}], "limit": 2});
    let answer = shown.answer("select", &question);
    // Numbers are equal whatever their zeros, so the second order decides; cells stay as the file has them.
    assert_eq!(answer["rows"], json!([["Bern", "24.50"], ["Zürich", "24.5"]]));
    assert_eq!((&answer["more"], &answer["looked-at"]), (&json!(true), &json!(5)));

    let question = json!({"path": path, "group-by": ["product"], "order": [{"column": "sum(sold)", "descending": true}],
        "measures": [{"function": "count"}, {"function": "sum", "column": "sold"}, {"function": "mean", "column": "price"}, {"function": "greatest", "column": "price"}]});
    let answer = shown.answer("summarize", &question);
    assert_eq!(answer["columns"], json!(["product", "count", "sum(sold)", "mean(price)", "greatest(price)"]));
    let rows = json!([
        ["bell \"big\"", "1", "10", "12.1", "12.10"],
        ["bell", "2", "7", "9.9", "9.90"],
        ["lamp", "2", "3", "24.5", "24.5"]
    ]);
    assert_eq!(answer["rows"], rows);
}

#[test]
fn query_reads_the_same_rows_from_each_format() {
    let shown = shown();
    let rows = json!([{"a": 1, "b": "x"}, {"a": 2.50, "b": ""}, {"b": "é\"", "a": null}]);
    shown.world.write("data/a.json", json!({"data": {"items": rows}}).to_string());
    let lines = rows.as_array().unwrap().iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    shown.world.write("data/a.jsonl", lines);
    shown.world.write("data/a.csv", "\u{feff}a;b\r\n1;x\r\n\r\n2.5;\r\n;\"é\"\"\"\r\n");
    shown.world.write("data/a.tsv", "a\tb\n1\tx\n2.5\n\té\"");
    for (file, at) in [("a.json", Some("/data/items")), ("a.jsonl", None), ("a.csv", None), ("a.tsv", None)] {
        let answer = shown.answer("select", &json!({"path": format!("/data/{file}"), "at": at}));
        assert_eq!(answer["columns"], json!(["a", "b"]), "{file}");
        assert_eq!(answer["rows"], json!([["1", "x"], ["2.5", null], [null, "é\""]]), "{file}");
    }
}

#[test]
fn query_is_refused_what_is_not_granted_and_says_so_in_a_client() {
    let shown = shown();
    let (allowed, refused) =
        (json!({"path": "/data/sales.csv", "limit": 1}), json!({"path": "/etc/sales.csv", "limit": 1}));
    let answer = shown.answer("select", &allowed);
    shown.refuses("select", &refused, &["fs.read no-grant /etc/sales.csv"]);
    shown.is_served(&["describe", "select", "summarize"], ("select", &allowed, &answer), ("select", &refused)).finish();
}

#[test]
fn query_complains_about_questions_that_make_no_sense() {
    let shown = shown();
    let path = "/data/sales.csv";
    for (tool, question, word) in [
        ("select", json!({"path": path, "columns": ["town"]}), "\"town\"; there are city"),
        ("select", json!({"path": path, "where": [{"column": "city", "test": "equal"}]}), "has no value"),
        ("select", json!({"path": path, "limit": 10_001}), "limit"),
        ("select", json!({"path": "/data/sales"}), "format"),
        ("summarize", json!({"path": path, "measures": []}), "measures"),
        ("summarize", json!({"path": path, "measures": [{"function": "sum"}]}), "sum of which column"),
        (
            "summarize",
            json!({"path": path, "measures": [{"function": "count"}], "order": [{"column": "x", "descending": true}]}),
            "order",
        ),
        ("describe", json!({"path": "/data", "format": "csv"}), ""),
    ] {
        let (case, words) = shown.error(tool, &question);
        assert!(["invalid", "other"].contains(&case.as_str()) && words.contains(word), "{question}: {case} {words}");
    }
    assert_eq!(
        shown.error("describe", &json!({"path": "/data/none.csv"})),
        ("not-found".into(), "/data/none.csv".into())
    );
}

#[test]
fn query_reads_a_file_that_is_larger_than_its_memory() {
    let shown = shown();
    shown.change_policy("max-memory = \"192MiB\"", "max-memory = \"4MiB\"");
    let mut text = "n,word\n".to_owned();
    for n in 0..700_000 {
        writeln!(text, "{n},some words to fill the line").unwrap();
    }
    assert!(text.len() > 20 << 20);
    shown.world.write("data/large.csv", &text);
    let question = json!({"path": "/data/large.csv", "order": [{"column": "n", "descending": true}], "limit": 1});
    let answer = shown.answer("select", &question);
    assert_eq!(
        (&answer["rows"][0][0], &answer["looked-at"], &answer["bytes"]),
        (&json!("699999"), &json!(700_000), &json!(text.len()))
    );
    let measures = json!([{"function": "sum", "column": "n"}]);
    let answer = shown.answer("summarize", &json!({"path": "/data/large.csv", "measures": measures}));
    assert_eq!(answer["rows"], json!([["244999650000"]]));
    // The first rows are known without the rest.
    let answer = shown.answer("select", &json!({"path": "/data/large.csv", "limit": 3}));
    assert!(answer["bytes"].as_u64().unwrap() < 1 << 20 && answer["more"] == true, "{answer}");
}

#[test]
fn query_answers_a_client_about_a_large_file_also_after_a_small_one() {
    let shown = shown();
    let mut text = "n,word\n".to_owned();
    for n in 0..100_000 {
        writeln!(text, "{n},some words to fill the line").unwrap();
    }
    shown.world.write("data/large.csv", text);
    shown.world.write("data/small.csv", "word\nThe-quick-k7Qz2mXpW9tR4vLs8bNc-harbour-opens-at-six-and-closes\n");
    let mut server = shown.serve();
    // Something of a file leaves the first call. The second is too large to be searched whole, and no rule is about either of them.
    let first = server.result("select", json!({"path": "/data/small.csv"}));
    assert!(first["_meta"]["dev.customs/flows"].is_array(), "{first}");
    let measures = json!([{"function": "greatest", "column": "word"}, {"function": "greatest", "column": "n"}]);
    let result = server.result("summarize", json!({"path": "/data/large.csv", "measures": measures}));
    assert_eq!(result["structuredContent"]["rows"][0][1], "99999", "{result}");
    server.finish();
}

#[test]
fn query_gives_hostile_files_a_typed_error() {
    let shown = shown();
    let deep = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
    let long = "a".repeat(3 << 20);
    let files: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty.csv", b"".to_vec(), "malformed"),
        ("quote.csv", b"a,b\n\"1,2\n".to_vec(), "malformed"),
        ("wide.csv", b"a\n1,2\n".to_vec(), "malformed"),
        ("zero.csv", b"a,b\n\0\0\0,1\n".to_vec(), "malformed"),
        ("line.csv", format!("a\n{long}\n").into_bytes(), "malformed"),
        ("columns.csv", ",".repeat(100_000).into_bytes(), "malformed"),
        ("empty.json", b"".to_vec(), "malformed"),
        ("cut.json", b"[{\"a\":1},{\"a\"".to_vec(), "malformed"),
        ("deep.json", format!("[{{\"a\":{deep}}}]").into_bytes(), "ok"),
        ("deeper.json", deep.clone().into_bytes(), "malformed"),
        ("long.json", format!("[{{\"a\":\"{long}\"}}]").into_bytes(), "malformed"),
        ("key.json", format!("[{{\"{long}\":1}}]").into_bytes(), "malformed"),
        ("nothing.json", vec![b' '; 3 << 20], "malformed"),
        ("text.json", b"\"text\"".to_vec(), "malformed"),
        ("surrogate.json", br#"[{"a":"\ud800"}]"#.to_vec(), "malformed"),
        ("bytes.json", b"[{\"a\":\"\xff\xfe\"}]".to_vec(), "malformed"),
        ("garbage.jsonl", (0..=255).cycle().take(10_000).collect(), "malformed"),
        ("mixed.jsonl", b"{\"a\":1}\n[1]\n".to_vec(), "malformed"),
    ];
    let mut server = shown.serve();
    for (name, bytes, expected) in files {
        shown.world.write(&format!("data/{name}"), bytes);
        let arguments = json!({"path": format!("/data/{name}")});
        for tool in ["describe", "select"] {
            let calls = std::iter::once((name.to_owned(), arguments.clone()));
            let failed = survives(&mut server, tool, calls, &[expected]);
            assert_eq!(failed, usize::from(expected != "ok"), "{name} {tool}");
        }
    }
    // More groups, or more to keep, than fits: an error with advice, not the end of the call.
    let mut text = "n,word\n".to_owned();
    for n in 0..110_000 {
        writeln!(text, "{n},w").unwrap();
    }
    shown.world.write("data/groups.csv", text);
    let question = json!({"path": "/data/groups.csv", "measures": [{"function": "count"}], "group-by": ["n"]});
    assert_eq!(shown.error("summarize", &question).0, "too-large");
    shown.world.write("data/wide.csv", format!("a\n{}", format!("{}\n", "x".repeat(100_000)).repeat(50)));
    assert_eq!(shown.error("select", &json!({"path": "/data/wide.csv"})).0, "too-large");
    server.finish();
}
