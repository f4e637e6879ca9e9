//! Who is told how calls end: metrics, traces. Nobody, mostly, and then it costs nothing.

use crate::metrics::Metrics;
use crate::trace::{Ended, Spans, Traceparent};
use customs_engine::Report;
use rmcp::RoleServer;
use rmcp::service::RequestContext;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

#[derive(Default)]
pub(crate) struct Observers {
    metrics: OnceLock<Arc<Metrics>>,
    spans: OnceLock<Arc<dyn Spans>>,
}

impl Observers {
    /// From now on calls are counted there. The first holds.
    pub(crate) fn count(&self, metrics: &Arc<Metrics>) {
        self.metrics.set(Arc::clone(metrics)).ok();
    }

    pub(crate) fn trace(&self, spans: Arc<dyn Spans>) {
        self.spans.set(spans).ok();
    }

    /// A call that has just been asked for.
    pub(crate) fn watch<'a>(&'a self, component: &'a str, tool: &'a str, cx: &RequestContext<RoleServer>) -> Watch<'a> {
        if self.metrics.get().is_none() && self.spans.get().is_none() {
            return Watch(None);
        }
        let asked = Instant::now();
        Watch(Some(Watched {
            of: self,
            component,
            tool,
            trace: Traceparent::of(cx),
            asked,
            begun: None,
            // Where it goes without a word, its caller went.
            ending: "cancelled",
        }))
    }
}

/// One call on its way, where anybody looks.
pub(crate) struct Watch<'a>(Option<Watched<'a>>);

struct Watched<'a> {
    of: &'a Observers,
    component: &'a str,
    tool: &'a str,
    trace: Option<Traceparent>,
    asked: Instant,
    begun: Option<Instant>,
    ending: &'static str,
}

impl Watch<'_> {
    /// It has a place.
    pub(crate) fn begins(&mut self) {
        if let Some(watched) = &mut self.0 {
            watched.begun = Some(Instant::now());
        }
    }

    /// It ends so, without a report.
    pub(crate) fn ends(&mut self, ending: &'static str) {
        if let Some(watched) = &mut self.0 {
            watched.ending = ending;
        }
    }

    pub(crate) fn ended(mut self, report: &Report) {
        if let Some(mut watched) = self.0.take() {
            watched.ending = report.ending.kind();
            watched.tell(Some(report));
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(watched) = self.0.take() {
            watched.tell(None);
        }
    }
}

impl Watched<'_> {
    fn tell(&self, report: Option<&Report>) {
        let ended = Ended {
            component: self.component,
            tool: self.tool,
            ending: self.ending,
            report,
            waited: self.begun.map_or_else(|| self.asked.elapsed(), |begun| begun - self.asked),
            took: self.begun.map(|begun| begun.elapsed()),
            trace: self.trace.as_ref(),
        };
        if let Some(metrics) = self.of.metrics.get() {
            metrics.ended(&ended);
        }
        if let Some(spans) = self.of.spans.get() {
            spans.ended(&ended);
        }
    }
}
