//! Labels through calls, and where the stack ends.

use wasmtime::{Instance, Store, Val};

use super::rig::{Limits, engine, instantiate, new_store, rewritten};
use crate::follow::Follow;

fn guest(text: &str) -> (Store<Limits>, Instance) {
    let pair = rewritten(&wat::parse_str(text).unwrap(), Follow::Data).unwrap();
    let mut store = new_store(&engine());
    let (_, guest) = instantiate(&mut store, &pair).unwrap();
    (store, guest)
}

const CALLS: &str = r#"(module
    (type $turn (func (param i32 i64 v128) (result v128 i64 i32)))
    (table funcref (elem $turn))
    (func $turn (type $turn) (local.get 2) (local.get 1) (local.get 0))
    (func (export "itself") (type $turn) (local.get 2) (local.get 1) (local.get 0))
    (func (export "direct") (type $turn) (call $turn (local.get 0) (local.get 1) (local.get 2)))
    (func (export "table") (type $turn)
        (call_indirect (type $turn) (local.get 0) (local.get 1) (local.get 2) (i32.const 0)))
    (func (export "tail") (type $turn) (return_call $turn (local.get 0) (local.get 1) (local.get 2)))
    (func (export "tail-table") (type $turn)
        (return_call_indirect (type $turn) (local.get 0) (local.get 1) (local.get 2) (i32.const 0)))
    (func (export "return") (type $turn)
        (block (block (br_if 0 (local.get 0)) (unreachable)) (return (local.get 2) (local.get 1) (local.get 0)))
        (unreachable))
    (func (export "branch") (type $turn)
        (block (loop
            (br 2 (local.get 2) (local.get 1) (local.get 0))))
        (unreachable))
    (func (export "branch-if") (type $turn)
        (local.get 2) (local.get 1) (local.get 0)
        (br_if 0 (local.get 0))
        (drop) (drop) (drop) (unreachable)))"#;

#[test]
fn a_call_of_every_kind_hands_over_the_label_of_each_byte() {
    let (mut store, guest) = guest(CALLS);
    let labels = [Val::I32(0x0100_0400), Val::I64(0x0200_0000_0000_0801), Val::V128(0x0f_00_00_00_01u128.into())];
    let clean = [Val::I32(0), Val::I64(0), Val::V128(0u128.into())];
    for name in ["itself", "direct", "table", "tail", "tail-table", "return", "branch", "branch-if"] {
        let function = guest.get_func(&mut store, name).unwrap();
        for labels in [&labels, &clean] {
            let mut arguments = vec![Val::I32(3), Val::I64(4), Val::V128(5u128.into())];
            arguments.extend(labels.iter().copied());
            let mut results = vec![Val::I32(0); 6];
            function.call(&mut store, &arguments, &mut results).unwrap();
            let expected: Vec<Val> =
                [arguments[..3].iter().rev(), labels.iter().rev()].into_iter().flatten().copied().collect();
            assert_eq!(format!("{results:?}"), format!("{expected:?}"), "{name}");
        }
    }
}

#[test]
fn a_function_with_more_values_than_labels_have_room_for_is_refused_by_its_size() {
    let with = |many: usize| wat::parse_str(format!("(module (func (param {})))", "i32 ".repeat(many))).unwrap();
    assert!(rewritten(&with(500), Follow::Data).is_ok());
    let why = rewritten(&with(501), Follow::Data).err().unwrap().to_string();
    assert!(why.contains("more than 500 parameters or results"), "{why}");
}

/// A result and its label, for an argument that is labelled.
fn call(text: &str, argument: i32) -> (i32, i32) {
    let (mut store, guest) = guest(text);
    let function = guest.get_typed_func::<(i32, i32), (i32, i32)>(&mut store, "f").unwrap();
    function.call(&mut store, (argument, 0x0101_0101)).unwrap()
}

/// `f` takes memory from the stack, so much as its argument says, and calls `g`, which reads from its own frame.
fn allocating(size: &str) -> String {
    format!(
        r#"(module (memory 1) (global $sp (mut i32) (i32.const 4096))
            (func $g (result i32) (local i32)
                (local.set 0 (i32.sub (global.get $sp) (i32.const 16)))
                (i32.store (local.get 0) (i32.const 7))
                (i32.load (local.get 0)))
            (func (export "f") (param i32) (result i32) (local i32 i32)
                (local.set 1 (global.get $sp))
                (global.set $sp (local.tee 2 (i32.sub (local.get 1) {size})))
                (call $g)
                (global.set $sp (local.get 1))))"#
    )
}

#[test]
fn what_stands_below_memory_of_the_stack_is_not_labelled_by_how_much_it_was() {
    let rounded = "(i32.and (i32.add (local.get 0) (i32.const 15)) (i32.const -16))";
    assert_eq!(call(&allocating(rounded), 100), (7, 0));
    // What is not rounded as a compiler does it may be any number.
    let (seven, label) = call(&allocating("(local.get 0)"), 96);
    assert!(seven == 7 && label != 0, "{label:#x}");
    let (_, label) = call(&allocating("(i32.and (local.get 0) (i32.const 112))"), 96);
    assert_ne!(label, 0);
}

#[test]
fn a_global_that_counts_keeps_the_label_of_what_it_counted() {
    for count in ["i32.add (global.get 0) (local.get 0)", "i32.and (local.get 0) (i32.const -16)"] {
        let text = format!(
            "(module (global (mut i32) (i32.const 0))
                (func (export \"f\") (param i32) (result i32) (global.set 0 ({count})) (global.get 0)))"
        );
        let (_, label) = call(&text, 160);
        assert_ne!(label, 0, "{count}");
    }
}

/// A local that is clean, labelled and clean again; and one that a branch or a turn of a loop makes so.
#[test]
fn a_local_is_clean_only_where_no_way_leads_a_label_to_it() {
    let cases = [
        ("(local.set 1 (local.get 0)) (local.set 1 (i32.const 3)) (local.get 1)", false),
        ("(local.set 1 (i32.const 3)) (local.set 1 (local.get 0)) (local.get 1)", true),
        ("(if (local.get 0) (then (local.set 1 (local.get 0)))) (local.get 1)", true),
        ("(if (local.get 0) (then (local.set 0 (i32.const 3))) (else (unreachable))) (local.get 0)", false),
        ("(block (br_if 0 (local.get 0)) (local.set 0 (i32.const 3))) (local.get 0)", true),
        ("(if (local.get 0) (then) (else (local.set 0 (i32.const 3)))) (local.get 0)", true),
        (
            "(local.set 2 (i32.const 3))
             (loop (local.set 1 (i32.add (local.get 1) (local.get 3))) (local.set 3 (local.get 0))
                (br_if 0 (local.tee 2 (i32.sub (local.get 2) (i32.const 1)))))
             (local.get 1)",
            true,
        ),
        (
            "(local.set 3 (local.get 0)) (local.set 3 (i32.const 2))
             (loop (local.set 1 (i32.add (local.get 1) (i32.const 1)))
                (br_if 0 (local.tee 3 (i32.sub (local.get 3) (i32.const 1)))))
             (local.get 1)",
            false,
        ),
        ("(block (block (br_table 0 1 (local.get 0)) ) (local.set 1 (local.get 0)) (br 0)) (local.get 1)", true),
        ("(block (result i32) (br_if 0 (i32.const 1) (local.get 0)) (drop) (i32.const 2))", false),
        ("(block (result i32) (br_if 0 (i32.const 1) (local.get 0)) (drop) (local.get 0))", true),
    ];
    for (code, labelled) in cases {
        for argument in [0, 1] {
            let text = format!("(module (func (export \"f\") (param i32) (result i32) (local i32 i32 i32) {code}))");
            let (mut store, guest) = guest(&text);
            let function = guest.get_typed_func::<(i32, i32), (i32, i32)>(&mut store, "f").unwrap();
            let Ok((result, label)) = function.call(&mut store, (argument, 0x0101_0101)) else { continue };
            // Where a constant came out by this way, it may be clean in any case.
            assert!(labelled || label == 0, "{code}: {result} has {label:#x}");
            if labelled && argument == 1 && !code.contains("(else (local.set") {
                let constant = code.starts_with("(block (result") || code.contains("br_table 0 1");
                assert!(label != 0 || constant, "{code}: {result} has no label");
            }
        }
    }
}

/// The weak label of an address is kept while its local is the same: not beyond, and not around a branch.
#[test]
fn what_is_loaded_has_the_label_of_its_address_after_the_address_changed_too() {
    let cases = [
        ("(drop (i32.load (local.get 1))) (local.set 1 (local.get 0)) (i32.load (local.get 1))", true),
        ("(drop (i32.load (local.get 0))) (local.set 0 (i32.const 8)) (i32.load (local.get 0))", false),
        ("(if (i32.const 0) (then (drop (i32.load (local.get 0))))) (i32.load (local.get 0))", true),
        (
            "(local.set 1 (i32.load (i32.const 4))) (local.set 2 (i32.const 2))
             (loop (local.set 3 (i32.load (local.get 1))) (local.set 1 (local.get 0))
                (br_if 0 (local.tee 2 (i32.sub (local.get 2) (i32.const 1)))))
             (local.get 3)",
            true,
        ),
    ];
    for (code, labelled) in cases {
        let text =
            format!("(module (memory 1) (func (export \"f\") (param i32) (result i32) (local i32 i32 i32) {code}))");
        let (_, label) = call(&text, 64);
        assert_eq!(label != 0, labelled, "{code}: {label:#x}");
        assert_eq!(label & 0x0f0f_0f0f, 0, "{code}: {label:#x} is not weak");
    }
}
