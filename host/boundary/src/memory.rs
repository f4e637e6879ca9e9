//! Memory for what is kept. Every fresh page costs a fault, and megabytes of small ones cost more than reading the file did.

use rustix::mm::{Advice, madvise};

/// From this size on the system is asked for large pages.
const LARGE: usize = 4 << 20;
/// Both page sizes of x86-64 and most of AArch64 divide this.
const PAGE: usize = 64 * 1024;

/// Asks for large pages under what the vector has reserved and not yet touched. A system that has none ignores it.
pub(crate) fn prefer_large_pages(bytes: &mut Vec<u8>) {
    let spare = bytes.spare_capacity_mut();
    if spare.len() < LARGE {
        return;
    }
    let skip = spare.as_ptr().align_offset(PAGE);
    let whole = spare.len().saturating_sub(skip) / PAGE * PAGE;
    let Some(aligned) = spare.get_mut(skip..skip.saturating_add(whole)) else { return };
    #[expect(unsafe_code, reason = "the system call has no safe form")]
    // SAFETY: the range is whole pages of one allocation of ours, borrowed mutably for the call; the advice changes neither its contents
    // nor its protection, only which pages stand behind it.
    let advised = unsafe { madvise(aligned.as_mut_ptr().cast(), aligned.len(), Advice::LinuxHugepage) };
    // Advice that is not taken costs time, nothing else.
    advised.ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_the_same_with_advice() {
        let mut bytes = Vec::new();
        for round in 0..6_u8 {
            bytes.reserve(5 << 20);
            prefer_large_pages(&mut bytes);
            bytes.extend(std::iter::repeat_n(round, 3 << 20));
        }
        assert!((0..6_u8).all(|round| {
            let start = usize::from(round) * (3 << 20);
            bytes[start..start + (3 << 20)].iter().all(|byte| *byte == round)
        }));
        prefer_large_pages(&mut Vec::new());
    }
}
