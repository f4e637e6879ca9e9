//! Calls: labels go along with the values. A function takes the label of each parameter as a parameter more, behind its
//! own, and gives the label of each result as a result more. So they stay in registers, and a function in a table or of
//! another module is called like any other. Only the hooks know functions as they were, on the host's side.

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{BlockType, Instruction as I, TypeSection, ValType as Encoded};
use wasmparser::{FuncType, Operator, ValType};

use super::body::Scratch;
use super::facts::{Facts, count};
use super::function::{Entry, Home, Stack, Tracer};
use super::remap::Remap;
use super::width::{Smear, Width};
use crate::refusal::Refusal;

/// Parameters, or results, of the widest function. Wasm allows a thousand; with their labels there are twice as many.
const MOST_VALUES: usize = 500;

/// Indices of the types that the module has more.
#[derive(Debug)]
pub(crate) struct Calls {
    /// Types of the original module. Behind them, in the same order, are those with labels.
    types: u32,
    /// For each type what its body's block gives. Blocks of several results have a type of their own, behind the others.
    bodies: Vec<Body>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Empty,
    One,
    Several(u32),
}

impl Calls {
    pub(crate) fn new(facts: &Facts) -> Result<Self, Refusal> {
        let types = count(facts.types.len())?;
        let mut next = types.checked_mul(2).ok_or_else(|| Refusal::internal("there are too many types"))?;
        let mut bodies = Vec::with_capacity(facts.types.len());
        for ty in &facts.types {
            if ty.params().len() > MOST_VALUES || ty.results().len() > MOST_VALUES {
                return Err(Refusal::size(format!(
                    "a function of it has more than {MOST_VALUES} parameters or results"
                )));
            }
            bodies.push(match ty.results() {
                [] => Body::Empty,
                [_] => Body::One,
                _ => {
                    next += 1;
                    Body::Several(next - 1)
                }
            });
        }
        Ok(Self { types, bodies })
    }

    /// The type of functions of type `ty`, with labels.
    pub(crate) fn labelled(&self, ty: u32) -> u32 {
        self.types.saturating_add(ty)
    }

    /// Writes the types that there are more.
    pub(crate) fn add_types(&self, facts: &Facts, types: &mut TypeSection, remap: Remap) -> Result<(), Refusal> {
        for ty in &facts.types {
            let (parameters, results) = labelled(ty, remap)?;
            types.ty().function(parameters, results);
        }
        for (ty, body) in facts.types.iter().zip(&self.bodies) {
            if let Body::Several(_) = body {
                types.ty().function([], encoded(ty.results(), remap)?);
            }
        }
        Ok(())
    }

    /// The type of the block that a function's own code stands in: what it gives, without labels. None is needed where
    /// it gives nothing.
    pub(crate) fn body(&self, ty: u32, results: &[ValType], mut remap: Remap) -> Result<Option<BlockType>, Refusal> {
        let body = self.bodies.get(ty as usize).ok_or_else(|| Refusal::internal("a type is missing"))?;
        Ok(match (body, results.first()) {
            (Body::One, Some(result)) => Some(BlockType::Result(remap.val_type(*result)?)),
            (Body::Several(ty), _) => Some(BlockType::FunctionType(*ty)),
            _ => None,
        })
    }
}

fn encoded(types: &[ValType], mut remap: Remap) -> Result<Vec<Encoded>, Refusal> {
    types.iter().map(|ty| Ok(remap.val_type(*ty)?)).collect()
}

/// Parameters and results of a function that takes and gives labels.
pub(crate) fn labelled(ty: &FuncType, remap: Remap) -> Result<(Vec<Encoded>, Vec<Encoded>), Refusal> {
    let with_labels = |types: &[ValType]| -> Result<Vec<Encoded>, Refusal> {
        let mut all = encoded(types, remap)?;
        all.extend(types.iter().map(|ty| Width::of(*ty).ty()));
        Ok(all)
    };
    Ok((with_labels(ty.params())?, with_labels(ty.results())?))
}

impl Tracer<'_> {
    /// Calls that are direct, or through a table.
    pub(super) fn call(&mut self, operator: &Operator<'_>) -> Result<bool, Refusal> {
        match *operator {
            Operator::Call { function_index } => {
                let ty = self.around.facts.function_type(function_index)?;
                self.arguments(ty.params())?;
                self.put(&I::Call(function_index));
                self.results(ty)?;
            }
            Operator::CallIndirect { type_index, table_index } => {
                let ty = self.around.facts.ty(type_index)?;
                self.arguments_below_callee(ty.params())?;
                let type_index = self.around.calls.labelled(type_index);
                self.put(&I::CallIndirect { type_index, table_index });
                self.results(ty)?;
            }
            // The callee gives what we would, with its labels.
            Operator::ReturnCall { function_index } => {
                let ty = self.around.facts.function_type(function_index)?;
                self.arguments(ty.params())?;
                self.put(&I::ReturnCall(function_index));
                self.dead()?;
            }
            Operator::ReturnCallIndirect { type_index, table_index } => {
                let ty = self.around.facts.ty(type_index)?;
                self.arguments_below_callee(ty.params())?;
                let type_index = self.around.calls.labelled(type_index);
                self.put(&I::ReturnCallIndirect { type_index, table_index });
                self.dead()?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn arguments(&mut self, parameters: &[ValType]) -> Result<(), Refusal> {
        for below in (0..parameters.len()).rev() {
            let (depth, entry) = self.peek(below)?;
            self.label(depth, &entry);
            self.under(entry.ty);
        }
        self.hand_on(None);
        Ok(())
    }

    /// The same where the topmost value says what is called.
    fn arguments_below_callee(&mut self, parameters: &[ValType]) -> Result<(), Refusal> {
        let chosen = self.pop()?;
        if !parameters.is_empty() {
            let callee = self.scratch(Encoded::I32, Scratch::Value);
            self.put(&I::LocalSet(callee));
            self.arguments(parameters)?;
            self.put(&I::LocalGet(callee));
        }
        self.hand_on(Some(chosen));
        Ok(())
    }

    fn results(&mut self, ty: &FuncType) -> Result<(), Refusal> {
        for _ in ty.params() {
            self.pop()?;
        }
        let base = self.stack.len();
        for (at, ty) in ty.results().iter().enumerate().rev() {
            let slot = self.slot(base + at, Width::of(*ty));
            self.put(&I::LocalSet(slot));
        }
        for ty in ty.results() {
            self.stack.push(Entry {
                ty: *ty,
                home: Home::Slot,
                known: None,
                pending: Smear::Exact,
                stack: Stack::Other,
            });
        }
        Ok(())
    }
}
