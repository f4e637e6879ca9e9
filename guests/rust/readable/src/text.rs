//! A text as it is written: blanks put together, lines and paragraphs, and a bound.

/// What has a shape of its own.
#[derive(Default)]
pub struct Text {
    out: String,
    /// What is to come before the next word: nothing, a blank, a line, a paragraph.
    gap: u8,
    /// What each line begins with: marks of quotes.
    pub prefix: String,
    /// How long the prefix of the line is that was written last.
    written_prefix: usize,
    pub pre: bool,
    limit: usize,
    pub full: bool,
    /// Invisible characters that were left out.
    pub invisible: u32,
}

impl Text {
    pub fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    pub fn blank(&mut self) {
        self.gap = self.gap.max(1);
    }

    pub fn line(&mut self) {
        self.gap = self.gap.max(2);
    }

    pub fn paragraph(&mut self) {
        self.gap = self.gap.max(3);
    }

    /// Where the next word is written; what stands between is written first.
    fn begin(&mut self) {
        let gap = std::mem::take(&mut self.gap);
        if self.out.is_empty() {
            self.out.push_str(&self.prefix);
            self.written_prefix = self.prefix.len();
            return;
        }
        match gap {
            0 => {}
            1 => self.out.push(' '),
            2 => self.new_line(),
            _ => {
                // The empty line is part of a quote only where it stands between two lines of it.
                let between = self.prefix.len().min(self.written_prefix);
                let prefix = std::mem::take(&mut self.prefix);
                self.prefix.push_str(&prefix[..between]);
                self.new_line();
                self.prefix = prefix;
                self.new_line();
            }
        }
    }

    fn new_line(&mut self) {
        self.out.truncate(self.out.trim_end_matches([' ', '\t']).len());
        self.out.push('\n');
        self.out.push_str(&self.prefix);
        self.written_prefix = self.prefix.len();
    }

    /// Marks of ours: no blank is made of them.
    pub fn mark(&mut self, mark: &str) {
        if self.has_room(mark.len()) {
            self.begin();
            self.out.push_str(mark);
        }
    }

    /// A mark that closes what was written last: it stands before the gap.
    pub fn close(&mut self, mark: &str) {
        if self.has_room(mark.len()) {
            self.out.push_str(mark);
        }
    }

    /// Words of the page.
    pub fn words(&mut self, text: &str) {
        for c in text.chars() {
            if is_invisible(c) {
                self.invisible = self.invisible.saturating_add(1);
            } else if self.pre && c == '\n' {
                if !self.has_room(1 + self.prefix.len()) {
                    return;
                }
                self.begin();
                self.new_line();
            } else if c.is_whitespace() && !self.pre {
                self.blank();
            } else {
                if !self.has_room(4 + self.prefix.len()) {
                    return;
                }
                self.begin();
                self.out.push(if c.is_control() && c != '\t' { '\u{fffd}' } else { c });
            }
        }
    }

    /// Whether something was written since that length.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    fn has_room(&mut self, more: usize) -> bool {
        self.full |= self.out.len() + more > self.limit;
        !self.full
    }

    pub fn finish(mut self) -> String {
        self.out.truncate(self.out.trim_end().len());
        self.out
    }
}

/// Characters that a reader does not see and a model does: they can carry a text of their own, or turn one around.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}
