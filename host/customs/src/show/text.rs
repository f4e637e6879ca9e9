//! What a person sees on stderr after a run: a line for each distinct denial with the grant that would allow it, what the tool printed,
//! why it was stopped. Quiet when all is well. Every text of the guest's is escaped.

use super::contents::{blot, contents};
use crate::output::{Colour, is_coloured, paint};
use customs_boundary::{DenialRow, Hidden};
use customs_engine::{Content, Ending, Form, Report, ToolResult};
use customs_flow::{Action, Finding, Method, Severity};
use customs_ledger::material::SinkKind;
use customs_ledger::{Escaped, Head, hex};
use customs_policy::{Capability, GuestPath, Policy, Request, decide, suggest};
use customs_report::{Paint, Story, traced_text};
use serde_json::Value;
use std::fmt::Write as _;

/// Lines of a guest's own output that are shown; the rest is counted.
const MAX_GUEST_LINES: usize = 20;
/// Findings that are shown; the rest is counted.
const MAX_FINDINGS: usize = 20;
/// Distinct denials that are shown; the rest is counted.
const MAX_DENIALS: usize = 20;
/// Characters of a guest's text in one line.
const MAX_WIDTH: usize = 400;

/// Guest text in one line: escaped, and cut in the middle where it is long.
pub(crate) fn clean(guest_text: &str) -> String {
    let escaped = Escaped(guest_text).to_string();
    let length = escaped.chars().count();
    if length <= MAX_WIDTH {
        return escaped;
    }
    let head: String = escaped.chars().take(MAX_WIDTH / 2).collect();
    let tail: String = escaped.chars().skip(length - MAX_WIDTH / 4).collect();
    format!("{head}..({} characters)..{tail}", guest_text.chars().count())
}

/// The result as it goes to stdout: what a typed tool returned as JSON (a lone text as it is), content blocks one after the other.
pub(crate) fn result(result: &ToolResult, terminal: bool) -> String {
    let mut text = String::new();
    let block = |text: &mut String, part: &str| {
        text.push_str(part);
        if !part.is_empty() && !part.ends_with('\n') {
            text.push('\n');
        }
    };
    match &result.structured {
        Some(structured) => {
            let value =
                structured.as_object().filter(|o| o.len() == 1).and_then(|o| o.get("result")).unwrap_or(structured);
            match value {
                Value::String(plain) => block(&mut text, plain),
                Value::Object(empty) if empty.is_empty() => {}
                other => block(&mut text, &other.to_string()),
            }
        }
        None => {
            for content in &result.content {
                match content {
                    Content::Text(plain) => block(&mut text, plain),
                    other => block(&mut text, &other.to_json().to_string()),
                }
            }
        }
    }
    if terminal { for_terminal(&text) } else { text }
}

/// What a command printed, exactly: the first block of its result.
pub(crate) fn printed(result: &ToolResult, terminal: bool) -> String {
    match result.content.first() {
        Some(Content::Text(text)) if terminal => for_terminal(text),
        Some(Content::Text(text)) => text.clone(),
        _ => String::new(),
    }
}

/// Keeps line ends and tabs, escapes everything else that a terminal would obey.
fn for_terminal(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| line.split('\t').map(|part| Escaped(part).to_string()).collect::<Vec<_>>().join("\t"))
        .collect();
    lines.join("\n")
}

/// Everything that goes to stderr.
pub(crate) fn report(report: &Report, form: Form, policy: &Policy, head: &Head, records_kept: bool) -> String {
    let mut text = String::new();
    for warning in policy.warnings() {
        line(&mut text, "warning", Colour::Yellow, &Escaped(warning).to_string());
    }
    guest_output(&mut text, report);
    denials(&mut text, report, policy);
    findings(&mut text, report);
    let tool = clean(&report.tool);
    match &report.ending {
        Ending::Returned => {}
        Ending::Error => {
            let why = match &report.result {
                Some(result) if form == Form::Command && !report.withheld => exit_text(result),
                Some(result) => error_text(result),
                None => String::new(),
            };
            line(&mut text, "error", Colour::Red, &format!("{tool}: {why}"));
        }
        ending => line(&mut text, "stopped", Colour::Red, &format!("{tool} {}", clean(&ending.to_string()))),
    }
    if records_kept
        || !report.denials.is_empty()
        || report.findings.iter().any(|f| f.severity > Severity::Low)
        || report.ending.is_stop()
    {
        let denied: u64 = report.denials.iter().map(|d| d.count).sum();
        let plural = if denied == 1 { "denial" } else { "denials" };
        let denied = if denied > 0 { format!(", {denied} {plural}") } else { String::new() };
        let note = format!("{} records{denied}, head {}", head.events, short(&hex(&head.hash)));
        line(&mut text, "ledger", Colour::Dim, &note);
    }
    text
}

/// Which bytes of what left came from where, as a trace has it. It is covered byte by byte, because colours stand between them.
pub(crate) fn picture(story: &Story, report: &Report, hidden: &Hidden, reveal: bool) -> String {
    let mut contents = contents(report, reveal);
    blot(&mut contents, hidden);
    traced_text(story, &contents, if is_coloured() { Paint::Colour } else { Paint::Plain })
}

/// What a person should see of a served call.
pub(crate) fn served(report: &Report, policy: &Policy) -> String {
    let mut text = String::new();
    denials(&mut text, report, policy);
    findings(&mut text, report);
    if report.ending.is_stop() {
        let what = format!("{} {}", clean(&report.tool), clean(&report.ending.to_string()));
        line(&mut text, "stopped", Colour::Red, &what);
    }
    text
}

/// A line for each finding. What is merely worth knowing is in the JSON and the ledger.
fn findings(text: &mut String, report: &Report) {
    // What a trace says of a pair that matching found as well is in the JSON and the ledger.
    let again = |found: &Finding| {
        let same = |f: &&Finding| f.method == Method::Match && (f.source, f.sink) == (found.source, found.sink);
        found.method == Method::Trace && report.findings.iter().any(|f| same(&f))
    };
    let worth = |f: &&Finding| f.severity > Severity::Info && f.action != Action::Allowed && !again(f);
    let told: Vec<&Finding> = report.findings.iter().filter(worth).collect();
    for finding in told.iter().take(MAX_FINDINGS) {
        let source = report.sources.iter().find(|s| Some(s.id) == finding.source);
        let sink = report.sinks.iter().find(|s| s.id == finding.sink);
        let from = source.map_or_else(String::new, |s| format!("{} {} -> ", s.kind.as_str(), clean(&s.name)));
        let to = sink.map_or_else(String::new, |s| format!("{} {}", s.kind.as_str(), clean(&s.name)));
        let mut how = match source {
            // Labels say which bytes of the sink, not which of the source.
            Some(_) if finding.method == Method::Trace => {
                let bytes: u64 = finding.sink_ranges.iter().map(|(from, to)| to.saturating_sub(*from)).sum();
                let all = sink.map_or(0, |s| s.content.bytes);
                format!("{bytes} of its {all} bytes, traced, {}", finding.strength.as_str())
            }
            Some(_) => format!("{} of {} bytes", finding.seen, finding.source_bytes),
            None => customs_flow::rule(finding.rule).map_or_else(String::new, |rule| rule.title.to_lowercase()),
        };
        for step in &finding.transform {
            how.push_str(", ");
            how.push_str(step);
        }
        let rest = format!("{:<6}  {from}{to}   {how}   {}", finding.severity, finding.rule);
        let rest = match finding.action {
            Action::Redacted | Action::Blocked => format!("{rest}   {}", finding.action.as_str()),
            Action::Warned | Action::Allowed => rest,
        };
        let colour = if finding.severity == Severity::Low { Colour::Dim } else { Colour::Yellow };
        line(text, "finding", colour, &rest);
    }
    if let Some(more @ 1..) = told.len().checked_sub(MAX_FINDINGS) {
        line(text, "", Colour::Dim, &format!("and {more} more findings; -o json and the ledger have them all"));
    }
}

/// `3f9a..71`: enough to compare by eye; the whole head is in the JSON and in `customs verify`.
fn short(hex: &str) -> String {
    let tail = hex.len().saturating_sub(2);
    format!("{}..{}", hex.get(..4).unwrap_or_default(), hex.get(tail..).unwrap_or_default())
}

fn line(text: &mut String, label: &str, colour: Colour, rest: &str) {
    let pad = " ".repeat(9_usize.saturating_sub(label.len()));
    let _infallible = writeln!(text, "{}{pad}{rest}", paint(label, colour));
}

fn error_text(result: &ToolResult) -> String {
    match &result.structured {
        Some(structured) => {
            let error = structured.get("error").unwrap_or(structured);
            clean(&plain_error(error))
        }
        None => {
            let texts = result.content.iter().filter_map(|c| match c {
                Content::Text(text) => Some(text.trim_end()),
                _ => None,
            });
            clean(&texts.collect::<Vec<_>>().join("; "))
        }
    }
}

/// A command's output is its result and on stdout already: what is left to say is how it exited.
fn exit_text(result: &ToolResult) -> String {
    match result.content.last() {
        Some(Content::Text(text)) if result.content.len() > 1 => clean(text),
        _ => String::new(),
    }
}

/// `{"not-permitted": "/etc/passwd"}` reads better as `not permitted (/etc/passwd)`.
fn plain_error(error: &Value) -> String {
    let single = error.as_object().filter(|o| o.len() == 1).and_then(|o| o.iter().next());
    match (error, single) {
        (Value::String(text), _) => text.clone(),
        (_, Some((case, Value::Null))) => case.replace('-', " "),
        (_, Some((case, Value::String(detail)))) => format!("{} ({detail})", case.replace('-', " ")),
        (other, _) => other.to_string(),
    }
}

/// What the guest printed: all of a typed tool's output, a command's stderr.
fn guest_output(text: &mut String, report: &Report) {
    let command_returned = report.result.as_ref().is_some_and(|r| r.structured.is_none());
    for sink in &report.sinks {
        let label = match sink.kind {
            SinkKind::Stdout if !command_returned => "stdout",
            SinkKind::Stderr => "stderr",
            _ => continue,
        };
        let printed = String::from_utf8_lossy(&sink.content.kept);
        let mut lines = printed.lines();
        for printed in lines.by_ref().take(MAX_GUEST_LINES) {
            line(text, label, Colour::Dim, &clean(printed));
        }
        let rest = lines.count();
        if rest > 0 {
            line(text, label, Colour::Dim, &format!("({rest} more lines)"));
        }
    }
}

fn denials(text: &mut String, report: &Report, policy: &Policy) {
    for row in report.denials.iter().take(MAX_DENIALS) {
        let times = if row.count > 1 { format!(" ({} times)", row.count) } else { String::new() };
        let resolved = match &row.resolved {
            Some(real) if *real != row.requested => format!(" -> {}", clean(real)),
            _ => String::new(),
        };
        let why = match &row.rule {
            Some(rule) => format!("{} ({})", row.code.sentence(), Escaped(rule)),
            None => row.code.sentence().to_owned(),
        };
        let what = format!("{}{resolved}{times}", clean(&row.requested));
        line(text, "denied", Colour::Yellow, &format!("{:<10} {what:<22}  {why}", row.capability.as_str()));
        if let Some(grant) = suggestion(row, policy) {
            let _infallible = writeln!(text, "         allow it with {}", clean(&grant));
        }
    }
    let rest = report.denials.len().saturating_sub(MAX_DENIALS);
    if rest > 0 {
        line(text, "denied", Colour::Yellow, &format!("{rest} more; the ledger has them"));
    }
    for (what, n) in &report.suppressed {
        line(text, "denied", Colour::Yellow, &format!("{n} more of {what}, counted and not recorded one by one"));
    }
}

/// The smallest grant that would have allowed it, where a grant can.
pub(crate) fn suggestion(row: &DenialRow, policy: &Policy) -> Option<String> {
    use customs_policy::DenialCode::{Address, NoGrant, ReadOnly};
    if !matches!(row.code, NoGrant | ReadOnly | Address) {
        return None;
    }
    match row.capability {
        Capability::FsRead | Capability::FsWrite | Capability::FsList | Capability::FsStat => {
            let path = row.resolved.as_ref().unwrap_or(&row.requested);
            let guest = GuestPath::root().join(path.trim_start_matches('/')).ok()?;
            suggest(policy, &Request::Path { capability: row.capability, guest: &guest, host: None })
        }
        Capability::EnvGet => suggest(policy, &Request::Env { name: &row.requested }),
        _ => network_suggestion(row, policy),
    }
}

fn network_suggestion(row: &DenialRow, policy: &Policy) -> Option<String> {
    let end = || {
        let (host, port) = row.requested.rsplit_once(':')?;
        Some((host, port.parse().ok()?))
    };
    let asked = match (row.capability, row.operation) {
        (Capability::HttpRequest, "handle") => {
            let (method, url) = row.requested.split_once(' ')?;
            Request::Http { method, url }
        }
        // The origin was allowed, the address that its name has was not.
        (Capability::HttpRequest, _) => Request::Http { method: "GET", url: &row.requested },
        (Capability::DnsLookup, _) => Request::Dns { name: &row.requested },
        (Capability::TcpConnect, _) => {
            let (host, port) = end()?;
            Request::Tcp { host, port }
        }
        (Capability::TcpListen, "tcp-bind" | "tcp-listen") => {
            let (host, port) = end()?;
            Request::TcpListen { host, port }
        }
        (Capability::UdpSend, "udp-send") => {
            let (host, port) = end()?;
            Request::Udp { host, port }
        }
        _ => return None,
    };
    match decide(policy, &asked) {
        Ok(of) => {
            let address = row.resolved.as_ref()?.parse().ok()?;
            suggest(policy, &Request::Address { of: &of, address })
        }
        Err(_) => suggest(policy, &asked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_terminal_gets_lines_and_tabs_and_no_control_sequences() {
        assert_eq!(for_terminal("a\tb\nc\u{1b}[31m"), "a\tb\nc\\u{1b}[31m");
    }

    #[test]
    fn a_single_case_error_reads_as_words() {
        assert_eq!(plain_error(&json!({"not-permitted": "/etc/passwd"})), "not permitted (/etc/passwd)");
        assert_eq!(plain_error(&json!({"a": 1, "b": 2})), r#"{"a":1,"b":2}"#);
    }

    #[test]
    fn long_guest_text_is_cut_and_says_so() {
        let cut = clean(&"x".repeat(10_000));
        assert!(cut.contains("(10000 characters)") && cut.len() < 500);
    }
}
