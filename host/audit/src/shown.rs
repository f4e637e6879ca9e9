//! Guest text on its way into a sentence: one line, clamped, each character visible.

/// At most `max` characters, with everything that a reader would not see written as an escape.
pub(crate) fn shown(guest_text: &str, max: usize) -> String {
    let mut text = String::new();
    let mut characters = guest_text.chars();
    for character in characters.by_ref().take(max) {
        match character {
            '\n' | '\t' | '\r' => text.push(' '),
            c if is_hidden(c) || c.is_control() => text.extend(c.escape_unicode()),
            c => text.push(c),
        }
    }
    if characters.next().is_some() {
        text.push('…');
    }
    text
}

/// The beginning of a secret and its length: enough to find it again, and no use to anybody else.
pub(crate) fn masked(secret: &str) -> String {
    let head: String = secret.chars().take(4).collect();
    format!("{}..({} characters)", shown(&head, 4), secret.chars().count())
}

/// Characters that change what a reader sees without being seen: bidirectional controls, zero-width characters, fillers, variation selectors and tags.
pub(crate) fn is_hidden(character: char) -> bool {
    matches!(character,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_hidden_characters_are_written_out() {
        assert_eq!(shown("a\u{202e}b\nc", 10), "a\\u{202e}b c");
        assert_eq!(shown("abcdef", 3), "abc…");
        assert_eq!(masked("sk_live_4242"), "sk_l..(12 characters)");
    }
}
