//! The pure half of the audit: what to try, what to lay out as bait, what the bytes say by themselves, and what it all comes to. No I/O, no
//! wasmtime; the same questions get the same answers.
//!
//! ```text
//! schema, seed ── inputs ──► arguments, bait ──┐
//! random bytes ── decoys ──► files, variables ─┤   (customs audit runs the tool and looks at the boundary)
//!                                              ▼
//! component ───── statics ─► imports, strings ─┬─► columns ──┐
//! policy ──────── checks ──────────────────────┘             ├─► evidence ─► score, recommend
//!                              what the ledger says ─────────┘
//! ```
//!
//! [`inputs`] makes arguments from a tool's schema, [`decoys`] makes a home and an environment worth stealing. [`statics`] looks at a component without
//! running it; [`sbom`] lists what it was made with. [`checks`] holds component and policy against sixteen rules, [`columns`] puts declared,
//! imported and exercised side by side. [`score`] adds up [`Evidence`], and says what to do about it.
//!
//! Schemas, components and descriptions are hostile: everything here is bounded, and says so where a bound was met.

#![forbid(unsafe_code)]

pub mod checks;
pub mod columns;
pub mod decoys;
mod imports;
pub mod inputs;
pub mod sbom;
pub mod score;
mod severity;
mod shown;
pub mod statics;

pub use imports::{Import, capabilities_of};
pub use score::Evidence;
pub use severity::Severity;
