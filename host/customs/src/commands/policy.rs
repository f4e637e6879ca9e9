//! `customs policy check` and `customs policy show`; the other verbs have files of their own.

pub(crate) mod diff;
pub(crate) mod import;
pub(crate) mod least;

use crate::cli::{Format, PolicyCheck, PolicyShow};
use crate::exit::{Exit, Fault};
use crate::grants::{build, read_policy};
use crate::{output, show};
use customs_ledger::{Escaped, hex};
use customs_policy::{Clock, Policy, Random, RawGrants};
use serde_json::{Map, Value, json};

/// Every table must build on this machine: paths there, patterns valid, nothing contradictory.
pub(crate) fn check(args: &PolicyCheck) -> Result<Exit, Fault> {
    let read = read_policy(&args.file)?;
    let mut tools = Vec::new();
    let mut warnings = Vec::new();
    for name in read.file.tools.keys() {
        let policy = build(read.layer(name), RawGrants::default())?;
        warnings.extend(policy.warnings().iter().map(|w| format!("[tool.{name}] {w}")));
        tools.push(json!({"name": name, "grants": policy.grants(), "digest": hex(&policy.digest())}));
    }
    if read.weak {
        warnings.push("others may write this file: whoever does decides what its tools may do".to_owned());
    }
    let text = match args.output {
        Format::Json => {
            let object = json!({"schema": "customs.policy-check/1", "ok": true, "tools": tools, "warnings": warnings});
            format!("{object}\n")
        }
        Format::Text => {
            let plural = if tools.len() == 1 { "tool" } else { "tools" };
            let mut text =
                format!("ok       {}: {} {plural}\n", Escaped(&args.file.display().to_string()), tools.len());
            for warning in &warnings {
                text.push_str(&format!("warning  {}\n", Escaped(warning)));
            }
            text
        }
    };
    output::result(&text)?;
    Ok(Exit::Returned)
}

pub(crate) fn show(args: &PolicyShow) -> Result<Exit, Fault> {
    let layer = match &args.file {
        Some(path) => {
            let read = read_policy(path)?;
            read.entry(args.tool.as_deref(), None)?.and_then(|(name, _)| read.layer(name))
        }
        None => None,
    };
    let policy = build(layer, args.grants.raw(&args.limits))?;
    let text = match args.output {
        Format::Json => format!("{}\n", policy_json(&policy)),
        Format::Text => policy_text(&policy),
    };
    output::result(&text)?;
    Ok(Exit::Returned)
}

fn policy_json(policy: &Policy) -> Value {
    let mounts: Vec<Value> = policy
        .mounts()
        .iter()
        .map(|m| json!({"guest": m.guest.as_str(), "host": m.host.display().to_string(), "write": m.writable, "rule": m.rule.as_ref()}))
        .collect();
    let net = policy.net();
    let resolve: Map<String, Value> = net
        .pins()
        .map(|(host, addresses)| (host.to_string(), addresses.iter().map(ToString::to_string).collect()))
        .collect();
    let secrets: Vec<Value> = net
        .secrets()
        .iter()
        .map(|s| json!({"name": s.name, "to": s.origin.to_string(), "rule": s.rule.as_ref()}))
        .collect();
    let flow: Vec<Value> = policy
        .flow_rules()
        .iter()
        .map(|f| json!({"from": f.from(), "to": f.to(), "do": f.action().as_str(), "rule": f.rule().as_ref()}))
        .collect();
    let env: Vec<&str> = policy.env().iter().map(|v| v.name.as_str()).collect();
    json!({
        "schema": "customs.policy/1",
        "grants": policy.grants(),
        "mounts": mounts,
        "env": env,
        "env-not-set": policy.env_absent(),
        "env-not-text": policy.env_skipped(),
        "secrets": secrets,
        "resolve": resolve,
        "flow": flow,
        "tls-roots": net.tls_roots().map(|roots| roots.display().to_string()),
        "clock": if policy.clock() == Clock::Fixed { "fixed" } else { "real" },
        "random": if policy.random() == Random::Seeded { "seeded" } else { "real" },
        "limits": show::json::limits(policy, None),
        "warnings": policy.warnings(),
        "digest": hex(&policy.digest()),
    })
}

fn policy_text(policy: &Policy) -> String {
    let mut text = String::new();
    // Flow rules grant nothing and have lines of their own.
    let grants: Vec<&String> = policy.grants().iter().filter(|grant| grant.starts_with('-')).collect();
    if grants.is_empty() {
        text.push_str("grants   none: the tool reaches nothing\n");
    }
    for grant in grants {
        text.push_str(&format!("grant    {}\n", Escaped(grant)));
    }
    for mount in policy.mounts() {
        let mode = if mount.writable { "read and write" } else { "read" };
        let host = mount.host.display().to_string();
        text.push_str(&format!("path     {}  is {}, {mode}\n", Escaped(mount.guest.as_str()), Escaped(&host)));
    }
    for variable in policy.env() {
        let from = if variable.from_host { "from this environment" } else { "given" };
        text.push_str(&format!("env      {}  {from}\n", Escaped(&variable.name)));
    }
    for name in policy.env_absent() {
        text.push_str(&format!("env      {}  is not set here\n", Escaped(name)));
    }
    for name in policy.env_skipped() {
        text.push_str(&format!("env      {}  is not text here and is left out\n", Escaped(name)));
    }
    let net = policy.net();
    for secret in net.secrets() {
        let (name, to) = (Escaped(&secret.name), secret.origin.to_string());
        text.push_str(&format!("secret   {name}  is a placeholder, and itself in requests to {}\n", Escaped(&to)));
    }
    for (host, addresses) in net.pins() {
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        text.push_str(&format!("name     {}  is {}\n", Escaped(&host.to_string()), addresses.join(", ")));
    }
    for flow in policy.flow_rules() {
        let (from, to) = (flow.from(), flow.to());
        text.push_str(&format!("flow     {} -> {}  {}\n", Escaped(&from), Escaped(&to), flow.action()));
    }
    if let Some(roots) = net.tls_roots() {
        text.push_str(&format!("roots    {}  instead of the platform's\n", Escaped(&roots.display().to_string())));
    }
    let limits = policy.limits();
    let fuel = limits.fuel.map_or_else(|| "none".to_owned(), |f| f.to_string());
    text.push_str(&format!(
        "limits   timeout {} s, memory {}, output {}, input {}, file writes {}, requests {}, fuel {fuel}\n",
        limits.timeout.as_secs_f64(),
        show::size(limits.max_memory),
        show::size(limits.max_output),
        show::size(limits.max_input),
        show::size(limits.max_file_write),
        limits.max_requests,
    ));
    for warning in policy.warnings() {
        text.push_str(&format!("warning  {}\n", Escaped(warning)));
    }
    text.push_str(&format!("digest   {}\n", hex(&policy.digest())));
    text
}
