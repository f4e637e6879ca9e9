//! From an opened file to a component that can be instantiated.
//!
//! The flow: the program opens a file and calls [`read_component`], which reads it once, within a bound, and hashes
//! what it read: those bytes, and no second look at the file, are what is compiled. [`Compiler::load`] then asks the
//! [`Cache`] for native code made earlier from the same bytes with the same configuration. On a miss the bytes are
//! checked against named limits and validated (`check`), turned into a component if they are a WASI preview 1 module
//! (`adapt`), and compiled: in a child process with limits on its memory and time (`child`, `produce`). [`Facts`] says
//! what the bytes tell about themselves without compiling them.
//!
//! The bytes are hostile. In the program's own process they only meet code that walks section headers with a bounded
//! depth; validation, adaptation and compilation, which recurse and allocate by what they find, happen in the child.

mod adapt;
mod bytes;
mod cache;
mod check;
mod child;
mod compile;
mod config;
mod docs;
mod error;
mod facts;
mod limits;
mod produce;
mod text;
mod trace;

#[cfg(test)]
mod tests;

pub use bytes::{Kind, Wasm, read_component};
pub use cache::Cache;
pub use child::child_main;
pub use compile::{Compiler, Loaded};
pub use config::{Allocation, Fuel, POOL_COMPONENTS, POOL_MAX_MEMORY, engine, engine_config};
pub use docs::Docs;
pub use error::{ErrorKind, LoadError};
pub use facts::{Facts, Producer};
pub use limits::{COMPILE_DEADLINE, COMPILE_MEMORY, MAX_WASM_BYTES};
pub use trace::Tracing;
