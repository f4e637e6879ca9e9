//! Promises of loading, one file for each part. What they share: small components from text, bytes by hand where no
//! text would say it, and a private directory.

mod adapting;
mod bombs;
mod bytes;
mod caching;
mod children;
mod facts;
mod features;
mod junk;
mod trust;

use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, Permissions, PermissionsExt};

use super::{Allocation, Compiler, ErrorKind, Fuel, LoadError, Loaded, Wasm, engine};

/// A whole component: a typed function over a core module.
const ADDER: &str = r#"(component
    (core module $m (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
    (core instance $i (instantiate $m))
    (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add"))))"#;

fn from_text(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

fn adder() -> Wasm {
    Wasm::from_bytes(from_text(ADDER), "adder.wasm").unwrap()
}

fn load(bytes: Vec<u8>) -> Result<Loaded, LoadError> {
    let engine = engine(Fuel::Off, Allocation::OnDemand)?;
    Compiler::InProcess.load(&engine, None, &Wasm::from_bytes(bytes, "tool.wasm")?, &ignore)
}

fn ignore(_: Duration) {}

/// The error, after checking what holds for every error: one clamped line about the component that was named.
fn refused(outcome: Result<Loaded, LoadError>) -> LoadError {
    let error = outcome.expect_err("should be refused");
    let text = error.to_string();
    assert!(text.starts_with("tool.wasm "), "{text}");
    assert!(text.chars().count() <= 301 && !text.contains(char::is_control), "{text}");
    assert_ne!(error.kind(), ErrorKind::Internal, "{text}");
    error
}

fn limit_of(error: &LoadError) -> &'static str {
    match error.kind() {
        ErrorKind::Limit { what } => what,
        kind => panic!("{kind:?}: {error}"),
    }
}

fn temporary() -> (tempfile::TempDir, Dir) {
    let holder = tempfile::tempdir().unwrap();
    let dir = Dir::open_ambient_dir(holder.path(), ambient_authority()).unwrap();
    dir.set_permissions(".", Permissions::from_mode(0o700)).unwrap();
    (holder, dir)
}

/// The call that shows that code is code.
fn add(loaded: &Loaded) -> u32 {
    let mut store = wasmtime::Store::new(loaded.component.engine(), ());
    store.set_epoch_deadline(1);
    if loaded.component.engine().get_consume_fuel() {
        store.set_fuel(1_000_000).unwrap();
    }
    let linker = wasmtime::component::Linker::new(loaded.component.engine());
    let instance = linker.instantiate(&mut store, &loaded.component).unwrap();
    let function = instance.get_typed_func::<(u32, u32), (u32,)>(&mut store, "add").unwrap();
    function.call(&mut store, (40, 2)).unwrap().0
}

fn number(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7f).unwrap();
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn section(id: u8, body: &[u8]) -> Vec<u8> {
    [vec![id], number(u32::try_from(body.len()).unwrap()), body.to_vec()].concat()
}

/// A section of `count` equal items.
fn repeated(id: u8, count: u32, item: &[u8]) -> Vec<u8> {
    section(id, &[number(count), item.repeat(usize::try_from(count).unwrap())].concat())
}

fn custom(name: &str, data: &[u8]) -> Vec<u8> {
    section(0, &[number(u32::try_from(name.len()).unwrap()), name.as_bytes().to_vec(), data.to_vec()].concat())
}

fn core_module(sections: &[Vec<u8>]) -> Vec<u8> {
    [b"\0asm\x01\0\0\0".to_vec(), sections.concat()].concat()
}

fn component(sections: &[Vec<u8>]) -> Vec<u8> {
    [b"\0asm\x0d\0\x01\0".to_vec(), sections.concat()].concat()
}

/// A component that instantiates one core module.
fn around(module: &[u8]) -> Vec<u8> {
    component(&[section(1, module), section(2, &[1, 0, 0, 0])])
}

/// A core module with `count` functions of one body, given without its locals and its end.
fn functions(count: u32, code: &[u8]) -> Vec<u8> {
    let body = [vec![0], code.to_vec(), vec![0x0b]].concat();
    let entry = [number(u32::try_from(body.len()).unwrap()), body].concat();
    core_module(&[section(1, &[1, 0x60, 0, 0]), repeated(3, count, &[0]), repeated(10, count, &entry)])
}
