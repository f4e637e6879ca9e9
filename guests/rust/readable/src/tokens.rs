//! HTML as tags and texts, without a tree. Whatever stands there is one or the other; nothing is an error, as in browsers.

use crate::entities;

pub enum Token<'t> {
    /// As it stands, entities and all.
    Text(&'t str),
    Open(Tag<'t>),
    /// The name, in lower case.
    Close(String),
}

pub struct Tag<'t> {
    /// In lower case.
    pub name: String,
    attributes: &'t str,
}

/// Elements whose text is not HTML: it goes to their own end.
const RAW: &[&str] = &["script", "style", "textarea", "title", "noscript", "iframe", "xmp", "noembed", "noframes"];

pub struct Tokens<'t> {
    rest: &'t str,
    raw: Option<String>,
}

impl<'t> Tokens<'t> {
    pub fn of(text: &'t str) -> Self {
        Self { rest: text, raw: None }
    }
}

impl<'t> Iterator for Tokens<'t> {
    type Item = Token<'t>;

    fn next(&mut self) -> Option<Token<'t>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            if let Some(name) = self.raw.take() {
                let end = end_of_raw(self.rest, &name);
                let (text, rest) = self.rest.split_at(end);
                self.rest = rest;
                if !text.is_empty() {
                    return Some(Token::Text(text));
                }
                continue;
            }
            let Some(at) = self.rest.find('<') else { return Some(Token::Text(std::mem::take(&mut self.rest))) };
            if at > 0 {
                let (text, rest) = self.rest.split_at(at);
                self.rest = rest;
                return Some(Token::Text(text));
            }
            let after = &self.rest[1..];
            if let Some(comment) = after.strip_prefix("!--") {
                self.rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            } else if after.starts_with(['!', '?']) {
                self.rest = after.find('>').map_or("", |end| &after[end + 1..]);
            } else if let Some(name) =
                after.strip_prefix('/').filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
            {
                let name_end = name.find(|c: char| !is_name(c)).unwrap_or(name.len());
                self.rest = name.find('>').map_or("", |end| &name[end + 1..]);
                return Some(Token::Close(name[..name_end].to_ascii_lowercase()));
            } else if after.starts_with(|c: char| c.is_ascii_alphabetic()) {
                let name_end = after.find(|c: char| !is_name(c)).unwrap_or(after.len());
                let name = after[..name_end].to_ascii_lowercase();
                let end = end_of_tag(&after[name_end..]);
                let attributes = &after[name_end..][..end];
                self.rest = after[name_end..][end..].strip_prefix('>').unwrap_or("");
                if RAW.contains(&name.as_str()) {
                    self.raw = Some(name.clone());
                }
                return Some(Token::Open(Tag { name, attributes }));
            } else {
                self.rest = after;
                return Some(Token::Text("<"));
            }
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '_')
}

/// Where the tag's `>` is: one in quotes is part of a value.
fn end_of_tag(text: &str) -> usize {
    let mut quote = None;
    for (at, c) in text.bytes().enumerate() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, b'"' | b'\'') => quote = Some(c),
            None if c == b'>' => return at,
            None => {}
        }
    }
    // A quote that is never closed would take the rest of the page along.
    text.find('>').unwrap_or(text.len())
}

/// Where `</name` is, whatever its case. Looks at each `<` once.
fn end_of_raw(text: &str, name: &str) -> usize {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(at) = text[from..].find("</").map(|at| from + at) {
        let after = &bytes[at + 2..];
        if after.len() >= name.len() && after[..name.len()].eq_ignore_ascii_case(name.as_bytes()) {
            return at;
        }
        from = at + 2;
    }
    text.len()
}

impl Tag<'_> {
    /// The first value of an attribute; empty where it has none.
    pub fn attribute(&self, wanted: &str) -> Option<String> {
        let mut rest = self.attributes;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if rest.is_empty() {
                return None;
            }
            let name_end = rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '/')).unwrap_or(rest.len());
            // An attribute that begins with `=` has that as its name.
            let name_end = if name_end == 0 { 1 } else { name_end };
            let (name, after) = rest.split_at(name_end);
            let after = after.trim_start();
            let value;
            (value, rest) = match after.strip_prefix('=') {
                None => ("", after),
                Some(after) => {
                    let after = after.trim_start();
                    let quoted = |quote: char| {
                        let inner = after.strip_prefix(quote)?;
                        Some(inner.split_once(quote).unwrap_or((inner, "")))
                    };
                    quoted('"').or_else(|| quoted('\'')).unwrap_or_else(|| {
                        after.split_at(after.find(|c: char| c.is_ascii_whitespace()).unwrap_or(after.len()))
                    })
                }
            };
            if name.eq_ignore_ascii_case(wanted) {
                return Some(entities::decoded(value));
            }
        }
    }
}
