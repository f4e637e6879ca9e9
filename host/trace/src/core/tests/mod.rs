//! Proof that rewriting changes nothing but labels ([`differential`]), and that no operator drops one ([`operators`]), no call and no local
//! ([`calls`]); that with branches followed no result is without one ([`interference`]); and what allocators are ([`allocators`]).

#![allow(
    clippy::cast_possible_truncation,
    clippy::vec_init_then_push,
    reason = "a test makes any number of any other, and the list of operators is written by a macro"
)]

mod allocators;
mod calls;
mod differential;
mod interference;
mod operators;
mod rig;
