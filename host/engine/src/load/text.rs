//! Guest-written text on its way to a person: clamped and made visible. Called for errors, producers, import names and docs.

/// What a reader may be shown, and whether the original held characters that no honest name or sentence needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Visible {
    pub(super) text: String,
    pub(super) odd: bool,
}

/// Which white space the place can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// A name or a message: one line.
    One,
    /// Documentation: line feeds and tabs stay.
    Many,
}

/// At most `max` characters of `guest_text`, each of which a terminal prints as itself. The work is bounded by `max`,
/// not by the length of the text.
pub(super) fn visible(guest_text: &str, max: usize, lines: Lines) -> Visible {
    let mut text = String::new();
    let mut odd = false;
    let mut characters = guest_text.chars();
    for character in characters.by_ref().take(max) {
        let kept = match character {
            '\n' | '\t' => lines == Lines::Many,
            _ => !is_deceptive(character),
        };
        if kept {
            text.push(character);
        } else if lines == Lines::One && matches!(character, '\n' | '\t' | '\r') {
            // Ends of lines are common in tool messages: flattened, not suspected.
            text.push(' ');
        } else {
            odd = true;
            text.extend(character.escape_unicode());
        }
    }
    if characters.next().is_some() {
        text.push('…');
    }
    Visible { text, odd }
}

/// Characters that change what a reader sees without being seen: controls (ESC starts terminal sequences), the
/// bidirectional overrides and isolates, zero-width characters, variation selectors and the tag block, which can
/// carry whole sentences that only a model reads.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// An error of a library as one clause: what it was doing and the root cause. Libraries put dumps and lists of
/// contexts on further lines, which nobody should have to read.
pub(super) fn cause(outermost: &str, root: &str) -> String {
    let first = |text: &str| text.lines().next().unwrap_or_default().trim().to_owned();
    let (outermost, root) = (first(outermost), first(root));
    if root.is_empty() || outermost.contains(&root) { outermost } else { format!("{outermost}: {root}") }
}
