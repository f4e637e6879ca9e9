//! A database file of two pages, as browsers keep logins in: one table, some rows. SQLite opens it.

use super::piece::Piece;

const PAGE: usize = 4096;

/// What a column of a row holds.
pub(super) enum Cell<'c> {
    Text(&'c str),
    Blob(&'c [u8]),
    Integer(i64),
}

/// A table with this statement and these rows. Blobs are secret from their fourth byte on: before it stands the version of their cipher.
pub(super) fn table(name: &str, statement: &str, rows: &[Vec<Cell<'_>>]) -> Piece {
    let schema =
        record(1, &[Cell::Text("table"), Cell::Text(name), Cell::Text(name), Cell::Integer(2), Cell::Text(statement)]);
    let mut first = header();
    first.resize(PAGE, 0);
    leaf(&mut first, 100, &[schema]);
    let mut second = vec![0; PAGE];
    let records: Vec<Vec<u8>> = (1..).zip(rows).map(|(id, row)| record(id, row)).collect();
    leaf(&mut second, 0, &records);

    let mut piece = Piece { bytes: [first, second].concat(), secrets: Vec::new() };
    for cell in rows.iter().flatten() {
        if let Cell::Blob(blob) = cell
            && let Some(at) = piece.bytes.windows(blob.len()).position(|window| window == *blob)
        {
            piece.secrets.push(at + 3..at + blob.len());
        }
    }
    piece.secrets.sort_by_key(|range| range.start);
    piece
}

/// The first hundred bytes of the file.
fn header() -> Vec<u8> {
    let mut bytes = b"SQLite format 3\0".to_vec();
    bytes.extend([0x10, 0x00, 1, 1, 0, 64, 32, 32]);
    // Changes, pages, free pages (none), schema version and format, cache, vacuum, encoding UTF-8, versions.
    let words: [u32; 19] = [3, 2, 0, 0, 1, 4, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3_045_001];
    for word in words {
        bytes.extend(word.to_be_bytes());
    }
    bytes
}

/// Writes rows into a page as a leaf of a table: their places from the front, they themselves from the end.
fn leaf(page: &mut [u8], from: usize, records: &[Vec<u8>]) {
    let mut end = page.len();
    let mut places = Vec::new();
    for record in records {
        end = end.saturating_sub(record.len());
        if let Some(room) = page.get_mut(end..end + record.len()) {
            room.copy_from_slice(record);
        }
        places.extend(u16::try_from(end).unwrap_or(0).to_be_bytes());
    }
    let count = u16::try_from(records.len()).unwrap_or(0).to_be_bytes();
    let start = u16::try_from(end).unwrap_or(0).to_be_bytes();
    let head: Vec<u8> = [0x0d, 0, 0].into_iter().chain(count).chain(start).chain([0]).chain(places).collect();
    if let Some(room) = page.get_mut(from..from + head.len()) {
        room.copy_from_slice(&head);
    }
}

fn record(id: u64, cells: &[Cell<'_>]) -> Vec<u8> {
    let (mut types, mut body) = (Vec::new(), Vec::new());
    for cell in cells {
        match cell {
            Cell::Text(text) => {
                types.extend(varint(text.len() as u64 * 2 + 13));
                body.extend_from_slice(text.as_bytes());
            }
            Cell::Blob(blob) => {
                types.extend(varint(blob.len() as u64 * 2 + 12));
                body.extend_from_slice(blob);
            }
            Cell::Integer(number) => {
                types.push(6);
                body.extend(number.to_be_bytes());
            }
        }
    }
    // The header's length counts itself, and is one byte for so few columns.
    let header = [varint(types.len() as u64 + 1), types].concat();
    let length = header.len() + body.len();
    [varint(length as u64), varint(id), header, body].concat()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(number & 0x7f).unwrap_or(0)];
    number >>= 7;
    while number > 0 {
        bytes.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    bytes.reverse();
    bytes
}
