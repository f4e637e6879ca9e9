//! Everything that was seen, as the audit that reports are made of.

use super::judge::{Judge, Judged, from, same, told as where_told};
use super::needs;
use super::plan::Plan;
use super::scene::ABOUT;
use super::seen::Count;
use super::tally::Tally;
use super::trial::{Tool, Tried};
use crate::cli::Audit as Args;
use crate::commands::shown_name;
use crate::exit::Fault;
use crate::machine::Machine;
use customs_audit::checks::{self, Broad, Check, Situation};
use customs_audit::columns::{By, Declaration, Exercise, Row, columns, described};
use customs_audit::score::{Evidence, Matter, recommend, score};
use customs_audit::statics::Statics;
use customs_engine::Program;
use customs_engine::load::Kind;
use customs_flow::Severity;
use customs_ledger::hex;
use customs_policy::{Capability, HostView as _, Policy};
use customs_report::audit::{self, Audit, Behaviour, Column, Component, Decoy, Issue, Part, Scenario, Verdict};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Deeds of a tool that are told; the rest is counted.
const MAX_BEHAVIOURS: usize = 500;

pub(super) fn audit(
    args: &Args,
    plan: &Plan,
    program: &Program,
    statics: Statics,
    tried: &Tried,
) -> Result<Audit, Fault> {
    let mut evidence: Vec<Evidence> = Vec::new();
    let mut issues: Vec<Issue> = Vec::new();
    for tool in &tried.tools {
        let judge = Judge {
            tool: &tool.listed.name,
            tally: &tool.tally,
            decoys: &tried.decoys,
            given: &plan.given,
            granted: plan.grants_anything(),
        };
        let caused = tool.caused.iter().flat_map(|caused| caused.judge(&tool.listed.name, &tool.tally));
        for Judged { issue, evidence: piece } in judge.judge().into_iter().chain(caused) {
            issues.push(issue);
            evidence.extend(piece);
        }
    }
    for indication in &statics.indications {
        evidence.extend(indication.evidence());
        issues.extend((indication.severity > customs_audit::Severity::Info).then(|| of_statics(indication)));
    }
    let rows = rows(plan, &statics, &tried.tools);
    // Which variables a tool wanted cannot be seen: libraries ask for all of them too.
    for row in rows.iter().filter(|row| row.capability != Capability::EnvGet || row.verdict.is_over_privilege()) {
        evidence.extend(row.evidence());
        issues.extend(of_row(row));
    }
    let checks = checks::checks(&situation(plan, &statics));
    for check in &checks {
        evidence.extend(check.evidence());
        issues.extend(of_check(check));
    }
    let facts = program.facts();
    let mut cuts = tried.cuts.clone();
    for tool in tried.tools.iter().filter(|tool| tool.tally.incomplete > 0) {
        cuts.push(format!(
            "{}: of {} calls not everything was recorded or searched",
            tool.listed.name, tool.tally.incomplete
        ));
    }
    if !statics.complete {
        cuts.push("not all bytes of the component were looked at".to_owned());
    }
    let (least, unmet) = needs::least(args, plan, tried)?;
    cuts.extend(unmet);
    if tried.needs.left_out > 0 {
        cuts.push(format!("{} accesses were left out of the least policy", tried.needs.left_out));
    }
    let beyond = plan.check.as_ref().map(|check| needs::missing(check, plan, tried));
    for missing in beyond.iter().flatten() {
        issues.push(of_missing(missing));
        let what = format!("{} {}", missing.capability, missing.target);
        evidence.push(Evidence::new(Matter::Denied, customs_audit::Severity::Medium, what, "--check"));
    }
    issues.sort_by_key(|issue| std::cmp::Reverse(issue.severity));
    let score = score(&evidence);
    Ok(Audit {
        component: Component {
            path: args.component.display().to_string(),
            name: shown_name(&args.component),
            sha256: hex(&program.sha256()),
            size: facts.size,
            kind: if facts.kind == Kind::Component { "component" } else { "module" },
            form: program.catalogue().form.as_str(),
            imports: facts.imports.clone(),
        },
        seed: args.seed,
        scenarios: scenarios(&tried.tools),
        tools: tried.tools.iter().map(|tool| of_tool(tool, tried)).collect(),
        issues,
        columns: rows.iter().map(column).collect(),
        decoys: decoys(tried),
        checks: checks.iter().map(check).collect(),
        statics: statics_json(&statics),
        verdict: Verdict {
            score: score.total,
            word: score.band().as_str(),
            parts: score
                .parts
                .iter()
                .map(|part| Part {
                    name: part.part.as_str().to_owned(),
                    points: part.points,
                    most: part.cap,
                    why: format!("{} piece{} of evidence", part.pieces, if part.pieces == 1 { "" } else { "s" }),
                })
                .collect(),
            recommendations: recommend(&evidence),
        },
        // With nothing granted nothing was let pass.
        least: (plan.grants_anything() || args.write_policy.is_some()).then_some(least),
        beyond,
        methods: ["boundary", "match", "static", "check"]
            .into_iter()
            .chain(args.causal.then_some("causal"))
            .chain(plan.given.traces().then_some("trace"))
            .collect(),
        cuts,
    })
}

fn of_missing(missing: &audit::Missing) -> Issue {
    Issue {
        rule: "CUA221",
        severity: Severity::Medium,
        certain: false,
        method: "boundary",
        tool: None,
        subject: format!("{} {}", missing.capability, missing.target),
        what: "A call needed it, and the policy of --check does not grant it.".to_owned(),
        evidence: Vec::new(),
        finding: None,
    }
}

fn of_statics(one: &customs_audit::statics::Indication) -> Issue {
    let decoding =
        if one.decoding.is_empty() { String::new() } else { format!(", behind {}", one.decoding.join(", ")) };
    Issue {
        rule: "CUA201",
        severity: from(one.severity),
        certain: false,
        method: "static",
        tool: None,
        subject: one.what.clone(),
        what: format!("{}: {}{decoding}.", one.kind.as_str(), one.why),
        evidence: vec![one.place.clone()],
        finding: None,
    }
}

fn of_row(row: &Row) -> Option<Issue> {
    let severity = row.evidence().map(|evidence| from(evidence.severity))?;
    let rule = if row.verdict.is_over_privilege() { "CUA132" } else { "CUA131" };
    Some(Issue {
        rule,
        severity,
        certain: false,
        method: "boundary",
        tool: None,
        subject: row.capability.as_str().to_owned(),
        what: format!("{}.", row.says()?),
        evidence: Vec::new(),
        finding: None,
    })
}

fn of_check(check: &Check) -> Option<Issue> {
    let severity = check.evidence().map(|evidence| from(evidence.severity))?;
    Some(Issue {
        rule: "CUA211",
        severity,
        certain: false,
        method: "check",
        tool: None,
        subject: format!("{} {}", check.id, check.title),
        what: check.why.clone(),
        evidence: vec![check.fix.clone()],
        finding: None,
    })
}

fn check(check: &Check) -> audit::Check {
    audit::Check {
        id: check.id.to_owned(),
        title: check.title.to_owned(),
        verdict: check.verdict.as_str(),
        why: check.why.clone(),
        fix: check.fix.clone(),
    }
}

/// What the checks ask about, from the policy and the bytes.
fn situation(plan: &Plan, statics: &Statics) -> Situation {
    let policy = &plan.given;
    let home = Machine.home();
    let here = crate::machine::working_directory().ok();
    let mount = |mount: &customs_policy::Mount| checks::Mount {
        rule: mount.rule.to_string(),
        writable: mount.writable,
        broad: Broad::of(&mount.host, home.as_deref(), here.as_deref()),
        secret_files: secret_files(&mount.host),
    };
    let given = |name: &str| {
        plan.layers.iter().flat_map(|layer| &layer.raw.env).any(|entry| entry.split('=').next() == Some(name))
    };
    let limits = policy.limits();
    Situation {
        mounts: policy.mounts().iter().map(mount).collect(),
        variables: policy
            .env()
            .iter()
            .map(|one| checks::Variable { name: one.name.clone(), from_host: !given(&one.name) })
            .collect(),
        every_variable: raw(plan, |layer| &layer.raw.allow_env).any(|entry| entry == "*"),
        bound_secrets: raw(plan, |layer| &layer.raw.secret).map(str::to_owned).collect(),
        network: checks::Network {
            rules: net_rules(policy),
            any_host: raw(plan, |layer| &layer.raw.allow_net)
                .any(|entry| entry.ends_with('*') && !entry.contains("*.")),
            local: net_rules(policy).iter().any(|rule| names_local(rule)),
        },
        limits: checks::Limits {
            timeout: u64::try_from(limits.timeout.as_millis()).ok(),
            max_memory: Some(limits.max_memory),
            max_output: Some(limits.max_output),
            max_input: Some(limits.max_input),
            fuel: limits.fuel,
        },
        pinned: plan.pinned,
        left_behind: Vec::new(),
        imports: statics.imports.clone(),
        memories: statics.memories.clone(),
    }
}

fn raw(plan: &Plan, of: fn(&customs_policy::Layer) -> &Vec<String>) -> impl Iterator<Item = &str> {
    plan.layers.iter().flat_map(of).flat_map(|entry| entry.split(',')).map(str::trim)
}

fn net_rules(policy: &Policy) -> Vec<String> {
    let net = ["--allow-net", "--allow-http", "--allow-tcp", "--allow-udp", "--allow-listen"];
    policy.grants().iter().filter(|grant| net.iter().any(|flag| grant.starts_with(flag))).cloned().collect()
}

fn names_local(rule: &str) -> bool {
    let value = rule.split_once('=').map_or(rule, |(_, value)| value);
    let host = value.split_once("://").map_or(value, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    let bare = host.rsplit_once(':').map_or(host, |(host, _)| host).trim_matches(['[', ']']);
    bare == "localhost" || bare.parse().is_ok_and(customs_policy::is_local_address)
}

/// Names of secrets in a granted folder, a level or two down: enough to warn of them.
fn secret_files(host: &std::path::Path) -> Vec<String> {
    const MOST: usize = 20;
    const ENTRIES: usize = 2_000;
    let Ok((dir, _)) = crate::machine::directory(host) else {
        let name = host.file_name().map(|name| name.to_string_lossy().into_owned());
        return name.into_iter().filter(|name| checks::is_secret_file(name)).collect();
    };
    let mut found = Vec::new();
    let mut left = ENTRIES;
    let mut open = vec![(String::new(), dir, 0)];
    while let Some((below, dir, depth)) = open.pop() {
        let entries: Vec<_> = dir.entries().into_iter().flatten().flatten().take(left).collect();
        left = left.saturating_sub(entries.len());
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            if checks::is_secret_file(&name) {
                found.push(format!("{below}{name}"));
            } else if depth < 2
                && entry.file_type().is_ok_and(|kind| kind.is_dir())
                && let Ok(inner) = entry.open_dir()
            {
                open.push((format!("{below}{name}/"), inner, depth + 1));
            }
        }
    }
    found.sort();
    found.truncate(MOST);
    found
}

/// The three columns.
fn rows(plan: &Plan, statics: &Statics, tools: &[Tool]) -> Vec<Row> {
    let mut declared = granted(&plan.given);
    for tool in tools {
        let schema = tool.listed.input_schema.to_string();
        let description = tool.listed.description.as_deref().unwrap_or_default();
        declared.extend(described(&[&tool.listed.name, description, &schema]));
    }
    // What only arguments name is their doing, and they say so.
    for capability in Capability::ALL {
        let deeds =
            || tools.iter().flat_map(|tool| tool.tally.deeds.keys()).filter(|deed| deed.capability == *capability);
        if deeds().next().is_some() && deeds().all(|deed| deed.asked) {
            let what = "its arguments name it".to_owned();
            declared.push(Declaration { capability: *capability, by: By::Description, what });
        }
    }
    let mut exercised: BTreeMap<Capability, Count> = BTreeMap::new();
    for (deed, tallied) in tools.iter().flat_map(|tool| &tool.tally.deeds) {
        let sum = exercised.entry(deed.capability).or_default();
        for count in tallied.scenes.values() {
            sum.allowed = sum.allowed.saturating_add(count.allowed);
            sum.denied = sum.denied.saturating_add(count.denied);
        }
    }
    let exercised: Vec<Exercise> = exercised
        .into_iter()
        .map(|(capability, count)| Exercise { capability, allowed: count.allowed, denied: count.denied })
        .collect();
    columns(&declared, &statics.imports, &exercised)
}

/// What the policy grants, by capability.
fn granted(policy: &Policy) -> Vec<Declaration> {
    use Capability as C;
    let mut all = Vec::new();
    let mut add = |capability, what: &str| all.push(Declaration { capability, by: By::Policy, what: what.to_owned() });
    for mount in policy.mounts() {
        let kinds: &[C] = if mount.writable {
            &[C::FsRead, C::FsList, C::FsStat, C::FsWrite]
        } else {
            &[C::FsRead, C::FsList, C::FsStat]
        };
        kinds.iter().for_each(|kind| add(*kind, &mount.rule));
    }
    for variable in policy.env() {
        add(C::EnvGet, &variable.rule);
    }
    for grant in policy.grants() {
        let flag = grant.split('=').next().unwrap_or_default();
        match flag {
            "--allow-net" | "--allow-http" => {
                [C::HttpRequest, C::DnsLookup].into_iter().for_each(|kind| add(kind, grant))
            }
            "--allow-tcp" => [C::TcpConnect, C::DnsLookup].into_iter().for_each(|kind| add(kind, grant)),
            "--allow-udp" => [C::UdpSend, C::DnsLookup].into_iter().for_each(|kind| add(kind, grant)),
            "--allow-listen" => add(C::TcpListen, grant),
            "--secret" => add(C::EnvGet, grant),
            _ => {}
        }
    }
    all
}

fn column(row: &Row) -> Column {
    Column {
        capability: row.capability.as_str(),
        granted: row.granted.clone(),
        described: row.described.clone(),
        imported: row.imported.clone(),
        allowed: row.allowed,
        denied: row.denied,
        verdict: row.verdict.as_str(),
        says: row.says(),
    }
}

fn scenarios(tools: &[Tool]) -> Vec<Scenario> {
    let of = |(name, about): &(&'static str, &'static str)| {
        let counts: Vec<(u64, u64)> = tools.iter().filter_map(|tool| tool.tally.scenes.get(name)).copied().collect();
        let sum = |of: fn(&(u64, u64)) -> u64| counts.iter().map(of).fold(0, u64::saturating_add);
        (!counts.is_empty()).then(|| Scenario { name, about, calls: sum(|one| one.0), denied: sum(|one| one.1) })
    };
    ABOUT.iter().filter_map(of).collect()
}

fn of_tool(tool: &Tool, tried: &Tried) -> audit::Tool {
    let tally: &Tally = &tool.tally;
    let told = |count: &Count| match (count.allowed, count.denied) {
        (0, _) => "denied",
        (_, 0) => "allowed",
        _ => "both",
    };
    let behaviours = tally.deeds.iter().take(MAX_BEHAVIOURS).map(|(deed, tallied)| {
        let decoy = tried.decoys.files.iter().find(|one| same(&one.path, &deed.target));
        let scenarios = where_told(&tallied.scenes).into_iter().map(|(name, count)| (name, told(&count)));
        Behaviour {
            capability: deed.capability.as_str(),
            operation: deed.operation.clone(),
            target: deed.target.clone(),
            asked: deed.asked,
            decoy: decoy.map(|one| one.kind.to_owned()),
            scenarios: scenarios.collect(),
            calls: tallied.times.calls,
            input: tallied.times.first.clone(),
        }
    });
    audit::Tool {
        name: tool.listed.name.clone(),
        description: tool.listed.description.clone(),
        refused: tool.refused.clone(),
        inputs: tally.classes.iter().map(|(class, number)| ((*class).to_owned(), *number)).collect(),
        calls: tally.calls,
        endings: tally.endings.iter().map(|(ending, times)| (ending.clone(), times.calls)).collect(),
        causal: tool.caused.as_ref().map(|caused| caused.told.clone()),
        in_part: tally.incomplete.saturating_add(tally.in_part),
        behaviours: behaviours.collect(),
        behaviours_left_out: tally.left_out.saturating_add(tally.deeds.len().saturating_sub(MAX_BEHAVIOURS) as u64),
    }
}

fn decoys(tried: &Tried) -> audit::Decoys {
    let leaked = |name: &str| {
        let leaks = tried.tools.iter().flat_map(|tool| tool.tally.leaks.keys());
        leaks.filter(|leak| leak.decoy == name && !leak.asked).count() as u64
    };
    let touched = |path: &str| {
        let deeds = tried.tools.iter().flat_map(|tool| &tool.tally.deeds);
        let fits = |capability| matches!(capability, Capability::FsRead | Capability::FsWrite);
        let touching = deeds.filter(|(deed, _)| fits(deed.capability) && same(path, &deed.target));
        touching.map(|(_, tallied)| tallied.times.calls).fold(0, u64::saturating_add)
    };
    let file = |one: &customs_audit::decoys::DecoyFile| Decoy {
        name: one.path.clone(),
        kind: one.kind.to_owned(),
        touched: touched(&one.path),
        leaked: leaked(&one.path),
    };
    let variable = |one: &customs_audit::decoys::DecoyVariable| Decoy {
        name: one.name.to_owned(),
        kind: one.kind.to_owned(),
        touched: 0,
        leaked: leaked(one.name),
    };
    audit::Decoys {
        files: tried.decoys.files.iter().map(file).collect(),
        variables: tried.decoys.variables.iter().filter(|one| !one.secrets.is_empty()).map(variable).collect(),
    }
}

fn statics_json(statics: &Statics) -> Value {
    let indication = |one: &customs_audit::statics::Indication| json!({"kind": one.kind.as_str(), "severity": one.severity.as_str(), "what": one.what, "decoding": one.decoding, "place": one.place, "why": one.why});
    json!({
        "indications": statics.indications.iter().map(indication).collect::<Vec<_>>(),
        "producers": statics.producers.iter().map(|one| json!({"role": one.role, "name": one.name, "version": one.version})).collect::<Vec<_>>(),
        "features": statics.features,
        "modules": statics.modules,
        "looked_at": statics.looked_at,
        "complete": statics.complete,
        "suppressed": statics.suppressed,
    })
}
