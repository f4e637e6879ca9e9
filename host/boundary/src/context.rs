//! `customs:tool/context`: progress, log lines and cancellation. Its texts are sinks.

use crate::flow::Way;
use crate::imports::Import;
use crate::labels::runs::{self, Runs};
use crate::record::Stopped;
use crate::state::View;
use crate::tape::key;
use customs_ledger::material::SinkKind;
use customs_policy::{Capability, Request};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit/customs-tool.wit",
        world: "tool",
        imports: { default: trappable | tracing },
        exports: { default: async },
        require_store_data_send: true,
    });
}

pub(crate) use generated::customs::tool::context as bindings;
pub use generated::customs::tool::types as tool_types;
pub use generated::exports::customs::tool::tools as tool_exports;
pub use generated::{Tool, ToolPre};

/// How much a log line matters, most verbose first.
pub use generated::customs::tool::types::LogLevel;

/// What a tool says while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Progress { current: u64, total: Option<u64>, message: Option<String> },
    Log { level: &'static str, message: String },
}

/// Receives what a tool says, and tells it whether the caller has given up.
#[derive(Clone, Default)]
pub struct Context {
    listener: Option<Arc<dyn Fn(Said) + Send + Sync>>,
    cancelled: Arc<Cancelled>,
}

#[derive(Debug, Default)]
struct Cancelled {
    said: AtomicBool,
    wake: Notify,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("cancelled", &self.cancelled).finish_non_exhaustive()
    }
}

impl Context {
    /// `listener` is called on the guest's thread: it must be quick.
    #[must_use]
    pub fn new(listener: Arc<dyn Fn(Said) + Send + Sync>) -> Context {
        Context { listener: Some(listener), cancelled: Arc::default() }
    }

    /// From now on the tool is told that it is cancelled.
    pub fn cancel(&self) {
        self.cancelled.said.store(true, Ordering::Relaxed);
        self.cancelled.wake.notify_waiters();
    }

    /// Returns once the call is cancelled.
    pub async fn given_up(&self) {
        let notified = self.cancelled.wake.notified();
        // Registered before the look, so that a cancel between the two is not missed.
        let mut notified = std::pin::pin!(notified);
        notified.as_mut().enable();
        if !self.is_cancelled() {
            notified.await;
        }
    }

    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.said.load(Ordering::Relaxed)
    }

    fn say(&self, said: Said) {
        if let Some(listener) = &self.listener {
            listener(said);
        }
    }
}

impl View<'_> {
    fn told(&mut self, op: &'static str, kind: SinkKind, text: &str) -> Result<bool, Stopped> {
        let recorder = self.guard.recorder.clone();
        match self.decide(&Request::StdioWrite) {
            Ok(permit) => {
                debug_assert_eq!(permit.capability(), Capability::StdioWrite);
                let of = recorder.allow(&permit, op, op, None, true)?;
                recorder.whole(of, Way::Out(kind), kind.as_str(), text.as_bytes())?;
                Ok(true)
            }
            Err(denial) => recorder.deny(&denial, op, op, None).map(|()| false),
        }
    }
}

fn level_name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Notice => "notice",
        LogLevel::Warning => "warning",
        LogLevel::Error => "error",
        LogLevel::Critical => "critical",
        LogLevel::Alert => "alert",
        LogLevel::Emergency => "emergency",
    }
}

impl bindings::Host for View<'_> {
    fn progress(&mut self, current: u64, total: Option<u64>, message: Option<String>) -> wasmtime::Result<()> {
        self.count(Import::Progress);
        // The numbers are guest-chosen too: they could spell a secret.
        let mut text = current.to_string();
        if let Some(total) = total {
            text.push('/');
            text.push_str(&total.to_string());
        }
        if let Some(message) = &message {
            text.push(' ');
            text.push_str(message);
        }
        let numbers = [("current", current.to_string()), ("total", total.map(|t| t.to_string()).unwrap_or_default())];
        self.guard.recorder.labelled(|labels| {
            let (mut runs, mut at) = (Runs::new(), 0_u64);
            for (name, digits) in &numbers {
                let end = at.saturating_add(digits.len() as u64);
                runs::push(&mut runs, (at, end, labels.all_of(name)));
                at = end.saturating_add(u64::from(total.is_some() && *name == "current"));
            }
            let rest = message.as_ref().map_or(0, |message| message.len() as u64);
            runs.extend(runs::moved(&labels.bytes_of("message"), 0, rest, at.saturating_add(1)));
            labels.place(runs);
        });
        if self.told("progress", SinkKind::Progress, &text)? {
            self.guard.context.say(Said::Progress { current, total, message });
        }
        Ok(())
    }

    fn log(&mut self, level: LogLevel, message: String) -> wasmtime::Result<()> {
        self.count(Import::Log);
        if self.told("log", SinkKind::Log, &message)? {
            self.guard.context.say(Said::Log { level: level_name(level), message });
        }
        Ok(())
    }

    fn is_cancelled(&mut self) -> wasmtime::Result<bool> {
        self.count(Import::IsCancelled);
        let tape = self.guard.recorder.tape();
        Ok(tape.effect(key!("context.is-cancelled"), || self.guard.context.is_cancelled()))
    }
}

impl generated::customs::tool::types::Host for View<'_> {}
