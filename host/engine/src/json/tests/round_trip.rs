//! Properties over random types and random values.

use super::checker::check;
use super::forge::{function, through_a_guest};
use crate::json::{
    Integer, Named, Shape, Signature, answer_schema, args, error_schema, input_schema, output_schema, structured,
    to_json,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use wasmtime::component::Val;

/// Names that look alike, that JSON Schema or this mapping uses itself, and plain ones.
const NAMES: [&str; 10] = ["a", "a-b", "ok", "err", "some", "result", "error", "type", "x1", "long-name-with-words"];

fn shape() -> impl Strategy<Value = Shape> {
    use Integer::*;
    let leaf = prop_oneof![
        Just(Shape::Bool),
        prop::sample::select(vec![S8, U8, S16, U16, S32, U32, S64, U64]).prop_map(Shape::Integer),
        Just(Shape::Float32),
        Just(Shape::Float64),
        Just(Shape::Char),
        Just(Shape::Text),
        Just(Shape::Bytes),
        some_names().prop_map(|names| Shape::Enum(named(names, ()))),
        some_names().prop_map(|names| Shape::Flags(named(names, ()))),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let maybe = prop::option::of(inner.clone());
        prop_oneof![
            inner.clone().prop_map(list),
            (boxed.clone(), 1..4usize).prop_map(|(item, len)| Shape::Array(item, len)),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Shape::Tuple),
            (some_names(), prop::collection::vec(inner, NAMES.len()))
                .prop_map(|(names, shapes)| Shape::Record(names.into_iter().zip(shapes).collect())),
            (some_names(), prop::collection::vec(maybe, NAMES.len()))
                .prop_map(|(names, shapes)| Shape::Variant(names.into_iter().zip(shapes).collect())),
            boxed.clone().prop_map(Shape::Option),
            (prop::option::of(boxed.clone()), prop::option::of(boxed)).prop_map(|(ok, err)| Shape::Result(ok, err)),
        ]
    })
}

fn some_names() -> impl Strategy<Value = Vec<String>> {
    prop::sample::subsequence(NAMES.to_vec(), 1..5)
        .prop_shuffle()
        .prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

fn named<T: Clone>(names: Vec<String>, item: T) -> Named<T> {
    names.into_iter().map(|name| (name, item.clone())).collect()
}

fn list(item: Shape) -> Shape {
    if item == Shape::Integer(Integer::U8) { Shape::Bytes } else { Shape::List(Box::new(item)) }
}

/// A random value of a shape; `finite` leaves out the floats that JSON has no number for.
fn value(shape: &Shape, finite: bool) -> BoxedStrategy<Val> {
    let inner = |shape: &Shape| value(shape, finite);
    match shape {
        Shape::Bool => any::<bool>().prop_map(Val::Bool).boxed(),
        Shape::Integer(kind) => integer(*kind),
        Shape::Float32 if finite => any::<f32>().prop_map(Val::Float32).boxed(),
        Shape::Float32 => prop::num::f32::ANY.prop_map(Val::Float32).boxed(),
        Shape::Float64 if finite => any::<f64>().prop_map(Val::Float64).boxed(),
        Shape::Float64 => prop::num::f64::ANY.prop_map(Val::Float64).boxed(),
        Shape::Char => any::<char>().prop_map(Val::Char).boxed(),
        Shape::Text => any::<String>().prop_map(Val::String).boxed(),
        Shape::Bytes => any::<Vec<u8>>().prop_map(|bytes| Val::List(bytes.into_iter().map(Val::U8).collect())).boxed(),
        Shape::List(item) => prop::collection::vec(inner(item), 0..4).prop_map(Val::List).boxed(),
        Shape::Array(item, len) => prop::collection::vec(inner(item), *len).prop_map(Val::FixedLengthList).boxed(),
        Shape::Tuple(items) => items.iter().map(inner).collect::<Vec<_>>().prop_map(Val::Tuple).boxed(),
        Shape::Record(fields) => {
            let names: Vec<String> = fields.names().map(str::to_owned).collect();
            let values: Vec<_> = fields.iter().map(|(_, field)| inner(field)).collect();
            values.prop_map(move |values| Val::Record(names.iter().cloned().zip(values).collect())).boxed()
        }
        Shape::Variant(cases) => prop::strategy::Union::new(cases.iter().map(|(name, case)| {
            let name = name.to_owned();
            payload(case.as_ref(), finite).prop_map(move |payload| Val::Variant(name.clone(), payload)).boxed()
        }))
        .boxed(),
        Shape::Enum(names) => {
            prop::sample::select(names.names().map(str::to_owned).collect::<Vec<_>>()).prop_map(Val::Enum).boxed()
        }
        Shape::Flags(names) => {
            let names: Vec<String> = names.names().map(str::to_owned).collect();
            let len = names.len();
            prop::sample::subsequence(names, 0..=len).prop_map(Val::Flags).boxed()
        }
        Shape::Option(some) => {
            prop_oneof![Just(Val::Option(None)), inner(some).prop_map(|val| Val::Option(Some(Box::new(val))))].boxed()
        }
        Shape::Result(ok, err) => prop_oneof![
            payload(ok.as_deref(), finite).prop_map(|payload| Val::Result(Ok(payload))),
            payload(err.as_deref(), finite).prop_map(|payload| Val::Result(Err(payload))),
        ]
        .boxed(),
    }
}

fn payload(shape: Option<&Shape>, finite: bool) -> BoxedStrategy<Option<Box<Val>>> {
    match shape {
        Some(shape) => value(shape, finite).prop_map(|val| Some(Box::new(val))).boxed(),
        None => Just(None).boxed(),
    }
}

fn integer(kind: Integer) -> BoxedStrategy<Val> {
    // The edges of the type and of what a double counts, as often as anything between.
    const EDGES: [i128; 6] = [0, 1 << 53, (1 << 53) + 1, -(1 << 53), -(1 << 53) - 1, -1];
    let (min, max) = kind.bounds();
    let edges: Vec<i128> = EDGES.into_iter().filter(|edge| (min..=max).contains(edge)).chain([min, max]).collect();
    prop_oneof![prop::sample::select(edges), min..=max]
        .prop_map(move |number| match kind {
            Integer::S8 => Val::S8(number.try_into().unwrap()),
            Integer::U8 => Val::U8(number.try_into().unwrap()),
            Integer::S16 => Val::S16(number.try_into().unwrap()),
            Integer::U16 => Val::U16(number.try_into().unwrap()),
            Integer::S32 => Val::S32(number.try_into().unwrap()),
            Integer::U32 => Val::U32(number.try_into().unwrap()),
            Integer::S64 => Val::S64(number.try_into().unwrap()),
            Integer::U64 => Val::U64(number.try_into().unwrap()),
        })
        .boxed()
}

fn typed(finite: bool) -> impl Strategy<Value = (Shape, Val)> {
    shape().prop_flat_map(move |shape| (Just(shape.clone()), value(&shape, finite)))
}

fn one_param(shape: Shape) -> Signature {
    function([("p", shape)], None)
}

fn object(key: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(key.to_owned(), value)])
}

fn signature_text(signature: &Signature) -> String {
    crate::json::wit_text(signature, "f")
}

/// Any JSON, including what is nearly right.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(NAMES.to_vec()).prop_map(Value::from),
        Just(json!("18446744073709551615")),
        Just(json!("")),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(prop::sample::select(NAMES.to_vec()), inner, 0..4)
                .prop_map(|fields| fields.into_iter().map(|(name, field)| (name.to_owned(), field)).collect()),
        ]
    })
}

fn count(json: &Value) -> usize {
    1 + match json {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

/// Puts something else in the place of one node, counted from the root.
fn replace(json: &mut Value, place: &mut usize, with: &Value) {
    if *place == 0 {
        *json = with.clone();
    }
    // Past the place the count wraps far away, so that nothing else is replaced.
    *place = place.wrapping_sub(1);
    match json {
        Value::Array(items) if *place < usize::MAX / 2 => items.iter_mut().for_each(|item| replace(item, place, with)),
        Value::Object(fields) if *place < usize::MAX / 2 => {
            fields.values_mut().for_each(|field| replace(field, place, with));
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_to_json_text_and_back_are_equal((shape, val) in typed(true)) {
        let signature = one_param(shape);
        let shape = signature.params.get("p").unwrap();
        let json = to_json(&val, shape, u64::MAX).unwrap();
        let json: Value = serde_json::from_str(&json.to_string()).unwrap();
        prop_assert_eq!(args(&signature, &object("p", json)).unwrap(), vec![val]);
    }

    #[test]
    fn arguments_through_a_real_guest_arrive_equal((shape, val) in typed(true)) {
        let signature = one_param(shape);
        let json = to_json(&val, signature.params.get("p").unwrap(), u64::MAX).unwrap();
        let sent = args(&signature, &object("p", json)).unwrap();
        prop_assert_eq!(through_a_guest(&signature, &sent).unwrap(), vec![val]);
    }

    #[test]
    fn emitted_values_validate_against_the_listed_schema((shape, val) in typed(false)) {
        let signature = function([], Some(shape));
        let outcome = structured(&signature, Some(&val), u64::MAX).unwrap();
        let schema = if outcome.is_error { error_schema(&signature) } else { output_schema(&signature) }.unwrap();
        prop_assert_eq!(check(&schema, &outcome.structured), Ok(()));
        prop_assert_eq!(schema.get("type"), Some(&json!("object")));
    }

    /// By a validator that is not ours: clients have others, which hold every answer to the schema that was listed.
    #[test]
    fn every_answer_validates_against_the_listed_schema_for_other_validators_too((shape, val) in typed(false)) {
        let signature = function([], Some(shape));
        let outcome = structured(&signature, Some(&val), u64::MAX).unwrap();
        let answers = jsonschema::draft202012::new(&answer_schema(&signature).unwrap()).unwrap();
        prop_assert!(answers.is_valid(&outcome.structured), "{} for {}", outcome.structured, signature_text(&signature));
        if let Some(schema) = output_schema(&signature) {
            // What is an error is none of the results, and the other way round.
            let results = jsonschema::draft202012::new(&schema).unwrap();
            prop_assert!(outcome.is_error || results.is_valid(&outcome.structured), "{}", outcome.structured);
        }
    }

    #[test]
    fn emitted_values_validate_against_the_input_schema_too((shape, val) in typed(true)) {
        let signature = one_param(shape);
        let json = to_json(&val, signature.params.get("p").unwrap(), u64::MAX).unwrap();
        prop_assert_eq!(check(&input_schema(&signature), &Value::Object(object("p", json))), Ok(()));
    }

    #[test]
    fn the_byte_limit_is_the_length_of_the_text((shape, val) in typed(false)) {
        let json = to_json(&val, &shape, u64::MAX).unwrap();
        let len = json.to_string().len() as u64;
        prop_assert_eq!(to_json(&val, &shape, len), Ok(json));
        prop_assert!(to_json(&val, &shape, len - 1).is_err());
    }

    #[test]
    fn damaged_arguments_are_accepted_only_if_the_schema_accepts_them(
        (shape, val) in typed(true), place in any::<prop::sample::Index>(), damage in any_json()
    ) {
        let signature = one_param(shape);
        let mut json = to_json(&val, signature.params.get("p").unwrap(), u64::MAX).unwrap();
        let place = place.index(count(&json));
        replace(&mut json, &mut { place }, &damage);
        let object = object("p", json);
        let valid = check(&input_schema(&signature), &Value::Object(object.clone()));
        match args(&signature, &object) {
            Ok(_) => prop_assert_eq!(valid, Ok(())),
            Err(error) => {
                prop_assert!(error.path.starts_with("/p") && error.message.len() < 1500, "{}", error);
                // Two refusals go beyond the schema: doubles too large for 32 bits, and those too large to be exact integers.
                let beyond = error.message.contains("32-bit float") || error.message.contains("2^53");
                prop_assert!(valid.is_err() || beyond, "{} though {} is valid", error, Value::Object(object));
            }
        }
    }

    #[test]
    fn values_of_another_type_must_not_panic((_, val) in typed(false), shape in shape()) {
        let _either = to_json(&val, &shape, u64::MAX);
    }
}
