//! What a client is told. These are the promises of the contract, spelled out once.

use super::forge::{function, named, names};
use crate::json::{Integer, Shape, error_schema, input_schema, output_schema};
use serde_json::{Value, json};

#[track_caller]
fn listed(shape: Shape, expected: Value) {
    let schema = input_schema(&function([("p", shape)], None));
    assert_eq!(schema.pointer("/properties/p"), Some(&expected));
}

fn option(shape: Shape) -> Shape {
    Shape::Option(Box::new(shape))
}

#[test]
fn schema_of_the_arguments_is_a_closed_object_without_the_options() {
    let signature = function([("query", Shape::Text), ("limit", option(Shape::Bool))], None);
    assert_eq!(
        input_schema(&signature),
        json!({"type": "object", "required": ["query"], "additionalProperties": false, "properties":
            {"query": {"type": "string"}, "limit": {"anyOf": [{"type": "boolean"}, {"type": "null"}]}}})
    );
    let nothing = json!({"type": "object", "properties": {}, "additionalProperties": false});
    assert_eq!(input_schema(&function([], None)), nothing);
}

#[test]
fn schema_of_integers_has_their_bounds() {
    listed(Shape::Integer(Integer::S8), json!({"type": "integer", "minimum": -128, "maximum": 127}));
    listed(Shape::Integer(Integer::U32), json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}));
    listed(
        Shape::Integer(Integer::U64),
        json!({"type": ["integer", "string"], "minimum": 0, "maximum": u64::MAX, "pattern": "^(0|[1-9][0-9]{0,19})$"}),
    );
    listed(
        Shape::Integer(Integer::S64),
        json!({"type": ["integer", "string"], "minimum": i64::MIN, "maximum": i64::MAX,
            "pattern": "^(0|-?[1-9][0-9]{0,18})$"}),
    );
}

#[test]
fn schema_of_each_other_kind() {
    listed(Shape::Char, json!({"type": "string", "minLength": 1, "maxLength": 1}));
    listed(Shape::Bytes, json!({"type": "string", "contentEncoding": "base64"}));
    listed(Shape::Float32, json!({"type": "number"}));
    listed(Shape::List(Box::new(Shape::Bool)), json!({"type": "array", "items": {"type": "boolean"}}));
    listed(
        Shape::Array(Box::new(Shape::Bool), 3),
        json!({"type": "array", "items": {"type": "boolean"}, "minItems": 3, "maxItems": 3}),
    );
    listed(
        Shape::Tuple(vec![Shape::Bool, Shape::Text]),
        json!({"type": "array", "prefixItems": [{"type": "boolean"}, {"type": "string"}], "items": false,
            "minItems": 2, "maxItems": 2}),
    );
    listed(Shape::Enum(names(&["b", "a"])), json!({"type": "string", "enum": ["b", "a"]}));
    listed(
        Shape::Flags(names(&["r", "w"])),
        json!({"type": "array", "items": {"type": "string", "enum": ["r", "w"]}, "uniqueItems": true}),
    );
    let single = |key: &str, value: Value| json!({"type": "object", "properties": {key: value}, "required": [key], "additionalProperties": false});
    listed(
        Shape::Variant(named([("all", None), ("one", Some(Shape::Text))])),
        json!({"type": "object", "oneOf": [single("all", json!({"const": null})), single("one", json!({"type": "string"}))]}),
    );
    listed(
        Shape::Result(None, Some(Box::new(Shape::Text))),
        json!({"type": "object", "oneOf": [single("ok", json!({"const": null})), single("err", json!({"type": "string"}))]}),
    );
    let inner = json!({"anyOf": [{"type": "string"}, {"type": "null"}]});
    listed(option(option(Shape::Text)), json!({"anyOf": [single("some", inner), {"type": "null"}]}));
}

#[test]
fn schema_of_the_return_is_that_of_ok_and_always_an_object() {
    let result = Shape::Result(Some(Box::new(Shape::Float64)), Some(Box::new(Shape::Text)));
    let signature = function([], Some(result));
    assert_eq!(
        output_schema(&signature).unwrap(),
        json!({"type": "object", "required": ["result"], "additionalProperties": false, "properties":
            {"result": {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]}}})
    );
    assert_eq!(error_schema(&signature).unwrap().pointer("/properties/error"), Some(&json!({"type": "string"})));
    let record = function([], Some(Shape::Record(named([("x", Shape::Bool)]))));
    assert_eq!(output_schema(&record).unwrap().pointer("/properties/x"), Some(&json!({"type": "boolean"})));
    assert_eq!(error_schema(&record), None);
    let bare = output_schema(&function([], Some(Shape::Result(None, None)))).unwrap();
    assert_eq!(bare, json!({"type": "object", "properties": {}, "additionalProperties": false}));
    assert_eq!(output_schema(&function([], None)), None);
}
