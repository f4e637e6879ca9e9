//! A JSON Schema validator for the keywords that we emit. It knows no others: a keyword that it doesn't know is a failure, so that a new one
//! can't slip through unchecked.

use serde_json::{Map, Value};

/// Why the value is not valid, or nothing.
pub fn check(schema: &Value, value: &Value) -> Result<(), String> {
    let schema = schema.as_object().ok_or("a schema is an object")?;
    for (keyword, rule) in schema {
        if !holds(keyword, rule, schema, value)? {
            return Err(format!("{value} breaks {keyword}: {rule}"));
        }
    }
    Ok(())
}

#[track_caller]
pub fn assert_valid(schema: &Value, value: &Value) {
    if let Err(reason) = check(schema, value) {
        panic!("{value} does not validate against {schema}: {reason}");
    }
}

fn holds(keyword: &str, rule: &Value, schema: &Map<String, Value>, value: &Value) -> Result<bool, String> {
    let valid = |schema: &Value, value: &Value| check(schema, value).is_ok();
    let number = |whole: fn(i128, i128) -> bool, real: fn(f64, f64) -> bool| {
        let bound = rule.as_number().unwrap();
        match value.as_number() {
            Some(number) => match number.as_i128() {
                Some(number) => whole(number, bound.as_i128().unwrap()),
                None => real(number.as_f64().unwrap(), bound.as_f64().unwrap()),
            },
            None => true,
        }
    };
    let size = |bound: fn(usize, usize) -> bool, kind: fn(&Value) -> Option<usize>| {
        kind(value).is_none_or(|size| bound(size, usize::try_from(rule.as_u64().unwrap()).unwrap()))
    };
    let chars = |value: &Value| value.as_str().map(|text| text.chars().count());
    let items = |value: &Value| value.as_array().map(Vec::len);
    Ok(match keyword {
        "type" => match rule {
            Value::Array(types) => types.iter().any(|ty| is_of(value, ty)),
            ty => is_of(value, ty),
        },
        "const" => value == rule,
        "enum" => rule.as_array().unwrap().contains(value),
        "anyOf" => rule.as_array().unwrap().iter().any(|rule| valid(rule, value)),
        "oneOf" => rule.as_array().unwrap().iter().filter(|rule| valid(rule, value)).count() == 1,
        "minimum" => number(|number, bound| number >= bound, |number, bound| number >= bound),
        "maximum" => number(|number, bound| number <= bound, |number, bound| number <= bound),
        "minLength" => size(|size, bound| size >= bound, chars),
        "maxLength" => size(|size, bound| size <= bound, chars),
        "minItems" => size(|size, bound| size >= bound, items),
        "maxItems" => size(|size, bound| size <= bound, items),
        "pattern" => value.as_str().is_none_or(|text| matches(rule.as_str().unwrap(), text)),
        // An annotation to validators; here it is held to its word.
        "contentEncoding" => value.as_str().is_none_or(|text| {
            base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).is_ok() && rule == "base64"
        }),
        "uniqueItems" => value.as_array().is_none_or(|items| {
            items.iter().enumerate().all(|(place, item)| !items[..place].contains(item)) && rule == true
        }),
        "prefixItems" => value
            .as_array()
            .is_none_or(|items| items.iter().zip(rule.as_array().unwrap()).all(|(item, rule)| valid(rule, item))),
        "items" => value.as_array().is_none_or(|items| {
            let prefix = schema.get("prefixItems").map_or(0, |prefix| prefix.as_array().unwrap().len());
            items.iter().skip(prefix).all(|item| *rule != false && valid(rule, item))
        }),
        "required" => value.as_object().is_none_or(|fields| {
            rule.as_array().unwrap().iter().all(|name| fields.contains_key(name.as_str().unwrap()))
        }),
        "properties" => value.as_object().is_none_or(|fields| {
            let rules = rule.as_object().unwrap();
            fields.iter().all(|(name, field)| rules.get(name).is_none_or(|rule| valid(rule, field)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|fields| {
            assert_eq!(*rule, false);
            let known = schema.get("properties").unwrap().as_object().unwrap();
            fields.keys().all(|name| known.contains_key(name))
        }),
        other => return Err(format!("unknown keyword {other}")),
    })
}

fn is_of(value: &Value, ty: &Value) -> bool {
    match (ty.as_str().unwrap(), value) {
        ("null", Value::Null) | ("boolean", Value::Bool(_)) | ("number", Value::Number(_)) => true,
        ("string", Value::String(_)) | ("array", Value::Array(_)) | ("object", Value::Object(_)) => true,
        ("integer", Value::Number(number)) => {
            number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        _ => false,
    }
}

/// The two patterns that we emit, spelled out.
fn matches(pattern: &str, text: &str) -> bool {
    let canonical = |digits: &str, most: usize| {
        !digits.starts_with('0') && (1..=most).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    };
    match pattern {
        "^(0|[1-9][0-9]{0,19})$" => text == "0" || canonical(text, 20),
        "^(0|-?[1-9][0-9]{0,18})$" => text == "0" || canonical(text.strip_prefix('-').unwrap_or(text), 19),
        other => panic!("a new pattern: {other}"),
    }
}

#[test]
fn checker_knows_what_is_invalid() {
    use serde_json::json;
    let object = json!({"type": "object", "properties": {"a": {"type": "integer", "minimum": 0, "maximum": 9}},
        "required": ["a"], "additionalProperties": false});
    assert!(check(&object, &json!({"a": 9})).is_ok());
    for invalid in
        [json!({"a": 10}), json!({"a": -1}), json!({"a": 1.5}), json!({}), json!({"a": 1, "b": 1}), json!([])]
    {
        assert!(check(&object, &invalid).is_err(), "{invalid}");
    }
    let tuple = json!({"type": "array", "prefixItems": [{"type": "boolean"}], "items": false, "minItems": 1});
    assert!(check(&tuple, &json!([true])).is_ok());
    for invalid in [json!([]), json!([1]), json!([true, true])] {
        assert!(check(&tuple, &invalid).is_err(), "{invalid}");
    }
    let one = json!({"oneOf": [{"type": "string"}, {"enum": ["a"]}]});
    assert!(check(&one, &json!("b")).is_ok());
    assert!(check(&one, &json!("a")).is_err(), "both alternatives hold");
    assert!(check(&json!({"format": "date"}), &json!("b")).is_err(), "an unknown keyword");
}
