//! Which words in memory are cursors, and what becomes of the label of the size that moves them on.

use wasmtime::Extern;

use super::rig::{engine, instantiate, new_store, rewritten};
use crate::follow::Follow;

/// Whether the word at 16 has a label after a call with a labelled size, and what it is then.
fn after(code: &str) -> (bool, i32) {
    let text = format!(
        r#"(module (memory (export "memory") 1) (data (i32.const 16) "\20\00\00\00\00\01\00\00")
        (func (export "f") (param $base i32) (param $size i32) (result i32) (local $v i32) (local $w i32) {code}))"#
    );
    let pair = rewritten(&wat::parse_str(text).unwrap(), Follow::Data).unwrap();
    let mut store = new_store(&engine());
    let (shared, guest) = instantiate(&mut store, &pair).unwrap();
    let function = guest.get_typed_func::<(i32, i32, i32, i32), (i32, i32)>(&mut store, "f").unwrap();
    let (given, _) = function.call(&mut store, (16, 8, 0, 0x0101_0101)).unwrap();
    let Some(Extern::Memory(shadow)) = shared.get_export(&mut store, "shadow") else { panic!("no shadow") };
    let labelled = shadow.data(&store)[16..20].iter().any(|label| *label != 0);
    (labelled, given)
}

const SUM: &str = "(local.set $w (i32.add (local.tee $v (i32.load (local.get $base))) (local.get $size)))";
const MOVE: &str = "(i32.store (local.get $base) (local.get $w)) (local.get $v)";

#[test]
fn a_word_that_is_moved_on_within_its_bound_does_not_carry_the_label_of_the_size() {
    let bounded = "(if (i32.gt_u (local.get $w) (i32.load offset=4 (local.get $base))) (then (return (i32.const 0))))";
    assert_eq!(after(&format!("{SUM} {bounded} {MOVE}")), (false, 32));
    // The other way round, out of a block.
    let around =
        "(block (br_if 0 (i32.le_u (local.get $w) (i32.load offset=4 (local.get $base)))) (return (i32.const 0)))";
    assert_eq!(after(&format!("{SUM} {around} {MOVE}")), (false, 32));
}

#[test]
fn a_sum_that_is_no_cursor_carries_the_label_of_what_was_added() {
    // No bound; one that stands elsewhere, or is a constant; the word itself as its bound.
    assert_eq!(after(&format!("{SUM} {MOVE}")), (true, 32));
    for bound in ["(i32.load (i32.const 20))", "(i32.const 256)", "(i32.load (local.get $base))"] {
        let compared = format!("(drop (i32.gt_u (local.get $w) {bound}))");
        assert_eq!(after(&format!("{SUM} {compared} {MOVE}")), (true, 32), "{bound}");
    }
    let compared = "(drop (i32.gt_u (local.get $w) (i32.load offset=4 (local.get $base))))";
    // The base is another by then; the sum is; it goes elsewhere; only one of two ways compared.
    let base = "(local.set $base (i32.add (local.get $base) (i32.const 0)))";
    assert_eq!(after(&format!("{SUM} {compared} {base} {MOVE}")), (true, 32));
    let sum = "(local.set $w (local.get $size))";
    assert_eq!(after(&format!("{SUM} {compared} {sum} {MOVE}")), (true, 32));
    let either = format!("(if (local.get $size) (then {sum}))");
    assert_eq!(after(&format!("{SUM} {compared} {either} {MOVE}")), (true, 32));
    let elsewhere = "(i32.store offset=2 (local.get $base) (local.get $w)) (i32.const 1)";
    assert_eq!(after(&format!("{SUM} {compared} {elsewhere}")), (true, 1));
}

/// The sum itself keeps its label: it is told wherever it goes.
#[test]
fn what_a_cursor_is_moved_by_is_still_told_where_it_goes() {
    let text = format!(
        r#"(module (memory 1) (func (export "f") (param $base i32) (param $size i32) (result i32) (local $v i32) (local $w i32)
        {SUM} (drop (i32.gt_u (local.get $w) (i32.load offset=4 (local.get $base))))
        (i32.store (local.get $base) (local.get $w)) (local.get $w)))"#
    );
    let pair = rewritten(&wat::parse_str(text).unwrap(), Follow::Data).unwrap();
    let mut store = new_store(&engine());
    let (_, guest) = instantiate(&mut store, &pair).unwrap();
    let function = guest.get_typed_func::<(i32, i32, i32, i32), (i32, i32)>(&mut store, "f").unwrap();
    let (_, label) = function.call(&mut store, (16, 8, 0, 0x0101_0101)).unwrap();
    assert_ne!(label, 0);
}
