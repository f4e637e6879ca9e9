//! Grants that a person gives while tools are served, through the client: `elicitation/create` up to 2025-11-25, an input-required result since.
//!
//! The call runs first. Where it was refused something that a grant could allow, the person is asked, and the call is made again with the wider
//! policy if it has changed nothing outside. What the person is shown goes to the client and never into a result, so that a model neither
//! grants nor learns what to ask for. Everything that is not a clear yes is a no.

mod form;
mod state;

pub(crate) use form::{Choice, schema, understood, wording};
pub(crate) use state::{Ask, Pending};

use crate::server::House;
use crate::shelf::Subject;
use rmcp::model::ClientCapabilities;
use std::sync::Arc;
use std::time::Duration;

/// How long a person has for an answer, unless said otherwise.
pub const DEFAULT_TIME: Duration = Duration::from_secs(60);

/// One refused access, and the smallest grant that would have allowed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Such as `fs.read`.
    pub capability: &'static str,
    /// What the tool asked for: guest text.
    pub requested: String,
    /// The key of a policy file and its entry. Together they are what the person is shown and what is granted.
    pub key: &'static str,
    pub entry: String,
}

impl Grant {
    /// As a flag.
    #[must_use]
    pub fn rule(&self) -> String {
        format!("--{}={}", self.key, self.entry)
    }
}

/// What a person can be asked for after a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// At least one.
    pub grants: Vec<Grant>,
    /// It can be written into the policy file.
    pub lasting: bool,
}

/// How long a grant holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// For one call that is made again.
    Once,
    /// Until the server ends or the policy changes.
    Session,
    /// In the policy file.
    Always,
}

impl Hold {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Session => "session",
            Self::Always => "always",
        }
    }
}

/// Whether the client can show a person a form. One that says nothing of forms and links means forms.
pub(crate) fn shows_forms(client: Option<&ClientCapabilities>) -> bool {
    let elicitation = client.and_then(|client| client.elicitation.as_ref());
    elicitation.is_some_and(|e| e.form.is_some() || e.url.is_none())
}

impl House {
    /// Nothing that was approved, refused or asked under another policy holds any more.
    pub(crate) fn forget_approvals(&self) {
        if let Some(ask) = &self.ask {
            ask.forget();
        }
    }

    /// Carries out a grant: the subject under the wider policy. None where it cannot be, or where the policy has changed since the person was
    /// asked; why is told to the person.
    pub(crate) async fn widen(
        self: &Arc<Self>,
        name: String,
        proposal: Proposal,
        hold: Hold,
        generation: u64,
    ) -> Option<Arc<Subject>> {
        let house = Arc::clone(self);
        // It goes on where nobody waits for it any more: what is written to the policy file is also in force.
        let work = move || {
            let _gate = house.reload.gate();
            house.look();
            if house.reload.is_refused() || house.reload.generation() != generation {
                house.ground.tell("the policy changed while a person was asked: the grant is not carried over");
                return None;
            }
            let shelf = house.shelf();
            let subject = shelf.subjects.iter().find(|subject| subject.name == name)?;
            if subject.held.why().is_some() {
                return None;
            }
            let wider = match house.ground.widen(subject, &proposal, hold) {
                Ok(wider) => wider,
                Err(why) => {
                    house.ground.tell(&format!("the grant could not be given: {why}"));
                    return None;
                }
            };
            let rules: Vec<String> = proposal.grants.iter().map(Grant::rule).collect();
            house.ground.tell(&format!("{name}: granted when asked ({}): {}", hold.as_str(), rules.join(" ")));
            if hold != Hold::Once {
                let swapped = |s: &Arc<Subject>| if s.name == name { Arc::clone(&wider) } else { Arc::clone(s) };
                house.replace(&shelf.subjects.iter().map(swapped).collect::<Vec<_>>());
            }
            Some(wider)
        };
        self.desk.workers().spawn_blocking(work).await.ok().flatten()
    }
}
