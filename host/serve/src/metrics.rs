//! What happened, in numbers, as Prometheus reads them.
//!
//! Labels are names of ours: tools on offer, endings, capabilities, codes, rules. What a tool or a client says is never one, and after
//! [`MAX_SERIES`] of a kind the rest is counted together.

use crate::trace::Ended;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Series of one name.
const MAX_SERIES: usize = 1_000;
/// The label of what is more.
const OTHER: &str = "other";
/// Upper bounds of the buckets, in seconds.
const BUCKETS: [(f64, &str); 13] = [
    (0.0001, "0.0001"),
    (0.000_25, "0.00025"),
    (0.001, "0.001"),
    (0.0025, "0.0025"),
    (0.01, "0.01"),
    (0.025, "0.025"),
    (0.1, "0.1"),
    (0.25, "0.25"),
    (1.0, "1"),
    (2.5, "2.5"),
    (10.0, "10"),
    (30.0, "30"),
    (120.0, "120"),
];

/// Everything that is counted.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    calls: Mutex<Calls>,
    /// Requests that were answered without the protocol, by reason.
    refused: Mutex<BTreeMap<&'static str, u64>>,
    pub(crate) requests: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) sent: AtomicU64,
}

/// A component's name and a tool's.
type Tool = (String, String);

#[derive(Debug, Default)]
struct Calls {
    by_tool: BTreeMap<(Tool, &'static str), u64>,
    limits: BTreeMap<&'static str, u64>,
    denials: BTreeMap<(&'static str, &'static str), u64>,
    findings: BTreeMap<(&'static str, &'static str), u64>,
    took: BTreeMap<Tool, Histogram>,
    waited: Histogram,
}

#[derive(Clone, Debug, Default)]
struct Histogram {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum: Duration,
}

impl Histogram {
    fn add(&mut self, time: Duration) {
        let seconds = time.as_secs_f64();
        for ((bound, _), count) in BUCKETS.iter().zip(&mut self.buckets) {
            if seconds <= *bound {
                *count += 1;
            }
        }
        self.count += 1;
        self.sum = self.sum.saturating_add(time);
    }

    fn write(&self, name: &str, labels: &str, out: &mut String) {
        let comma = if labels.is_empty() { "" } else { "," };
        for ((_, bound), count) in BUCKETS.iter().zip(self.buckets) {
            let _infallible = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}");
        }
        let _infallible = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {}", self.count);
        let braced = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let _infallible = writeln!(out, "{name}_sum{braced} {}", self.sum.as_secs_f64());
        let _infallible = writeln!(out, "{name}_count{braced} {}", self.count);
    }
}

/// What is now, to be written beside what was counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) tools: usize,
    pub(crate) in_flight: usize,
    pub(crate) connections: usize,
    pub(crate) requests: usize,
    pub(crate) sessions: usize,
    pub(crate) well: bool,
}

/// The value for a key, or for what is more.
fn series<K: Ord, V: Default>(map: &mut BTreeMap<K, V>, key: K, other: impl FnOnce() -> K) -> &mut V {
    let key = if map.len() < MAX_SERIES || map.contains_key(&key) { key } else { other() };
    map.entry(key).or_default()
}

impl Metrics {
    pub(crate) fn ended(&self, ended: &Ended<'_>) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let tool = || (ended.component.to_owned(), ended.tool.to_owned());
        let other = || (OTHER.to_owned(), OTHER.to_owned());
        *series(&mut calls.by_tool, (tool(), ended.ending), || (other(), ended.ending)) += 1;
        calls.waited.add(ended.waited);
        if let Some(took) = ended.took {
            series(&mut calls.took, tool(), other).add(took);
        }
        let Some(report) = ended.report else { return };
        if let Some(limit) = report.ending.limit() {
            *series(&mut calls.limits, limit, || OTHER) += 1;
        }
        for row in &report.denials {
            let key = (row.capability.as_str(), row.code.as_str());
            *series(&mut calls.denials, key, || (OTHER, OTHER)) += row.count;
        }
        for finding in &report.findings {
            let key = (finding.rule, finding.action.as_str());
            *series(&mut calls.findings, key, || (OTHER, OTHER)) += 1;
        }
    }

    pub(crate) fn refused(&self, reason: &'static str) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += 1;
    }

    /// The text exposition format, version 0.0.4.
    pub(crate) fn text(&self, now: Now) -> String {
        let mut out = String::new();
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        head(&mut out, "customs_calls_total", "counter", "Calls by tool and how they ended.");
        for ((tool, ending), count) in &calls.by_tool {
            let (tool, ending) = (labels(tool), label(ending));
            let _infallible = writeln!(out, "customs_calls_total{{{tool},ending=\"{ending}\"}} {count}");
        }
        head(&mut out, "customs_limit_stops_total", "counter", "Calls that a limit stopped.");
        for (limit, count) in &calls.limits {
            let _infallible = writeln!(out, "customs_limit_stops_total{{limit=\"{}\"}} {count}", label(limit));
        }
        head(&mut out, "customs_denials_total", "counter", "Accesses that were refused.");
        for ((capability, code), count) in &calls.denials {
            let (capability, code) = (label(capability), label(code));
            let _infallible =
                writeln!(out, "customs_denials_total{{capability=\"{capability}\",code=\"{code}\"}} {count}");
        }
        head(&mut out, "customs_findings_total", "counter", "Sources that were seen in sinks, and what was done.");
        for ((rule, action), count) in &calls.findings {
            let (rule, action) = (label(rule), label(action));
            let _infallible = writeln!(out, "customs_findings_total{{rule=\"{rule}\",action=\"{action}\"}} {count}");
        }
        head(&mut out, "customs_call_duration_seconds", "histogram", "Time of calls, without waiting for a place.");
        for (tool, took) in &calls.took {
            took.write("customs_call_duration_seconds", &labels(tool), &mut out);
        }
        head(&mut out, "customs_queue_wait_seconds", "histogram", "Time that calls waited for a place.");
        calls.waited.write("customs_queue_wait_seconds", "", &mut out);
        drop(calls);

        head(&mut out, "customs_http_refused_total", "counter", "Requests that were refused before the protocol.");
        for (reason, count) in &*self.refused.lock().unwrap_or_else(PoisonError::into_inner) {
            let _infallible = writeln!(out, "customs_http_refused_total{{reason=\"{reason}\"}} {count}");
        }
        let counters = [
            ("customs_http_requests_total", "HTTP requests.", &self.requests),
            ("customs_http_received_bytes_total", "Bytes of bodies that came in.", &self.received),
            ("customs_http_sent_bytes_total", "Bytes of bodies that went out.", &self.sent),
        ];
        for (name, help, value) in counters {
            head(&mut out, name, "counter", help);
            let _infallible = writeln!(out, "{name} {}", value.load(Ordering::Relaxed));
        }
        let gauges = [
            ("customs_calls_in_flight", "Calls that run.", now.in_flight),
            ("customs_tools", "Tools on offer.", now.tools),
            ("customs_http_connections", "Connections.", now.connections),
            ("customs_http_requests_in_flight", "Requests that are not answered yet.", now.requests),
            ("customs_http_sessions", "Sessions of older revisions.", now.sessions),
            ("customs_up", "1 where calls are answered, 0 where nothing runs any more.", usize::from(now.well)),
        ];
        for (name, help, value) in gauges {
            head(&mut out, name, "gauge", help);
            let _infallible = writeln!(out, "{name} {value}");
        }
        out
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _infallible = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn labels((component, tool): &Tool) -> String {
    format!("component=\"{}\",tool=\"{}\"", label(component), label(tool))
}

/// A label's value as the format wants it.
fn label(text: &str) -> Cow<'_, str> {
    if text.contains(['\\', '"', '\n']) {
        Cow::Owned(text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Now = Now { tools: 2, in_flight: 1, connections: 3, requests: 1, sessions: 0, well: true };

    fn ended(tool: &str, milliseconds: u64) -> Ended<'_> {
        Ended {
            component: "c",
            tool,
            ending: "returned",
            report: None,
            waited: Duration::ZERO,
            took: Some(Duration::from_millis(milliseconds)),
            trace: None,
        }
    }

    #[test]
    fn a_histogram_counts_what_is_at_most_its_bound() {
        let metrics = Metrics::default();
        for milliseconds in [1, 1, 2, 500_000] {
            metrics.ended(&ended("slug", milliseconds));
        }
        let text = metrics.text(NOW);
        for line in [
            "customs_calls_total{component=\"c\",tool=\"slug\",ending=\"returned\"} 4",
            "customs_call_duration_seconds_bucket{component=\"c\",tool=\"slug\",le=\"0.00025\"} 0",
            "customs_call_duration_seconds_bucket{component=\"c\",tool=\"slug\",le=\"0.001\"} 2",
            "customs_call_duration_seconds_bucket{component=\"c\",tool=\"slug\",le=\"0.0025\"} 3",
            "customs_call_duration_seconds_bucket{component=\"c\",tool=\"slug\",le=\"120\"} 3",
            "customs_call_duration_seconds_bucket{component=\"c\",tool=\"slug\",le=\"+Inf\"} 4",
            "customs_call_duration_seconds_sum{component=\"c\",tool=\"slug\"} 500.004",
            "customs_call_duration_seconds_count{component=\"c\",tool=\"slug\"} 4",
            "customs_queue_wait_seconds_count 4",
            "customs_up 1",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn labels_cannot_leave_their_quotes() {
        let metrics = Metrics::default();
        metrics.ended(&ended("a\"} 1\nb{x=\"\\", 1));
        let text = metrics.text(NOW);
        assert!(
            text.contains(
                "customs_calls_total{component=\"c\",tool=\"a\\\"} 1\\nb{x=\\\"\\\\\",ending=\"returned\"} 1\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn series_are_bounded_and_what_is_more_is_counted_together() {
        let metrics = Metrics::default();
        for n in 0..MAX_SERIES + 3 {
            metrics.ended(&ended(&format!("t{n}"), 1));
        }
        metrics.ended(&ended("t0", 1));
        let text = metrics.text(NOW);
        assert_eq!(text.lines().filter(|l| l.starts_with("customs_calls_total{")).count(), MAX_SERIES + 1);
        assert!(
            text.contains("customs_calls_total{component=\"other\",tool=\"other\",ending=\"returned\"} 3\n"),
            "{text}"
        );
        assert!(text.contains("customs_calls_total{component=\"c\",tool=\"t0\",ending=\"returned\"} 2\n"), "{text}");
    }
}
