//! What a client may send: each refusal names the place and what was expected, and has an accepted twin.

use super::forge::{function, named, names};
use crate::json::{Integer, Shape, Signature, args};
use serde_json::{Map, Value, json};
use wasmtime::component::Val;

fn object(json: Value) -> Map<String, Value> {
    json.as_object().unwrap().clone()
}

/// A function with one parameter `p`; the accepted twin is sent along.
#[track_caller]
fn refused(shape: Shape, accepted: Value, refused: Value, path: &str, message: &str) {
    let signature = function([("p", shape)], None);
    args(&signature, &object(json!({"p": accepted}))).unwrap();
    let error = args(&signature, &object(json!({"p": refused}))).unwrap_err();
    assert_eq!((error.path.as_str(), error.message.as_str()), (path, message));
}

#[track_caller]
fn accepted(shape: Shape, json: Value, expected: Val) {
    let signature = function([("p", shape)], None);
    assert_eq!(args(&signature, &object(json!({"p": json}))).unwrap(), vec![expected]);
}

fn search() -> Signature {
    let limit = Shape::Option(Box::new(Shape::Integer(Integer::U32)));
    function([("query", Shape::Text), ("limit", limit)], None)
}

fn none() -> Val {
    Val::Option(None)
}

fn some(val: Val) -> Val {
    Val::Option(Some(Box::new(val)))
}

#[test]
fn arguments_in_any_order_come_out_in_the_parameters_order() {
    let sent = object(json!({"limit": 3, "query": "x"}));
    assert_eq!(args(&search(), &sent).unwrap(), vec![Val::String("x".into()), some(Val::U32(3))]);
}

#[test]
fn arguments_missing_option_is_none_and_missing_other_is_refused() {
    for sent in [json!({"query": "x"}), json!({"query": "x", "limit": null})] {
        assert_eq!(args(&search(), &object(sent)).unwrap(), vec![Val::String("x".into()), none()]);
    }
    let error = args(&search(), &object(json!({"limit": 3}))).unwrap_err();
    assert_eq!(error.to_string(), "/query: missing, expected a string");
}

#[test]
fn arguments_extra_is_refused() {
    let error = args(&search(), &object(json!({"query": "x", "limt": 3}))).unwrap_err();
    assert_eq!(error.to_string(), r#"/limt: unknown, expected "query" or "limit""#);
    let error = args(&function([], None), &object(json!({"x": 1}))).unwrap_err();
    assert_eq!(error.to_string(), "/x: unknown, nothing is expected here");
    assert_eq!(args(&function([], None), &Map::new()).unwrap(), vec![]);
}

#[test]
fn arguments_of_the_wrong_kind_are_refused() {
    refused(Shape::Text, json!("1"), json!(1), "/p", "expected a string, got 1");
    refused(Shape::Bool, json!(true), json!("true"), "/p", r#"expected true or false, got "true""#);
    refused(Shape::Text, json!(""), json!(null), "/p", "expected a string, got null");
    let list = || Shape::List(Box::new(Shape::Text));
    refused(list(), json!(["a"]), json!("a"), "/p", r#"expected an array, got "a""#);
    refused(list(), json!(["a", "b"]), json!(["a", 2]), "/p/1", "expected a string, got 2");
    let record = || Shape::Record(named([("x", Shape::Bool)]));
    refused(record(), json!({"x": true}), json!([true]), "/p", "expected an object, got an array of 1 item");
    refused(record(), json!({"x": true}), json!({}), "/p/x", "missing, expected true or false");
    refused(record(), json!({"x": true}), json!({"x": true, "y": 1}), "/p/y", r#"unknown, expected "x""#);
}

#[test]
fn arguments_integers_out_of_range_are_refused() {
    use Integer::*;
    let cases = [
        (S8, json!(127), json!(128)),
        (S8, json!(-128), json!(-129)),
        (U8, json!(255), json!(256)),
        (S16, json!(-32768), json!(32768)),
        (U16, json!(65535), json!(65536)),
        (S32, json!(i32::MAX), json!(2_147_483_648_u64)),
        (U32, json!(u32::MAX), json!(4_294_967_296_u64)),
        (U64, json!(0), json!(-1)),
        (U64, json!(u64::MAX), json!(1e300)),
        (U64, json!("18446744073709551615"), json!("18446744073709551616")),
        (S64, json!("-9223372036854775808"), json!("-9223372036854775809")),
        (S64, json!(i64::MAX), json!(u64::MAX)),
        (S64, json!("0"), json!("-0")),
        (U64, json!("7"), json!("07")),
        (U64, json!("7"), json!("+7")),
        (U64, json!("7"), json!(" 7")),
        (U64, json!("7"), json!("")),
        (S64, json!("-7"), json!("--7")),
        (U32, json!(7), json!("7")),
        (U32, json!(1.0), json!(1.5)),
        (U64, json!(9_007_199_254_740_992.0), json!(9_007_199_254_740_994.0)),
    ];
    for (kind, good, bad) in cases {
        let (min, max) = kind.bounds();
        let spelling = if kind.is_wide() { " (beyond 2^53 also as a decimal string)" } else { "" };
        let message = format!("expected an integer from {min} to {max}{spelling}, got {bad}");
        refused(Shape::Integer(kind), good, bad, "/p", &message);
    }
}

#[test]
fn arguments_integers_are_exact() {
    accepted(Shape::Integer(Integer::U64), json!("9007199254740993"), Val::U64(9_007_199_254_740_993));
    accepted(Shape::Integer(Integer::U64), json!(9_007_199_254_740_993_u64), Val::U64(9_007_199_254_740_993));
    accepted(Shape::Integer(Integer::S64), json!("-9223372036854775808"), Val::S64(i64::MIN));
    accepted(Shape::Integer(Integer::S8), json!(-0.0), Val::S8(0));
    accepted(Shape::Integer(Integer::S16), json!(-3e2), Val::S16(-300));
}

#[test]
fn arguments_floats_take_finite_numbers_only() {
    accepted(Shape::Float64, json!(3), Val::Float64(3.0));
    accepted(Shape::Float64, json!(-0.0), Val::Float64(-0.0));
    accepted(Shape::Float32, json!(0.1), Val::Float32(0.1));
    accepted(Shape::Float32, json!(3.4028235e38), Val::Float32(f32::MAX));
    for name in ["NaN", "Infinity", "-Infinity", "1"] {
        let message = format!("expected a number, got {name:?}");
        refused(Shape::Float64, json!(1), json!(name), "/p", &message);
    }
    let message = "expected a number in the range of a 32-bit float, got 1e+39";
    refused(Shape::Float32, json!(1e38), json!(1e39), "/p", message);
}

#[test]
fn arguments_floats_are_read_to_the_last_bit() {
    let sent: Value = serde_json::from_str("-1.5710213181615727e29").unwrap();
    accepted(Shape::Float64, sent, Val::Float64(-1.5710213181615727e29));
}

#[test]
fn arguments_char_is_exactly_one_scalar() {
    accepted(Shape::Char, json!("\u{1f600}"), Val::Char('\u{1f600}'));
    refused(Shape::Char, json!("a"), json!("ab"), "/p", r#"expected a string of one character, got "ab""#);
    refused(Shape::Char, json!("a"), json!(""), "/p", r#"expected a string of one character, got """#);
}

#[test]
fn arguments_bytes_are_standard_padded_base64() {
    accepted(Shape::Bytes, json!("AP8="), Val::List(vec![Val::U8(0), Val::U8(255)]));
    accepted(Shape::Bytes, json!(""), Val::List(vec![]));
    for bad in ["AP8", "AP9=", "_-8=", "AP8=\n", "A"] {
        let message = format!("expected a base64 string (standard alphabet, padded), got {bad:?}");
        refused(Shape::Bytes, json!("AP8="), json!(bad), "/p", &message);
    }
    let message = "expected a base64 string (standard alphabet, padded), got an array of 2 items";
    refused(Shape::Bytes, json!("AP8="), json!([0, 255]), "/p", message);
}

#[test]
fn arguments_unknown_names_are_refused() {
    let color = || Shape::Enum(names(&["red", "green"]));
    refused(color(), json!("red"), json!("Red"), "/p", r#"expected "red" or "green", got "Red""#);
    let access = || Shape::Flags(names(&["read", "write"]));
    refused(access(), json!(["read"]), json!(["run"]), "/p/0", r#"expected "read" or "write", got "run""#);
    refused(access(), json!([]), json!([1]), "/p/0", r#"expected "read" or "write", got 1"#);
    let message = r#"expected an array of distinct strings, each "read" or "write", got an array of 2 items"#;
    refused(access(), json!(["write", "read"]), json!(["read", "read"]), "/p", message);
    accepted(access(), json!(["write", "read"]), Val::Flags(vec!["read".into(), "write".into()]));
}

#[test]
fn arguments_variants_are_single_key_objects() {
    let target = || Shape::Variant(named([("all", None), ("one", Some(Shape::Text))]));
    accepted(target(), json!({"all": null}), Val::Variant("all".into(), None));
    let message = r#"expected an object whose one key is "all" or "one", got "all""#;
    refused(target(), json!({"all": null}), json!("all"), "/p", message);
    refused(target(), json!({"one": "x"}), json!({"two": "x"}), "/p/two", r#"unknown, expected "all" or "one""#);
    refused(target(), json!({"one": "x"}), json!({"one": 1}), "/p/one", "expected a string, got 1");
    let message = "expected null, because there is nothing inside";
    refused(target(), json!({"all": null}), json!({"all": 1}), "/p/all", message);
    let message = r#"expected an object whose one key is "all" or "one", got an object with 2 keys"#;
    refused(target(), json!({"one": "x"}), json!({"one": "x", "all": null}), "/p", message);
    let result = || Shape::Result(Some(Box::new(Shape::Bool)), None);
    accepted(result(), json!({"err": null}), Val::Result(Err(None)));
    let message = r#"expected an object whose one key is "ok" or "err", got true"#;
    refused(result(), json!({"ok": true}), json!(true), "/p", message);
}

#[test]
fn arguments_nested_options_keep_their_levels() {
    let nested = || Shape::Option(Box::new(Shape::Option(Box::new(Shape::Bool))));
    accepted(nested(), json!(null), none());
    accepted(nested(), json!({"some": null}), some(none()));
    accepted(nested(), json!({"some": true}), some(some(Val::Bool(true))));
    let message = r#"expected null or an object whose one key is "some", got true"#;
    refused(nested(), json!({"some": true}), json!(true), "/p", message);
}

#[test]
fn arguments_tuples_and_arrays_have_their_length() {
    let pair = || Shape::Tuple(vec![Shape::Text, Shape::Bool]);
    refused(pair(), json!(["a", true]), json!(["a"]), "/p", "expected an array of 2 items, got an array of 1 item");
    refused(pair(), json!(["a", true]), json!(["a", 0]), "/p/1", "expected true or false, got 0");
    let three = || Shape::Array(Box::new(Shape::Bool), 3);
    let message = "expected an array of 3 items, got an array of 4 items";
    refused(three(), json!([true, true, false]), json!([true, true, false, true]), "/p", message);
}

#[test]
fn arguments_client_text_in_errors_is_short_and_escaped() {
    let rude = format!("\u{1b}[2J\u{202e}\n{}", "x".repeat(1 << 20));
    let color = function([("p", Shape::Enum(names(&["red"])))], None);
    let error = args(&color, &object(json!({"p": rude}))).unwrap_err();
    assert!(error.message.starts_with(r#"expected "red", got "\u{1b}[2J\u{202e}\nxxx"#), "{error}");
    assert!(error.message.len() < 150, "{error}");
    let error = args(&color, &object(json!({"p": "red", "a/b~c\u{1b}": 1}))).unwrap_err();
    assert_eq!(error.path, r"/a~1b~0c\u{1b}");
    let error = args(&color, &object(json!({"p": "red", rude: 1}))).unwrap_err();
    assert!(error.path.len() < 150 && error.path.is_ascii(), "{error}");
}

#[test]
fn arguments_that_would_grow_too_large_are_refused() {
    let bytes = function([("p", Shape::Bytes)], None);
    assert!(args(&bytes, &object(json!({"p": "AAAA".repeat(1 << 18)}))).is_ok());
    let error = args(&bytes, &object(json!({"p": "AAAA".repeat(1 << 21)}))).unwrap_err();
    assert_eq!(error.to_string(), "/p: too large, the arguments take more than 128 MiB as typed values");

    // Two letters of JSON for a thousand absent fields.
    let fields: Vec<(String, Shape)> =
        (0..1000).map(|number| (format!("f{number}"), Shape::Option(Box::new(Shape::Bool)))).collect();
    let record = Shape::Record(fields.into_iter().collect());
    let records = function([("p", Shape::List(Box::new(record)))], None);
    assert!(args(&records, &object(json!({"p": vec![json!({}); 100]}))).is_ok());
    let error = args(&records, &object(json!({"p": vec![json!({}); 10_000]}))).unwrap_err();
    assert!(error.message.starts_with("too large"), "{error}");

    // The same two letters for one absent field with a long name, which every value repeats.
    let record = Shape::Record([("x".repeat(50_000), Shape::Option(Box::new(Shape::Bool)))].into_iter().collect());
    let records = function([("p", Shape::List(Box::new(record)))], None);
    assert!(args(&records, &object(json!({"p": vec![json!({}); 100]}))).is_ok());
    let error = args(&records, &object(json!({"p": vec![json!({}); 4000]}))).unwrap_err();
    assert!(error.message.starts_with("too large"), "{error}");
}
