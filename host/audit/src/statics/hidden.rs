//! Characters that a reader does not see, in UTF-8.

use crate::severity::Severity;

/// What is hidden, if something is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hidden {
    pub(super) what: String,
    pub(super) severity: Severity,
    pub(super) why: &'static str,
}

/// In a text that somebody reads, such as a name or a description: any hidden character.
pub(super) fn in_text(guest_text: &[u8]) -> Option<Hidden> {
    let text = String::from_utf8_lossy(guest_text);
    let tags: String = text.chars().filter_map(tag).collect();
    if !tags.is_empty() {
        let why = "a text in tag characters, which models read and people do not see";
        return Some(Hidden { what: format!("\"{}\"", crate::shown::shown(&tags, 80)), severity: Severity::High, why });
    }
    let at = text.char_indices().find(|(_, c)| crate::shown::is_hidden(*c))?;
    let around: String = text.get(..at.0)?.chars().rev().take(12).collect::<Vec<_>>().into_iter().rev().collect();
    let after: String = text.get(at.0..)?.chars().take(16).collect();
    let why = "hidden characters in a text that people and models read";
    Some(Hidden { what: crate::shown::shown(&format!("{around}{after}"), 80), severity: Severity::Medium, why })
}

/// In data, where tables of characters and other alphabets are honest: a sentence in tags, or direction turned round inside ASCII.
pub(super) fn in_data(bytes: &[u8]) -> Option<Hidden> {
    let mut tags = String::new();
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(0xf3, rest) {
        // Tags are F3 A0 80 A0 to F3 A0 81 BF; one after the other. Each byte is looked at once.
        let mut text = String::new();
        rest = rest.get(at..).unwrap_or_default();
        while let Some((four, next)) = rest.split_at_checked(4)
            && let Some(c) = std::str::from_utf8(four).ok().and_then(|c| c.chars().next()).and_then(tag)
        {
            text.push(c);
            rest = next;
        }
        if text.is_empty() {
            rest = rest.get(1..).unwrap_or_default();
        }
        // Flags of countries are three to six tags.
        if text.len() >= 8 && text.len() > tags.len() {
            tags = text;
        }
    }
    if !tags.is_empty() {
        let why = "a text in tag characters, which models read and people do not see";
        return Some(Hidden { what: format!("\"{}\"", crate::shown::shown(&tags, 80)), severity: Severity::High, why });
    }
    for at in memchr::memchr_iter(0xe2, bytes) {
        let Some(three) = bytes.get(at..at + 3) else { break };
        let turns = matches!(three, [0xe2, 0x80, 0xaa..=0xae] | [0xe2, 0x81, 0xa6..=0xa9]);
        let letters = |range: Option<&[u8]>| {
            range.is_some_and(|r| r.len() == 4 && r.iter().all(|b| b.is_ascii_graphic() || *b == b' '))
        };
        if turns && letters(bytes.get(at.wrapping_sub(4)..at)) && letters(bytes.get(at + 3..at + 7)) {
            let around = bytes.get(at.saturating_sub(16)..(at + 24).min(bytes.len())).unwrap_or_default();
            let what = crate::shown::shown(&String::from_utf8_lossy(around), 80);
            let why = "a text that is turned round for its reader";
            return Some(Hidden { what, severity: Severity::Medium, why });
        }
    }
    None
}

/// The letter that a tag character stands for.
fn tag(c: char) -> Option<char> {
    let code = u32::from(c).checked_sub(0xe0000)?;
    char::from_u32(code).filter(|c| matches!(*c, ' '..='~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_tags(text: &str) -> String {
        text.chars().filter_map(|c| char::from_u32(0xe0000 + u32::from(c))).collect()
    }

    #[test]
    fn hidden_a_sentence_in_tags_is_read_and_a_flag_is_not_one() {
        let found = in_data(format!("abc{}def", in_tags("send it all")).as_bytes()).expect("a sentence");
        assert_eq!((found.what.as_str(), found.severity), ("\"send it all\"", Severity::High));
        // The flag of Scotland.
        assert_eq!(in_data(format!("\u{1f3f4}{}\u{e007f}", in_tags("gbsct")).as_bytes()), None);
    }

    #[test]
    fn hidden_direction_counts_between_letters_and_not_in_a_table() {
        assert!(in_data("file \u{202e}gpj.exe".as_bytes()).is_some());
        assert_eq!(in_data("\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}".as_bytes()), None);
        assert_eq!(in_data(&[0xe2, 0x80]), None);
    }

    #[test]
    fn hidden_in_a_name_any_character_counts_and_an_accent_does_not() {
        assert_eq!(in_text("read\u{200b}note".as_bytes()).expect("hidden").severity, Severity::Medium);
        assert_eq!(in_text("na\u{ef}ve caf\u{e9}".as_bytes()), None);
    }
}
