//! Characters that hide: those that are not shown, those that turn text around, and those that look like others.

use super::prose;
use super::report::Hit;
use super::rules::{BIDI, FEW_UNSEEN, HIDDEN_TEXT, INVISIBLE, LOOKALIKE};

/// Not shown, or changing how what is around them is shown.
pub fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Scripts that are written from right to left, or whose letters need joiners.
fn needs_joiners(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{900}'..='\u{dff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{fb1d}'..='\u{fefc}')
}

fn is_picture(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

/// Letters that are taken for ASCII ones.
fn looks_latin(c: char) -> bool {
    "аеорсухіјѕԁһӏԛԝАВЕКМНОРСТХУІЈЅοΑΒΕΖΗΙΚΜΝΟΡΤΥΧ".contains(c)
}

/// ASCII in another shape: Python reads these as the letters they resemble.
fn is_shaped(c: char) -> bool {
    matches!(c, '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' | '\u{1d400}'..='\u{1d7ff}')
}

/// Each isolate of the line is closed on it, and nothing else there turns text around.
fn balanced(text: &str, at: usize) -> bool {
    let start = text[..at].rfind('\n').map_or(0, |start| start + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    // A longer line is not looked at again for each of its characters.
    if end - start > 2000 {
        return false;
    }
    let mut open = 0_i32;
    for c in text[start..end].chars() {
        match c {
            '\u{2066}'..='\u{2068}' => open += 1,
            '\u{2069}' => open -= 1,
            '\u{202a}'..='\u{202e}' => return false,
            _ => {}
        }
        if open < 0 {
            return false;
        }
    }
    open == 0
}

/// Looks through a whole file. `code` is true where names are read by a machine.
pub fn scan(text: &str, code: bool, hits: &mut Vec<Hit>) {
    if text.is_ascii() {
        return;
    }
    let rtl = text.chars().any(|c| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fefc}'));
    let mut before = None;
    let mut chars = text.char_indices().peekable();
    let mut tags = String::new();
    while let Some((at, c)) = chars.next() {
        let after = chars.peek().map(|(_, c)| *c);
        let hit = |rule| Hit { rule, at, means: None };
        if let '\u{e0020}'..='\u{e007e}' = c {
            // A flag is a picture, then the letters of its region.
            if before == Some('\u{1f3f4}') {
                while chars.next_if(|(_, c)| matches!(c, '\u{e0020}'..='\u{e007f}')).is_some() {}
                before = None;
                continue;
            }
            if tags.is_empty() {
                hits.push(hit(&INVISIBLE));
            }
            tags.extend(char::from_u32(c as u32 - 0xe0000));
            if !matches!(after, Some('\u{e0020}'..='\u{e007e}')) {
                let said = std::mem::take(&mut tags);
                prose::sentence(&said, &mut |rule, means| hits.push(Hit { rule, at, means }));
                hits.push(Hit { rule: &HIDDEN_TEXT, at, means: Some(said) });
            }
        } else if turns(c) {
            // An isolate around something that is filled in, closed on its line, turns nothing around in a text for people.
            let isolates = !code && matches!(c, '\u{2066}'..='\u{2069}') && balanced(text, at);
            if (code || !rtl) && !isolates {
                hits.push(hit(&BIDI));
            }
        } else if is_unseen(c) {
            let joins = matches!(c, '\u{200c}' | '\u{200d}')
                && [before, after].into_iter().flatten().any(|near| is_picture(near) || needs_joiners(near));
            let mark = matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}') && rtl && !code;
            let harmless = at == 0 && c == '\u{feff}' || matches!(c, '\u{ad}' | '\u{2028}' | '\u{2029}') && !code;
            // One between two letters splits a word; many say something. One beside a formula or at a line's start is left by a tool.
            let letters = [before, after].into_iter().all(|near| near.is_some_and(|near| near.is_ascii_alphabetic()));
            let run = [before, after].into_iter().flatten().any(is_unseen);
            let few = !code && !letters && !run && matches!(c, '\u{200b}' | '\u{feff}' | '\u{2060}'..='\u{2064}');
            if !joins && !mark && !harmless {
                hits.push(hit(if few { &FEW_UNSEEN } else { &INVISIBLE }));
            }
        }
        before = Some(c);
    }
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    for word in words.filter(|word| !word.is_ascii()) {
        let at = word.as_ptr() as usize - text.as_ptr() as usize;
        let latin = word.chars().any(|c| c.is_ascii_alphabetic());
        let others = word.chars().filter(|c| c.is_alphabetic() && !c.is_ascii());
        let disguised = latin && others.clone().all(looks_latin) && others.clone().next().is_some();
        if disguised || code && word.chars().any(is_shaped) {
            hits.push(Hit { rule: &LOOKALIKE, at, means: None });
        }
    }
}
