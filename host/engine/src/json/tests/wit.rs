//! The line that people read.

use super::forge::{function, named, names};
use crate::json::{Integer, Shape, wit_text};

fn option(shape: Shape) -> Shape {
    Shape::Option(Box::new(shape))
}

#[test]
fn wit_text_of_a_small_function_is_whole() {
    let hit = Shape::Record(named([("path", Shape::Text), ("line", Shape::Integer(Integer::U32))]));
    let params = [("query", Shape::Text), ("limit", option(Shape::Integer(Integer::U32)))];
    let search = function(params, Some(Shape::List(Box::new(hit))));
    assert_eq!(wit_text(&search, "search"), "search(query: string, limit?: u32) -> list<record{path,line}>");
    assert_eq!(wit_text(&function([], None), "ping"), "ping()");
}

#[test]
fn wit_text_names_every_kind() {
    let result = |ok: Option<Shape>, err: Option<Shape>| Shape::Result(ok.map(Box::new), err.map(Box::new));
    for (shape, text) in [
        (Shape::Bytes, "list<u8>"),
        (Shape::Array(Box::new(Shape::Char), 4), "list<char, 4>"),
        (Shape::Tuple(vec![Shape::Float32, Shape::Float64]), "tuple<f32, f64>"),
        (result(None, None), "result"),
        (result(Some(Shape::Bool), None), "result<bool>"),
        (result(None, Some(Shape::Text)), "result<_, string>"),
        (option(option(Shape::Bool)), "option<option<bool>>"),
        (Shape::Flags(names(&["r", "w"])), "flags{r,w}"),
        (Shape::Enum(names(&["a", "b", "c", "d", "e"])), "enum{a,b,c,d,..}"),
        (Shape::Variant(named([("all", None), ("one", Some(Shape::Text))])), "variant{all,one}"),
    ] {
        assert_eq!(wit_text(&function([], Some(shape)), "f"), format!("f() -> {text}"));
    }
}

#[test]
fn wit_text_of_a_large_function_says_less_and_fits_the_line() {
    let long = ["permission-was-not-granted", "the-file-was-not-found", "the-file-was-too-large", "other"];
    let errors = Shape::Enum(names(&long));
    let result = Shape::Result(Some(Box::new(Shape::Text)), Some(Box::new(errors.clone())));
    let text = wit_text(&function([("path", Shape::Text)], Some(result)), "read");
    assert_eq!(
        text,
        "read(path: string) -> result<string, enum{permission-was-not-granted,the-file-was-not-found,..}>"
    );
    let two = Shape::Tuple(vec![errors.clone(), errors]);
    assert_eq!(wit_text(&function([], Some(two)), "f"), "f() -> tuple<enum, enum>");
    let many = function([], Some(Shape::Tuple(vec![Shape::Text; 100])));
    let text = wit_text(&many, "many");
    assert_eq!(text.chars().count(), 100);
    assert!(text.starts_with("many() -> tuple<string, string") && text.ends_with(".."), "{text}");
}
