//! Where the bytes of a view come from.

/// A stretch of a view, and the stretch of the text under it that it was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    at: u32,
    from: u32,
    to: u32,
    shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Every so many bytes below make so many of the view.
    Even { below: u8, view: u8 },
    /// As many bytes, last first.
    Reversed,
    /// Only as a whole.
    Whole,
}

/// From offsets in a view to offsets in the text under it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Map {
    pieces: Vec<Piece>,
    length: u32,
}

impl Map {
    /// The ranges under `from..to`, in rising order and not touching; outward where a byte is made of parts of bytes.
    pub(crate) fn under(&self, from: usize, to: usize) -> Vec<(usize, usize)> {
        let mut ranges = Vec::new();
        let (Ok(from), Ok(to)) = (u32::try_from(from), u32::try_from(to)) else { return ranges };
        let first = self.pieces.partition_point(|p| p.at <= from).saturating_sub(1);
        let pieces = self.pieces.get(first..).unwrap_or_default();
        let ends = pieces.iter().skip(1).map(|p| p.at).chain([self.length]);
        for (piece, end) in pieces.iter().zip(ends) {
            if piece.at >= to {
                break;
            }
            let (start, end) = (from.max(piece.at), to.min(end));
            if start < end {
                ranges.push(piece.under(start - piece.at, end - piece.at));
            }
        }
        merged(ranges)
    }

    /// Where each stretch of the view begins that was found on its own: what is compressed may begin there.
    pub(crate) fn begins(&self) -> impl Iterator<Item = usize> {
        let mut before = None;
        self.pieces.iter().filter_map(move |piece| {
            let follows = before == Some(piece.from);
            before = Some(piece.to);
            (!follows).then_some(piece.at as usize)
        })
    }

    /// Bytes of memory.
    pub(crate) fn size(&self) -> usize {
        self.pieces.len() * size_of::<Piece>()
    }
}

impl Piece {
    fn under(&self, start: u32, end: u32) -> (usize, usize) {
        let (from, to) = (u64::from(self.from), u64::from(self.to));
        let (start, end) = (u64::from(start), u64::from(end));
        let (a, b) = match self.shape {
            Shape::Even { below, view } => {
                let (below, view) = (u64::from(below), u64::from(view.max(1)));
                (from + start * below / view, (from + (end * below).div_ceil(view)).min(to))
            }
            Shape::Reversed => (to.saturating_sub(end), to.saturating_sub(start)),
            Shape::Whole => (from, to),
        };
        (usize::try_from(a).unwrap_or(usize::MAX), usize::try_from(b).unwrap_or(usize::MAX))
    }
}

/// In rising order, with what touches or overlaps made one.
pub(crate) fn merged(mut ranges: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    ranges.sort_unstable();
    ranges.dedup_by(|next, kept| {
        let touches = next.0 <= kept.1;
        if touches {
            kept.1 = kept.1.max(next.1);
        }
        touches
    });
    ranges
}

/// A view in the making. Past its limit it takes nothing more and says so.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    text: Vec<u8>,
    map: Map,
    limit: usize,
    full: bool,
    cut: bool,
}

impl Builder {
    /// At most `limit` bytes of text and a quarter of the map together.
    pub(crate) fn new(limit: usize) -> Builder {
        Builder { limit: limit.min(u32::MAX as usize / 2), ..Builder::default() }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// What may still be added.
    pub(crate) fn room(&self) -> usize {
        self.limit.saturating_sub(self.text.len() + self.map.size() / 4)
    }

    /// Bytes that stand below as they are.
    pub(crate) fn same(&mut self, bytes: &[u8], from: usize) {
        self.push(bytes, from, from + bytes.len(), Shape::Even { below: 1, view: 1 });
    }

    /// Bytes of which every `view` stand for `below` of `from..to`.
    pub(crate) fn even(&mut self, bytes: &[u8], from: usize, to: usize, below: u8, view: u8) {
        self.push(bytes, from, to, Shape::Even { below, view });
    }

    pub(crate) fn whole(&mut self, bytes: &[u8], from: usize, to: usize) {
        self.push(bytes, from, to, Shape::Whole);
    }

    /// Bytes that stand below last first.
    pub(crate) fn reversed(&mut self, bytes: &[u8], from: usize) {
        self.push(bytes, from, from + bytes.len(), Shape::Reversed);
    }

    fn push(&mut self, bytes: &[u8], from: usize, to: usize, shape: Shape) {
        if bytes.is_empty() || self.full {
            return;
        }
        let (Ok(at), Ok(from), Ok(to)) = (u32::try_from(self.text.len()), u32::try_from(from), u32::try_from(to))
        else {
            self.full = true;
            return;
        };
        if bytes.len() + size_of::<Piece>() / 4 > self.room() {
            self.full = true;
            return;
        }
        let goes_on = |last: &Piece| {
            last.shape == shape
                && last.to == from
                && matches!(shape, Shape::Even { below, view }
                    if u64::from(at - last.at) * u64::from(below) == u64::from(from - last.from) * u64::from(view))
        };
        match self.map.pieces.last_mut() {
            Some(last) if goes_on(last) => last.to = to,
            _ => self.map.pieces.push(Piece { at, from, to, shape }),
        }
        self.text.extend_from_slice(bytes);
        self.map.length = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
    }

    /// There was more than fits.
    pub(crate) fn overflow(&mut self) {
        self.cut = true;
    }

    /// Whether all of it fitted.
    pub(crate) fn is_cut(&self) -> bool {
        self.full || self.cut
    }

    /// Whether what was added since then is mostly printable.
    pub(crate) fn reads_well_from(&self, from: usize) -> bool {
        let added = self.text.get(from..).unwrap_or_default();
        let printable = added.iter().filter(|b| matches!(b, 0x20..=0x7e | b'\n' | b'\r' | b'\t')).count();
        printable * 20 >= added.len() * 19
    }

    /// How long it is so far.
    pub(crate) fn length(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Begins another view, with the memory of the one before.
    pub(crate) fn clear(&mut self, limit: usize) {
        self.text.clear();
        self.map.pieces.clear();
        let empty = std::mem::take(self);
        *self = Builder { text: empty.text, map: Map { pieces: empty.map.pieces, length: 0 }, ..Builder::new(limit) };
    }

    /// What was made; small views leave their memory to the next.
    pub(crate) fn take(&mut self) -> (Vec<u8>, Map) {
        const SMALL: usize = 1 << 14;
        if self.text.len() + self.map.size() > SMALL {
            return (std::mem::take(&mut self.text), std::mem::take(&mut self.map));
        }
        (self.text.clone(), self.map.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_lead_back_through_every_shape() {
        let mut builder = Builder::new(1000);
        builder.same(b"abc", 10);
        builder.same(b"def", 13);
        builder.even(b"123456", 20, 28, 4, 3);
        builder.whole(b"zz", 40, 90);
        builder.reversed(b"wxyz", 100);
        let (text, map) = builder.take();
        assert_eq!(text, b"abcdef123456zzwxyz");
        assert_eq!(map.pieces.len(), 4);
        assert_eq!(map.under(2, 5), [(12, 15)]);
        assert_eq!(map.under(7, 8), [(21, 23)]);
        assert_eq!(map.under(5, 10), [(15, 16), (20, 26)]);
        assert_eq!(map.under(13, 15), [(40, 90), (103, 104)]);
        assert_eq!(map.under(14, 18), [(100, 104)]);
        assert_eq!(map.under(18, 30), []);
    }

    #[test]
    fn a_full_view_takes_nothing_more() {
        let mut builder = Builder::new(60);
        builder.same(b"abc", 0);
        builder.same(&[0; 60], 3);
        assert!(builder.is_full());
        builder.same(b"d", 3);
        assert_eq!(builder.take().0, b"abc");
    }
}
