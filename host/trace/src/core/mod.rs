//! Core modules: every value gets a shadow, and every instruction a rule for it.
//!
//! [`facts`] reads what a module has, [`layout`] says where labels are that are no data, [`module`] writes the new
//! module and [`store`] the one that it shares with others, [`function`] and its parts the code: [`control`], [`calls`], [`plain`], [`memory`] with [`address`], and [`lanes`] by kind of
//! instruction, [`body`] the arithmetic on labels, [`clean`] what needs none. Where branches are followed too, [`regions`] says how far a decision
//! reaches and [`branches`] keeps its label. An instruction without a rule is refused by its name.

mod address;
pub(crate) mod allocators;
pub(crate) mod body;
mod branches;
pub(crate) mod calls;
mod clean;
mod control;
pub(crate) mod facts;
pub(crate) mod function;
mod lanes;
pub(crate) mod layout;
mod memory;
pub(crate) mod module;
mod plain;
mod regions;
pub(crate) mod remap;
pub(crate) mod store;
#[cfg(test)]
mod tests;
pub(crate) mod width;
