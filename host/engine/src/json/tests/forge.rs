//! Components made to order: a function with given types, to read its signature or to send values through the real boundary.

use crate::json::{Named, Shape, Signature, Unsupported, signature};
use std::fmt::Write as _;
use std::sync::{LazyLock, Mutex};
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, Linker, Val};
use wasmtime::{Config, Engine, Store};

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let mut config = Config::new();
    config.wasm_component_model_fixed_length_lists(true).wasm_component_model_map(true);
    Engine::new(&config).unwrap()
});

pub fn named<T>(items: impl IntoIterator<Item = (&'static str, T)>) -> Named<T> {
    items.into_iter().map(|(name, item)| (name.to_owned(), item)).collect()
}

pub fn names(names: &[&'static str]) -> Named<()> {
    named(names.iter().map(|name| (*name, ())))
}

/// The signature of a function with these types, by way of a component.
pub fn function(params: impl IntoIterator<Item = (&'static str, Shape)>, result: Option<Shape>) -> Signature {
    let params = named(params);
    let mut types = Types::default();
    let ty = types.function(&params, result.as_ref());
    let read = from_wat(&format!("(component {} (import \"f\" (func {ty})))", types.text)).unwrap();
    assert_eq!(read, Signature { params, result }, "a signature says what the component says");
    read
}

/// The signature of a component's import `f`. Imports need no core code behind them.
pub fn from_wat(text: &str) -> Result<Signature, Unsupported> {
    signature(&import(text))
}

pub fn import(text: &str) -> ComponentFunc {
    let component = Component::new(&ENGINE, wat::parse_str(text).unwrap()).unwrap();
    let ty = component.component_type();
    let import = ty.imports(&ENGINE).find(|(name, _)| *name == "f").unwrap();
    match import.1.ty {
        ComponentItem::ComponentFunc(func) => func,
        other => panic!("not a function: {other:?}"),
    }
}

/// What a guest's caller hands in, the guest passes on, and its import receives.
pub fn through_a_guest(signature: &Signature, args: &[Val]) -> wasmtime::Result<Vec<Val>> {
    let mut types = Types::default();
    let ty = types.function(&signature.params, None);
    let component = format!(
        r#"(component {types}
            (import "f" (func $f {ty}))
            (core module $heap
                (memory (export "memory") 16)
                (global $next (mut i32) (i32.const 16))
                (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                    (global.set $next (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
                    (global.get $next)
                    (global.set $next (i32.add (global.get $next) (local.get 3)))))
            (core instance $heap (instantiate $heap))
            (alias core export $heap "memory" (core memory $memory))
            (alias core export $heap "realloc" (core func $realloc))
            (core func $lower (canon lower (func $f) (memory $memory) (realloc $realloc)))
            (func (export "g") {ty} (canon lift (core func $lower) (memory $memory) (realloc $realloc))))"#,
        types = types.text
    );
    let component = Component::new(&ENGINE, wat::parse_str(component).unwrap())?;
    let mut linker: Linker<()> = Linker::new(&ENGINE);
    static RECEIVED: Mutex<Vec<Val>> = Mutex::new(Vec::new());
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock();
    linker.root().func_new("f", |_store, _ty, params, _results| {
        *RECEIVED.lock().unwrap() = params.to_vec();
        Ok(())
    })?;
    let mut store = Store::new(&ENGINE, ());
    let instance = linker.instantiate(&mut store, &component)?;
    let function = instance.get_func(&mut store, "g").unwrap();
    function.call(&mut store, args, &mut [])?;
    Ok(std::mem::take(&mut *RECEIVED.lock().unwrap()))
}

/// Type definitions as component text, each compound type with a number.
#[derive(Default)]
struct Types {
    text: String,
    count: usize,
}

impl Types {
    fn function(&mut self, params: &Named<Shape>, result: Option<&Shape>) -> String {
        let mut text = String::new();
        for (name, shape) in params.iter() {
            write!(text, "(param {name:?} {}) ", self.reference(shape)).unwrap();
        }
        if let Some(shape) = result {
            write!(text, "(result {})", self.reference(shape)).unwrap();
        }
        text
    }

    fn reference(&mut self, shape: &Shape) -> String {
        let definition = match shape {
            Shape::Bool => return "bool".to_owned(),
            Shape::Integer(kind) => return kind.name().to_owned(),
            Shape::Float32 => return "f32".to_owned(),
            Shape::Float64 => return "f64".to_owned(),
            Shape::Char => return "char".to_owned(),
            Shape::Text => return "string".to_owned(),
            Shape::Bytes => "(list u8)".to_owned(),
            Shape::List(item) => format!("(list {})", self.reference(item)),
            Shape::Array(item, len) => format!("(list {} {len})", self.reference(item)),
            Shape::Tuple(items) => {
                let items: Vec<String> = items.iter().map(|item| self.reference(item)).collect();
                format!("(tuple {})", items.join(" "))
            }
            Shape::Record(fields) => {
                let fields: Vec<String> =
                    fields.iter().map(|(name, field)| format!("(field {name:?} {})", self.reference(field))).collect();
                return self.import(&format!("(record {})", fields.join(" ")));
            }
            Shape::Variant(cases) => {
                let cases: Vec<String> = cases
                    .iter()
                    .map(|(name, case)| {
                        let payload = case.as_ref().map(|case| self.reference(case)).unwrap_or_default();
                        format!("(case {name:?} {payload})")
                    })
                    .collect();
                return self.import(&format!("(variant {})", cases.join(" ")));
            }
            Shape::Enum(names) => return self.import(&format!("(enum {})", quoted(names))),
            Shape::Flags(names) => return self.import(&format!("(flags {})", quoted(names))),
            Shape::Option(inner) => format!("(option {})", self.reference(inner)),
            Shape::Result(ok, err) => {
                let ok = ok.as_ref().map(|ok| self.reference(ok)).unwrap_or_default();
                let err = err.as_ref().map(|err| format!("(error {})", self.reference(err))).unwrap_or_default();
                format!("(result {ok} {err})")
            }
        };
        self.count += 1;
        writeln!(self.text, "(type $t{} {definition})", self.count).unwrap();
        format!("$t{}", self.count)
    }

    /// Records, variants, enums and flags must have an outside name before a function may mention them.
    fn import(&mut self, definition: &str) -> String {
        self.count += 1;
        let number = self.count;
        writeln!(self.text, "(type $d{number} {definition}) (import \"t{number}\" (type $t{number} (eq $d{number})))")
            .unwrap();
        format!("$t{number}")
    }
}

fn quoted(names: &Named<()>) -> String {
    names.names().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(" ")
}
