//! What a component has at its top, found before it is rewritten: its core modules, what is lowered and lifted, with
//! which types, and by which names the world knows it.

use std::ops::Range;

use wasmparser::component_types::{ComponentAnyTypeId, ComponentFuncTypeId};
use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExternalKind, ComponentInstance,
    ComponentInstantiationArg, ComponentOuterAliasKind, ComponentType, ComponentTypeRef, CompositeInnerType,
    ExternalKind, FuncType, Instance, Parser, Payload, Validator,
};

use super::hooks::Plan;
use super::inside::{Given, Inner, Known, Names};
use super::shape::{Shapes, Signature};
use crate::core::allocators::allocators;
use crate::core::facts::{Facts, Memory, count, facts};
use crate::core::layout::{Lanes, STORE, label_of};
use crate::core::module::FEATURES;
use crate::map::{Crossing, Hook, INTERFACE};
use crate::refusal::Refusal;

/// A core module.
#[derive(Debug)]
pub(super) struct CoreModule {
    pub(super) range: Range<usize>,
    pub(super) facts: Facts,
    instances: u32,
}

/// Where a core function comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// An export of a core instance.
    Alias { instance: u32, name: String },
    /// A function of the host, or one that the component model makes.
    Canonical,
}

/// A core function.
#[derive(Debug)]
pub(super) struct CoreFunction {
    pub(super) origin: Origin,
    pub(super) ty: FuncType,
    /// What stands before it where the guest calls it.
    pub(super) plan: Option<Plan>,
}

/// As what the host calls a core function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Role {
    Lifted(u32),
    Realloc,
    PostReturn,
    Destructor,
}

/// A core function that the host calls.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) function: u32,
    pub(super) role: Role,
    pub(super) plan: Plan,
}

/// A component.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) modules: Vec<CoreModule>,
    pub(super) functions: Vec<CoreFunction>,
    /// Whether each core global can change.
    pub(super) globals: Vec<bool>,
    /// The name that each was exported by.
    global_names: Vec<String>,
    /// Names that core globals are handed on by, and those that they were exported by.
    pub(super) renamed: Vec<(String, String)>,
    pub(super) entries: Vec<Entry>,
    pub(super) hooks: Vec<Hook>,
    /// The number of the first hook: those of components around this one come before.
    first_hook: u32,
    /// Components that are defined in it.
    pub(super) inner: Vec<Inner>,
    /// Which of those each component is, where it is one.
    components: Vec<Option<usize>>,
    /// What it is given by the component around it.
    given: Option<Given>,
    /// The hooks of what is lifted, in order.
    pub(super) lifts: Vec<u32>,
    /// Lifted functions as component functions, with their hooks.
    lifted: Vec<(u32, u32)>,
    /// Interface and name of component functions, where known.
    names: Vec<Option<Known>>,
    /// What component instances are in the world, and what they are made of.
    instances: Vec<Names>,
    made: Vec<Vec<(String, u32)>>,
}

impl Survey {
    /// Globals for arguments and results that suffice for every hook.
    pub(super) fn lanes(&self) -> Lanes {
        let most = |many: &dyn Fn(&FuncType) -> usize| {
            let most = self.functions.iter().map(|function| many(&function.ty)).max().unwrap_or(0);
            u32::try_from(most).unwrap_or(u32::MAX).max(1)
        };
        Lanes { arguments: most(&|ty| ty.params().len()), results: most(&|ty| ty.results().len()) }
    }

    /// The module that has the guest's memory.
    pub(super) fn owner(&self) -> Option<&Facts> {
        self.modules.iter().map(|module| &module.facts).find(|facts| matches!(facts.memory(), Memory::Defined(_)))
    }

    /// Whether what crosses may come from another component of the same composition.
    pub(super) fn is_composed(&self) -> bool {
        self.given.is_some() || self.inner.iter().any(|inner| inner.has_code)
    }

    /// The inner component that component `index` is, where it has code.
    pub(super) fn inner_with_code(&self, index: u32) -> Option<&Inner> {
        let inner = self.inner.get(self.components.get(index as usize).copied().flatten()?)?;
        inner.has_code.then_some(inner)
    }

    fn check(&self) -> Result<(), Refusal> {
        let defines = |module: &&CoreModule| matches!(module.facts.memory(), Memory::Defined(_));
        let owners: Vec<&CoreModule> = self.modules.iter().filter(defines).collect();
        if owners.len() > 1 || owners.iter().any(|module| module.instances > 1) {
            return Err(Refusal::shape("it has more than one memory, and labels are kept for one"));
        }
        Ok(())
    }
}

/// Looks through a component. Its hooks are numbered from `first_hook` on.
pub(super) fn survey(component: &[u8], first_hook: u32, given: Option<Given>) -> Result<Survey, Refusal> {
    let mut survey = Survey { first_hook, given, ..Survey::default() };
    let mut validator = Validator::new_with_features(FEATURES);
    let mut depth = 0u32;
    let mut parts = 0;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        validator.payload(&payload)?;
        match &payload {
            Payload::Version { encoding: wasmparser::Encoding::Module, .. } if depth == 0 => {
                return Err(Refusal::shape("it is a core module, not a component"));
            }
            Payload::ModuleSection { unchecked_range, .. } => {
                if depth == 0 {
                    survey.module(component, unchecked_range.clone())?;
                }
                depth += 1;
                continue;
            }
            Payload::ComponentSection { unchecked_range, .. } => {
                if depth == 0 {
                    survey.components.push(Some(survey.inner.len()));
                    survey.inner.push(Inner::read(component, unchecked_range.clone())?);
                }
                depth += 1;
                continue;
            }
            Payload::End(_) => {
                depth = depth.saturating_sub(1);
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            let types = validator.types(0).ok_or_else(|| Refusal::internal("the validator has no types"))?;
            survey.section(payload, &mut Shapes { types, parts: &mut parts })?;
        }
    }
    survey.check()?;
    survey.name_exports(component)?;
    survey.find_allocators(component)?;
    Ok(survey)
}

impl Survey {
    fn module(&mut self, component: &[u8], range: Range<usize>) -> Result<(), Refusal> {
        let bytes = component.get(range.clone()).ok_or_else(|| Refusal::internal("a module is missing"))?;
        let facts = facts(bytes)?;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        if import?.module == STORE {
                            return Err(Refusal::shape(format!("a core module of it imports from {STORE}")));
                        }
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        if export?.name.ends_with(&label_of("")) {
                            return Err(Refusal::shape("a core module of it exports a name that ends in \" label\""));
                        }
                    }
                }
                _ => {}
            }
        }
        self.modules.push(CoreModule { range, facts, instances: 0 });
        Ok(())
    }

    fn find_allocators(&mut self, component: &[u8]) -> Result<(), Refusal> {
        let named = |entry: &Entry| match self.functions.get(entry.function as usize).map(|function| &function.origin) {
            Some(Origin::Alias { name, .. }) if entry.role == Role::Realloc => Some(name.clone()),
            _ => None,
        };
        let entries = self.entries.iter().filter_map(named).collect();
        for module in &mut self.modules {
            let bytes = component.get(module.range.clone()).unwrap_or_default();
            module.facts.allocators = allocators(bytes, &module.facts, &entries)?;
        }
        Ok(())
    }

    fn core_function(&mut self, origin: Origin, plan: Option<Plan>, shapes: &Shapes<'_>) -> Result<(), Refusal> {
        let id = shapes.types.core_function_at(count(self.functions.len())?);
        let ty = match shapes.types.get(id).map(|ty| &ty.composite_type.inner) {
            Some(CompositeInnerType::Func(ty)) => ty.clone(),
            _ => return Err(Refusal::internal("a core function has no type")),
        };
        self.functions.push(CoreFunction { origin, ty, plan });
        Ok(())
    }

    fn section(&mut self, payload: Payload<'_>, shapes: &mut Shapes<'_>) -> Result<(), Refusal> {
        match payload {
            Payload::InstanceSection(section) => {
                for instance in section {
                    match instance? {
                        Instance::Instantiate { module_index, .. } => {
                            if let Some(module) = self.modules.get_mut(module_index as usize) {
                                module.instances += 1;
                            }
                        }
                        Instance::FromExports(exports) => {
                            for export in exports.iter().filter(|export| export.kind == ExternalKind::Global) {
                                let name = self.global_names.get(export.index as usize).cloned();
                                let name = name.ok_or_else(|| Refusal::internal("a core global was not seen"))?;
                                self.renamed.push((export.name.to_owned(), name));
                            }
                        }
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    self.alias(alias?, shapes)?;
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for canonical in section {
                    self.canonical(canonical?, shapes)?;
                }
            }
            Payload::ComponentTypeSection(section) => {
                for ty in section {
                    if let ComponentType::Resource { dtor: Some(function), .. } = ty? {
                        self.entry(function, Role::Destructor, Plan::Destructor);
                    }
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let import = import?;
                    if import.name.name == INTERFACE {
                        return Err(Refusal::shape("it is a traced component already"));
                    }
                    match import.ty {
                        ComponentTypeRef::Module(_) => return Err(Refusal::shape("it imports a core module")),
                        ComponentTypeRef::Component(_) => return Err(Refusal::shape("it imports a component")),
                        ComponentTypeRef::Func(_) => {
                            let name = import.name.name;
                            let given = self.given.as_ref().and_then(|given| given.functions.get(name)).cloned();
                            let known = given.flatten().unwrap_or_else(|| (String::new(), name.to_owned()));
                            self.names.push(Some(known));
                        }
                        ComponentTypeRef::Instance(_) => {
                            let name = import.name.name;
                            let given = self.given.as_ref().and_then(|given| given.instances.get(name)).cloned();
                            self.instance(given.unwrap_or_else(|| Names::Interface(name.to_owned())), Vec::new());
                        }
                        ComponentTypeRef::Type(_) | ComponentTypeRef::Value(_) => {}
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    let instance = instance?;
                    if let ComponentInstance::Instantiate { component_index, args } = &instance {
                        self.give(*component_index, args)?;
                    }
                    let made = match instance {
                        ComponentInstance::Instantiate { args, .. } => args
                            .iter()
                            .filter(|arg| arg.kind == ComponentExternalKind::Func)
                            .map(|arg| (arg.name.trim_start_matches("import-func-").to_owned(), arg.index))
                            .collect(),
                        ComponentInstance::FromExports(exports) => exports
                            .iter()
                            .filter(|export| export.kind == ComponentExternalKind::Func)
                            .map(|export| (export.name.name.to_owned(), export.index))
                            .collect(),
                    };
                    self.instance(Names::Own, made);
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export?;
                    match export.kind {
                        ComponentExternalKind::Func => {
                            let name = self.names.get(export.index as usize).cloned().flatten();
                            self.names.push(name);
                        }
                        ComponentExternalKind::Instance => {
                            let at = export.index as usize;
                            let made = self.made.get(at).cloned().unwrap_or_default();
                            self.instance(self.instances.get(at).cloned().unwrap_or_default(), made);
                        }
                        ComponentExternalKind::Component => {
                            return Err(Refusal::shape("it exports a component"));
                        }
                        ComponentExternalKind::Module => return Err(Refusal::shape("it exports a core module")),
                        _ => {}
                    }
                }
            }
            Payload::ComponentStartSection { .. } => return Err(Refusal::shape("it has a start function")),
            _ => {}
        }
        Ok(())
    }

    /// What an inner component's imports are in the world.
    fn give(&mut self, component: u32, args: &[ComponentInstantiationArg<'_>]) -> Result<(), Refusal> {
        let mut given = Given::default();
        for arg in args {
            match arg.kind {
                ComponentExternalKind::Func => {
                    let known = self.names.get(arg.index as usize).cloned().flatten();
                    given.functions.insert(arg.name.to_owned(), known);
                }
                ComponentExternalKind::Instance => {
                    given.instances.insert(arg.name.to_owned(), self.names_of(arg.index));
                }
                ComponentExternalKind::Component | ComponentExternalKind::Module => {
                    return Err(Refusal::shape("it hands a component or a core module to a component inside of it"));
                }
                ComponentExternalKind::Type | ComponentExternalKind::Value => {}
            }
        }
        match self.components.get(component as usize).copied().flatten().and_then(|at| self.inner.get_mut(at)) {
            Some(inner) => inner.give(given),
            None => Err(Refusal::shape("it uses a component that it does not define itself")),
        }
    }

    /// What the functions of an instance are in the world.
    fn names_of(&self, instance: u32) -> Names {
        let at = instance as usize;
        let made = self.made.get(at).map(Vec::as_slice).unwrap_or_default();
        match self.instances.get(at) {
            Some(Names::Own) if !made.is_empty() => {
                let known = |function: &u32| self.names.get(*function as usize).cloned().flatten();
                Names::Each(made.iter().filter_map(|(name, at)| Some((name.clone(), known(at)?))).collect())
            }
            Some(names) => names.clone(),
            None => Names::Own,
        }
    }

    fn instance(&mut self, name: Names, made: Vec<(String, u32)>) {
        self.instances.push(name);
        self.made.push(made);
    }

    fn alias(&mut self, alias: ComponentAlias<'_>, shapes: &Shapes<'_>) -> Result<(), Refusal> {
        match alias {
            ComponentAlias::CoreInstanceExport { kind, instance_index, name } => match kind {
                ExternalKind::Func | ExternalKind::FuncExact => {
                    let origin = Origin::Alias { instance: instance_index, name: name.to_owned() };
                    self.core_function(origin, None, shapes)?;
                }
                ExternalKind::Global => {
                    let ty = shapes.types.global_at(count(self.globals.len())?);
                    self.globals.push(ty.mutable);
                    self.global_names.push(name.to_owned());
                }
                ExternalKind::Tag => return Err(Refusal::shape("it uses an exception tag")),
                ExternalKind::Memory | ExternalKind::Table => {}
            },
            ComponentAlias::InstanceExport { kind, instance_index, name } => match kind {
                ComponentExternalKind::Func => {
                    let names = self.instances.get(instance_index as usize);
                    self.names.push(names.and_then(|names| names.function(name)));
                }
                ComponentExternalKind::Instance => self.instance(Names::Own, Vec::new()),
                ComponentExternalKind::Component => self.components.push(None),
                ComponentExternalKind::Module => return Err(Refusal::shape("it takes a core module from an instance")),
                _ => {}
            },
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, .. } => {
                return Err(Refusal::shape("it takes a core module from around it"));
            }
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, .. } => self.components.push(None),
            ComponentAlias::Outer { .. } => {}
        }
        Ok(())
    }

    fn entry(&mut self, function: u32, role: Role, plan: Plan) {
        if !self.entries.iter().any(|entry| entry.function == function && entry.role == role) {
            self.entries.push(Entry { function, role, plan });
        }
    }

    fn hook(&mut self, crossing: Crossing) -> Result<u32, Refusal> {
        let number = self.first_hook.saturating_add(count(self.hooks.len())?);
        self.hooks.push(Hook { crossing, paths: Vec::new() });
        Ok(number)
    }

    fn options(&mut self, options: &[CanonicalOption]) -> Result<(), Refusal> {
        for option in options {
            match option {
                CanonicalOption::UTF8 | CanonicalOption::Memory(_) => {}
                CanonicalOption::Realloc(function) => self.entry(*function, Role::Realloc, Plan::Realloc),
                CanonicalOption::PostReturn(function) => self.entry(*function, Role::PostReturn, Plan::PostReturn),
                CanonicalOption::UTF16 | CanonicalOption::CompactUTF16 => {
                    return Err(Refusal::shape("its strings are in UTF-16"));
                }
                other => return Err(Refusal::shape(format!("it uses the canonical option {other:?}"))),
            }
        }
        Ok(())
    }

    fn canonical(&mut self, canonical: CanonicalFunction, shapes: &mut Shapes<'_>) -> Result<(), Refusal> {
        match canonical {
            CanonicalFunction::Lift { core_func_index, type_index, options } => {
                self.options(&options)?;
                let ComponentAnyTypeId::Func(id) = shapes.types.component_any_type_at(type_index) else {
                    return Err(Refusal::internal("what is lifted has no type of a function"));
                };
                let signature = shapes.signature(id)?;
                let function = count(self.names.len())?;
                let name = format!("function {function}");
                let hook = self.hook(Crossing::Export { interface: String::new(), function: name })?;
                self.lifts.push(hook);
                self.lifted.push((function, hook));
                self.names.push(None);
                self.entry(core_func_index, Role::Lifted(hook), Plan::Export(hook, signature));
            }
            CanonicalFunction::Lower { func_index, options } => {
                self.options(&options)?;
                let plan = self.lower(func_index, shapes)?;
                self.core_function(Origin::Canonical, Some(plan), shapes)?;
            }
            CanonicalFunction::ResourceNew { .. } => {
                self.core_function(Origin::Canonical, Some(Plan::ResourceNew), shapes)?
            }
            CanonicalFunction::ResourceRep { .. } => {
                self.core_function(Origin::Canonical, Some(Plan::ResourceRep), shapes)?
            }
            CanonicalFunction::ResourceDrop { .. } => {
                self.core_function(Origin::Canonical, Some(Plan::ResourceDrop), shapes)?;
            }
            other => {
                let text = format!("{other:?}");
                let name = text.split([' ', '{', '(']).next().unwrap_or_default();
                return Err(Refusal::shape(format!("it uses {name} of the component model")));
            }
        }
        Ok(())
    }

    fn lower(&mut self, function: u32, shapes: &mut Shapes<'_>) -> Result<Plan, Refusal> {
        let id: ComponentFuncTypeId = shapes.types.component_function_at(function);
        let signature: Signature = shapes.signature(id)?;
        let name = self.names.get(function as usize).cloned().flatten();
        let (interface, function) = name.unwrap_or_else(|| (String::new(), format!("function {function}")));
        let hook = self.hook(Crossing::Import { interface, function })?;
        Ok(Plan::Import(hook, signature))
    }

    /// The names that lifted functions have outside.
    fn name_exports(&mut self, component: &[u8]) -> Result<(), Refusal> {
        let mut depth = 0u32;
        for payload in Parser::new(0).parse_all(component) {
            match payload? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        let export = export?;
                        let name = export.name.name;
                        match export.kind {
                            ComponentExternalKind::Func => self.name_export(export.index, "", name),
                            ComponentExternalKind::Instance => {
                                for (function, index) in
                                    self.made.get(export.index as usize).cloned().unwrap_or_default()
                                {
                                    self.name_export(index, name, &function);
                                }
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn name_export(&mut self, index: u32, interface: &str, name: &str) {
        for (function, hook) in &self.lifted {
            if *function == index
                && let Some(hook) = self.hooks.get_mut(hook.saturating_sub(self.first_hook) as usize)
            {
                hook.crossing = Crossing::Export { interface: interface.to_owned(), function: name.to_owned() };
            }
        }
    }
}
