//! What a tool says while it runs, on its way to the client.
//!
//! A tool may say more than a client reads: what does not fit into the queue is left out. The ledger has all of it.

use crate::shelf::Subject;
use customs_boundary::{Context, Said};
#[allow(deprecated, reason = "logging is deprecated in the newest revision and in use by older clients")]
use rmcp::model::{LoggingLevel, LoggingMessageNotificationParam};
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::{Peer, RoleServer};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Messages that wait for the client.
const QUEUE: usize = 64;

/// Where messages go, and which.
#[allow(deprecated, reason = "as above")]
pub(crate) struct Listening {
    pub(crate) peer: Peer<RoleServer>,
    pub(crate) progress: Option<ProgressToken>,
    /// Progress that this client was told already.
    pub(crate) after: Option<u64>,
    /// The least level of log lines; none where the client wants none.
    pub(crate) log: Option<LoggingLevel>,
}

/// Forwards until every sender is gone. It has ended when the result may be sent.
pub(crate) struct Voice(Option<JoinHandle<Option<u64>>>);

impl Voice {
    /// A context for a call, and what forwards its messages. Most tools cannot speak, and most clients do not listen: that costs nothing.
    pub(crate) fn new(subject: &Arc<Subject>, listening: Listening) -> (Context, Voice) {
        let speaks = subject.session.program().facts().imports.iter().any(|i| i.starts_with("customs:tool/context"));
        if !speaks || (listening.progress.is_none() && listening.log.is_none()) {
            return (Context::default(), Voice(None));
        }
        let (sender, receiver) = mpsc::channel(QUEUE);
        let context = Context::new(Arc::new(move |said| {
            // Full or closed: see above.
            sender.try_send(said).ok();
        }));
        let forwarding = tokio::spawn(forward(Arc::clone(subject), listening, receiver));
        (context, Voice(Some(forwarding)))
    }

    /// Waits until everything that was said is sent, and gives the progress that was told last. The call's context must be gone.
    pub(crate) async fn finish(self) -> Option<u64> {
        self.0?.await.ok().flatten()
    }
}

#[allow(deprecated, reason = "as above")]
async fn forward(subject: Arc<Subject>, listening: Listening, mut said: mpsc::Receiver<Said>) -> Option<u64> {
    let Listening { peer, progress: token, after, log } = listening;
    let mut last = after;
    while let Some(said) = said.recv().await {
        let sent = match said {
            // It has to increase with each message, whatever the tool says.
            Said::Progress { current, total, message } if last.is_none_or(|l| current > l) => {
                let Some(token) = &token else { continue };
                last = Some(current);
                let mut params = ProgressNotificationParam::new(token.clone(), number(current));
                params.total = total.map(number);
                params.message = message.map(|m| subject.hidden.cover(&m).into_owned());
                peer.notify_progress(params).await
            }
            Said::Progress { .. } => continue,
            Said::Log { level, message } => {
                let level = self::level(level);
                if log.is_none_or(|least| rank(level) < rank(least)) {
                    continue;
                }
                let text = subject.hidden.cover(&message).into_owned();
                let params = LoggingMessageNotificationParam::new(level, Value::String(text));
                peer.notify_logging_message(params.with_logger(subject.name.clone())).await
            }
        };
        if sent.is_err() {
            break;
        }
    }
    last
}

/// JSON's numbers are doubles for most clients.
fn number(n: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "progress beyond 2^53 may be off by one")]
    let number = n as f64;
    number
}

#[allow(deprecated, reason = "as above")]
fn level(name: &str) -> LoggingLevel {
    match name {
        "debug" => LoggingLevel::Debug,
        "notice" => LoggingLevel::Notice,
        "warning" => LoggingLevel::Warning,
        "error" => LoggingLevel::Error,
        "critical" => LoggingLevel::Critical,
        "alert" => LoggingLevel::Alert,
        "emergency" => LoggingLevel::Emergency,
        _ => LoggingLevel::Info,
    }
}

/// Most verbose first.
#[allow(deprecated, reason = "as above")]
pub(crate) fn rank(level: LoggingLevel) -> u8 {
    match level {
        LoggingLevel::Debug => 0,
        LoggingLevel::Info => 1,
        LoggingLevel::Notice => 2,
        LoggingLevel::Warning => 3,
        LoggingLevel::Error => 4,
        LoggingLevel::Critical => 5,
        LoggingLevel::Alert => 6,
        LoggingLevel::Emergency => 7,
    }
}
