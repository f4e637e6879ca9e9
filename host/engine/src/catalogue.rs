//! Which tools a component offers, from its exports alone: no guest code runs.

use crate::dynamic::{Checks, Listed};
use crate::json::{Allowance, Signature, answer_schema, input_schema, output_schema, signature_within, wit_text};
use crate::load::Facts;
use crate::wasmcp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wasmtime::component::{Component, ComponentExportIndex, types::ComponentItem};

/// Tools one component may have. More than a client would list, and enough to bound what a hostile component makes us say.
pub const MAX_TOOLS: usize = 1_000;
/// Characters of a tool's name, as MCP recommends.
const MAX_NAME: usize = 128;

/// What kind of thing a component is, seen from its exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `customs:tool/tools`: it describes its tools itself, when asked.
    Dynamic,
    /// `wasmcp:mcp-v*/tools`: it does so too, in the words of wasmcp.
    Wasmcp,
    /// `wasi:cli/run`, or a p1 module with `_start`: one tool, `run`.
    Command,
    /// Every exported function is a tool.
    Typed,
}

impl Form {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dynamic => "customs:tool",
            Self::Wasmcp => "wasmcp",
            Self::Command => "command",
            Self::Typed => "typed exports",
        }
    }

    /// The component has to be asked for its tools, and writes the keys of its results itself.
    #[must_use]
    pub fn describes_itself(self) -> bool {
        match self {
            Self::Dynamic | Self::Wasmcp => true,
            Self::Command | Self::Typed => false,
        }
    }
}

/// One tool as listed.
#[derive(Clone, Debug)]
pub struct ToolInfo {
    pub name: String,
    pub description: Option<String>,
    /// The signature as WIT, for people.
    pub signature: String,
    pub input_schema: Value,
    pub output_schema: Option<Value>,
    pub(crate) target: Target,
}

impl ToolInfo {
    /// As a client sees it.
    pub(crate) fn listed(&self) -> Listed {
        Listed {
            name: self.name.clone(),
            title: None,
            description: self.description.clone(),
            input_schema: self.input_schema.clone(),
            output_schema: match &self.target {
                Target::Typed { signature, .. } => answer_schema(signature),
                Target::Command => None,
            },
            checks: Checks::ByType,
        }
    }
}

/// What is called.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Typed { export: ComponentExportIndex, signature: Arc<Signature> },
    Command,
}

/// A function that is exported and cannot be a tool.
#[derive(Clone, Debug)]
pub struct Unusable {
    pub name: String,
    pub why: String,
}

/// The tools of a component.
#[derive(Clone, Debug)]
pub struct Catalogue {
    pub form: Form,
    pub tools: Vec<ToolInfo>,
    pub unusable: Vec<Unusable>,
}

struct Found {
    interface: Option<String>,
    function: String,
    export: ComponentExportIndex,
    signature: Signature,
}

/// A component offers something this version cannot call.
pub(crate) fn catalogue(component: &Component, facts: &Facts) -> Result<Catalogue, String> {
    let engine = component.engine();
    let ty = component.component_type();
    let names: Vec<&str> = ty.exports(engine).map(|(name, _)| name).collect();
    let has =
        |prefix: &str| names.iter().any(|n| n.strip_prefix(prefix).is_some_and(|r| r.is_empty() || r.starts_with('@')));
    if has("customs:tool/tools") {
        return Ok(Catalogue { form: Form::Dynamic, tools: Vec::new(), unusable: Vec::new() });
    }
    let others = wasmcp::others(component);
    if let Some(name) = wasmcp::exported(component) {
        wasmcp::check(component, &name)?;
        let why = "customs serves tools, and this is something else of MCP";
        let unusable = others.into_iter().map(|name| Unusable { name, why: why.to_owned() }).collect();
        return Ok(Catalogue { form: Form::Wasmcp, tools: Vec::new(), unusable });
    }
    if let Some(name) = others.first() {
        return Err(format!("exports {name} and no tools, which are all that customs calls"));
    }
    if let Some(name) = names.iter().find(|n| n.starts_with("wasi:cli/run@") && !n.starts_with("wasi:cli/run@0.2.")) {
        return Err(format!("exports {name}; this version runs commands of WASI 0.2"));
    }
    if has("wasi:cli/run") {
        return Ok(Catalogue { form: Form::Command, tools: vec![command()], unusable: Vec::new() });
    }
    typed(component, facts)
}

fn command() -> ToolInfo {
    let string_list = json!({"type": "array", "items": {"type": "string"}});
    ToolInfo {
        name: "run".to_owned(),
        description: Some(
            "Runs the command with arguments and standard input; its standard output is the result.".to_owned(),
        ),
        signature: "run(args: list<string>, stdin: string) -> stdout".to_owned(),
        input_schema: json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {"args": string_list, "stdin": {"type": "string"}},
            "additionalProperties": false,
        }),
        output_schema: None,
        target: Target::Command,
    }
}

/// Things that toolchains export for their own use.
fn is_toolchain(interface: Option<&str>, function: &str) -> bool {
    match interface {
        Some(name) => name == "exports",
        None => function == "init" || function.starts_with("cabi_") || function.starts_with('_'),
    }
}

fn typed(component: &Component, facts: &Facts) -> Result<Catalogue, String> {
    let engine = component.engine();
    let mut found = Vec::new();
    let mut unusable = Vec::new();
    let mut served = Vec::new();
    let mut allowance = Allowance::for_functions(20);
    let mut add =
        |interface: Option<&str>, function: &str, item: &ComponentItem, export: Option<ComponentExportIndex>| {
            let ComponentItem::ComponentFunc(ty) = item else { return };
            if is_toolchain(interface, function) {
                return;
            }
            let Some(export) = export else { return };
            match signature_within(ty, &mut allowance) {
                Ok(signature) => found.push(Found {
                    interface: interface.map(str::to_owned),
                    function: function.to_owned(),
                    export,
                    signature,
                }),
                Err(e) => unusable.push(Unusable { name: qualified(interface, function), why: e.what }),
            }
        };
    for (name, export) in component.component_type().exports(engine) {
        match &export.ty {
            ComponentItem::ComponentFunc(_) => add(None, name, &export.ty, component.get_export_index(None, name)),
            ComponentItem::ComponentInstance(_) if name.starts_with("wasi:") => served.push(name.to_owned()),
            ComponentItem::ComponentInstance(instance) => {
                let parent = component.get_export_index(None, name);
                for (function, inner) in instance.exports(engine) {
                    let index = parent.as_ref().and_then(|p| component.get_export_index(Some(p), function));
                    add(Some(name), function, &inner.ty, index);
                }
            }
            _ => {}
        }
    }
    if found.len() > MAX_TOOLS {
        return Err(format!("exports {} functions, and at most {MAX_TOOLS} can be tools", found.len()));
    }
    unusable.extend(served.into_iter().map(|name| {
        let why = if name.starts_with("wasi:http/") {
            "it is a server of HTTP requests, and customs calls functions"
        } else {
            "it is an interface of WASI, which others call"
        };
        Unusable { name, why: why.to_owned() }
    }));
    let tools = name_all(found, facts, &mut unusable);
    if tools.is_empty() && unusable.is_empty() {
        return Err("exports no functions, so it offers no tools".to_owned());
    }
    Ok(Catalogue { form: Form::Typed, tools, unusable })
}

/// Gives every function a name that no other has: its own, with its interface where that is not enough, or in full.
fn name_all(found: Vec<Found>, facts: &Facts, unusable: &mut Vec<Unusable>) -> Vec<ToolInfo> {
    let mut own: BTreeMap<String, usize> = BTreeMap::new();
    let mut with_interface: BTreeMap<String, usize> = BTreeMap::new();
    for f in &found {
        *own.entry(f.function.clone()).or_default() += 1;
        *with_interface.entry(qualified(f.interface.as_deref(), &f.function)).or_default() += 1;
    }
    let mut taken = BTreeSet::new();
    let mut tools = Vec::new();
    for f in found {
        let interface = f.interface.as_deref();
        let short = qualified(interface, &f.function);
        let name =
            if own.get(&f.function) == Some(&1) && !with_interface.contains_key(&f.function) || interface.is_none() {
                f.function.clone()
            } else if with_interface.get(&short) == Some(&1) {
                short.clone()
            } else {
                in_full(interface, &f.function)
            };
        if name.chars().count() > MAX_NAME {
            let shown = format!("{}..", name.chars().take(40).collect::<String>());
            unusable.push(Unusable { name: shown, why: format!("its name is longer than {MAX_NAME} characters") });
            continue;
        }
        if !taken.insert(name.clone()) {
            unusable.push(Unusable { name, why: "another export has the same name".to_owned() });
            continue;
        }
        tools.push(ToolInfo {
            description: facts.docs.of(interface, &f.function).map(str::to_owned),
            signature: wit_text(&f.signature, &name),
            input_schema: input_schema(&f.signature),
            output_schema: output_schema(&f.signature),
            name,
            target: Target::Typed { export: f.export, signature: Arc::new(f.signature) },
        });
    }
    tools.sort_by(|a, b| a.name.cmp(&b.name));
    tools
}

/// `demo:notes/api@1.0.0` is `api`.
fn short(interface: &str) -> &str {
    let unversioned = interface.split('@').next().unwrap_or(interface);
    unversioned.rsplit('/').next().unwrap_or(unversioned)
}

fn qualified(interface: Option<&str>, function: &str) -> String {
    interface.map_or_else(|| function.to_owned(), |i| format!("{}.{function}", short(i)))
}

fn in_full(interface: Option<&str>, function: &str) -> String {
    let Some(interface) = interface else { return function.to_owned() };
    let plain: String = interface
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_') { c } else { '.' })
        .collect();
    format!("{plain}.{function}")
}
