//! How values of component types lie in memory and in core values: the canonical ABI's layouts.

use wasmparser::PrimitiveValType as P;
use wasmparser::ValType;
use wasmparser::component_types::{ComponentDefinedType, ComponentValType};
use wasmparser::types::TypesRef;

use crate::map::Step;
use crate::refusal::Refusal;

/// Parts that the types of one component may have, all functions together. A small type can describe a huge one by
/// naming itself twice in each of thirty steps, and there is code for each part.
pub(super) const MAX_PARTS: u32 = 50_000;

/// A type's layout.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// Data of its own: so many bytes in memory, and its core types.
    Value { bytes: u32, core: Vec<ValType> },
    /// A handle, which is no data.
    Handle,
    /// A string.
    Text,
    /// A list of numbers.
    Numbers { bytes: u32 },
    /// A list of anything else.
    List(Box<Shape>),
    /// A record or a tuple.
    Record(Vec<(Step, Shape)>),
    /// A variant, option or result.
    Variant { tag: u32, cases: Vec<(Option<Step>, Option<Shape>)> },
}

/// A function's layout.
#[derive(Debug, Clone)]
pub(super) struct Signature {
    pub(super) parameters: Vec<(Step, Shape)>,
    pub(super) result: Option<Shape>,
}

fn to(at: u32, align: u32) -> u32 {
    at.next_multiple_of(align.max(1))
}

/// Bytes of the number that tells `many` cases apart.
fn tag(many: usize) -> u32 {
    match many {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

fn join(one: ValType, other: ValType) -> ValType {
    match (one, other) {
        (one, other) if one == other => one,
        (ValType::I32, ValType::F32) | (ValType::F32, ValType::I32) => ValType::I32,
        _ => ValType::I64,
    }
}

impl Shape {
    pub(super) fn align(&self) -> u32 {
        match self {
            // Flags of more than 32 bits are words.
            Self::Value { bytes, core } => {
                if core.len() > 1 {
                    4
                } else {
                    *bytes
                }
            }
            Self::Handle | Self::Text | Self::Numbers { .. } | Self::List(_) => 4,
            Self::Record(fields) => fields.iter().map(|(_, field)| field.align()).max().unwrap_or(1),
            Self::Variant { tag, cases } => {
                cases.iter().filter_map(|(_, case)| case.as_ref().map(Self::align)).max().unwrap_or(1).max(*tag)
            }
        }
    }

    pub(super) fn size(&self) -> u32 {
        match self {
            Self::Value { bytes, .. } => *bytes,
            Self::Handle => 4,
            Self::Text | Self::Numbers { .. } | Self::List(_) => 8,
            Self::Record(fields) => {
                let end = fields.iter().fold(0u32, |at, (_, field)| to(at, field.align()).saturating_add(field.size()));
                to(end, self.align())
            }
            Self::Variant { cases, .. } => {
                let largest = cases.iter().filter_map(|(_, case)| case.as_ref().map(Self::size)).max().unwrap_or(0);
                to(self.payload().saturating_add(largest), self.align())
            }
        }
    }

    /// Where the payload of a variant is.
    pub(super) fn payload(&self) -> u32 {
        let Self::Variant { tag, cases } = self else { return 0 };
        to(*tag, cases.iter().filter_map(|(_, case)| case.as_ref().map(Self::align)).max().unwrap_or(1))
    }

    /// A record's fields with their places.
    pub(super) fn places(fields: &[(Step, Self)]) -> Vec<u32> {
        let mut at = 0u32;
        let mut places = Vec::new();
        for (_, field) in fields {
            at = to(at, field.align());
            places.push(at);
            at = at.saturating_add(field.size());
        }
        places
    }

    /// The core values that it is passed as, where there are few.
    pub(super) fn flat(&self) -> Vec<ValType> {
        match self {
            Self::Value { core, .. } => core.clone(),
            Self::Handle => vec![ValType::I32],
            Self::Text | Self::Numbers { .. } | Self::List(_) => vec![ValType::I32; 2],
            Self::Record(fields) => fields.iter().flat_map(|(_, field)| field.flat()).collect(),
            Self::Variant { cases, .. } => {
                let mut joined: Vec<ValType> = Vec::new();
                for case in cases.iter().filter_map(|(_, case)| case.as_ref()) {
                    for (at, ty) in case.flat().into_iter().enumerate() {
                        match joined.get_mut(at) {
                            Some(known) => *known = join(*known, ty),
                            None => joined.push(ty),
                        }
                    }
                }
                joined.insert(0, ValType::I32);
                joined
            }
        }
    }

    /// Whether anything in it is behind a pointer.
    pub(super) fn allocations(&self) -> u32 {
        match self {
            Self::Value { .. } | Self::Handle => 0,
            Self::Text | Self::Numbers { .. } => 1,
            // One for the list, and any number for its elements.
            Self::List(element) => 1 + 2 * element.allocations(),
            Self::Record(fields) => fields.iter().map(|(_, field)| field.allocations()).sum(),
            Self::Variant { cases, .. } => {
                cases.iter().filter_map(|(_, case)| case.as_ref().map(Self::allocations)).max().unwrap_or(0)
            }
        }
    }
}

/// Reads types, and counts their parts.
pub(super) struct Shapes<'t> {
    pub(super) types: TypesRef<'t>,
    pub(super) parts: &'t mut u32,
}

impl Shapes<'_> {
    pub(super) fn signature(
        &mut self,
        id: wasmparser::component_types::ComponentFuncTypeId,
    ) -> Result<Signature, Refusal> {
        let types = self.types;
        let Some(ty) = types.get(id) else { return Err(Refusal::internal("a function type is missing")) };
        if ty.async_ {
            return Err(Refusal::shape("it has an async function"));
        }
        let mut parameters = Vec::new();
        for (name, ty) in &ty.params {
            parameters.push((Step::Argument(name.to_string()), self.shape(*ty)?));
        }
        let result = ty.result.map(|ty| self.shape(ty)).transpose()?;
        Ok(Signature { parameters, result })
    }

    fn shape(&mut self, ty: ComponentValType) -> Result<Shape, Refusal> {
        *self.parts += 1;
        if *self.parts > MAX_PARTS {
            return Err(Refusal::size(format!("the types of its functions have more than {MAX_PARTS} parts")));
        }
        let value = |bytes, core| Shape::Value { bytes, core: vec![core] };
        let id = match ty {
            ComponentValType::Type(id) => id,
            ComponentValType::Primitive(primitive) => return primitive_shape(primitive),
        };
        let types = self.types;
        let Some(defined) = types.get(id) else { return Err(Refusal::internal("a type is missing")) };
        Ok(match defined {
            ComponentDefinedType::Primitive(primitive) => primitive_shape(*primitive)?,
            ComponentDefinedType::Record(record) => {
                let mut fields = Vec::new();
                for (name, ty) in &record.fields {
                    fields.push((Step::Field(name.to_string()), self.shape(*ty)?));
                }
                Shape::Record(fields)
            }
            ComponentDefinedType::Tuple(tuple) => {
                let mut fields = Vec::new();
                for (at, ty) in (0u32..).zip(tuple.types.iter()) {
                    fields.push((Step::Element(at), self.shape(*ty)?));
                }
                Shape::Record(fields)
            }
            ComponentDefinedType::Variant(variant) => {
                let mut cases = Vec::new();
                for (name, case) in &variant.cases {
                    cases.push((Some(Step::Case(name.to_string())), case.ty.map(|ty| self.shape(ty)).transpose()?));
                }
                Shape::Variant { tag: tag(cases.len()), cases }
            }
            ComponentDefinedType::Option { ty, .. } => {
                Shape::Variant { tag: 1, cases: vec![(None, None), (Some(Step::Some), Some(self.shape(*ty)?))] }
            }
            ComponentDefinedType::Result { ok, err, .. } => {
                let ok = ok.map(|ty| self.shape(ty)).transpose()?;
                let err = err.map(|ty| self.shape(ty)).transpose()?;
                Shape::Variant { tag: 1, cases: vec![(Some(Step::Ok), ok), (Some(Step::Err), err)] }
            }
            ComponentDefinedType::List { element, .. } => match self.shape(*element)? {
                Shape::Value { bytes, core } if core.len() == 1 => Shape::Numbers { bytes },
                element => Shape::List(Box::new(element)),
            },
            ComponentDefinedType::Flags(names) => match names.len() {
                0 => return Err(Refusal::shape("it has a type of no flags")),
                1..=8 => value(1, ValType::I32),
                9..=16 => value(2, ValType::I32),
                many => {
                    let words = many.div_ceil(32);
                    Shape::Value {
                        bytes: u32::try_from(words).unwrap_or(u32::MAX).saturating_mul(4),
                        core: vec![ValType::I32; words],
                    }
                }
            },
            ComponentDefinedType::Enum(names) => value(tag(names.len()), ValType::I32),
            ComponentDefinedType::Own(_) | ComponentDefinedType::Borrow(_) => Shape::Handle,
            ComponentDefinedType::Map { .. } => return Err(Refusal::shape("it passes a map")),
            ComponentDefinedType::FixedLengthList { .. } => {
                return Err(Refusal::shape("it passes a list of fixed length"));
            }
            ComponentDefinedType::Future { .. } => return Err(Refusal::shape("it passes a future")),
            ComponentDefinedType::Stream { .. } => return Err(Refusal::shape("it passes a stream")),
        })
    }
}

fn primitive_shape(primitive: P) -> Result<Shape, Refusal> {
    let (bytes, core) = match primitive {
        P::Bool | P::S8 | P::U8 => (1, ValType::I32),
        P::S16 | P::U16 => (2, ValType::I32),
        P::S32 | P::U32 | P::Char => (4, ValType::I32),
        P::S64 | P::U64 => (8, ValType::I64),
        P::F32 => (4, ValType::F32),
        P::F64 => (8, ValType::F64),
        P::String => return Ok(Shape::Text),
        P::ErrorContext => return Err(Refusal::shape("it passes an error context")),
    };
    Ok(Shape::Value { bytes, core: vec![core] })
}
