//! Which questions are open, what was refused, and the sealed state of questions that a client carries back and forth.

use super::Proposal;
use customs_engine::Report;
use rmcp::model::{CallToolResult, JsonObject, RequestStateCodec, RequestStateError, SealOptions};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Questions from the start of the server to its end. A tool that tries one thing after the other must not wear a person down.
const MAX_QUESTIONS: usize = 32;
/// Questions that wait for a client's next request.
const MAX_PENDING: usize = 16;
/// Bytes of an answer that waits with its question; with a larger one nothing is asked.
const MAX_WAITING: usize = 1 << 20;

/// What is known of questions.
#[derive(Debug)]
pub(crate) struct Ask {
    /// How long a person has.
    pub(crate) time: Duration,
    codec: RequestStateCodec,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    asked: usize,
    /// Not asked for again.
    refused: BTreeSet<String>,
    /// Asked for right now, until then at the latest.
    open: BTreeMap<String, Instant>,
    pending: BTreeMap<String, Pending>,
}

/// A question that waits for the client's next request.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) subject: String,
    pub(crate) proposal: Proposal,
    pub(crate) again: bool,
    pub(crate) generation: u64,
    /// What the call gave, for a no.
    pub(crate) first: CallToolResult,
    until: Instant,
}

/// What is asked: two calls that are refused the same ask once.
fn key(subject: &str, proposal: &Proposal) -> String {
    let mut key = subject.to_owned();
    for grant in &proposal.grants {
        key.push('\n');
        key.push_str(&grant.rule());
    }
    key
}

/// What a state is bound to: it answers this call and no other.
fn bound_to(tool: &str, arguments: &JsonObject) -> [u8; 32] {
    let arguments =
        serde_json_canonicalizer::to_vec(arguments).or_else(|_| serde_json::to_vec(arguments)).unwrap_or_default();
    let mut hash = Sha256::new();
    hash.update(u64::try_from(tool.len()).unwrap_or(u64::MAX).to_le_bytes());
    hash.update(tool);
    hash.update(arguments);
    hash.finalize().into()
}

impl Ask {
    /// Questions that are sealed with a key of this process. None where the machine has no random numbers.
    pub(crate) fn new(time: Duration) -> Option<Ask> {
        let (one, two) = (customs_ledger::run_id().ok()?, customs_ledger::run_id().ok()?);
        let codec = RequestStateCodec::try_new(format!("{one}{two}")).ok()?;
        Some(Ask { time, codec, book: Mutex::default() })
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        book.open.retain(|_, until| *until > now);
        book.pending.retain(|_, pending| pending.until > now);
        book
    }

    /// Counts a question, unless it was refused, is open already, or there were too many.
    pub(crate) fn open(&self, subject: &str, proposal: &Proposal) -> bool {
        let key = key(subject, proposal);
        let mut book = self.book();
        if book.asked >= MAX_QUESTIONS || book.refused.contains(&key) || book.open.contains_key(&key) {
            return false;
        }
        book.asked += 1;
        book.open.insert(key, Instant::now() + self.time);
        true
    }

    /// The question is answered. With a no it is not put again.
    pub(crate) fn close(&self, subject: &str, proposal: &Proposal, refused: bool) {
        let key = key(subject, proposal);
        let mut book = self.book();
        book.open.remove(&key);
        if refused {
            book.refused.insert(key);
        }
    }

    /// Another policy, other questions. How many were asked is not forgotten.
    pub(crate) fn forget(&self) {
        let mut book = self.book();
        *book = Book { asked: book.asked, ..Book::default() };
    }

    /// Whether an open question's answer can wait here.
    pub(crate) fn has_room(&self, report: &Report) -> bool {
        let size = report.result.as_ref().map_or(0, |result| result.to_json().to_string().len());
        size <= MAX_WAITING && self.book().pending.len() < MAX_PENDING
    }

    /// Keeps a question until the client's next request, and gives the state that this has to come with. The state has nothing in it but the
    /// question's number: it can be read by whoever carries it.
    pub(crate) fn wait(&self, tool: &str, arguments: &JsonObject, pending: Pending) -> Option<String> {
        let id = customs_ledger::run_id().ok()?;
        let bound = bound_to(tool, arguments);
        let sealed = self.codec.seal_with(id.as_bytes(), &SealOptions::new().associated_data(&bound).ttl(self.time));
        self.book().pending.insert(id, pending);
        Some(sealed)
    }

    /// The question that a state belongs to. It is used up with this.
    pub(crate) fn take(&self, tool: &str, arguments: &JsonObject, state: &str) -> Result<Pending, &'static str> {
        const OVER: &str = "the request state has expired: the question was not answered in time; call the tool again";
        let id = self.codec.open_with(state, &bound_to(tool, arguments)).map_err(|error| match error {
            RequestStateError::Expired => OVER,
            _ => "the request state is not one of this server's for this call",
        })?;
        let id = String::from_utf8(id).unwrap_or_default();
        self.book().pending.remove(&id).ok_or("the request state was used already, or the policy has changed since")
    }
}

impl Pending {
    pub(crate) fn new(
        ask: &Ask,
        subject: String,
        proposal: Proposal,
        again: bool,
        generation: u64,
        first: CallToolResult,
    ) -> Pending {
        Pending { subject, proposal, again, generation, first, until: Instant::now() + ask.time }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Grant;
    use super::*;
    use serde_json::json;

    fn asked(entry: &str) -> Proposal {
        let grant =
            Grant { capability: "fs.read", requested: entry.to_owned(), key: "allow-read", entry: entry.to_owned() };
        Proposal { grants: vec![grant], lasting: false }
    }

    fn arguments(text: &str) -> JsonObject {
        serde_json::from_str(text).unwrap()
    }

    fn waiting(ask: &Ask) -> Pending {
        Pending::new(ask, "a".to_owned(), asked("/x"), true, 0, CallToolResult::success(Vec::new()))
    }

    #[test]
    fn a_refusal_is_remembered_for_the_same_question_of_the_same_component() {
        let ask = Ask::new(Duration::from_secs(60)).unwrap();
        assert!(ask.open("a", &asked("/x")));
        assert!(!ask.open("a", &asked("/x")), "open already");
        ask.close("a", &asked("/x"), true);
        assert!(!ask.open("a", &asked("/x")), "refused");
        assert!(ask.open("b", &asked("/x")) && ask.open("a", &asked("/y")));
        ask.close("a", &asked("/y"), false);
        assert!(ask.open("a", &asked("/y")), "not refused");
        ask.forget();
        assert!(ask.open("a", &asked("/x")), "another policy");
    }

    #[test]
    fn questions_come_to_an_end_also_where_policies_change() {
        let ask = Ask::new(Duration::from_secs(60)).unwrap();
        for n in 0..MAX_QUESTIONS {
            assert!(ask.open("a", &asked(&format!("/{n}"))));
        }
        assert!(!ask.open("a", &asked("/more")));
        ask.forget();
        assert!(!ask.open("a", &asked("/more")));
    }

    #[test]
    fn a_state_answers_its_own_call_once() {
        let ask = Ask::new(Duration::from_secs(60)).unwrap();
        let call = arguments(r#"{"a": 1, "b": [2.5]}"#);
        let state = ask.wait("tool", &call, waiting(&ask)).unwrap();
        assert!(ask.take("other", &call, &state).is_err());
        assert!(ask.take("tool", &arguments(r#"{"a": 1, "b": [2.6]}"#), &state).is_err());
        assert!(Ask::new(Duration::from_secs(60)).unwrap().take("tool", &call, &state).is_err(), "another process");
        let mut other = state.clone();
        let last = if other.pop() == Some('A') { 'B' } else { 'A' };
        assert!(ask.take("tool", &call, &format!("{other}{last}")).is_err(), "tampered");
        // The same arguments in another order are the same call.
        assert!(ask.take("tool", &arguments(r#"{"b": [2.5], "a": 1}"#), &state).is_ok());
        assert!(ask.take("tool", &call, &state).is_err(), "used already");
    }

    #[test]
    fn a_state_goes_with_its_time_and_with_its_policy() {
        let ask = Ask::new(Duration::from_millis(30)).unwrap();
        let call = arguments("{}");
        let state = ask.wait("tool", &call, waiting(&ask)).unwrap();
        std::thread::sleep(Duration::from_millis(40));
        assert!(ask.take("tool", &call, &state).unwrap_err().contains("expired"));
        let ask = Ask::new(Duration::from_secs(60)).unwrap();
        let state = ask.wait("tool", &call, waiting(&ask)).unwrap();
        ask.forget();
        assert!(ask.take("tool", &call, &state).is_err());
    }

    #[test]
    fn nothing_of_the_rule_is_in_the_state() {
        use serde_json::Value;
        let ask = Ask::new(Duration::from_secs(60)).unwrap();
        let Value::Object(call) = json!({"script": "open /etc/x"}) else { unreachable!() };
        let state = ask.wait("tool", &call, waiting(&ask)).unwrap();
        // Expiry, then 32 characters of the number, in base64: nothing else fits.
        assert!(state.len() < 120, "{state}");
    }
}
