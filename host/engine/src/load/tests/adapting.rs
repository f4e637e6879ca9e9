//! Core modules: those for WASI preview 1 become components, others are refused by what they import.

use super::{from_text, load, refused};

/// A preview 1 command, as small as they come.
pub(super) const COMMAND: &str = r#"(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (call $exit (i32.const 0))))"#;

fn exports(bytes: Vec<u8>) -> Vec<String> {
    let loaded = load(bytes).unwrap();
    let component = loaded.component.component_type();
    component.exports(loaded.component.engine()).map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn adapt_command_exports_run() {
    let exports = exports(from_text(COMMAND));
    assert!(exports.len() == 1 && exports[0].starts_with("wasi:cli/run@0.2."), "{exports:?}");
}

#[test]
fn adapt_reactor_with_types_exports_its_functions() {
    let mut module = from_text(r#"(module (func (export "add") (param i32 i32) (result i32) (i32.const 3)))"#);
    let mut resolve = wit_parser::Resolve::default();
    let wit = "package demo:sums; world sums { export add: func(a: u32, b: u32) -> u32; }";
    let package = resolve.push_str("sums.wit", wit).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    let encoding = wit_component::StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut module, &resolve, world, encoding).unwrap();
    assert_eq!(exports(module), ["add"]);
}

#[test]
fn adapt_foreign_imports_are_refused_by_name() {
    let module = r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
        (import "env" "system" (func)) (import "env" "b" (func)) (import "go" "c" (func)) (import "go" "d" (func))
        (func (export "_start")))"#;
    let text = refused(load(from_text(module))).to_string();
    assert!(text.contains("imports `env.system`, `env.b`, `go.c` and 1 more"), "{text}");
}

#[test]
fn adapt_module_without_tools_is_refused() {
    let text = refused(load(from_text(r#"(module (func (export "add")))"#))).to_string();
    assert!(text.contains("no tool to call"), "{text}");
}

#[test]
fn adapt_command_with_an_import_that_wasi_does_not_have_is_refused() {
    let module = r#"(module (import "wasi_snapshot_preview1" "exec" (func)) (func (export "_start")))"#;
    let text = refused(load(from_text(module))).to_string();
    assert!(text.contains("cannot be made a component") && text.contains("exec"), "{text}");
}

#[test]
fn adapt_broken_type_metadata_is_refused() {
    let mut module = from_text(COMMAND);
    module.extend(super::custom("component-type:x", b"\0asm\x0d\0\x01\0\x07\xff\xff"));
    let text = refused(load(module)).to_string();
    assert!(text.contains("cannot be made a component"), "{text}");
}
