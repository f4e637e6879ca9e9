//! What a finding shows of the bytes it is about.

use customs_ledger::material::Class;

/// Characters of a text that anyone may see.
const EXCERPT: usize = 40;
/// Values shorter than this show nothing: two characters would be half of them.
const TWO_OF: usize = 8;

/// Of a secret or a private text two characters and the length, of others an excerpt; escaped.
pub(crate) fn preview(class: Class, bytes: &[u8], length: u64) -> String {
    match class {
        Class::Secret | Class::Private if length < TWO_OF as u64 => format!("..({length} bytes)"),
        Class::Secret | Class::Private => format!("{}..({length} bytes)", escaped(bytes, 2)),
        Class::Untrusted | Class::Public => {
            let excerpt = escaped(bytes, EXCERPT);
            if bytes.len() > EXCERPT { format!("{excerpt}..({length} bytes)") } else { excerpt }
        }
    }
}

/// The first characters; what is not plainly visible as escapes.
pub(crate) fn escaped(bytes: &[u8], characters: usize) -> String {
    let start = bytes.get(..bytes.len().min(4 * characters)).unwrap_or_default();
    let mut out = String::new();
    for char in String::from_utf8_lossy(start).chars().take(characters) {
        match char {
            ' '..='~' if char != '\\' => out.push(char),
            _ if char.is_alphanumeric() => out.push(char),
            _ => out.extend(char.escape_default()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_show_two_characters_of_a_secret_and_never_raw_controls() {
        assert_eq!(preview(Class::Secret, b"SEKRET_0123", 39), "SE..(39 bytes)");
        assert_eq!(preview(Class::Secret, b"4711", 4), "..(4 bytes)");
        assert_eq!(preview(Class::Private, b"\x1b[31mx", 10), "\\u{1b}[..(10 bytes)");
        assert_eq!(preview(Class::Untrusted, "a\u{202e}b\n".as_bytes(), 6), "a\\u{202e}b\\n");
    }
}
