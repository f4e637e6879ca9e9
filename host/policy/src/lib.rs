//! What may cross the import boundary of a guest.
//!
//! ```text
//! flags ─┐
//!        ├─ RawGrants ─ Layer ─┐
//! file ──┘   (as written)      ├─ Policy::build ─ Policy ─ decide ─ Permit | Denial
//! HostView ────────────────────┘   (resolved)       ▲
//!  (paths, environment)                          Request, from the boundary
//! ```
//!
//! Nothing here touches the machine: what has to be known about it comes through [`HostView`], and the answer goes back as
//! a value. [`decide`] is the only maker of a [`Permit`], and an effect needs one. A [`Denial`] has a stable code;
//! [`suggest`] says which grant would have allowed it.
//!
//! Built by the program (`customs`) from the command line and [`mod@file`], asked by the boundary.

#![forbid(unsafe_code)]

mod address;
mod capability;
mod decide;
mod denial;
mod diff;
mod endpoint;
mod entry;
mod error;
pub mod file;
mod flow;
mod grounds;
mod guest_path;
mod host;
mod host_path;
pub mod import;
pub mod least;
mod limits;
mod listen;
mod mounts;
mod net;
mod net_deny;
mod origin;
mod path_deny;
mod pins;
mod policy;
mod raw;
mod secret;
mod url_rule;
mod variables;

pub use address::{is_local_address, plain_address};
pub use capability::{Capability, UnknownCapability};
pub use decide::{Permit, Request, decide, suggest};
pub use denial::{Denial, DenialCode};
pub use diff::{Change, Difference, TooMany, diff};
pub use endpoint::Endpoint;
pub use error::PolicyError;
pub use flow::{FlowAction, FlowDefaults, FlowEnds, FlowRule};
pub use grounds::{Remembering, Said, SeenHost};
pub use guest_path::{GuestPath, PathError, PathEscape};
pub use host::{Host, HostPattern};
pub use limits::{Limits, MAX_TIMEOUT, parse_count, parse_duration, parse_size};
pub use mounts::{Mount, MountKind};
pub use net::NetRules;
pub use origin::{OriginPattern, Scheme};
pub use policy::{Clock, Policy, Random};
pub use raw::{HostView, Layer, Lines, Origin, PathKind, RawFlow, RawGrants, RawLimits};
pub use secret::Secret;
pub use variables::{EnvVar, MAX_VALUE};
