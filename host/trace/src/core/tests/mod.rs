//! Proof that rewriting changes nothing but labels ([`differential`]), and that no operator drops one ([`operators`]).

mod differential;
mod operators;
mod rig;
