//! Where it crosses: WASI 0.2 as a guest sees it, one file for each capability.
//!
//! A guest calls an import. Its view here asks the policy ([`customs_policy::decide`]), writes the decision to the ledger ([`record`]),
//! delegates to wasmtime-wasi, and sees the bytes that cross ([`tap`]). The engine makes a [`State`] for each call, links it once
//! ([`link`]) and collects what the call left ([`record::Harvest`]).
//!
//! ```text
//!  guest import -> environment | stdio | clocks | random | io | sockets | http | context | filesystem/
//!                      |  decide (policy)            -> Permit or Denial
//!                      |  record::Recorder           -> ledger, before the effect
//!                      |  wasmtime-wasi              -> the effect
//!                      +- tap / flow                 -> the bytes: a source or a sink
//! ```

mod clocks;
mod context;
mod denials;
mod digesting;
mod environment;
mod filesystem;
mod flow;
mod hidden;
mod http;
mod http_labels;
mod http_types;
pub mod imports;
mod io;
mod judge;
mod labels;
mod limits;
mod link;
mod memory;
pub mod network;
mod random;
pub mod record;
mod roots;
mod sockets;
mod state;
mod stdio;
mod stop;
mod tap;
pub mod tape;
pub mod wasmcp;

pub use context::{Context, LogLevel, Said, Tool, ToolPre, tool_exports, tool_types};
pub use flow::Way;
pub use hidden::Hidden;
pub use judge::{Inside, Judge, Unwatched};
pub use labels::{Assignment, Returned, Traces, link_labels};
pub use link::link;
pub use network::{Answered, Asked, Network, Peer, Resolver, Secrets, Tls};
pub use record::{DenialRow, Harvest, Recorder, Stop, Stopped};
pub use roots::{Identity, RootError, Roots};
pub use state::{Input, MAX_HANDLES, State};
