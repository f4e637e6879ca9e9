//! `customs audit`: what a component tries, takes and gives away, tried out before it is trusted.
//!
//! ```text
//!  policy, flags ── scene ───► worlds: as granted, nothing, decoys, later, elsewhere, again
//!  schema, seed ─── inputs ──► stage: call after call ──► seen: what the boundary saw ──► tally: each deed once
//!  decoys ───────── ground ─────────┘ (undone after each)                                   │
//!  bytes, policy ── statics, checks ─────────────────────────────────────────► judge, tell ─┘──► report
//! ```
//!
//! Nothing leaves the machine and nothing of the person's changes: the network is a sinkhole, what a grant lets a tool change is a copy. The
//! same component, policy, grants and seed give the same audit, as long as no call runs into a limit of time by chance.

mod causal;
mod ground;
mod judge;
mod needs;
mod plan;
mod progress;
mod scene;
mod seen;
mod sinkhole;
mod stage;
mod tally;
mod tell;
mod trial;

use super::{load_as, shown_name, tracing};
use crate::cli::{Audit, AuditFailOn, ReportFormat};
use crate::exit::{Exit, Fault};
use crate::{machine, output};
use customs_engine::Host;
use customs_engine::load::{Allocation, Fuel};
use customs_flow::Severity;
use plan::Plan;
use stage::Stage;
use std::sync::Arc;
use std::time::Instant;

pub(crate) fn run(args: &Audit) -> Result<Exit, Fault> {
    let deadline = Instant::now().checked_add(args.time).unwrap_or_else(Instant::now);
    let plan = Plan::make(args)?;
    let state = machine::state()?;
    if let Some(warning) = &state.warning {
        output::person(&format!("warning  {warning}\n"));
    }
    let fuel = if plan.given.limits().fuel.is_some() { Fuel::Counted } else { Fuel::Off };
    let host = Host::new(fuel, Allocation::Pooling).map_err(Fault::internal)?;
    let (tracing, cache) = (tracing(None, &plan.given), state.cache.as_ref());
    let program = Arc::new(load_as(tracing, &host, &args.component, plan.sha256, cache)?);
    let bytes = plan::bytes(&args.component, program.sha256())?;
    let statics = customs_audit::statics::look(&bytes);
    let stage = Stage::new(Arc::clone(&program), shown_name(&args.component))?;
    let tried = trial::run(args, &plan, &stage, &state.empty, deadline)?;
    let audit = tell::audit(args, &plan, &program, statics, &tried)?;
    if let (Some(path), Some(least)) = (&args.write_policy, &audit.least) {
        needs::write(path, &least.file)?;
    }

    let text = match args.output {
        ReportFormat::Text => customs_report::audit_text(&audit),
        ReportFormat::Json => customs_report::audit_json(&audit),
        ReportFormat::Sarif => customs_report::audit_sarif(&audit),
        ReportFormat::Html => customs_report::audit_html(&audit),
    };
    output::result(&text)?;
    Ok(exit(&args.fail_on, &audit, &tried))
}

fn exit(fail_on: &[AuditFailOn], audit: &customs_report::audit::Audit, tried: &trial::Tried) -> Exit {
    let tallies = || tried.tools.iter().map(|tool| &tool.tally);
    let granted = |of: fn(&tally::Tally) -> bool| tallies().any(of);
    let occurred = |kind: &AuditFailOn| match kind {
        // Under the policy: with nothing granted everything is refused.
        AuditFailOn::Denial => granted(|tally| tally.scenes.get(scene::GRANTED).is_some_and(|(_, denied)| *denied > 0)),
        AuditFailOn::Limit => granted(|tally| tally.endings.keys().any(|ending| ending.starts_with("limit "))),
        AuditFailOn::Finding => audit.has_issue(Severity::Low),
        AuditFailOn::Medium => audit.has_issue(Severity::Medium),
        AuditFailOn::High => audit.has_issue(Severity::High),
        AuditFailOn::Decoy => {
            audit.decoys.files.iter().chain(&audit.decoys.variables).any(|one| one.touched + one.leaked > 0)
        }
        AuditFailOn::Score(least) => audit.verdict.score >= *least,
    };
    let beyond = audit.beyond.as_ref().is_some_and(|beyond| !beyond.is_empty());
    if beyond || fail_on.iter().any(occurred) { Exit::FailOn } else { Exit::Returned }
}
