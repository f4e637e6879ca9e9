//! Components: the store and hooks are put in, core modules rewritten.
//!
//! [`survey`] finds what there is, [`shape`] how values lie, [`weave`] writes the new component. [`hooks`] stand where
//! bytes cross; [`walk`] is their code for values of any type, [`helpers`] what they share. [`globals`] says which globals of several
//! modules need no label, [`inside`] is about components in components.

mod globals;
mod helpers;
mod hooks;
mod inside;
mod shape;
mod survey;
mod walk;
mod weave;

use crate::follow::Follow;
use crate::map::Map;
use crate::refusal::Refusal;

/// A component that can be traced, and what its numbers mean.
#[derive(Debug, Clone)]
pub struct Instrumented {
    /// The bytes of the new component. It imports [`INTERFACE`](crate::INTERFACE) besides what it imported before.
    pub component: Vec<u8>,
    /// What the calls of that interface are about.
    pub map: Map,
}

/// Largest component: 64 MiB. `CPython` with its libraries has 18; what is written is two to five times as large, and
/// compiling that takes as many seconds as megabytes.
pub const MAX_BYTES: usize = 64 << 20;

/// Instruments a component. It computes what it computed before; and it says which bytes come from where.
///
/// # Errors
/// When some label could get lost in it: see [`Refusal`].
pub fn instrument(component: &[u8], follow: Follow) -> Result<Instrumented, Refusal> {
    if component.len() > MAX_BYTES {
        return Err(Refusal::size(format!("it is larger than {} MiB", MAX_BYTES >> 20)));
    }
    let mut hooks = Vec::new();
    let component = weave::weave(component, None, &mut hooks, follow, 0)?;
    Ok(Instrumented { component, map: Map { hooks } })
}
