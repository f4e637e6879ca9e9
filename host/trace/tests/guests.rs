//! Real guests, traced: which bytes of what they give come from which source.

mod guests {
    mod interpreted;
    pub mod rig;
    mod transforms;
    mod unchanged;
}
