//! A validator for the keywords that the published schemas use, and for no others: one that it does not know is an error, and so is a member
//! that a schema does not describe, which JSON Schema itself would let pass.

use serde_json::Value;

/// The schema of that name in `docs/schemas`.
pub fn published(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// What is wrong with a value, each with its place.
pub fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(schema, schema, value, "", &mut faults);
    faults
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let keywords = match schema {
        Value::Bool(true) => return,
        Value::Object(keywords) => keywords,
        other => panic!("not a schema: {other}"),
    };
    let mut fault = |what: String| faults.push(format!("{at}: {what}"));
    for (keyword, wanted) in keywords {
        match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => {}
            "$ref" => {
                let target = root.pointer(wanted.as_str().unwrap().strip_prefix('#').unwrap()).unwrap();
                check(root, target, value, at, faults);
                return assert_eq!(keywords.keys().filter(|k| *k != "description").count(), 1, "{schema}");
            }
            "type" => {
                let known = |name: &Value| match name.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_u64() || value.is_i64(),
                    "number" => value.is_number(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    other => panic!("unknown type {other}"),
                };
                let fits = wanted.as_array().map_or_else(|| known(wanted), |names| names.iter().any(known));
                if !fits {
                    fault(format!("{value} is no {wanted}"));
                }
            }
            "const" if wanted != value => fault(format!("{value} is not {wanted}")),
            "enum" if !wanted.as_array().unwrap().contains(value) => fault(format!("{value} is none of {wanted}")),
            "const" | "enum" => {}
            "pattern" => {
                assert_eq!(wanted, "^[0-9a-f]{64}$", "the one pattern there is");
                let hex = |text: &str| text.len() == 64 && text.bytes().all(|b| b"0123456789abcdef".contains(&b));
                if value.as_str().is_some_and(|text| !hex(text)) {
                    fault(format!("{value} is no digest"));
                }
            }
            "minimum" if value.as_f64().is_some_and(|n| n < wanted.as_f64().unwrap()) => {
                fault(format!("{value} < {wanted}"))
            }
            "maximum" if value.as_f64().is_some_and(|n| n > wanted.as_f64().unwrap()) => {
                fault(format!("{value} > {wanted}"))
            }
            "minimum" | "maximum" => {}
            "minItems" | "maxItems" => {
                let (length, bound) = (value.as_array().map(|a| a.len() as u64), wanted.as_u64().unwrap());
                if length.is_some_and(|n| if keyword == "minItems" { n < bound } else { n > bound }) {
                    fault(format!("{keyword} {bound}"));
                }
            }
            "required" => {
                for name in wanted.as_array().unwrap() {
                    if value.as_object().is_some_and(|o| !o.contains_key(name.as_str().unwrap())) {
                        fault(format!("lacks {name}"));
                    }
                }
            }
            "anyOf" => {
                let tries: Vec<Vec<String>> = (wanted.as_array().unwrap().iter())
                    .map(|one| {
                        let mut faults = Vec::new();
                        check(root, one, value, at, &mut faults);
                        faults
                    })
                    .collect();
                if tries.iter().all(|faults| !faults.is_empty()) {
                    fault(format!("fits none: {tries:?}"));
                }
            }
            "propertyNames" => {
                for (name, _) in value.as_object().into_iter().flatten() {
                    let mut faults = Vec::new();
                    check(root, wanted, &Value::from(name.as_str()), name, &mut faults);
                    faults.into_iter().for_each(&mut fault);
                }
            }
            "items" | "properties" | "additionalProperties" => {}
            other => panic!("the validator does not know {other}"),
        }
    }
    if let (Some(items), Some(item)) = (value.as_array(), keywords.get("items")) {
        for (n, one) in items.iter().enumerate() {
            check(root, item, one, &format!("{at}/{n}"), faults);
        }
    }
    let (known, others) = (keywords.get("properties"), keywords.get("additionalProperties"));
    let described = known.is_some() || others.is_some();
    for (key, member) in value.as_object().into_iter().flatten().filter(|_| described) {
        let at = format!("{at}/{key}");
        match known.and_then(|known| known.get(key)).or(others) {
            Some(schema) => check(root, schema, member, &at, faults),
            None => faults.push(format!("{at}: is not described")),
        }
    }
}
