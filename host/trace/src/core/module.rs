//! A core module, rewritten: imports for what is shared, shadows of its globals, and each function by the rules.

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, EntityType, ExportKind, ExportSection,
    FunctionSection, GlobalSection, GlobalType, ImportSection, MemoryType, Module, StartSection, TableSection,
    TypeSection, ValType,
};
use wasmparser::{
    DataKind, ExternalKind, FuncToValidate, Parser, Payload, TypeRef, ValidPayload, Validator, ValidatorResources,
    WasmFeatures,
};

use super::calls::Calls;
use super::facts::{Facts, Memory, constant};
use super::function::{CleanGlobals, Surroundings, function};
use super::layout::{self, Globals, STORE};
use super::remap::Remap;
use super::width::Width;
use crate::follow::Follow;
use crate::refusal::Refusal;

/// What core modules may be made of: what the engine runs. Everything else is refused by its name.
pub(crate) const FEATURES: WasmFeatures = WasmFeatures::WASM2
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::COMPONENT_MODEL);

/// A shared union of labels.
const POOL: GlobalType = GlobalType { val_type: ValType::I32, mutable: true, shared: false };

/// Rewrites a module. Rewriting is repeated while an assumption about its own globals turns out wrong: each repetition
/// has at least one global less that is assumed clean, and in practice there are two. Nothing is given where one about
/// a global that others know turns out wrong.
pub(crate) fn rewrite(
    module: &[u8],
    facts: &Facts,
    follow: Follow,
    assumed: &mut CleanGlobals,
) -> Result<Option<Vec<u8>>, Refusal> {
    let calls = Calls::new(facts)?;
    loop {
        let globals = Globals::new(facts, assumed)?;
        let mut refuted = assumed.clone();
        let around = (follow, &calls);
        let rewritten = attempt(module, facts, &globals, around, assumed, &mut refuted)?;
        if refuted == *assumed {
            return Ok(Some(rewritten));
        }
        let own = refuted.has_same_shared(assumed, facts);
        *assumed = refuted;
        if !own {
            return Ok(None);
        }
    }
}

/// The sections of the rewritten module.
#[derive(Default)]
struct Sections {
    types: TypeSection,
    imports: ImportSection,
    functions: FunctionSection,
    tables: TableSection,
    globals: GlobalSection,
    exports: ExportSection,
    start: Option<StartSection>,
    elements: ElementSection,
    data_count: Option<u32>,
    code: CodeSection,
    data: DataSection,
}

fn attempt(
    module: &[u8],
    facts: &Facts,
    globals: &Globals,
    (follow, calls): (Follow, &Calls),
    assumed: &CleanGlobals,
    refuted: &mut CleanGlobals,
) -> Result<Vec<u8>, Refusal> {
    let mut remap = Remap { imported_globals: facts.imported_globals, added_globals: globals.added_imports };
    let around = Surroundings { facts, globals, remap, assumed, calls, body: None, follow };
    let mut out = Sections::default();
    let mut validator = Validator::new_with_features(FEATURES);
    let mut moved = facts.moved.len();
    let mut imported = false;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        if !imported && after_imports(&payload) {
            imported = true;
            import_labels(&mut out.imports, facts, globals)?;
        }
        let valid = validator.payload(&payload)?;
        match payload {
            Payload::TypeSection(section) => {
                remap.parse_type_section(&mut out.types, section)?;
                calls.add_types(facts, &mut out.types, remap)?;
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    if let TypeRef::Func(ty) | TypeRef::FuncExact(ty) = import.ty {
                        out.imports.import(import.module, import.name, EntityType::Function(calls.labelled(ty)));
                    } else {
                        remap.parse_import(&mut out.imports, import)?;
                    }
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    out.functions.function(calls.labelled(ty?));
                }
            }
            Payload::TableSection(section) => remap.parse_table_section(&mut out.tables, section)?,
            Payload::GlobalSection(section) => remap.parse_global_section(&mut out.globals, section)?,
            Payload::ExportSection(section) => {
                remap.parse_export_section(&mut out.exports, section.clone())?;
                for export in section {
                    let export = export?;
                    if export.kind == ExternalKind::Global
                        && let Some(shadow) = globals.shadow(export.index)
                    {
                        out.exports.export(&layout::label_of(export.name), ExportKind::Global, shadow);
                    }
                }
            }
            Payload::StartSection { func, .. } => out.start = Some(StartSection { function_index: func }),
            Payload::ElementSection(section) => remap.parse_element_section(&mut out.elements, section)?,
            Payload::DataCountSection { count, .. } => out.data_count = Some(count),
            Payload::DataSection(section) => {
                for segment in section {
                    let segment = segment?;
                    if moved > 0
                        && let DataKind::Active { offset_expr, .. } = &segment.kind
                        && constant(offset_expr)?.is_some()
                    {
                        // It is in the store now. To the code an active segment is a dropped one: empty is the same.
                        moved -= 1;
                        out.data.passive([]);
                    } else {
                        remap.parse_data(&mut out.data, segment)?;
                    }
                }
            }
            _ => {}
        }
        if let ValidPayload::Func(to_validate, body) = valid {
            let index = to_validate.index;
            let again = || {
                let FuncToValidate { resources, index, ty, features, .. } = &to_validate;
                let again: FuncToValidate<ValidatorResources> =
                    FuncToValidate { resources: resources.clone(), index: *index, ty: *ty, features: *features };
                again.into_validator(wasmparser::FuncValidatorAllocations::default())
            };
            let rewritten = function(around, refuted, index, &body, again)?;
            out.code.function(&rewritten);
        }
    }
    for global in &globals.defined {
        let width = Width::of(facts.global(*global)?.ty.content_type);
        let zero = match width {
            Width::Word => ConstExpr::i32_const(0),
            Width::Long => ConstExpr::i64_const(0),
            Width::Vector => ConstExpr::v128_const(0),
        };
        out.globals.global(GlobalType { val_type: width.ty(), mutable: true, shared: false }, &zero);
    }
    Ok(out.finish())
}

/// Whether the imports of a module are over when this comes.
fn after_imports(payload: &Payload<'_>) -> bool {
    !matches!(
        payload,
        Payload::Version { .. } | Payload::TypeSection(_) | Payload::ImportSection(_) | Payload::CustomSection(_)
    )
}

fn import_labels(imports: &mut ImportSection, facts: &Facts, globals: &Globals) -> Result<(), Refusal> {
    if let Memory::Defined(ty) = facts.memory() {
        imports.import(STORE, layout::MEMORY, EntityType::Memory(memory_type(ty)));
    }
    if facts.memory() != Memory::None {
        imports.import(
            STORE,
            layout::SHADOW,
            EntityType::Memory(MemoryType {
                minimum: 0,
                maximum: None,
                memory64: false,
                shared: false,
                page_size_log2: None,
            }),
        );
    }
    imports.import(STORE, layout::TABLES, EntityType::Global(POOL));
    imports.import(STORE, layout::PAGES, EntityType::Global(POOL));
    imports.import(STORE, layout::DECIDED, EntityType::Global(POOL));
    for global in &globals.imported {
        let global = facts.global(*global)?;
        let Some((module, name)) = &global.import else { continue };
        let width = Width::of(global.ty.content_type);
        let ty = GlobalType { val_type: width.ty(), mutable: true, shared: false };
        imports.import(module, &layout::label_of(name), EntityType::Global(ty));
    }
    Ok(())
}

pub(crate) fn memory_type(ty: wasmparser::MemoryType) -> MemoryType {
    MemoryType { minimum: ty.initial, maximum: ty.maximum, memory64: false, shared: false, page_size_log2: None }
}

impl Sections {
    fn finish(self) -> Vec<u8> {
        let mut module = Module::new();
        module.section(&self.types).section(&self.imports).section(&self.functions).section(&self.tables);
        module.section(&self.globals).section(&self.exports);
        if let Some(start) = self.start {
            module.section(&start);
        }
        module.section(&self.elements);
        if let Some(count) = self.data_count {
            module.section(&DataCountSection { count });
        }
        module.section(&self.code).section(&self.data);
        module.finish()
    }
}
