//! Exact tracing: a component's bytes to the bytes of one that follows where its data comes from.
//!
//! Every byte that the guest has gets a label: a set of sources, each *strong* (its value is in the byte) or *weak* (it
//! chose the address or the alternative that the byte came by). [`instrument`] rewrites the component ahead of time.
//! `component` puts a store with shadow memory at its front and hooks where bytes cross, `core` rewrites every function
//! of its core modules. The host answers the hooks ([`Map`]): it labels what arrives, and hears of labels before they
//! leave. What is followed is data, and if asked for what branches are decided by ([`Follow`]). Pure; no I/O, no wasmtime.

mod component;
mod core;
mod follow;
mod label;
mod map;
mod refusal;

/// What this writes is of this version: code that was compiled from another's output is not used. A test holds it to
/// the bytes that are written.
pub const VERSION: u32 = 5;

pub use component::{Instrumented, MAX_BYTES, instrument};
pub use follow::Follow;
pub use label::{Label, SOURCES};
pub use map::{ASK, Crossing, Hook, INSIDE, INTERFACE, Map, PIECES, Part, Path, Step};
pub use refusal::{Reason, Refusal};
