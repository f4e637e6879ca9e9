//! What a trace follows.

/// How much of a guest's computation labels go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Follow {
    /// Data: values, addresses, alternatives without a branch.
    #[default]
    Data,
    /// What branches are decided by as well: all that a branch decides about is weak, of its sources. Much more is
    /// labelled than the sources had a part in.
    Branches,
}
