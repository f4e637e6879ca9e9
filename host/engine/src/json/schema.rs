//! A signature as JSON Schema 2020-12, for clients and models.

use super::numbers::NOT_FINITE;
use super::shape::{Integer, Named, Shape};
use super::signature::Signature;
use serde_json::{Map, Number, Value, json};

/// What a call accepts and what it emits differ in one place: floats that JSON has no number for.
#[derive(Clone, Copy)]
enum Direction {
    In,
    Out,
}

/// The schema of a call's arguments, always an object.
pub fn input_schema(signature: &Signature) -> Value {
    object(&signature.params, Direction::In)
}

/// The schema of what [`super::structured`] makes of a call that did not fail; none for a function without a result.
///
/// MCP wants an object: a result of any other kind is wrapped as `{"result": ..}`.
pub fn output_schema(signature: &Signature) -> Option<Value> {
    let returned = match signature.result.as_ref()? {
        Shape::Result(None, _) => return Some(object(&Named::from_iter([]), Direction::Out)),
        Shape::Result(Some(ok), _) => ok,
        other => other,
    };
    let schema = of(returned, Direction::Out);
    Some(if returned.is_object() { schema } else { single("result", schema) })
}

/// The schema of what [`super::structured`] makes of a tool error; none for a function that can't return one.
pub fn error_schema(signature: &Signature) -> Option<Value> {
    match signature.result.as_ref()? {
        Shape::Result(_, err) => Some(single("error", payload(err.as_deref(), Direction::Out))),
        _ => None,
    }
}

/// The schema of every structured answer: what was returned, or `{"error": ..}` where the function can fail. Clients check both.
pub fn answer_schema(signature: &Signature) -> Option<Value> {
    match (output_schema(signature), error_schema(signature)) {
        (Some(ok), Some(err)) => Some(json!({"type": "object", "anyOf": [ok, err]})),
        (ok, err) => ok.or(err),
    }
}

fn of(shape: &Shape, direction: Direction) -> Value {
    match shape {
        Shape::Bool => json!({"type": "boolean"}),
        Shape::Integer(kind) => integer(*kind),
        Shape::Float32 | Shape::Float64 => match direction {
            Direction::In => json!({"type": "number"}),
            Direction::Out => json!({"anyOf": [{"type": "number"}, {"enum": NOT_FINITE}]}),
        },
        Shape::Char => json!({"type": "string", "minLength": 1, "maxLength": 1}),
        Shape::Text => json!({"type": "string"}),
        Shape::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
        Shape::List(item) => json!({"type": "array", "items": of(item, direction)}),
        Shape::Array(item, len) => {
            json!({"type": "array", "items": of(item, direction), "minItems": len, "maxItems": len})
        }
        Shape::Tuple(items) => {
            let len = items.len();
            let items: Vec<Value> = items.iter().map(|item| of(item, direction)).collect();
            json!({"type": "array", "prefixItems": items, "items": false, "minItems": len, "maxItems": len})
        }
        Shape::Record(fields) => object(fields, direction),
        Shape::Variant(cases) => {
            one_of(cases.iter().map(|(name, case)| single(name, payload(case.as_ref(), direction))).collect())
        }
        Shape::Enum(names) => json!({"type": "string", "enum": strings(names.names())}),
        Shape::Flags(names) => {
            json!({"type": "array", "items": {"type": "string", "enum": strings(names.names())}, "uniqueItems": true})
        }
        Shape::Option(inner) => {
            let some = of(inner, direction);
            let some = if inner.is_nullable() { single("some", some) } else { some };
            json!({"anyOf": [some, {"type": "null"}]})
        }
        Shape::Result(ok, err) => one_of(vec![
            single("ok", payload(ok.as_deref(), direction)),
            single("err", payload(err.as_deref(), direction)),
        ]),
    }
}

/// Readers that keep numbers as doubles lose 64-bit integers, so those may be written as decimal strings; the bounds bind the number, the
/// pattern binds the string.
fn integer(kind: Integer) -> Value {
    let (min, max) = kind.bounds();
    let [min, max] = [min, max].map(|bound| Number::from_i128(bound).map_or(Value::Null, Value::Number));
    match kind {
        Integer::S64 => json!({"type": ["integer", "string"], "minimum": min, "maximum": max,
            "pattern": "^(0|-?[1-9][0-9]{0,18})$"}),
        Integer::U64 => json!({"type": ["integer", "string"], "minimum": min, "maximum": max,
            "pattern": "^(0|[1-9][0-9]{0,19})$"}),
        _ => json!({"type": "integer", "minimum": min, "maximum": max}),
    }
}

fn object(fields: &Named<Shape>, direction: Direction) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|(name, field)| (name.to_owned(), of(field, direction))).collect();
    let required = strings(fields.iter().filter(|(_, field)| !field.is_nullable()).map(|(name, _)| name));
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if let (Some(schema), false) = (schema.as_object_mut(), required.is_empty()) {
        schema.insert("required".to_owned(), Value::Array(required));
    }
    schema
}

fn one_of(alternatives: Vec<Value>) -> Value {
    json!({"type": "object", "oneOf": alternatives})
}

fn single(key: &str, value: Value) -> Value {
    json!({"type": "object", "properties": {key: value}, "required": [key], "additionalProperties": false})
}

fn payload(shape: Option<&Shape>, direction: Direction) -> Value {
    shape.map_or_else(|| json!({"const": null}), |shape| of(shape, direction))
}

fn strings<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Value> {
    names.map(Value::from).collect()
}
