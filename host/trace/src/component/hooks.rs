//! Hooks: functions that stand before a lowered import, a lifted export, or what else crosses between host and guest.

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ConstExpr, EntityType, ExportKind, ExportSection, Function, FunctionSection, GlobalSection,
    GlobalType, ImportSection, Instruction as I, Module, TypeSection, ValType as Encoded,
};
use wasmparser::{FuncType, ValType};

use super::helpers::{Helpers, ORIGINALS};
use super::shape::{Shape, Signature};
use super::walk::{Flat, Walk, Way};
use crate::core::calls::labelled;
use crate::core::layout::Lanes;
use crate::core::remap::Remap;
use crate::core::width::Width;
use crate::map::{Hook, Step};
use crate::refusal::Refusal;

/// Core values that arguments are passed in; more go through memory.
const MAX_FLAT: usize = 16;

/// What memory is labelled with, while the host still writes what it will be known for: any source, as weak.
const ANY_SOURCE: i32 = 0xf0;

/// What a hook stands before, and does.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    /// The guest calls a function of the host: number in the map, and types.
    Import(u32, Signature),
    /// The host calls a function of the guest.
    Export(u32, Signature),
    /// The host asks the guest for memory.
    Realloc,
    /// The host tells the guest that it has read the result.
    PostReturn,
    /// A resource of the guest's ends.
    Destructor,
    /// The guest makes a resource of a number.
    ResourceNew,
    /// The guest asks for that number.
    ResourceRep,
    /// The guest lets go of a handle.
    ResourceDrop,
}

impl Plan {
    /// Whether what stands before it is called by the guest, with labels. Else it is called by the host, without.
    fn is_called_by_guest(&self) -> bool {
        match self {
            Self::Import(..) | Self::ResourceNew | Self::ResourceRep | Self::ResourceDrop => true,
            Self::Export(..) | Self::Realloc | Self::PostReturn | Self::Destructor => false,
        }
    }
}

/// A hook to be written.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    /// The name of the original, among the originals.
    pub(super) original: String,
    pub(super) ty: FuncType,
    pub(super) plan: Plan,
}

/// A module with hooks, exported by their number.
pub(super) fn module(
    lanes: Lanes,
    composed: bool,
    planned: &[Planned],
    hooks: &mut [Hook],
) -> Result<Vec<u8>, Refusal> {
    let originals = u32::try_from(planned.len()).map_err(|_| Refusal::internal("too many hooks"))?;
    let helpers = Helpers { originals, lanes, composed };
    let (mut types, mut imports, mut functions) = (TypeSection::new(), ImportSection::new(), FunctionSection::new());
    let mut exported = Vec::new();
    for hook in planned {
        // As the host knows it, and as the guest does.
        let (host, guest) = (types.len(), types.len() + 1);
        add_types(&mut types, &hook.ty)?;
        let (inner, outer) = if hook.plan.is_called_by_guest() { (host, guest) } else { (guest, host) };
        imports.import(ORIGINALS, &hook.original, EntityType::Function(inner));
        exported.push(outer);
    }
    helpers.import(&mut types, &mut imports);
    let mut code = CodeSection::new();
    for (parameters, result, body) in helpers.functions() {
        functions.function(types.len());
        types.ty().function((0..parameters).map(|_| Encoded::I32), result);
        code.function(&body);
    }
    let mut exports = ExportSection::new();
    for ((at, hook), ty) in (0u32..).zip(planned).zip(exported) {
        functions.function(ty);
        exports.export(&at.to_string(), ExportKind::Func, helpers.first_hook() + at);
        code.function(&write(helpers, at, hook, hooks)?);
    }
    let mut globals = GlobalSection::new();
    for _ in 0..Helpers::GLOBALS {
        let ty = GlobalType { val_type: Encoded::I32, mutable: true, shared: false };
        globals.global(ty, &ConstExpr::i32_const(0));
    }
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&globals).section(&exports).section(&code);
    Ok(module.finish())
}

/// A type without labels, and with them.
fn add_types(types: &mut TypeSection, ty: &FuncType) -> Result<(), Refusal> {
    let (mut parameters, mut results) = labelled(ty, Remap::NONE)?;
    types
        .ty()
        .function(parameters.iter().copied().take(ty.params().len()), results.iter().copied().take(ty.results().len()));
    types.ty().function(parameters.drain(..), results.drain(..));
    Ok(())
}

fn write(helpers: Helpers, at: u32, planned: &Planned, hooks: &mut [Hook]) -> Result<Function, Refusal> {
    let ty = &planned.ty;
    let parameters = u32::try_from(ty.params().len()).map_err(|_| Refusal::internal("too many parameters"))?;
    let mut none = Vec::new();
    let paths = match planned.plan {
        Plan::Import(hook, _) | Plan::Export(hook, _) => {
            let hook = hooks.get_mut(hook as usize).ok_or_else(|| Refusal::internal("a hook is missing"))?;
            &mut hook.paths
        }
        _ => &mut none,
    };
    let by_guest = planned.plan.is_called_by_guest();
    let mut walk = Walk::new(if by_guest { parameters.saturating_mul(2) } else { parameters }, helpers, paths);
    if by_guest {
        for (at, ty) in (0u32..).zip(ty.params()) {
            walk.put(&I::LocalGet(parameters + at));
            pack(&mut walk, *ty);
            walk.put(&I::GlobalSet(helpers.argument(at)));
        }
    }
    match &planned.plan {
        Plan::Import(hook, signature) => import(&mut walk, at, *hook, ty, signature)?,
        Plan::Export(hook, signature) => export(&mut walk, at, *hook, ty, signature)?,
        Plan::Realloc => {
            clean_arguments(&mut walk, parameters);
            call_guest(&mut walk, at, ty);
            let pointer = walk.body.local(Encoded::I32);
            walk.put(&I::LocalTee(pointer));
            walk.put(&I::LocalGet(parameters.saturating_sub(1)));
            walk.put(&I::Call(helpers.expect()));
            walk.put(&I::LocalGet(pointer));
        }
        Plan::PostReturn => {
            clean_arguments(&mut walk, parameters);
            call_guest(&mut walk, at, ty);
        }
        Plan::Destructor => {
            undecided(&mut walk);
            walk.put(&I::GlobalGet(helpers.handles()));
            walk.body.spread(Width::Long, 4);
            walk.put(&I::GlobalSet(helpers.argument(0)));
            call_guest(&mut walk, at, ty);
        }
        Plan::ResourceNew => {
            walk.put(&I::GlobalGet(helpers.handles()));
            walk.put(&I::GlobalGet(helpers.argument(0)));
            walk.body.fold(Width::Long);
            walk.put(&I::I32Or);
            walk.put(&I::GlobalSet(helpers.handles()));
            call_host(&mut walk, at, parameters);
            clean_results(&mut walk, ty);
        }
        Plan::ResourceRep => {
            call_host(&mut walk, at, parameters);
            walk.put(&I::GlobalGet(helpers.handles()));
            walk.body.spread(Width::Long, 4);
            walk.put(&I::GlobalSet(helpers.result(0)));
        }
        Plan::ResourceDrop => call_host(&mut walk, at, parameters),
    }
    if by_guest {
        for (at, ty) in (0u32..).zip(ty.results()) {
            walk.put(&I::GlobalGet(helpers.result(at)));
            unpack(&mut walk, *ty);
        }
    }
    walk.put(&I::End);
    let mut function = Function::new(walk.body.added().iter().map(|ty| (1, *ty)));
    function.raw(walk.body.code);
    Ok(function)
}

/// Calls a function of the host, which knows no labels.
fn call_host(walk: &mut Walk<'_>, original: u32, parameters: u32) {
    for at in 0..parameters {
        walk.put(&I::LocalGet(at));
    }
    walk.put(&I::Call(original));
}

/// Calls a function of the guest. Labels that it takes and gives are in globals on this side.
fn call_guest(walk: &mut Walk<'_>, original: u32, ty: &FuncType) {
    for (at, _) in (0u32..).zip(ty.params()) {
        walk.put(&I::LocalGet(at));
    }
    for (at, ty) in (0u32..).zip(ty.params()) {
        walk.put(&I::GlobalGet(walk.helpers.argument(at)));
        unpack(walk, *ty);
    }
    walk.put(&I::Call(original));
    for (at, ty) in (0u32..).zip(ty.results()).collect::<Vec<_>>().into_iter().rev() {
        pack(walk, *ty);
        walk.put(&I::GlobalSet(walk.helpers.result(at)));
    }
}

/// A label to what a global for it holds. No vector crosses.
fn pack(walk: &mut Walk<'_>, ty: ValType) {
    if Width::of(ty) == Width::Word {
        walk.put(&I::I64ExtendI32U);
    }
}

fn unpack(walk: &mut Walk<'_>, ty: ValType) {
    if Width::of(ty) == Width::Word {
        walk.put(&I::I32WrapI64);
    }
}

fn clean_arguments(walk: &mut Walk<'_>, many: u32) {
    for at in 0..many {
        walk.put(&I::I64Const(0));
        walk.put(&I::GlobalSet(walk.helpers.argument(at)));
    }
    undecided(walk);
}

/// What the host calls, no branch of the guest has decided about.
fn undecided(walk: &mut Walk<'_>) {
    walk.put(&I::I32Const(0));
    walk.put(&I::GlobalSet(walk.helpers.decided()));
}

fn clean_results(walk: &mut Walk<'_>, ty: &FuncType) {
    for (at, _) in (0u32..).zip(ty.results()) {
        walk.put(&I::I64Const(0));
        walk.put(&I::GlobalSet(walk.helpers.result(at)));
    }
}

/// Starts a walk: whose report it is.
fn begin(walk: &mut Walk<'_>, hook: u32) {
    walk.put(&I::I32Const(hook.cast_signed()));
    walk.put(&I::GlobalSet(walk.helpers.hook()));
}

/// Asks the host what arrived.
fn arrived(walk: &mut Walk<'_>, hook: u32) {
    begin(walk, hook);
    walk.put(&I::I32Const(hook.cast_signed()));
    walk.put(&I::Call(walk.helpers.arrived()));
    walk.put(&I::GlobalSet(walk.helpers.label()));
}

/// Whether there is anything in it to label.
fn has_data(shape: &Shape) -> bool {
    match shape {
        Shape::Value { .. } | Shape::Text | Shape::Numbers { .. } => true,
        Shape::Handle => false,
        Shape::List(element) => has_data(element),
        Shape::Record(fields) => fields.iter().any(|(_, field)| has_data(field)),
        Shape::Variant { cases, .. } => cases.iter().any(|(_, case)| case.as_ref().is_some_and(has_data)),
    }
}

/// Arguments, in core values or behind a pointer.
fn arguments(walk: &mut Walk<'_>, way: Way, signature: &Signature) -> Result<(), Refusal> {
    let record = Shape::Record(signature.parameters.clone());
    let flat = record.flat();
    if flat.len() > MAX_FLAT {
        walk.memory(way, &record, 0, 0);
        return Ok(());
    }
    let places: Vec<(Flat, ValType)> = (0u32..).map(Flat::Parameter).zip(flat).collect();
    walk.flat(way, &record, &places)
}

/// The core type that a function has by its types. It was validated: a difference is a mistake in our layouts.
fn expect_type(signature: &Signature, ty: &FuncType, import: bool) -> Result<bool, Refusal> {
    let mut parameters = Shape::Record(signature.parameters.clone()).flat();
    if parameters.len() > MAX_FLAT {
        parameters = vec![ValType::I32];
    }
    let mut results = signature.result.as_ref().map(Shape::flat).unwrap_or_default();
    let behind = results.len() > 1;
    if behind {
        results = if import { Vec::new() } else { vec![ValType::I32] };
        if import {
            parameters.push(ValType::I32);
        }
    }
    if parameters != ty.params() || results != ty.results() {
        return Err(Refusal::internal("a layout is not as the canonical ABI has it"));
    }
    Ok(behind)
}

/// Labels of the arguments leave; then the call; then what came back is labelled.
fn import(walk: &mut Walk<'_>, at: u32, hook: u32, ty: &FuncType, signature: &Signature) -> Result<(), Refusal> {
    let behind = expect_type(signature, ty, true)?;
    let parameters = u32::try_from(ty.params().len()).unwrap_or_default();
    if walk.helpers.composed {
        walk.put(&I::I32Const(hook.cast_signed()));
        walk.put(&I::I32Const(0));
        walk.put(&I::I32Const(0));
        walk.put(&I::Call(walk.helpers.leaving()));
    }
    if signature.parameters.iter().any(|(_, shape)| has_data(shape)) {
        begin(walk, hook);
        arguments(walk, Way::Leaving, signature)?;
        walk.put(&I::Call(walk.helpers.flush()));
    }
    // Between the host's allocations the guest's code runs, and could copy what is there already but not labelled yet.
    // With one allocation nothing is there before it.
    let several = signature.result.as_ref().is_some_and(|shape| shape.allocations() > 1);
    let before = several.then(|| walk.body.local(Encoded::I32));
    if let Some(before) = before {
        walk.put(&I::GlobalGet(walk.helpers.expected()));
        walk.put(&I::LocalSet(before));
        walk.put(&I::I32Const(ANY_SOURCE));
        walk.put(&I::GlobalSet(walk.helpers.expected()));
    }
    call_host(walk, at, parameters);
    if let Some(before) = before {
        walk.put(&I::LocalGet(before));
        walk.put(&I::GlobalSet(walk.helpers.expected()));
    }
    clean_results(walk, ty);
    // Also where only arguments have data: what was reported of them is over when the call is.
    let data = signature.parameters.iter().map(|(_, shape)| shape).chain(&signature.result).any(has_data);
    if data || walk.helpers.composed {
        arrived(walk, hook);
    }
    let Some(result) = &signature.result else { return Ok(()) };
    walk.steps.push(Step::Result);
    if behind {
        walk.memory(Way::Arriving, result, parameters.saturating_sub(1), 0);
    } else if let Some(ty) = ty.results().first() {
        let kept = walk.body.local(RoundtripReencoder.val_type(*ty)?);
        walk.put(&I::LocalSet(kept));
        walk.flat(Way::Arriving, result, &[(Flat::Result(kept), *ty)])?;
        walk.put(&I::LocalGet(kept));
    }
    walk.steps.pop();
    Ok(())
}

/// Arguments are labelled as the host says; then the call; then labels of what is returned leave.
fn export(walk: &mut Walk<'_>, at: u32, hook: u32, ty: &FuncType, signature: &Signature) -> Result<(), Refusal> {
    let behind = expect_type(signature, ty, false)?;
    let parameters = u32::try_from(ty.params().len()).unwrap_or_default();
    clean_arguments(walk, parameters);
    if walk.helpers.composed || signature.parameters.iter().any(|(_, shape)| has_data(shape)) {
        arrived(walk, hook);
    }
    arguments(walk, Way::Arriving, signature)?;
    call_guest(walk, at, ty);
    let (Some(result), Some(ty)) = (&signature.result, ty.results().first()) else { return Ok(()) };
    let kept = walk.body.local(RoundtripReencoder.val_type(*ty)?);
    walk.put(&I::LocalSet(kept));
    begin(walk, hook);
    walk.steps.push(Step::Result);
    if behind {
        walk.memory(Way::Leaving, result, kept, 0);
    } else {
        walk.flat(Way::Leaving, result, &[(Flat::Result(kept), *ty)])?;
    }
    walk.steps.pop();
    walk.put(&I::Call(walk.helpers.flush()));
    walk.put(&I::LocalGet(kept));
    Ok(())
}
