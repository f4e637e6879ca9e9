//! What it means: sources and sinks to findings. Pure; no I/O, no wasmtime.
//!
//! [`find`] says which source is in which sink. Sinks of one kind are put together ([`groups`]), their encodings undone ([`views`]), and
//! every range of eight bytes and more that they have in common with what came in ([`arrivals`]) is found in one indexed pass ([`search`], [`index`],
//! [`extend`]). A range counts by its rarity, not its length ([`rarity`]). [`evidence`] takes off what an argument explains, leads ranges back to
//! the bytes of the sinks, and makes findings; [`short`] adds secrets that are too short for ranges, [`prompt`] what is meant to be read by a model.
//! [`lineage`] remembers what calls gave out, so that a later call that takes it in is no echo. [`own`] lowers what the component brought with it. [`rules`] has the codes. [`stand_ins`] is apart: what stands for a secret that the guest never holds is looked for exactly.

mod arrivals;
mod budget;
mod causal;
mod evidence;
mod extend;
mod find;
mod finding;
mod groups;
mod index;
mod lineage;
mod own;
mod preview;
mod prompt;
mod rarity;
mod rules;
mod search;
mod short;
mod stand_ins;
mod traced;
mod usual;
mod views;
mod words;

pub use budget::{Budget, Work};
pub use causal::causal;
pub use find::{Input, Outcome, find};
pub use finding::{Action, Finding, Method, Severity, Strength};
pub use lineage::{Carried, Lineage, Origin, Traced};
pub use own::explain;
pub use prompt::reads_like_instructions;
pub use rules::{Rule, rule, rules};
pub use stand_ins::{StandIn, stand_ins};
pub use traced::{Label as TracedLabel, traced};
