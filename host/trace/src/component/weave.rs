//! The component again, with the store at its front, its core modules rewritten, and hooks between them and the world.
//!
//! Everything at the top is written one by one. What is put in between moves the indices of what follows: [`Weaver`]
//! knows where each went. Functions that the host gives are pending until one is used, so that a few modules of hooks
//! serve for all of them.

use std::collections::HashMap;

use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent, component_utils};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, CanonicalOption, Component, ComponentAliasSection, ComponentExportKind,
    ComponentImportSection, ComponentInstanceSection, ComponentSectionId, ComponentTypeRef, ComponentTypeSection,
    ComponentValType, ExportKind, InstanceSection, InstanceType, ModuleArg, PrimitiveValType, RawSection,
};
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentInstance, ComponentType, ExternalKind, Instance, Parser, Payload,
};

use super::globals::{Classes, rewritten};
use super::helpers::{HOST, HOST_FUNCTIONS, ORIGINALS};
use super::hooks::{Planned, module};
use super::inside::{Given, MAX_DEPTH};
use super::survey::{Origin, Role, Survey, survey};
use crate::core::facts::count;
use crate::core::layout::{self, Lanes, STORE, label_of};
use crate::core::store::store;
use crate::follow::Follow;
use crate::map::{Hook, INTERFACE};
use crate::refusal::Refusal;

/// What the front adds to index spaces that nothing else is added to.
const ADDED_TYPES: u32 = 1;
const ADDED_INSTANCES: u32 = 1;
const ADDED_FUNCTIONS: u32 = 4;
const ADDED_MEMORIES: u32 = 1;

/// Core instances of the front.
const STORE_INSTANCE: u32 = 0;
const HOST_INSTANCE: u32 = 1;

/// Rewrites a component.
pub(super) fn weave(
    component: &[u8],
    given: Option<Given>,
    hooks: &mut Vec<Hook>,
    follow: Follow,
    depth: u32,
) -> Result<Vec<u8>, Refusal> {
    if depth > MAX_DEPTH {
        return Err(Refusal::shape(format!("its components are more than {MAX_DEPTH} inside one another")));
    }
    let survey = survey(component, count(hooks.len())?, given)?;
    if follow == Follow::Branches && survey.is_composed() {
        return Err(Refusal::shape("branches are followed in one component, and this is a composition of several"));
    }
    hooks.extend(survey.hooks.iter().cloned());
    let (rewritten, classes) = rewritten(component, &survey, follow)?;
    let mut weaver = Weaver {
        survey: &survey,
        hooks,
        lanes: survey.lanes(),
        follow,
        inside: depth,
        rewritten,
        classes,
        out: Component::new(),
        depth: 0,
        modules: Next { map: Vec::new(), next: 0 },
        instances: Next { map: Vec::new(), next: 0 },
        functions: Next { map: Vec::new(), next: 0 },
        globals: Next { map: Vec::new(), next: 0 },
        twins: Vec::new(),
        pending: Vec::new(),
        lifted: 0,
        entries: HashMap::new(),
    };
    weaver.front();
    let mut parser = Parser::new(0);
    let mut rest = component;
    while !rest.is_empty() {
        let wasmparser::Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else {
            return Err(Refusal::internal("the component ends too soon"));
        };
        let inner = match &payload {
            Payload::ModuleSection { unchecked_range, .. } | Payload::ComponentSection { unchecked_range, .. } => {
                unchecked_range.len()
            }
            _ => 0,
        };
        rest = rest.get(consumed + inner..).unwrap_or_default();
        weaver.section(component, payload)?;
    }
    Ok(weaver.out.finish())
}

/// One index space: where each item of the original is, and where the next one will be.
struct Next {
    map: Vec<u32>,
    next: u32,
}

impl Next {
    fn ours(&mut self) -> u32 {
        let at = self.next;
        self.next += 1;
        at
    }

    fn theirs(&mut self) {
        let at = self.ours();
        self.map.push(at);
    }

    fn get(&self, old: u32) -> Result<u32, Refusal> {
        self.map.get(old as usize).copied().ok_or_else(|| Refusal::internal("an index is missing"))
    }
}

/// A host function of the original, that no hook stands before yet.
struct Pending {
    old: u32,
    raw: u32,
}

struct Weaver<'a> {
    survey: &'a Survey,
    hooks: &'a mut Vec<Hook>,
    lanes: Lanes,
    follow: Follow,
    /// How many components are around it.
    inside: u32,
    /// The core modules, in order.
    rewritten: Vec<Vec<u8>>,
    classes: Classes,
    out: Component,
    depth: u32,
    modules: Next,
    instances: Next,
    functions: Next,
    globals: Next,
    /// The global with the label of each global that has one.
    twins: Vec<Option<u32>>,
    pending: Vec<Pending>,
    /// Lifts so far.
    lifted: usize,
    entries: HashMap<(u32, Role), u32>,
}

impl Weaver<'_> {
    fn front(&mut self) {
        let u32_type = ComponentValType::Primitive(PrimitiveValType::U32);
        let mut interface = InstanceType::new();
        interface.ty().defined_type().tuple(vec![u32_type; 7]);
        interface.ty().defined_type().list(ComponentValType::Type(0));
        interface.ty().function().params([("hook", u32_type), ("runs", ComponentValType::Type(1))]).result(None);
        interface.ty().function().params([("hook", u32_type)]).result(Some(u32_type));
        let parts = ["hook", "path", "first", "second", "third"].map(|name| (name, u32_type));
        interface.ty().function().params(parts).result(Some(u32_type));
        let piece = ["hook", "path", "first", "second", "third", "offset"].map(|name| (name, u32_type));
        interface.ty().function().params(piece).result(Some(u32_type));
        for (ty, (name, _, _)) in (2u32..).zip(HOST_FUNCTIONS) {
            interface.export(name, ComponentTypeRef::Func(ty));
        }
        let mut types = ComponentTypeSection::new();
        types.ty().instance(&interface);
        let mut imports = ComponentImportSection::new();
        imports.import(INTERFACE, ComponentTypeRef::Instance(0));
        let mut aliases = ComponentAliasSection::new();
        for (name, _, _) in HOST_FUNCTIONS {
            aliases.alias(Alias::InstanceExport { instance: 0, kind: ComponentExportKind::Func, name });
        }
        self.out.section(&types).section(&imports).section(&aliases);
        let store = store(self.lanes, self.survey.owner());
        self.core_module(&store);
        let module = self.modules.ours();
        self.instantiate(module, Vec::new());
        let mut memory = ComponentAliasSection::new();
        let name = layout::REPORT;
        memory.alias(Alias::CoreInstanceExport { instance: STORE_INSTANCE, kind: ExportKind::Memory, name });
        let mut lowered = CanonicalFunctionSection::new();
        lowered.lower(0, [CanonicalOption::UTF8, CanonicalOption::Memory(0)]);
        lowered.lower(1, []).lower(2, []).lower(3, []);
        let mut host = InstanceSection::new();
        let functions = HOST_FUNCTIONS.iter().zip([0, 1, 2, 3]).map(|((name, _, _), at)| (*name, ExportKind::Func, at));
        host.export_items(functions);
        self.out.section(&memory).section(&lowered).section(&host);
        self.functions.next = ADDED_FUNCTIONS;
        self.instances.ours();
    }

    fn core_module(&mut self, module: &[u8]) {
        self.out.section(&RawSection { id: ComponentSectionId::CoreModule as u8, data: module });
    }

    fn instantiate(&mut self, module: u32, args: Vec<(&str, ModuleArg)>) -> u32 {
        let mut section = InstanceSection::new();
        section.instantiate(module, args);
        self.out.section(&section);
        self.instances.ours()
    }

    fn section(&mut self, component: &[u8], payload: Payload<'_>) -> Result<(), Refusal> {
        match payload {
            Payload::ModuleSection { unchecked_range, .. } => {
                let at = self.survey.modules.iter().position(|module| module.range == unchecked_range);
                let rewritten = at.and_then(|at| self.rewritten.get_mut(at)).map(std::mem::take);
                self.core_module(&rewritten.ok_or_else(|| Refusal::internal("a module is missing"))?);
                self.modules.theirs();
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    self.core_instance(instance?)?;
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    self.alias(alias?)?;
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for canonical in section {
                    self.canonical(canonical?)?;
                }
            }
            Payload::ComponentTypeSection(section) => {
                for ty in section {
                    let mut types = ComponentTypeSection::new();
                    match ty? {
                        ComponentType::Resource { rep, dtor } => {
                            let dtor = dtor.map(|function| self.entry(function, Role::Destructor)).transpose()?;
                            let rep = self.val_type(rep)?;
                            types.ty().resource(rep, dtor);
                        }
                        other => self.parse_component_type(types.ty(), other)?,
                    }
                    self.out.section(&types);
                }
            }
            Payload::ComponentSection { unchecked_range, .. }
                if self.survey.inner.iter().any(|inner| inner.has_code && inner.range == unchecked_range) =>
            {
                let inner = self.survey.inner.iter().find(|inner| inner.range == unchecked_range);
                let given = inner.and_then(|inner| inner.given.clone()).unwrap_or_default();
                let bytes = component.get(unchecked_range).unwrap_or_default();
                let woven = weave(bytes, Some(given), self.hooks, self.follow, self.inside + 1)?;
                self.out.section(&RawSection { id: ComponentSectionId::Component as u8, data: &woven });
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    self.instance(instance?)?;
                }
            }
            // Names and notes for people are about indices that have moved.
            Payload::CustomSection(_) => {}
            other => {
                let mut out = std::mem::take(&mut self.out);
                let result = component_utils::parse_component_payload(self, &mut out, other, component);
                self.out = out;
                result?;
            }
        }
        Ok(())
    }

    /// A component with code is given what traced components import, besides what it is given.
    fn instance(&mut self, instance: ComponentInstance<'_>) -> Result<(), Refusal> {
        let mut section = ComponentInstanceSection::new();
        match instance {
            ComponentInstance::Instantiate { component_index, args }
                if self.survey.inner_with_code(component_index).is_some() =>
            {
                let mut passed = Vec::new();
                for arg in &args {
                    let kind = self.component_export_kind(arg.kind);
                    passed.push((arg.name, kind, self.component_external_index(arg.kind, arg.index)));
                }
                passed.push((INTERFACE, ComponentExportKind::Instance, 0));
                section.instantiate(self.component_index(component_index), passed);
            }
            other => self.parse_component_instance(&mut section, other)?,
        }
        self.out.section(&section);
        Ok(())
    }

    fn core_instance(&mut self, instance: Instance<'_>) -> Result<(), Refusal> {
        match instance {
            Instance::Instantiate { module_index, args } => {
                let mut passed = Vec::new();
                for arg in &args {
                    passed.push((arg.name, ModuleArg::Instance(self.instances.get(arg.index)?)));
                }
                passed.push((STORE, ModuleArg::Instance(STORE_INSTANCE)));
                let module = self.modules.get(module_index)?;
                let at = self.instantiate(module, passed);
                self.instances.map.push(at);
            }
            Instance::FromExports(exports) => {
                let mut items = Vec::new();
                for export in &exports {
                    let (kind, index) = match export.kind {
                        ExternalKind::Func | ExternalKind::FuncExact => {
                            (ExportKind::Func, self.function(export.index)?)
                        }
                        ExternalKind::Global => {
                            if let Some(twin) = self.twins.get(export.index as usize).copied().flatten() {
                                items.push((label_of(export.name), ExportKind::Global, twin));
                            }
                            (ExportKind::Global, self.globals.get(export.index)?)
                        }
                        ExternalKind::Memory => (ExportKind::Memory, export.index + ADDED_MEMORIES),
                        ExternalKind::Table => (ExportKind::Table, export.index),
                        ExternalKind::Tag => return Err(Refusal::shape("it uses an exception tag")),
                    };
                    items.push((export.name.to_owned(), kind, index));
                }
                let mut section = InstanceSection::new();
                section.export_items(items.iter().map(|(name, kind, index)| (name.as_str(), *kind, *index)));
                self.out.section(&section);
                self.instances.theirs();
            }
        }
        Ok(())
    }

    fn core_alias(&mut self, instance: u32, kind: ExportKind, name: &str) {
        let mut section = ComponentAliasSection::new();
        section.alias(Alias::CoreInstanceExport { instance, kind, name });
        self.out.section(&section);
    }

    fn alias(&mut self, alias: ComponentAlias<'_>) -> Result<(), Refusal> {
        let ComponentAlias::CoreInstanceExport { kind, instance_index, name } = alias else {
            let alias = self.component_alias(alias)?;
            let mut section = ComponentAliasSection::new();
            section.alias(alias);
            self.out.section(&section);
            return Ok(());
        };
        let instance = self.instances.get(instance_index)?;
        match kind {
            ExternalKind::Func | ExternalKind::FuncExact => {
                self.core_alias(instance, ExportKind::Func, name);
                self.functions.theirs();
            }
            ExternalKind::Global => {
                self.core_alias(instance, ExportKind::Global, name);
                let mutable = self.survey.globals.get(self.globals.map.len()).copied().unwrap_or(false);
                let labelled = mutable && !self.classes.is_clean(name);
                self.globals.theirs();
                let twin = labelled.then(|| {
                    self.core_alias(instance, ExportKind::Global, &label_of(name));
                    self.globals.ours()
                });
                self.twins.push(twin);
            }
            ExternalKind::Memory => self.core_alias(instance, ExportKind::Memory, name),
            ExternalKind::Table => self.core_alias(instance, ExportKind::Table, name),
            ExternalKind::Tag => return Err(Refusal::shape("it uses an exception tag")),
        }
        Ok(())
    }

    fn canonical(&mut self, canonical: CanonicalFunction) -> Result<(), Refusal> {
        let mut section = CanonicalFunctionSection::new();
        match canonical {
            CanonicalFunction::Lift { core_func_index, type_index, options } => {
                let hook = self.survey.lifts.get(self.lifted).copied();
                let role = Role::Lifted(hook.ok_or_else(|| Refusal::internal("what is lifted was not seen"))?);
                self.lifted += 1;
                let options = self.options(&options)?;
                let function = self.entry(core_func_index, role)?;
                section.lift(function, type_index + ADDED_TYPES, options);
                self.out.section(&section);
            }
            CanonicalFunction::Lower { func_index, options } => {
                let options = self.options(&options)?;
                section.lower(func_index + ADDED_FUNCTIONS, options);
                self.out.section(&section);
                self.wait();
            }
            other => {
                self.parse_component_canonical(&mut section, other)?;
                self.out.section(&section);
                self.wait();
            }
        }
        Ok(())
    }

    /// A function of the host was made; its hook comes when it is used.
    fn wait(&mut self) {
        let old = u32::try_from(self.functions.map.len()).unwrap_or(u32::MAX);
        self.functions.theirs();
        let raw = self.functions.next - 1;
        self.pending.push(Pending { old, raw });
    }

    fn options(&mut self, options: &[wasmparser::CanonicalOption]) -> Result<Vec<CanonicalOption>, Refusal> {
        let mut written = Vec::new();
        for option in options {
            written.push(match option {
                wasmparser::CanonicalOption::Memory(memory) => CanonicalOption::Memory(memory + ADDED_MEMORIES),
                wasmparser::CanonicalOption::Realloc(function) => {
                    CanonicalOption::Realloc(self.entry(*function, Role::Realloc)?)
                }
                wasmparser::CanonicalOption::PostReturn(function) => {
                    CanonicalOption::PostReturn(self.entry(*function, Role::PostReturn)?)
                }
                _ => CanonicalOption::UTF8,
            });
        }
        Ok(written)
    }

    /// A core function, as the guest calls it.
    fn function(&mut self, old: u32) -> Result<u32, Refusal> {
        if self.pending.iter().any(|pending| pending.old == old) {
            let pending = std::mem::take(&mut self.pending);
            let mut planned = Vec::new();
            for (at, pending) in pending.iter().enumerate() {
                planned.push(self.planned(pending.old, at.to_string(), None)?);
            }
            let mut section = InstanceSection::new();
            let names: Vec<String> = (0..pending.len()).map(|at| at.to_string()).collect();
            let items =
                names.iter().zip(&pending).map(|(name, pending)| (name.as_str(), ExportKind::Func, pending.raw));
            section.export_items(items);
            self.out.section(&section);
            let originals = self.instances.ours();
            for (pending, new) in pending.iter().zip(self.hook(originals, &planned)?) {
                if let Some(index) = self.functions.map.get_mut(pending.old as usize) {
                    *index = new;
                }
            }
        }
        self.functions.get(old)
    }

    fn planned(&self, old: u32, original: String, role: Option<Role>) -> Result<Planned, Refusal> {
        let function = self.survey.functions.get(old as usize);
        let function = function.ok_or_else(|| Refusal::internal("a core function was not seen"))?;
        let plan = match role {
            None => function.plan.clone(),
            Some(role) => {
                let entries = &self.survey.entries;
                let entry = entries.iter().find(|entry| entry.function == old && entry.role == role);
                entry.map(|entry| entry.plan.clone())
            }
        };
        let plan = plan.ok_or_else(|| Refusal::internal("a core function has no hook"))?;
        Ok(Planned { original, ty: function.ty.clone(), plan })
    }

    /// Writes a module of hooks before functions of core instance `originals`. Gives their indices.
    fn hook(&mut self, originals: u32, planned: &[Planned]) -> Result<Vec<u32>, Refusal> {
        let bytes = module(self.lanes, self.survey.is_composed(), planned, self.hooks)?;
        self.core_module(&bytes);
        let module = self.modules.ours();
        let args = vec![
            (ORIGINALS, ModuleArg::Instance(originals)),
            (HOST, ModuleArg::Instance(HOST_INSTANCE)),
            (STORE, ModuleArg::Instance(STORE_INSTANCE)),
        ];
        let instance = self.instantiate(module, args);
        let mut indices = Vec::new();
        for at in 0..planned.len() {
            self.core_alias(instance, ExportKind::Func, &at.to_string());
            indices.push(self.functions.ours());
        }
        Ok(indices)
    }

    /// A core function, as the host calls it. Those of one instance get their hooks together.
    fn entry(&mut self, old: u32, role: Role) -> Result<u32, Refusal> {
        if let Some(index) = self.entries.get(&(old, role)) {
            return Ok(*index);
        }
        let survey = self.survey;
        let function = survey.functions.get(old as usize);
        let function = function.ok_or_else(|| Refusal::internal("a core function was not seen"))?;
        let (originals, together) = match &function.origin {
            Origin::Alias { instance, .. } => {
                let of_it = |function: u32| {
                    let function = survey.functions.get(function as usize)?;
                    match &function.origin {
                        Origin::Alias { instance: of, name } if of == instance => Some(name.clone()),
                        _ => None,
                    }
                };
                let together: Vec<(u32, Role, String)> = survey
                    .entries
                    .iter()
                    .filter_map(|entry| Some((entry.function, entry.role, of_it(entry.function)?)))
                    .collect();
                (self.instances.get(*instance)?, together)
            }
            Origin::Canonical => {
                let index = self.function(old)?;
                let mut section = InstanceSection::new();
                section.export_items([("0", ExportKind::Func, index)]);
                self.out.section(&section);
                (self.instances.ours(), vec![(old, role, "0".to_owned())])
            }
        };
        let mut planned = Vec::new();
        for (function, role, name) in &together {
            planned.push(self.planned(*function, name.clone(), Some(*role))?);
        }
        for ((function, role, _), new) in together.iter().zip(self.hook(originals, &planned)?) {
            self.entries.insert((*function, *role), new);
        }
        self.entries.get(&(old, role)).copied().ok_or_else(|| Refusal::internal("an entry has no hook"))
    }
}

impl Reencode for Weaver<'_> {
    type Error = std::convert::Infallible;
}

impl ReencodeComponent for Weaver<'_> {
    fn push_depth(&mut self) {
        self.depth += 1;
    }

    fn pop_depth(&mut self) {
        self.depth -= 1;
    }

    fn component_type_index(&mut self, ty: u32) -> u32 {
        if self.depth == 0 { ty + ADDED_TYPES } else { ty }
    }

    fn component_instance_index(&mut self, instance: u32) -> u32 {
        if self.depth == 0 { instance + ADDED_INSTANCES } else { instance }
    }

    fn component_func_index(&mut self, function: u32) -> u32 {
        if self.depth == 0 { function + ADDED_FUNCTIONS } else { function }
    }

    fn outer_component_type_index(&mut self, count: u32, ty: u32) -> u32 {
        if self.depth == count { ty + ADDED_TYPES } else { ty }
    }

    fn outer_type_index(&mut self, _count: u32, ty: u32) -> Result<u32, Error<Self::Error>> {
        Ok(ty)
    }

    fn outer_component_index(&mut self, _count: u32, component: u32) -> u32 {
        component
    }
}
