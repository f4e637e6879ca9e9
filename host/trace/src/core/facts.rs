//! What a core module has, found before its code is rewritten.

use std::collections::BTreeSet;

use wasmparser::{
    CompositeInnerType, DataKind, ExternalKind, FuncType, GlobalType, MemoryType, Operator, Parser, Payload, RefType,
    TypeRef, ValType,
};

use crate::refusal::Refusal;

/// The name by which modules of one program share the end of their stack.
const STACK_POINTER: &str = "__stack_pointer";

/// A module's one memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Memory {
    None,
    Imported,
    Defined(MemoryType),
}

/// A global and where its label is.
#[derive(Debug, Clone)]
pub(crate) struct Global {
    pub(crate) ty: GlobalType,
    /// Module and name, where it is imported.
    pub(crate) import: Option<(String, String)>,
    /// Names that other modules can write it by.
    pub(crate) exports: Vec<String>,
    /// It is where the guest's stack ends: by its name for the linker, or the first of a module, as linkers have it.
    pub(crate) stack_pointer: bool,
}

/// A module, without its code.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) types: Vec<FuncType>,
    /// The type of each function, imports first.
    pub(crate) functions: Vec<u32>,
    pub(crate) imported_functions: u32,
    pub(crate) tables: Vec<RefType>,
    pub(crate) globals: Vec<Global>,
    pub(crate) imported_globals: u32,
    pub(crate) memory: Option<MemoryType>,
    pub(crate) memory_is_defined: bool,
    /// Data segments that move with a memory that is defined here: their place and content.
    pub(crate) moved: Vec<(i32, Vec<u8>)>,
    /// Functions whose arguments are clean: see [`super::allocators`].
    pub(crate) allocators: BTreeSet<u32>,
}

impl Global {
    /// Other modules can write it.
    pub(crate) fn is_shared(&self) -> bool {
        self.import.is_some() || !self.exports.is_empty()
    }
}

impl Facts {
    pub(crate) fn memory(&self) -> Memory {
        match self.memory {
            None => Memory::None,
            Some(ty) if self.memory_is_defined => Memory::Defined(ty),
            Some(_) => Memory::Imported,
        }
    }

    pub(crate) fn ty(&self, index: u32) -> Result<&FuncType, Refusal> {
        self.types.get(index as usize).ok_or_else(|| Refusal::internal("a type is missing"))
    }

    pub(crate) fn function_type(&self, function: u32) -> Result<&FuncType, Refusal> {
        self.ty(self.function_type_index(function)?)
    }

    pub(crate) fn function_type_index(&self, function: u32) -> Result<u32, Refusal> {
        self.functions.get(function as usize).copied().ok_or_else(|| Refusal::internal("a function is missing"))
    }

    pub(crate) fn table(&self, index: u32) -> Result<RefType, Refusal> {
        self.tables.get(index as usize).copied().ok_or_else(|| Refusal::internal("a table is missing"))
    }

    pub(crate) fn global(&self, index: u32) -> Result<&Global, Refusal> {
        self.globals.get(index as usize).ok_or_else(|| Refusal::internal("a global is missing"))
    }
}

/// Reads a module that was validated.
pub(crate) fn facts(module: &[u8]) -> Result<Facts, Refusal> {
    let mut facts = Facts::default();
    let mut memories = 0;
    let mut constant_so_far = true;
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::TypeSection(section) => {
                for group in section {
                    for ty in group?.into_types() {
                        let CompositeInnerType::Func(function) = ty.composite_type.inner else {
                            return Err(Refusal::shape("it uses types of the garbage collection proposal"));
                        };
                        facts.types.push(function);
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    match import.ty {
                        TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                            facts.functions.push(ty);
                            facts.imported_functions += 1;
                        }
                        TypeRef::Global(ty) => {
                            let name = (import.module.to_owned(), import.name.to_owned());
                            let stack_pointer = import.name == STACK_POINTER;
                            facts.globals.push(Global { ty, import: Some(name), exports: Vec::new(), stack_pointer });
                            facts.imported_globals += 1;
                        }
                        TypeRef::Memory(ty) => {
                            memories += 1;
                            facts.memory = Some(ty);
                        }
                        TypeRef::Table(ty) => facts.tables.push(ty.element_type),
                        TypeRef::Tag(_) => return Err(Refusal::shape("it imports an exception tag")),
                    }
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    facts.functions.push(ty?);
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    facts.tables.push(table?.ty.element_type);
                }
            }
            Payload::MemorySection(section) => {
                for ty in section {
                    memories += 1;
                    facts.memory = Some(ty?);
                    facts.memory_is_defined = true;
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    let ty = global?.ty;
                    let first = facts.globals.len() == facts.imported_globals as usize;
                    let stack_pointer = first && ty.mutable && ty.content_type == ValType::I32;
                    facts.globals.push(Global { ty, import: None, exports: Vec::new(), stack_pointer });
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if export.kind == ExternalKind::Global
                        && let Some(global) = facts.globals.get_mut(export.index as usize)
                    {
                        global.exports.push(export.name.to_owned());
                        global.stack_pointer |= export.name == STACK_POINTER;
                    }
                }
            }
            Payload::DataSection(section) if facts.memory_is_defined => {
                for segment in section {
                    let segment = segment?;
                    let DataKind::Active { offset_expr, .. } = &segment.kind else { continue };
                    let at = constant(offset_expr)?;
                    // Segments are written in order, so none may move past one that stays.
                    constant_so_far &= at.is_some();
                    if let (Some(at), true) = (at, constant_so_far) {
                        facts.moved.push((at, segment.data.to_vec()));
                    }
                }
            }
            _ => {}
        }
    }
    if memories > 1 {
        return Err(Refusal::shape("a core module of it uses more than one memory"));
    }
    if let Some(ty) = facts.memory
        && (ty.memory64 || ty.shared || ty.page_size_log2.is_some())
    {
        return Err(Refusal::shape("its memory has 64-bit addresses, is shared or has pages of another size"));
    }
    Ok(facts)
}

/// The value of an expression that is one `i32.const`.
pub(crate) fn constant(expression: &wasmparser::ConstExpr<'_>) -> Result<Option<i32>, Refusal> {
    let mut operators = expression.get_operators_reader();
    let first = operators.read()?;
    let second = operators.read()?;
    Ok(match (first, second) {
        (Operator::I32Const { value }, Operator::End) => Some(value),
        _ => None,
    })
}

pub(crate) fn count(length: usize) -> Result<u32, Refusal> {
    u32::try_from(length).map_err(|_| Refusal::internal("a count does not fit"))
}
