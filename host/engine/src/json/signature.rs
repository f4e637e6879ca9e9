//! From a component function's type to a [`Signature`], within limits.

use super::mismatch::clamp;
use super::shape::{Integer, Named, Shape};
use std::fmt;
use wasmtime::component::types::ComponentFunc;
use wasmtime::component::{Type, types};

/// How deep types may nest. Every recursion in this module follows the type, so this is also the bound on the stack, and it keeps what we
/// emit below the 128 levels at which common JSON readers give up.
const MAX_DEPTH: usize = 64;

/// How many types, fields, cases and names one function may spell out. Types are shared inside a component but not in a schema: sixty
/// records of two fields each, one around the other, would be written out 2^60 times. Real tools have some hundred.
const MAX_NODES: usize = 10_000;

/// How many bytes of names one function may spell out, for the same reason: an enum with long names can be used in many places.
const MAX_NAME_BYTES: usize = 256 * 1024;

/// A function that can be called with JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub params: Named<Shape>,
    pub result: Option<Shape>,
}

/// A function that can't be called with JSON, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// One clause that names the type and where it is: "parameter `h` is a borrow".
    pub what: String,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Unsupported {}

/// What the signatures of one component may use together, so that many functions of a large type don't add up.
#[derive(Debug, Clone)]
pub struct Allowance {
    nodes: usize,
    name_bytes: usize,
}

impl Allowance {
    /// Room for `functions` functions of the largest permitted size.
    pub fn for_functions(functions: usize) -> Self {
        Allowance { nodes: MAX_NODES.saturating_mul(functions), name_bytes: MAX_NAME_BYTES.saturating_mul(functions) }
    }

    fn take(&mut self, nodes: usize, name_bytes: usize) -> Result<(), Refusal> {
        let (Some(nodes), Some(name_bytes)) = (self.nodes.checked_sub(nodes), self.name_bytes.checked_sub(name_bytes))
        else {
            return Err(Refusal::TooLarge);
        };
        *self = Allowance { nodes, name_bytes };
        Ok(())
    }
}

/// Reads one function's type.
pub fn signature(func: &ComponentFunc) -> Result<Signature, Unsupported> {
    signature_within(func, &mut Allowance::for_functions(1))
}

/// Reads one function's type at the cost of an allowance that several functions share.
pub fn signature_within(func: &ComponentFunc, allowance: &mut Allowance) -> Result<Signature, Unsupported> {
    let mut own = Allowance::for_functions(1);
    own.nodes = own.nodes.min(allowance.nodes);
    own.name_bytes = own.name_bytes.min(allowance.name_bytes);
    let before = own.clone();
    let read = read(func, &mut own);
    // What a refused function used up counts too: reading it was work.
    allowance.nodes = allowance.nodes.saturating_sub(before.nodes - own.nodes);
    allowance.name_bytes = allowance.name_bytes.saturating_sub(before.name_bytes - own.name_bytes);
    read
}

fn read(func: &ComponentFunc, allowance: &mut Allowance) -> Result<Signature, Unsupported> {
    let mut params = Vec::new();
    for (name, ty) in func.params() {
        let place = || format!("parameter `{}`", clamp(name));
        allowance.take(0, name.len()).map_err(|refusal| refusal.at(&place()))?;
        let shape = shape(&ty, allowance, 0).map_err(|refusal| refusal.at(&place()))?;
        params.push((name.to_owned(), shape));
    }
    let mut results = func.results();
    let result = results.next();
    if results.next().is_some() {
        return Err(Unsupported { what: "there is more than one result".to_owned() });
    }
    let result = result.map(|ty| shape(&ty, allowance, 0)).transpose().map_err(|refusal| refusal.at("the result"))?;
    Ok(Signature { params: params.into_iter().collect(), result })
}

enum Refusal {
    Kind { kind: &'static str, nested: bool },
    TooLarge,
    TooDeep,
}

impl Refusal {
    fn at(self, place: &str) -> Unsupported {
        let what = match self {
            Refusal::Kind { kind, nested: false } => format!("{place} is {kind}"),
            Refusal::Kind { kind, nested: true } => format!("{place} contains {kind}"),
            Refusal::TooLarge => format!("{place} is too large: the function's types have more than {MAX_NODES} parts"),
            Refusal::TooDeep => format!("{place} is too large: its type nests more than {MAX_DEPTH} levels"),
        };
        Unsupported { what }
    }
}

fn shape(ty: &Type, allowance: &mut Allowance, depth: usize) -> Result<Shape, Refusal> {
    allowance.take(1, 0)?;
    if depth >= MAX_DEPTH {
        return Err(Refusal::TooDeep);
    }
    let refuse = |kind| Err(Refusal::Kind { kind, nested: depth > 0 });
    let inner = depth + 1;
    Ok(match ty {
        Type::Bool => Shape::Bool,
        Type::S8 => Shape::Integer(Integer::S8),
        Type::U8 => Shape::Integer(Integer::U8),
        Type::S16 => Shape::Integer(Integer::S16),
        Type::U16 => Shape::Integer(Integer::U16),
        Type::S32 => Shape::Integer(Integer::S32),
        Type::U32 => Shape::Integer(Integer::U32),
        Type::S64 => Shape::Integer(Integer::S64),
        Type::U64 => Shape::Integer(Integer::U64),
        Type::Float32 => Shape::Float32,
        Type::Float64 => Shape::Float64,
        Type::Char => Shape::Char,
        Type::String => Shape::Text,
        Type::List(list) => match list.ty() {
            Type::U8 => Shape::Bytes,
            element => Shape::List(Box::new(shape(&element, allowance, inner)?)),
        },
        Type::FixedLengthList(list) => {
            let Ok(len) = usize::try_from(list.len()) else { return Err(Refusal::TooLarge) };
            Shape::Array(Box::new(shape(&list.ty(), allowance, inner)?), len)
        }
        Type::Tuple(tuple) => {
            Shape::Tuple(tuple.types().map(|item| shape(&item, allowance, inner)).collect::<Result<_, _>>()?)
        }
        Type::Record(record) => Shape::Record(fields(record, allowance, inner)?),
        Type::Variant(variant) => Shape::Variant(cases(variant, allowance, inner)?),
        Type::Enum(names) => Shape::Enum(bare_names(names.names(), allowance)?),
        Type::Flags(names) => Shape::Flags(bare_names(names.names(), allowance)?),
        Type::Option(option) => Shape::Option(Box::new(shape(&option.ty(), allowance, inner)?)),
        Type::Result(result) => {
            let mut side = |ty: Option<Type>| match ty {
                Some(ty) => shape(&ty, allowance, inner).map(|shape| Some(Box::new(shape))),
                None => Ok(None),
            };
            Shape::Result(side(result.ok())?, side(result.err())?)
        }
        Type::Own(_) => return refuse("a resource"),
        Type::Borrow(_) => return refuse("a borrow"),
        Type::Future(_) => return refuse("a future"),
        Type::Stream(_) => return refuse("a stream"),
        Type::ErrorContext => return refuse("an error-context"),
        Type::Map(_) => return refuse("a map"),
    })
}

fn fields(record: &types::Record, allowance: &mut Allowance, depth: usize) -> Result<Named<Shape>, Refusal> {
    record
        .fields()
        .map(|field| {
            allowance.take(0, field.name.len())?;
            Ok((field.name.to_owned(), shape(&field.ty, allowance, depth)?))
        })
        .collect()
}

fn cases(variant: &types::Variant, allowance: &mut Allowance, depth: usize) -> Result<Named<Option<Shape>>, Refusal> {
    variant
        .cases()
        .map(|case| {
            allowance.take(1, case.name.len())?;
            let payload = case.ty.map(|ty| shape(&ty, allowance, depth)).transpose()?;
            Ok((case.name.to_owned(), payload))
        })
        .collect()
}

fn bare_names<'a>(names: impl Iterator<Item = &'a str>, allowance: &mut Allowance) -> Result<Named<()>, Refusal> {
    names
        .map(|name| {
            allowance.take(1, name.len())?;
            Ok((name.to_owned(), ()))
        })
        .collect()
}
