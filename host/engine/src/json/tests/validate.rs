//! Schemas of strangers: what fits, what does not, and that neither takes long.

use crate::json::{Contract, refuse_duplicate_keys};
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

fn input(mut schema: Value) -> Result<Contract, String> {
    if let Some(schema) = schema.as_object_mut() {
        schema.entry("type").or_insert(json!("object"));
    }
    Contract::new(&schema, None)
}

fn check(contract: &Contract, arguments: Value) -> Result<(), String> {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    contract.check_arguments(arguments).map(drop)
}

#[track_caller]
fn refused(schema: Value, wanted: &str) {
    let began = Instant::now();
    let why = input(schema).expect_err("the schema is refused");
    assert!(why.contains(wanted), "{why}");
    assert!(why.chars().count() < 500 && !why.contains('\n'), "{why}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

/// `levels` definitions, each of which names the next one twice.
fn doubling(levels: usize, twice: impl Fn(Value) -> Value) -> Value {
    let mut definitions = Map::new();
    for level in 0..levels {
        let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
        definitions.insert(format!("d{level}"), twice(next));
    }
    definitions.insert(format!("d{levels}"), json!({"type": ["object", "integer"]}));
    json!({"$ref": "#/$defs/d0", "$defs": definitions})
}

/// A value of this height: `{key: {key: .. 1}}`.
fn nested(key: &str, height: usize) -> Value {
    (0..height).fold(json!(1), |below, _| json!({ key: below }))
}

#[test]
fn arguments_are_held_to_the_schema_and_the_error_says_where() {
    let contract = input(json!({
        "properties": {
            "name": {"type": "string", "maxLength": 5, "pattern": "^[A-Z]"},
            "items": {"type": "array", "items": {"$ref": "#/$defs/item"}, "uniqueItems": true},
            "how": {"enum": ["fast", "slow"]},
        },
        "required": ["name"], "additionalProperties": false,
        "$defs": {"item": {"type": "object", "$anchor": "item", "properties": {"n": {"type": "integer", "minimum": 1}}}},
    }))
    .unwrap();
    check(&contract, json!({"name": "Anna", "items": [{"n": 1}, {"n": 2}], "how": "fast"})).unwrap();
    for (arguments, wanted) in [
        (json!({}), "\"name\" is a required property"),
        (json!({"name": 1}), "/name: the value is not of type \"string\""),
        (json!({"name": "anna"}), "/name: the value does not match"),
        (json!({"name": "Annabel"}), "/name: the value is longer than 5"),
        (json!({"name": "Anna", "items": [{"n": 1}, {"n": 0}]}), "/items/1/n: the value is less than"),
        (json!({"name": "Anna", "items": [{"n": 1}, {"n": 1}]}), "/items: the value has non-unique"),
        (json!({"name": "Anna", "how": "never"}), "/how: the value is not one of"),
        (json!({"name": "Anna", "other": 1}), "'other' was unexpected"),
    ] {
        let why = check(&contract, arguments).unwrap_err();
        assert!(why.contains(wanted), "{why}");
    }
    let odd = format!("\u{1b}[31m{}", "x".repeat(10_000));
    let why = check(&contract, json!({"name": "Anna", odd: 1})).unwrap_err();
    assert!(why.len() < 700 && !why.contains('\u{1b}'), "{why}");
}

#[test]
fn structured_content_is_held_to_the_output_schema() {
    let output = json!({"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]});
    let contract = Contract::new(&json!({"type": "object"}), Some(&output)).unwrap();
    assert_eq!(contract.check_structured(Some(&json!({"x": 1}))), Ok(()));
    let why = contract.check_structured(Some(&json!({"x": "1"}))).unwrap_err();
    assert!(why.starts_with("the tool's structured content does not fit its output schema: /x: "), "{why}");
    assert!(contract.check_structured(None).unwrap_err().contains("no structured content"));
    let free = Contract::new(&json!({"type": "object"}), None).unwrap();
    assert_eq!(free.check_structured(None), Ok(()));
    assert_eq!(free.check_structured(Some(&json!({"any": []}))), Ok(()));
}

#[test]
fn nothing_is_fetched_and_no_other_dialect_is_guessed() {
    for reference in ["https://example.com/a.json", "file:///box/a.json", "other.json#/a", "//example.com/a"] {
        refused(json!({"properties": {"a": {"$ref": reference}}}), "leads out of it");
        refused(json!({"$defs": {"unused": {"$ref": reference}}}), "leads out of it");
    }
    refused(json!({"$ref": "#/$defs/missing"}), "leads nowhere");
    refused(json!({"properties": {"a": {"$id": "https://example.com/b"}}}), "$id is not supported");
    refused(json!({"$schema": "http://json-schema.org/draft-07/schema#"}), "must be JSON Schema 2020-12");
    refused(json!({"properties": {"a": {"$dynamicRef": "#a"}}}), "$dynamicRef is not supported");
    refused(json!({"type": "array"}), "must be \"object\"");
    refused(json!({"properties": {"a": {"items": [{}]}}}), "items must be a schema");
    refused(json!({"properties": {"a": {"type": 7}}}), "refused");
    input(json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.com/x",
        "properties": {"a": {"$ref": "#/$defs/a"}, "b": {"$ref": "#here"}},
        "$defs": {"a": {"$anchor": "here", "type": "string", "format": "uri"}}}))
    .unwrap();
}

#[test]
fn a_schema_that_doubles_at_one_place_is_refused_and_a_short_one_is_not() {
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let twice = |next: Value| json!({keyword: [next, next]});
        refused(doubling(30, twice), "apply to one place");
        input(doubling(4, twice)).unwrap();
    }
    refused(doubling(30, |next| json!({"if": next, "then": next, "else": next})), "apply to one place");
    refused(doubling(30, |next| json!({"not": next, "dependentSchemas": {"a": next}})), "apply to one place");
    refused(doubling(200, |next| json!({"allOf": [next]})), "$refs lead to more");
    refused(doubling(100, |next| json!({"allOf": [next]})), "within each other");
    // Twice at each name, not at one place: no work is done twice.
    let contract = input(doubling(40, |next| json!({"properties": {"a": next, "b": next}}))).unwrap();
    let began = Instant::now();
    check(&contract, nested("a", 40)).unwrap();
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
}

#[test]
fn a_reference_that_comes_back_to_the_same_value_is_refused_and_one_level_lower_it_is_not() {
    refused(json!({"$ref": "#"}), "without end");
    refused(json!({"allOf": [{"anyOf": [{"$ref": "#"}]}]}), "without end");
    refused(
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"not": {"$ref": "#/$defs/a"}}}}),
        "without end",
    );
    let tree = input(json!({"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}, "name": {"type": "string"}},
        "additionalProperties": false}))
    .unwrap();
    let grown = (0..60).fold(json!({"name": "leaf"}), |below, _| json!({"left": below, "right": {}}));
    check(&tree, grown.clone()).unwrap();
    let wrong = (0..20).fold(json!({"name": 7}), |below, _| json!({"left": below}));
    let why = check(&tree, wrong).unwrap_err();
    assert!(why.starts_with("/left/left/") && why.contains("/name: "), "{why}");
}

#[test]
fn work_that_doubles_with_each_level_is_refused_for_the_value_that_is_too_deep() {
    // Both alternatives go on below, so that each level has twice the work of the one above.
    let node = |op: &str| json!({"type": "object", "properties": {"below": {"$ref": "#/$defs/node"}, "op": {"const": op}}, "required": ["op"]});
    let schema = json!({"properties": {"root": {"$ref": "#/$defs/node"}},
        "$defs": {"node": {"oneOf": [node("and"), node("or"), {"type": "integer"}]}}});
    let contract = input(schema).unwrap();
    let grown = |leaf: Value, height: usize| json!({"root": (0..height).fold(leaf, |below, _| json!({"op": "or", "below": below}))});
    check(&contract, grown(json!(1), 6)).unwrap();
    let (mut fits, mut not_explained) = (0, 0);
    for height in 1..100 {
        let began = Instant::now();
        fits += usize::from(check(&contract, grown(json!(1), height)).is_ok());
        // Wrong at the bottom: each alternative of each level would be gone through to say so.
        let why = check(&contract, grown(json!("x"), height)).unwrap_err();
        not_explained += usize::from(why.contains("too intricate"));
        assert!(began.elapsed() < Duration::from_millis(500), "{height}: {:?}", began.elapsed());
    }
    assert!(fits >= 8 && not_explained >= 3, "{fits} {not_explained}");
    assert!(check(&contract, grown(json!(1), 100)).unwrap_err().contains("too large to check"));
}

#[test]
fn patterns_take_time_in_line_with_the_text() {
    let contract = input(json!({"properties": {"text": {"type": "string", "pattern": "^(a+)+$"}}})).unwrap();
    let began = Instant::now();
    check(&contract, json!({"text": "a".repeat(60_000)})).unwrap();
    check(&contract, json!({"text": format!("{}!", "a".repeat(60_000))})).unwrap_err();
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
    for pattern in ["(a)\\1", "^(?=.*[0-9]).*$", "(?<!a)b", "((a{1,100}){1,100}){1,100}", "("] {
        refused(json!({"properties": {"text": {"pattern": pattern}}}), "linear time");
        refused(json!({"patternProperties": {pattern: {}}}), "linear time");
    }
    refused(json!({"properties": {"text": {"pattern": "a".repeat(2_000)}}}), "more than 1000 characters");
}

/// The slowest that patterns can be made to be, as far as is known: many states at once, and no table of them that fits. The longer ones are
/// refused for a text of this length.
#[test]
fn the_slowest_patterns_are_within_the_bound_or_refused() {
    let mut state = 1_u32;
    let mut letter = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if state >> 31 == 0 { 'a' } else { 'b' }
    };
    let text: String = (0..65_536).map(|_| letter()).collect();
    let (mut checked, mut too_many) = (0, 0);
    for count in [5, 10, 20, 40, 80, 160, 300] {
        let pattern = format!("^(?:a|b)*a(?:a|b){{{count}}}c");
        let contract = input(json!({"properties": {"text": {"pattern": pattern}}})).unwrap();
        let began = Instant::now();
        let why = check(&contract, json!({"text": text})).unwrap_err();
        eprintln!("{count}: {:?} {why}", began.elapsed());
        if why.contains("too large to check") {
            too_many += 1
        } else {
            checked += 1
        }
        // 50 ms where nothing else runs.
        assert!(began.elapsed() < Duration::from_millis(500), "{count}: {:?}", began.elapsed());
    }
    assert!(checked > 0 && too_many > 0, "{checked} {too_many}");
}

#[test]
fn ordinary_patterns_are_taken_for_texts_of_their_size() {
    for (pattern, text) in [
        ("^[a-z0-9-]+$", "a-1".repeat(20_000)),
        ("^\\w+$", "aZ_9".repeat(10_000)),
        ("^[^\\x00]*$", "東京".repeat(5_000)),
        ("^[^@\\s]+@[^@\\s]+\\.[a-z]{2,}$", "anna@example.com".to_owned()),
        ("^\\p{L}+$", "Zürich東京".to_owned()),
        (
            "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}(:\\d{2}(\\.\\d+)?)?(Z|[+-]\\d{2}:\\d{2})?$",
            "2026-11-20T20:00:00Z".to_owned(),
        ),
        ("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "01234567-89ab-cdef-0123-456789abcdef".to_owned()),
    ] {
        let contract = input(json!({"properties": {"text": {"pattern": pattern}}})).unwrap();
        check(&contract, json!({"text": text})).unwrap_or_else(|why| panic!("{pattern}: {why}"));
    }
}

#[test]
fn large_lists_of_values_are_checked_or_refused_in_time() {
    let many: Vec<String> = (0..10_000).map(|n| format!("value-{n:05}")).collect();
    let contract =
        input(json!({"properties": {"one": {"enum": many}, "all": {"type": "array", "items": {"enum": many}}}}))
            .unwrap();
    check(&contract, json!({"one": "value-09999"})).unwrap();
    assert!(check(&contract, json!({"one": "value-10000"})).is_err());
    let began = Instant::now();
    let all: Vec<&str> = (0..30_000).map(|_| "x").collect();
    assert!(check(&contract, json!({"all": all})).unwrap_err().contains("too large to check"));
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
}

#[test]
fn ordinary_arguments_of_64_kib_are_checked_quickly() {
    let contract = input(json!({
        "properties": {
            "text": {"type": "string", "minLength": 1, "pattern": "^[^\\x00]*$"},
            "numbers": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 9}},
            "rows": {"type": "array", "items": {"type": "object", "properties": {
                "id": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": true},
                "kind": {"anyOf": [{"const": "a"}, {"const": "b"}, {"type": "null"}]}}, "required": ["id"],
                "additionalProperties": false}},
        },
        "additionalProperties": false,
    }))
    .unwrap();
    let rows: Vec<Value> = (0..1_000).map(|n| json!({"id": n, "tags": ["x", "y"], "kind": "b"})).collect();
    for arguments in [json!({"text": "x".repeat(65_536)}), json!({"numbers": vec![7; 32_000]}), json!({"rows": rows})] {
        let began = Instant::now();
        check(&contract, arguments).unwrap();
        eprintln!("64 KiB: {:?}", began.elapsed());
        assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
    }
    let mut rows: Vec<Value> = (0..100).map(|n| json!({"id": n})).collect();
    rows.push(json!({"id": "x"}));
    let why = check(&contract, json!({"rows": rows})).unwrap_err();
    assert!(why.starts_with("/rows/100/id: "), "{why}");
}

#[test]
fn the_deepest_that_is_checked_fits_the_stack_of_a_thread() {
    let chain = |levels: usize| {
        let mut definitions = Map::new();
        for level in 0..levels {
            definitions.insert(format!("d{level}"), json!({"allOf": [{"$ref": format!("#/$defs/d{}", level + 1)}]}));
        }
        definitions.insert(format!("d{levels}"), json!({"properties": {"a": {"$ref": "#/$defs/d0"}}}));
        json!({"$ref": "#/$defs/d0", "$defs": definitions})
    };
    let long = doubling(150, |next| json!({"properties": {"a": next}}));
    let small = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
        let contract = input(chain(20)).unwrap();
        let (mut fitted, mut refused) = (0, 0);
        for height in 1..120 {
            match check(&contract, nested("a", height)) {
                Ok(()) => fitted = height,
                Err(why) => {
                    assert!(why.contains("too large to check"), "{why}");
                    refused += 1;
                }
            }
            let wrong = check(&contract, json!({"a": nested("a", height), "b": 1}));
            assert!(wrong.is_ok() || wrong.is_err());
        }
        input(long).unwrap();
        (fitted, refused)
    });
    let (fitted, refused) = small.unwrap().join().unwrap();
    assert!(fitted >= 5 && refused > 0, "{fitted} {refused}");
}

#[test]
fn unevaluated_keywords_are_checked_and_piled_up_refused() {
    let contract =
        input(json!({"properties": {"a": {}}, "anyOf": [{"properties": {"b": {}}}, {"properties": {"c": {}}}],
        "unevaluatedProperties": false}))
        .unwrap();
    check(&contract, json!({"a": 1, "b": 2})).unwrap();
    check(&contract, json!({"a": 1, "d": 2})).unwrap_err();
    let twice = |next: Value| json!({"allOf": [next], "unevaluatedProperties": false});
    refused(doubling(10, twice), "unevaluated");
}

#[test]
fn a_key_that_is_there_twice_is_named() {
    for text in [r#"{"a": 1, "b": 2, "a": 3}"#, r#"{"x": [{"a": {}, "a": 1}]}"#, r#"{"a": 1, "\u0061": 2}"#] {
        assert_eq!(refuse_duplicate_keys(text.as_bytes()), Err("the key \"a\" is there twice".to_owned()), "{text}");
    }
    for text in [r#"{"a": {"a": {"a": null}}, "b": [{"a": 1.5}, {"a": -1}, "a", "a"]}"#, "{", "7", "{\"a\": 1e999}"] {
        assert_eq!(refuse_duplicate_keys(text.as_bytes()), Ok(()), "{text}");
    }
}
