//! Which functions can be called with JSON.

use super::forge::{from_wat, function, import};
use crate::json::{Allowance, Shape, Signature, Unsupported, signature_within};
use std::fmt::Write as _;

#[track_caller]
fn unsupported(component: &str, what: &str) {
    assert_eq!(from_wat(&format!("(component {component})")).unwrap_err().to_string(), what);
}

#[test]
fn signature_with_a_resource_is_unsupported_and_its_place_named() {
    let resource = "(import \"r\" (type $r (sub resource)))";
    unsupported(&format!("{resource} (import \"f\" (func (param \"h\" (borrow $r))))"), "parameter `h` is a borrow");
    unsupported(&format!("{resource} (import \"f\" (func (param \"h\" (own $r))))"), "parameter `h` is a resource");
    unsupported(&format!("{resource} (import \"f\" (func (result (own $r))))"), "the result is a resource");
    unsupported(
        &format!(
            "{resource} (type $o (own $r)) (type $l (list $o)) (import \"f\" (func (param \"x\" u8) (param \"h\" $l)))"
        ),
        "parameter `h` contains a resource",
    );
    assert!(from_wat(&format!("(component {resource} (import \"f\" (func (param \"x\" u8))))")).is_ok());
}

#[test]
fn signature_with_a_map_is_unsupported() {
    unsupported("(type $m (map string u8)) (import \"f\" (func (param \"m\" $m)))", "parameter `m` is a map");
}

/// `levels` options around a bool: a type of `levels + 1` levels.
fn nested(levels: usize) -> Result<Signature, Unsupported> {
    let mut types = String::from("(type $t0 (option bool))");
    for level in 1..levels {
        write!(types, "(type $t{level} (option $t{}))", level - 1).unwrap();
    }
    from_wat(&format!("(component {types} (import \"f\" (func (param \"p\" $t{}))))", levels - 1))
}

#[test]
fn signature_that_nests_too_deep_is_unsupported() {
    assert!(nested(63).is_ok());
    let refused = nested(64).unwrap_err().to_string();
    assert_eq!(refused, "parameter `p` is too large: its type nests more than 64 levels");
}

/// Pairs of pairs: 2^levels leaves from a component of a few bytes for each level.
fn doubled(levels: usize) -> Result<Signature, Unsupported> {
    let mut types = String::from("(type $t0 (tuple bool bool))");
    for level in 1..levels {
        write!(types, "(type $t{level} (tuple $t{0} $t{0}))", level - 1).unwrap();
    }
    from_wat(&format!("(component {types} (import \"f\" (func (result $t{}))))", levels - 1))
}

#[test]
fn signature_that_multiplies_is_unsupported_and_costs_no_time() {
    assert!(doubled(12).is_ok());
    let refused = doubled(14).unwrap_err().to_string();
    assert_eq!(refused, "the result is too large: the function's types have more than 10000 parts");
}

#[test]
fn signature_with_long_names_in_many_places_is_unsupported() {
    let name = "x".repeat(1000);
    let used = |times: usize| {
        let params: String = (0..times).map(|number| format!("(param \"p{number}\" $e)")).collect();
        let ty = format!("(type $d (enum {name:?})) (import \"e\" (type $e (eq $d)))");
        from_wat(&format!("(component {ty} (import \"f\" (func {params})))"))
    };
    assert!(used(200).is_ok());
    assert!(used(300).unwrap_err().to_string().contains("too large"));
}

#[test]
fn signatures_share_an_allowance() {
    let two = import("(component (import \"f\" (func (param \"a\" u8) (param \"b\" u8))))");
    let mut allowance = Allowance::for_functions(1);
    let mut read = 0_usize;
    while signature_within(&two, &mut allowance).is_ok() {
        read += 1;
    }
    assert_eq!(read, 5000, "ten thousand parts are five thousand functions of two");
}

#[test]
fn signature_without_anything_is_empty() {
    let empty = function([], None);
    assert!(empty.params.is_empty() && empty.result.is_none());
    assert_eq!(function([("a", Shape::Bool)], None).params.len(), 1);
}
