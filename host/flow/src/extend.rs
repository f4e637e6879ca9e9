//! How far two texts agree, upper and lower case folded: exact, both ways from a place where they do.

/// Length of the longest common beginning.
pub(crate) fn prefix(a: &[u8], b: &[u8]) -> usize {
    let mut length = 0;
    let (chunks_a, rest_a) = a.as_chunks::<8>();
    let (chunks_b, rest_b) = b.as_chunks::<8>();
    for (x, y) in chunks_a.iter().zip(chunks_b) {
        // Most of what agrees agrees to the bit.
        if x != y && !x.eq_ignore_ascii_case(y) {
            return length + agreeing(x.iter().zip(y));
        }
        length += 8;
    }
    let rest_a = if chunks_a.len() > chunks_b.len() { a.get(length..).unwrap_or_default() } else { rest_a };
    let rest_b = if chunks_b.len() > chunks_a.len() { b.get(length..).unwrap_or_default() } else { rest_b };
    length + agreeing(rest_a.iter().zip(rest_b))
}

/// Length of the longest common end.
pub(crate) fn suffix(a: &[u8], b: &[u8]) -> usize {
    let mut length = 0;
    let (_, chunks_a) = a.as_rchunks::<8>();
    let (_, chunks_b) = b.as_rchunks::<8>();
    for (x, y) in chunks_a.iter().rev().zip(chunks_b.iter().rev()) {
        if x != y && !x.eq_ignore_ascii_case(y) {
            return length + agreeing(x.iter().rev().zip(y.iter().rev()));
        }
        length += 8;
    }
    let left = |text: &[u8]| text.len() - length;
    let (rest_a, rest_b) = (a.get(..left(a)).unwrap_or_default(), b.get(..left(b)).unwrap_or_default());
    length + agreeing(rest_a.iter().rev().zip(rest_b.iter().rev()))
}

fn agreeing<'a>(pairs: impl Iterator<Item = (&'a u8, &'a u8)>) -> usize {
    pairs.take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_ways_are_as_long_as_byte_by_byte(
            common in proptest::collection::vec(any::<u8>(), 0..40),
            a in proptest::collection::vec(any::<u8>(), 0..12),
            b in proptest::collection::vec(any::<u8>(), 0..30),
        ) {
            let ends = |x: &[u8]| [x, common.as_slice()].concat();
            let starts = |x: &[u8]| [&common.to_ascii_uppercase(), x].concat();
            let (x, y) = (starts(&a), [common.as_slice(), &b].concat());
            prop_assert_eq!(prefix(&x, &y), agreeing(x.iter().zip(&y)));
            prop_assert!(prefix(&x, &y) >= common.len());
            let (x, y) = (ends(&a), ends(&b));
            prop_assert_eq!(suffix(&x, &y), agreeing(x.iter().rev().zip(y.iter().rev())));
            prop_assert!(suffix(&x, &y) >= common.len());
        }
    }

    #[test]
    fn only_letters_have_two_cases() {
        assert_eq!(prefix(b"abcdefgh@xyz", b"ABCDEFGH`xyz"), 8);
        assert_eq!(prefix(b"[1234567]", b"{1234567}"), 0);
        assert_eq!(suffix(b"key-Q4mZ8tRw1xYp0LkA", b"Q4MZ8TRW1XYP0LKA"), 16);
    }
}
