//! Exact tracing: a component's bytes to the bytes of one that follows where its data comes from.

mod core;
mod label;
mod refusal;

pub use label::{Label, SOURCES};
pub use refusal::{Reason, Refusal};
