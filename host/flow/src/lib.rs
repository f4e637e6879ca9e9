//! What it means: sources and sinks to findings. Pure; no I/O, no wasmtime.
//!
//! So far it knows one rule: what stands for a secret that the guest never holds ([`stand_ins`]) has no business in any sink but the headers
//! of the origin that the secret is for, where the boundary takes it out. Wherever else it turns up, the tool moved it there.

mod finding;
mod stand_ins;

pub use finding::{Action, Finding, Method, Severity, Strength};
pub use stand_ins::{StandIn, stand_ins};
