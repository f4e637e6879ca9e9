//! Modules that share a global, under two names.

use customs_trace::Step;
use wasmtime::component::Val;

use super::rig::{ARGUMENT, Traced, picture};

const SHARED: &str = r#"(component
    (core module $a (global (export "g") (mut i32) (i32.const 5))
        (func (export "get") (result i32) (global.get 0)))
    (core instance $a (instantiate $a))
    (alias core export $a "g" (core global $g))
    (core instance $renamed (export "h" (global $g)))
    (core module $b (import "env" "h" (global (mut i32)))
        (func (export "set") (param i32) (global.set 0 (local.get 0))))
    (core instance $b (instantiate $b (with "env" (instance $renamed))))
    (core module $c
        (import "a" "get" (func $get (result i32))) (import "b" "set" (func $set (param i32)))
        (func (export "through") (param i32) (result i32) (call $set VALUE) (call $get)))
    (core instance $c (instantiate $c (with "a" (instance $a)) (with "b" (instance $b))))
    (func (export "through") (param "x" u32) (result u32) (canon lift (core func $c "through"))))"#;

#[test]
fn a_label_goes_through_a_global_that_modules_share_under_two_names() {
    for (value, shown) in [("(local.get 0)", "1111"), ("(i32.const 7)", "....")] {
        let traced = Traced::new(&wat::parse_str(SHARED.replace("VALUE", value)).unwrap());
        let (before, _) = traced.call(false, "", "", "through", &[Val::U32(7)], None);
        let (after, seen) = traced.call(true, "", "", "through", &[Val::U32(7)], Some("x"));
        assert_eq!(format!("{before:?}"), format!("{after:?}"));
        assert_eq!(picture(&seen, "through", &[Step::Result], [0; 3], ARGUMENT, 4), shown, "{value}");
    }
}
