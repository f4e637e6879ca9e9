//! Which functions are allocators, and what becomes of labels there.

use std::collections::BTreeSet;

use wasmtime::{Instance, Store};

use super::rig::{Limits, engine, instantiate, new_store, rewritten};
use crate::core::allocators::allocators;
use crate::core::facts::facts;
use crate::follow::Follow;

/// The names of the allocators of a module whose functions are all exported.
fn found(text: &str) -> BTreeSet<String> {
    let module = wat::parse_str(text).unwrap();
    let facts = facts(&module).unwrap();
    let found = allocators(&module, &facts, &BTreeSet::from(["cabi_realloc".to_owned()])).unwrap();
    let mut names = BTreeSet::new();
    for payload in wasmparser::Parser::new(0).parse_all(&module) {
        if let wasmparser::Payload::ExportSection(exports) = payload.unwrap() {
            let exports = exports.into_iter().map(Result::unwrap);
            let functions = exports.filter(|export| export.kind == wasmparser::ExternalKind::Func);
            names.extend(functions.filter(|export| found.contains(&export.index)).map(|export| export.name.to_owned()));
        }
    }
    names
}

fn names(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}

/// A chunk of so many bytes: its size in front, and what it is called.
const CHUNKS: &str = r#"
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 1024))
    (func $sbrk (export "sbrk") (param i32) (result i32) (local i32)
        (drop (memory.grow (i32.const 0)))
        (local.set 1 (global.get $top))
        (global.set $top (i32.add (global.get $top) (local.get 0)))
        (local.get 1))
    (func $get (export "get") (param i32) (result i32) (local i32)
        (local.set 1 (call $sbrk (i32.add (local.get 0) (i32.const 4))))
        (i32.store (local.get 1) (local.get 0))
        (i32.add (local.get 1) (i32.const 4)))
    (func (export "size") (param i32) (result i32) (i32.load (i32.sub (local.get 0) (i32.const 4))))
    (func $other (export "other") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
"#;

#[test]
fn what_grows_memory_for_the_canonical_realloc_is_an_allocator_whatever_its_name() {
    let realloc = r#"(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (drop (call $other (local.get 0))) (call $get (local.get 3)))"#;
    assert_eq!(found(&format!("(module {CHUNKS} {realloc})")), names(&["cabi_realloc", "get", "sbrk"]));
    // Nobody calls it for memory.
    assert_eq!(found(&format!("(module {CHUNKS})")), names(&[]));
}

#[test]
fn a_name_is_not_enough_to_be_an_allocator() {
    let named = |body: &str| found(&format!("(module {CHUNKS} (func (export \"malloc\") {body}))"));
    assert_eq!(named("(param i32) (result i32) (call $get (local.get 0))"), names(&["malloc", "get", "sbrk"]));
    // It grows nothing.
    assert_eq!(named("(param i32) (result i32) (call $other (local.get 0))"), names(&[]));
    // It takes what is no size, or gives what is no address.
    assert_eq!(named("(param i64) (result i32) (call $get (i32.wrap_i64 (local.get 0)))"), names(&["get", "sbrk"]));
    assert_eq!(named("(param i32) (drop (call $get (local.get 0)))"), names(&["get", "sbrk"]));
    assert_eq!(named("(param i32 i32 i32 i32 i32) (result i32) (call $get (local.get 0))"), names(&["get", "sbrk"]));
}

/// As in an interpreter, whose `realloc` collects garbage where memory is short: much of it is then below, and grows memory.
#[test]
fn what_does_much_else_keeps_its_labels_also_where_realloc_calls_it() {
    let realloc = r#"(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (drop (call $collect (local.get 0))) (call $get (local.get 3)))"#;
    let collect = |calls: usize| {
        let each: String = (0..calls).map(|at| format!("(drop (call $part{at} (local.get 0)))")).collect();
        let parts: String = (0..calls)
            .map(|at| format!("(func $part{at} (param i32) (result i32) (call $other (local.get 0)))"))
            .collect();
        let collect =
            format!("(func $collect (export \"collect\") (param i32) (result i32) {each} (call $get (i32.const 8)))");
        found(&format!("(module {CHUNKS} {realloc} {collect} {parts})"))
    };
    assert_eq!(collect(2), names(&["cabi_realloc", "collect", "get", "sbrk"]));
    assert_eq!(collect(30), names(&["get", "sbrk"]));
}

/// A result and its label.
fn call(store: &mut Store<Limits>, guest: &Instance, name: &str, argument: i32, label: i32) -> (i32, i32) {
    let function = guest.get_typed_func::<(i32, i32), (i32, i32)>(&mut *store, name).unwrap();
    function.call(store, (argument, label)).unwrap()
}

#[test]
fn an_address_and_the_allocators_own_numbers_do_not_carry_the_label_of_the_size() {
    for (name, labelled) in [("malloc", false), ("mallow", true)] {
        let text =
            format!("(module {CHUNKS} (func (export \"{name}\") (param i32) (result i32) (call $get (local.get 0))))");
        let pair = rewritten(&wat::parse_str(text).unwrap(), Follow::Data).unwrap();
        let mut store = new_store(&engine());
        let (_, guest) = instantiate(&mut store, &pair).unwrap();
        let (address, label) = call(&mut store, &guest, name, 24, 0x0101_0101);
        assert_eq!(label != 0, labelled && address != 1028, "{name}");
        let (size, label) = call(&mut store, &guest, "size", address, 0);
        assert_eq!((size, label != 0), (24, labelled), "{name}");
        // The next chunk lies behind it.
        let (_, label) = call(&mut store, &guest, name, 8, 0);
        assert_eq!(label != 0, labelled, "{name}");
    }
}

/// A realloc that copies word by word, as one may that was compiled without bulk memory.
#[test]
fn what_an_allocator_moves_keeps_its_labels() {
    let realloc = r#"(func (export "realloc") (param i32) (result i32) (local i32)
        (local.set 1 (call $get (i32.const 4)))
        (i32.store (local.get 1) (i32.load (local.get 0)))
        (local.get 1))
        (func (export "put") (param i32) (result i32) (i32.store (i32.const 512) (local.get 0)) (i32.const 512))
        (func (export "take") (param i32) (result i32) (i32.load (local.get 0)))"#;
    let pair = rewritten(&wat::parse_str(format!("(module {CHUNKS} {realloc})")).unwrap(), Follow::Data).unwrap();
    let mut store = new_store(&engine());
    let (_, guest) = instantiate(&mut store, &pair).unwrap();
    let (from, _) = call(&mut store, &guest, "put", 0x1234_5678, 0x0002_0100);
    let (to, _) = call(&mut store, &guest, "realloc", from, 0);
    assert_ne!(from, to);
    assert_eq!(call(&mut store, &guest, "take", to, 0), (0x1234_5678, 0x0002_0100));
}
