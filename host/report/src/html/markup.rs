//! The only writer of tags. Elements are closed where they were opened, and text is text: nothing that comes from outside is written without
//! its five dangerous characters replaced. No method writes a script, an attribute whose value could be one, or a link but to a row of this page.

use crate::records::Name;
use customs_ledger::Escaped;
use std::fmt::Write as _;

/// A page that is being written.
#[derive(Debug)]
pub(super) struct Page {
    out: String,
}

impl Page {
    pub(super) fn new() -> Page {
        Page { out: "<!DOCTYPE html>\n".to_owned() }
    }

    pub(super) fn finish(mut self) -> String {
        self.out.push('\n');
        self.out
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// An element with what is in it. Tag and names of attributes are ours; empty attributes are left out.
    pub(super) fn element(
        &mut self,
        tag: &'static str,
        attributes: &[(&'static str, &str)],
        inner: impl FnOnce(&mut Page),
    ) {
        self.open(tag, attributes);
        self.out.push('>');
        inner(self);
        let _infallible = write!(self.out, "</{tag}>");
        if matches!(tag, "tr" | "p" | "h1" | "h2" | "h3" | "dd" | "li" | "thead" | "title" | "style" | "head" | "g") {
            self.out.push('\n');
        }
    }

    /// An element that has nothing in it.
    pub(super) fn void(&mut self, tag: &'static str, attributes: &[(&'static str, &str)]) {
        self.open(tag, attributes);
        self.out.push_str("/>\n");
    }

    fn open(&mut self, tag: &'static str, attributes: &[(&'static str, &str)]) {
        let _infallible = write!(self.out, "<{tag}");
        for (name, value) in attributes.iter().filter(|(_, value)| !value.is_empty()) {
            let _infallible = write!(self.out, " {name}=\"");
            self.text(value);
            self.out.push('"');
        }
    }

    /// The one style sheet, which is ours.
    pub(super) fn style(&mut self, sheet: &'static str) {
        self.out.push_str("<style>");
        self.out.push_str(sheet);
        self.out.push_str("</style>\n");
    }

    /// Text, with what a reader would not see written as escapes.
    pub(super) fn text(&mut self, text: &str) {
        for c in Escaped(text).to_string().chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                '\'' => self.out.push_str("&#39;"),
                // No character in XML, and a parser of HTML would replace or skip some of them.
                '\u{fffe}' | '\u{ffff}' => {
                    let _infallible = write!(self.out, "\\u{{{:x}}}", u32::from(c));
                }
                c => self.out.push(c),
            }
        }
    }

    /// Text with its line ends, which are seen and end the line as well.
    pub(super) fn lines(&mut self, text: &str) {
        let mut lines = text.split('\n');
        if let Some(first) = lines.next() {
            self.text(first);
        }
        for line in lines {
            self.text("\n");
            self.out.push('\n');
            self.text(line);
        }
    }

    /// A few characters of our own: digits, blanks and line ends.
    pub(super) fn lines_as_they_are(&mut self, text: &str) {
        self.out.extend(text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '\n')));
    }

    /// A link to the row of a source on this page: two numbers, and nothing of anybody's else.
    pub(super) fn row_link(&mut self, call: u64, source: u64, inner: impl FnOnce(&mut Page)) {
        let _infallible = write!(self.out, "<a href=\"#source-{call}-{source}\">");
        inner(self);
        self.out.push_str("</a>");
    }

    /// A guest's text: all of it that the ledger has, each character where it stands, whatever its script's direction.
    pub(super) fn guest(&mut self, name: &Name) {
        self.element("bdo", &[("dir", "ltr")], |page| page.text(&name.text));
        if name.is_cut() {
            self.element("em", &[], |page| page.text(&format!("..({} bytes)", name.bytes)));
        }
    }

    pub(super) fn code(&mut self, text: &str) {
        self.element("code", &[], |page| page.text(text));
    }

    pub(super) fn sentence(&mut self, class: &str, text: &str) {
        self.element("p", &[("class", class)], |page| page.text(text));
    }
}
