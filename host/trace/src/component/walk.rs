//! Code that walks a value by its type: to report the labels of what leaves, or to label what arrived. It reads and
//! labels contents; pointers, lengths and handles are nobody's data.

use wasm_encoder::{BlockType, Instruction as I, MemArg, ValType as Encoded};
use wasmparser::ValType;

use super::helpers::{GUEST, Helpers};
use super::shape::Shape;
use crate::core::body::Body;
use crate::core::width::Width;
use crate::map::{INSIDE, Part, Path, Step};
use crate::refusal::Refusal;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Labels are reported.
    Leaving,
    /// Labels are put on.
    Arriving,
}

/// A value in core values.
#[derive(Debug, Clone, Copy)]
pub(super) enum Flat {
    /// In the parameter of this number; its label in the argument's global.
    Parameter(u32),
    /// The one result, kept in a local; its label in the first result's global.
    Result(u32),
}

/// Code for one hook.
pub(super) struct Walk<'h> {
    pub(super) body: Body,
    pub(super) helpers: Helpers,
    pub(super) paths: &'h mut Vec<Path>,
    pub(super) steps: Vec<Step>,
    /// Locals with the places in the lists that are open.
    places: Vec<u32>,
}

impl<'h> Walk<'h> {
    pub(super) fn new(parameters: u32, helpers: Helpers, paths: &'h mut Vec<Path>) -> Self {
        Self { body: Body::new(parameters), helpers, paths, steps: Vec::new(), places: Vec::new() }
    }

    pub(super) fn put(&mut self, instruction: &I<'_>) {
        self.body.put(instruction);
    }

    fn number(&mut self, number: u32) {
        self.put(&I::I32Const(number.cast_signed()));
    }

    /// A new path of this part, and the places of up to three lists around it, on the stack.
    fn path(&mut self, part: Part) {
        let path = u32::try_from(self.paths.len()).unwrap_or(u32::MAX);
        self.paths.push(Path { steps: self.steps.clone(), part });
        self.number(path);
        for at in 0..3 {
            match self.places.get(at).copied() {
                Some(local) => self.put(&I::LocalGet(local)),
                None => self.number(0),
            }
        }
    }

    /// The bytes at an address on the stack, so many as on the stack: reported, or labelled.
    fn bytes(&mut self, way: Way, part: Part) {
        self.path(part);
        match way {
            Way::Leaving => self.put(&I::Call(self.helpers.report())),
            Way::Arriving => self.put(&I::Call(self.helpers.place())),
        }
    }

    /// The label of which case a variant is that arrived.
    fn case(&mut self) {
        self.put(&I::GlobalGet(self.helpers.label()));
        self.number(INSIDE);
        self.put(&I::I32And);
        self.put(&I::If(BlockType::Result(Encoded::I32)));
        self.path(Part::Case);
        self.put(&I::Call(self.helpers.ask()));
        self.put(&I::Else);
        self.number(0);
        self.put(&I::End);
    }

    /// No data: what arrived there is clean.
    fn no_data(&mut self, way: Way, base: u32, offset: u32, bytes: u32) {
        if way == Way::Arriving {
            self.address(base, offset);
            self.number(bytes);
            self.number(0);
            self.put(&I::Call(self.helpers.stamp()));
        }
    }

    fn address(&mut self, base: u32, offset: u32) {
        self.put(&I::LocalGet(base));
        if offset != 0 {
            self.number(offset);
            self.put(&I::I32Add);
        }
    }

    fn inside<T>(&mut self, step: &Step, walk: impl FnOnce(&mut Self) -> T) -> T {
        self.steps.push(step.clone());
        let result = walk(self);
        self.steps.pop();
        result
    }

    /// A value in memory, `offset` bytes behind the address in local `base`.
    pub(super) fn memory(&mut self, way: Way, shape: &Shape, base: u32, offset: u32) {
        let word = |offset: u32| MemArg { offset: u64::from(offset), align: 2, memory_index: GUEST };
        match shape {
            Shape::Value { bytes, .. } => {
                self.address(base, offset);
                self.number(*bytes);
                self.bytes(way, Part::Value);
            }
            Shape::Handle => self.no_data(way, base, offset, 4),
            Shape::Text | Shape::Numbers { .. } | Shape::List(_) => {
                self.no_data(way, base, offset, 8);
                let (pointer, length) = (self.body.local(Encoded::I32), self.body.local(Encoded::I32));
                self.put(&I::LocalGet(base));
                self.put(&I::I32Load(word(offset)));
                self.put(&I::LocalSet(pointer));
                self.put(&I::LocalGet(base));
                self.put(&I::I32Load(word(offset + 4)));
                self.put(&I::LocalSet(length));
                self.behind(way, shape, pointer, length);
            }
            Shape::Record(fields) => {
                for ((step, field), place) in fields.iter().zip(Shape::places(fields)) {
                    self.inside(step, |walk| walk.memory(way, field, base, offset + place));
                }
            }
            Shape::Variant { tag, cases } => {
                let load = match tag {
                    1 => I::I32Load8U(MemArg { align: 0, ..word(offset) }),
                    2 => I::I32Load16U(MemArg { align: 1, ..word(offset) }),
                    _ => I::I32Load(word(offset)),
                };
                if way == Way::Leaving {
                    self.address(base, offset);
                    self.number(*tag);
                    self.bytes(way, Part::Case);
                } else if self.helpers.composed {
                    self.address(base, offset);
                    self.number(*tag);
                    self.case();
                    self.put(&I::Call(self.helpers.stamp()));
                } else {
                    self.no_data(way, base, offset, *tag);
                }
                let payload = offset + shape.payload();
                for (number, (step, case)) in (0u32..).zip(cases) {
                    let (Some(step), Some(case)) = (step, case) else { continue };
                    self.put(&I::LocalGet(base));
                    self.put(&load);
                    self.number(number);
                    self.put(&I::I32Eq);
                    self.put(&I::If(BlockType::Empty));
                    self.inside(step, |walk| walk.memory(way, case, base, payload));
                    self.put(&I::End);
                }
            }
        }
    }

    /// What a pointer and a length lead to.
    fn behind(&mut self, way: Way, shape: &Shape, pointer: u32, length: u32) {
        match shape {
            Shape::Text | Shape::Numbers { .. } => {
                let (part, bytes) = match shape {
                    Shape::Numbers { bytes } => (Part::Numbers(*bytes), *bytes),
                    _ => (Part::Text, 1),
                };
                self.put(&I::LocalGet(pointer));
                self.put(&I::LocalGet(length));
                if bytes > 1 {
                    self.number(bytes);
                    self.put(&I::Call(self.helpers.times()));
                }
                self.bytes(way, part);
            }
            Shape::List(element) => {
                let (base, place) = (self.body.local(Encoded::I32), self.body.local(Encoded::I32));
                // A list that cannot be in memory traps here, before a walk of four billion steps.
                self.put(&I::LocalGet(length));
                self.number(element.size());
                self.put(&I::Call(self.helpers.times()));
                self.put(&I::Drop);
                self.put(&I::LocalGet(pointer));
                self.put(&I::LocalSet(base));
                self.number(0);
                self.put(&I::LocalSet(place));
                self.put(&I::Block(BlockType::Empty));
                self.put(&I::Loop(BlockType::Empty));
                self.put(&I::LocalGet(place));
                self.put(&I::LocalGet(length));
                self.put(&I::I32GeU);
                self.put(&I::BrIf(1));
                self.places.push(place);
                self.inside(&Step::Each, |walk| walk.memory(way, element, base, 0));
                self.places.pop();
                self.put(&I::LocalGet(base));
                self.number(element.size());
                self.put(&I::I32Add);
                self.put(&I::LocalSet(base));
                self.put(&I::LocalGet(place));
                self.number(1);
                self.put(&I::I32Add);
                self.put(&I::LocalSet(place));
                self.put(&I::Br(0));
                self.put(&I::End);
                self.put(&I::End);
            }
            _ => {}
        }
    }

    /// A value in core values from `at` on, of the types that they have as joined with other cases'.
    pub(super) fn flat(&mut self, way: Way, shape: &Shape, at: &[(Flat, ValType)]) -> Result<(), Refusal> {
        let missing = || Refusal::internal("a core value is missing");
        match shape {
            Shape::Value { bytes, core } => {
                for (word, (place, ty)) in at.iter().take(core.len()).enumerate() {
                    self.scalar(way, *place, *ty, if core.len() > 1 { 4 } else { *bytes }, word)?;
                }
            }
            Shape::Handle => {}
            Shape::Text | Shape::Numbers { .. } | Shape::List(_) => {
                let (pointer, length) = (self.body.local(Encoded::I32), self.body.local(Encoded::I32));
                for (local, from) in [(pointer, at.first()), (length, at.get(1))] {
                    let (place, ty) = from.ok_or_else(missing)?;
                    self.word(*place, *ty);
                    self.put(&I::LocalSet(local));
                }
                self.behind(way, shape, pointer, length);
            }
            Shape::Record(fields) => {
                let mut rest = at;
                for (step, field) in fields {
                    self.steps.push(step.clone());
                    self.flat(way, field, rest)?;
                    self.steps.pop();
                    rest = rest.get(field.flat().len()..).ok_or_else(missing)?;
                }
            }
            Shape::Variant { cases, .. } => {
                let (tag, ty) = *at.first().ok_or_else(missing)?;
                match way {
                    Way::Leaving => self.scalar_part(way, tag, ty, 4, 0, Part::Case)?,
                    Way::Arriving if self.helpers.composed => {
                        self.case();
                        self.body.spread(Width::Long, 4);
                        let global = self.label_of(tag);
                        self.put(&I::GlobalSet(global));
                    }
                    Way::Arriving => {}
                }
                let rest = at.get(1..).unwrap_or_default();
                for (number, (step, case)) in (0u32..).zip(cases) {
                    let (Some(step), Some(case)) = (step, case) else { continue };
                    self.word(tag, ty);
                    self.number(number);
                    self.put(&I::I32Eq);
                    self.put(&I::If(BlockType::Empty));
                    self.steps.push(step.clone());
                    self.flat(way, case, rest)?;
                    self.steps.pop();
                    self.put(&I::End);
                }
            }
        }
        Ok(())
    }

    /// A core value as a word.
    fn word(&mut self, place: Flat, ty: ValType) {
        let (Flat::Parameter(local) | Flat::Result(local)) = place;
        self.put(&I::LocalGet(local));
        if ty == ValType::I64 {
            self.put(&I::I32WrapI64);
        }
    }

    /// The global with the label of a core value.
    fn label_of(&self, place: Flat) -> u32 {
        match place {
            Flat::Parameter(local) => self.helpers.argument(local),
            Flat::Result(_) => self.helpers.result(0),
        }
    }

    fn scalar(&mut self, way: Way, place: Flat, ty: ValType, bytes: u32, word: usize) -> Result<(), Refusal> {
        self.scalar_part(way, place, ty, bytes, word, Part::Value)
    }

    /// One core value. Its label is in a global: the union is reported for all of its bytes.
    fn scalar_part(
        &mut self,
        way: Way,
        place: Flat,
        ty: ValType,
        bytes: u32,
        word: usize,
        part: Part,
    ) -> Result<(), Refusal> {
        let global = self.label_of(place);
        let offset = u32::try_from(word).unwrap_or_default() * 4;
        match way {
            Way::Leaving => {
                let label = self.body.local(Encoded::I32);
                self.put(&I::GlobalGet(global));
                self.body.fold(Width::Long);
                self.put(&I::LocalTee(label));
                self.put(&I::If(BlockType::Empty));
                self.path(part);
                self.number(offset);
                self.number(bytes);
                self.put(&I::LocalGet(label));
                self.put(&I::Call(self.helpers.run()));
                self.put(&I::End);
            }
            Way::Arriving => {
                self.path(part);
                self.put(&I::Call(self.helpers.ask()));
                self.body.spread(Width::Long, if Width::of(ty) == Width::Long { 8 } else { bytes.min(4) });
                self.put(&I::GlobalSet(global));
            }
        }
        Ok(())
    }
}
