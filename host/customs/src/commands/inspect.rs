//! `customs inspect`: what a component offers and what it may use. Nothing of it runs.

use super::{from_load, load, shown_name};
use crate::cli::{Inspect, InspectFormat};
use crate::exit::{Exit, Fault};
use crate::show::{size, text::clean};
use crate::{machine, output};
use customs_engine::Program;
use customs_engine::load::{Facts, Fuel, Kind, read_component};
use customs_ledger::hex;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What an imported interface gives access to, in the words of the grants.
const USES: [(&str, &[&str]); 7] = [
    ("fs", &["wasi:filesystem/", "wasi_snapshot_preview1.path_", "wasi_snapshot_preview1.fd_"]),
    ("env", &["wasi:cli/environment", "wasi_snapshot_preview1.environ_", "wasi_snapshot_preview1.args_"]),
    ("http", &["wasi:http/"]),
    ("sockets", &["wasi:sockets/", "wasi_snapshot_preview1.sock_"]),
    ("clock", &["wasi:clocks/", "wasi_snapshot_preview1.clock_", "wasi_snapshot_preview1.poll_"]),
    ("random", &["wasi:random/", "wasi_snapshot_preview1.random_"]),
    ("stdio", &["wasi:cli/std", "wasi_snapshot_preview1.fd_write", "wasi_snapshot_preview1.fd_read"]),
];

/// Characters of a signature that leave room for a description in the same line.
const WIDTH: usize = 60;

pub(crate) fn run(args: &Inspect) -> Result<Exit, Fault> {
    if args.output == InspectFormat::Cyclonedx {
        // From the bytes alone: what it was made with is told of a component that cannot be run here, too.
        let name = shown_name(&args.component);
        let wasm = read_component(machine::open(&args.component)?, &name, None).map_err(from_load)?;
        let statics = customs_audit::statics::look(wasm.bytes());
        output::result(&format!("{}\n", customs_audit::sbom::cyclonedx(&statics, &name, &wasm.sha256())))?;
        return Ok(Exit::Returned);
    }
    let state = machine::state()?;
    let program = load(&args.component, None, Fuel::Off, state.cache.as_ref())?;
    let text = match args.output {
        InspectFormat::Json => format!("{}\n", as_json(&program, &args.component.display().to_string())),
        InspectFormat::Text | InspectFormat::Cyclonedx => as_text(&program, &shown_name(&args.component)),
    };
    output::result(&text)?;
    Ok(Exit::Returned)
}

/// The capabilities behind the imports: an upper bound of what the component can do.
fn uses(facts: &Facts) -> BTreeSet<&'static str> {
    let imported = |prefixes: &[&str]| facts.imports.iter().any(|i| prefixes.iter().any(|p| i.starts_with(p)));
    USES.iter().filter(|(_, prefixes)| imported(prefixes)).map(|(name, _)| *name).collect()
}

fn kind(facts: &Facts) -> &'static str {
    match facts.kind {
        Kind::Component => "component",
        Kind::CoreModule => "core module (WASI preview 1)",
    }
}

fn as_json(program: &Program, path: &str) -> Value {
    let facts = program.facts();
    let catalogue = program.catalogue();
    let used = uses(facts);
    let tools: Vec<Value> = catalogue
        .tools
        .iter()
        .map(|t| {
            json!({"name": t.name, "description": t.description, "signature": t.signature, "inputSchema": t.input_schema,
                "outputSchema": t.output_schema})
        })
        .collect();
    let unusable: Vec<Value> = catalogue.unusable.iter().map(|u| json!({"name": u.name, "why": u.why})).collect();
    let producers: Vec<Value> =
        facts.producers.iter().map(|p| json!({"role": p.role, "name": p.name, "version": p.version})).collect();
    json!({
        "schema": "customs.inspect/1",
        "component": {"path": path, "sha256": hex(&program.sha256()), "size": facts.size,
            "kind": if facts.kind == Kind::Component { "component" } else { "module" }},
        "form": catalogue.form.as_str(),
        "tools": tools,
        "unusable": unusable,
        "imports": facts.imports,
        "capabilities": used,
        "producers": producers,
        "oddText": facts.odd_text,
    })
}

fn as_text(program: &Program, name: &str) -> String {
    let facts = program.facts();
    let catalogue = program.catalogue();
    let mut text = String::new();
    let digest = hex(&program.sha256());
    let digest = format!("{}..{}", digest.get(..4).unwrap_or_default(), digest.get(62..).unwrap_or_default());
    let made: Vec<String> = facts
        .producers
        .iter()
        .filter(|p| matches!(p.role, "language" | "processed-by" | "sdk"))
        .take(4)
        .map(|p| clean(format!("{} {}", p.name, p.version.split(' ').next().unwrap_or_default()).trim_end()))
        .collect();
    let made = if made.is_empty() { String::new() } else { format!(", {}", made.join(", ")) };
    let _infallible = writeln!(text, "{}   {} {}, sha256 {digest}{made}", clean(name), size(facts.size), kind(facts));
    let mut label = "tools";
    let width =
        catalogue.tools.iter().map(|t| t.signature.chars().count()).filter(|n| *n <= WIDTH).max().unwrap_or(WIDTH);
    for tool in &catalogue.tools {
        let about = tool.description.as_deref().and_then(|d| d.lines().next()).unwrap_or_default();
        let signature = clean(&tool.signature);
        // A signature that fills the line has its description below it.
        let gap = if signature.chars().count() > width && !about.is_empty() {
            format!("\n{:15}", "")
        } else {
            "   ".to_owned()
        };
        let row = format!("{label:<12} {signature:<width$}{gap}{}", clean(about));
        let _infallible = writeln!(text, "{}", row.trim_end());
        label = "";
    }
    if catalogue.form.describes_itself() {
        let _infallible = writeln!(text, "{label:<12} described by the component itself, when it is asked");
    }
    for unusable in &catalogue.unusable {
        let _infallible = writeln!(text, "{:<12} {}   {}", "unsupported", clean(&unusable.name), clean(&unusable.why));
    }
    let used = uses(facts);
    let not: Vec<&str> = ["fs", "env", "http", "sockets"].into_iter().filter(|u| !used.contains(u)).collect();
    let used: Vec<&str> =
        ["fs", "env", "http", "sockets", "clock", "random", "stdio"].into_iter().filter(|u| used.contains(u)).collect();
    let used = if used.is_empty() { "nothing".to_owned() } else { used.join("  ") };
    let not = if not.is_empty() { String::new() } else { format!("            cannot use: {}", not.join("  ")) };
    let _infallible = writeln!(text, "{:<12} {used}{not}", "may use");
    if facts.odd_text {
        let _infallible = writeln!(text, "{:<12} its texts hold control or invisible characters", "warning");
    }
    text
}
