//! Running a tool.
//!
//! The way of a call: [`load`] turns bytes into a compiled component; [`Program`] links it to the boundary and lists its tools
//! ([`catalogue`]); a [`Session`] binds a program to a policy, its open directories and a ledger; [`Session::prepare`] checks the
//! arguments ([`json`]) before any guest code runs; [`Session::call`] makes a fresh store with the limits armed, calls, names the
//! ending and records the return as sinks. What the guest does meanwhile passes `customs-boundary`.

mod call;
pub mod catalogue;
mod clock;
mod dynamic;
mod ending;
mod enforce;
pub mod json;
pub mod load;
mod program;
pub mod replay;
mod report;
mod sinks;
mod traced;
mod wasmcp;

pub use call::{Prepared, Session};
pub use catalogue::{Form, ToolInfo};
pub use dynamic::{Checks, Listed};
pub use ending::Ending;
pub use program::{Host, HostError, Program};
pub use report::{CallError, Content, Report, ToolResult, TracedRange, TracedSink};
