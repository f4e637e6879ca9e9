//! `customs why`: what the policy says of one access, and which grant would change it; or what there is to say of one record.

mod record;

use crate::cli::{Format, Limits, Why};
use crate::exit::{Exit, Fault};
use crate::grants::{build, read_policy};
use crate::output;
use customs_ledger::Escaped;
use customs_policy::{Capability, Denial, GuestPath, Permit, Policy, Request, decide, suggest};
use serde_json::json;

pub(crate) fn run(args: &Why) -> Result<Exit, Fault> {
    if let (Some(ledger), Some(seq)) = (&args.ledger, args.seq) {
        return record::run(args, ledger, seq);
    }
    let mut raw = args.grants.raw(&Limits::default());
    // A variable without a value is what is asked about; with one it is given to the tool, as in run.
    let (given, asked): (Vec<String>, Vec<String>) = raw.env.drain(..).partition(|entry| entry.contains('='));
    raw.env = given;
    let questions = [args.read.as_deref(), args.write.as_deref(), args.net.as_deref()].into_iter().flatten().count();
    if questions + asked.len() != 1 {
        return Err(Fault::Refused(
            "ask about one access: --read PATH, --write PATH, --env NAME, or --net with a URL or an end".to_owned(),
        ));
    }
    let file = match &args.policy {
        Some(path) => {
            let read = read_policy(path)?;
            read.entry(args.tool.as_deref(), None)?.and_then(|(name, _)| read.layer(name))
        }
        None => None,
    };
    let policy = build(file, raw)?;
    if let Some(text) = args.read.as_deref().or(args.write.as_deref()) {
        let path = guest_path(text)?;
        let capability = if args.write.is_some() { Capability::FsWrite } else { Capability::FsRead };
        let request = Request::Path { capability, guest: &path, host: None };
        return answer(args.output, &policy, &request, path.as_str());
    }
    if let Some(name) = asked.first() {
        return answer(args.output, &policy, &Request::Env { name }, name);
    }
    let text = args.net.as_deref().unwrap_or_default();
    let (udp, end) = match text.split_once("://") {
        Some(("udp", rest)) => (true, Some(end(rest)?)),
        Some(("tcp", rest)) => (false, Some(end(rest)?)),
        Some(_) => (false, None),
        // Without a scheme it is written as in --allow-tcp with a port, and as in --allow-net without one.
        None => (false, end(text).ok()),
    };
    match end {
        Some((host, port)) if udp => answer(args.output, &policy, &Request::Udp { host, port }, text),
        Some((host, port)) => answer(args.output, &policy, &Request::Tcp { host, port }, text),
        None => {
            let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
            answer(args.output, &policy, &Request::Http { method: "GET", url: &full }, &full)
        }
    }
}

/// `HOST:PORT`, IPv6 in brackets. What the host is worth is for the policy to say.
fn end(text: &str) -> Result<(&str, u16), Fault> {
    text.rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|digit| digit.is_ascii_digit()))
        .and_then(|(host, port)| Some((host, port.parse().ok()?)))
        .ok_or_else(|| Fault::Refused(format!("{text:?} is not HOST:PORT")))
}

/// A name that the policy pins leads to its addresses at once; every one of them has to be permitted too.
fn settled(policy: &Policy, permit: Permit) -> Result<Permit, Denial> {
    if let Some(end) = permit.endpoint() {
        for &address in policy.net().pinned(&end.host) {
            let _permit = decide(policy, &Request::Address { of: &permit, address })?;
        }
    }
    Ok(permit)
}

/// A path as the tool sees it; a relative one as the grants would place it.
fn guest_path(text: &str) -> Result<GuestPath, Fault> {
    let absolute = if text.starts_with('/') { text.to_owned() } else { format!("/{text}") };
    let joined = GuestPath::root().join(absolute.trim_start_matches('/'));
    joined.map_err(|_| Fault::Refused(format!("{text:?} is not a path that a tool can name")))
}

fn answer(format: Format, policy: &Policy, request: &Request<'_>, what: &str) -> Result<Exit, Fault> {
    let capability = request.capability().as_str();
    let decision = decide(policy, request).and_then(|permit| settled(policy, permit));
    let exit = if decision.is_ok() { Exit::Returned } else { Exit::Error };
    let text = match (format, decision) {
        (Format::Json, Ok(permit)) => {
            let object = json!({"schema": "customs.why/1", "decision": "allow", "capability": capability, "requested": what,
                "rule": permit.rule().as_ref()});
            format!("{object}\n")
        }
        (Format::Json, Err(denial)) => {
            let object = json!({"schema": "customs.why/1", "decision": "deny", "capability": capability, "requested": what,
                "code": denial.code.as_str(), "reason": denial.code.sentence(), "rule": denial.rule.as_deref(),
                "suggestion": suggest(policy, request)});
            format!("{object}\n")
        }
        (Format::Text, Ok(permit)) => {
            format!("allowed  {capability}  {}    by {}\n", Escaped(what), Escaped(permit.rule()))
        }
        (Format::Text, Err(denial)) => {
            let mut text = format!("denied   {capability}  {}    {}", Escaped(what), denial.code.sentence());
            if let Some(rule) = &denial.rule {
                text.push_str(&format!(" ({})", Escaped(rule)));
            }
            text.push('\n');
            if let Some(grant) = suggest(policy, request) {
                text.push_str(&format!("         allow it with {}\n", Escaped(&grant)));
            }
            text
        }
    };
    output::result(&text)?;
    Ok(exit)
}
