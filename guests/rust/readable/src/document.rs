//! From tags and texts to what a person reads: headings, paragraphs, lists, quotes and links, without what is for machines or hidden.

use crate::{
    bindings::exports::customs::readable::pages::Link,
    entities,
    text::Text,
    tokens::{Tag, Token, Tokens},
    url::Url,
};
use std::collections::HashMap;

/// Marks and numbers make a text longer than the page was, and JSON makes it longer still: the host has a bound on what is given out, and ends a
/// call that passes it.
const MAX_TEXT_BYTES: usize = 3 << 20;
const MAX_LINKS: usize = 2000;
/// Addresses are made absolute, which could turn a small page into a large answer.
const MAX_LINK_BYTES: usize = 512 << 10;
const MAX_TITLE_CHARS: usize = 300;
/// Quotes and lists inside each other; deeper ones look like the last.
const MAX_DEPTH: usize = 16;

pub struct Document {
    pub title: Option<String>,
    pub text: String,
    pub links: Vec<Link>,
    pub hidden: u32,
    pub truncated: bool,
}

/// Elements that are no part of what is read.
const SKIPPED: &[&str] = &[
    "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas", "audio", "video", "select",
    "datalist", "head", "nav", "footer", "aside", "button", "dialog", "noembed", "noframes",
];
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "body",
    "center",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "header",
    "hgroup",
    "html",
    "main",
    "ol",
    "p",
    "section",
    "summary",
    "table",
    "ul",
    "blockquote",
    "pre",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
];
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

/// One of these closes the one before it.
const NEVER_NESTED: &[&str] = &["p", "li"];

pub fn of_text(text: &str) -> Document {
    let mut out = Text::new(MAX_TEXT_BYTES);
    out.pre = true;
    out.words(text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").as_str());
    let (hidden, truncated) = (out.invisible, out.full);
    Document { title: None, text: out.finish(), links: Vec::new(), hidden, truncated }
}

pub fn of_html(html: &str, base: &Url) -> Document {
    // A page that says which part of it is the content is believed, unless that part is empty.
    let opens = |tag: &str| Tokens::of(html).any(|token| matches!(token, Token::Open(open) if open.name == tag));
    for region in ["main", "article"] {
        if opens(region) {
            let document = Reader::new(base, Some(region)).read(html);
            if !document.text.is_empty() {
                return document;
            }
        }
    }
    Reader::new(base, None).read(html)
}

struct Reader<'b> {
    base: &'b Url,
    out: Text,
    title: Option<String>,
    in_title: bool,
    /// The element that holds the content, and how many of it are open.
    region: Option<(&'static str, usize)>,
    /// What is left out until it is closed, and how many of it are open.
    skipped: Option<(String, usize)>,
    hidden: u32,
    /// For each open list, the number of its next item where it has numbers.
    lists: Vec<Option<u32>>,
    quotes: usize,
    /// The number of the link that is open, and how long the text was before it.
    link: Option<(u32, usize)>,
    links: Vec<Link>,
    numbers: HashMap<String, u32>,
    link_bytes: usize,
    first_cell: bool,
}

impl<'b> Reader<'b> {
    fn new(base: &'b Url, region: Option<&'static str>) -> Self {
        Self {
            base,
            out: Text::new(MAX_TEXT_BYTES),
            title: None,
            in_title: false,
            region: region.map(|name| (name, 0)),
            skipped: None,
            hidden: 0,
            lists: Vec::new(),
            quotes: 0,
            link: None,
            links: Vec::new(),
            numbers: HashMap::new(),
            link_bytes: 0,
            first_cell: true,
        }
    }

    fn read(mut self, html: &str) -> Document {
        for token in Tokens::of(html) {
            match token {
                Token::Text(text) => self.text(text),
                Token::Open(tag) => self.open(&tag),
                Token::Close(name) => self.close(&name),
            }
            if self.out.full {
                break;
            }
        }
        let (hidden, truncated) = (self.hidden.saturating_add(self.out.invisible), self.out.full);
        Document { title: self.title, text: self.out.finish(), links: self.links, hidden, truncated }
    }

    fn is_outside(&self) -> bool {
        matches!(self.region, Some((_, 0)))
    }

    fn text(&mut self, text: &str) {
        if std::mem::take(&mut self.in_title) {
            let mut title = Text::new(MAX_TEXT_BYTES);
            title.words(&entities::decoded(text));
            self.out.invisible = self.out.invisible.saturating_add(title.invisible);
            let title: String = title.finish().chars().take(MAX_TITLE_CHARS).collect();
            self.title = self.title.take().or(Some(title)).filter(|title| !title.is_empty());
        } else if self.skipped.is_none() && !self.is_outside() {
            self.out.words(&entities::decoded(text));
        }
    }

    fn open(&mut self, tag: &Tag<'_>) {
        let name = tag.name.as_str();
        // The title is in the head, which is skipped as a whole.
        self.in_title = name == "title" && self.title.is_none();
        if let Some((skipped, depth)) = &mut self.skipped {
            if skipped == name && !NEVER_NESTED.contains(&name) {
                *depth += 1;
            } else if skipped == name || name == "body" && skipped == "head" {
                self.skipped = None;
            } else {
                return;
            }
            if self.skipped.is_some() {
                return;
            }
        }
        if let Some((region, depth)) = &mut self.region {
            if *region == name {
                *depth += 1;
            }
        }
        let void = VOID.contains(&name);
        if is_hidden(tag) {
            self.hidden = self.hidden.saturating_add(1);
            if !void {
                self.skipped = Some((name.to_owned(), 1));
            }
            return;
        }
        if SKIPPED.contains(&name) {
            self.skipped = Some((name.to_owned(), 1));
            return;
        }
        if self.is_outside() {
            return;
        }
        if BLOCKS.contains(&name) {
            self.block(name);
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = name.as_bytes().get(1).map_or(1, |digit| usize::from(digit - b'0'));
                self.out.mark(&format!("{} ", "#".repeat(level)));
            }
            "br" => self.out.line(),
            "hr" => {
                self.out.mark("---");
                self.out.paragraph();
            }
            "ul" if self.lists.len() < MAX_DEPTH => self.lists.push(None),
            "ol" if self.lists.len() < MAX_DEPTH => self.lists.push(Some(1)),
            "li" => {
                self.out.line();
                let indent = "  ".repeat(self.lists.len().saturating_sub(1));
                match self.lists.last_mut() {
                    Some(Some(number)) => {
                        self.out.mark(&format!("{indent}{number}. "));
                        *number = number.saturating_add(1);
                    }
                    _ => self.out.mark(&format!("{indent}- ")),
                }
            }
            "blockquote" => {
                self.quotes += 1;
                self.quote();
            }
            "pre" => self.out.pre = true,
            "tr" => {
                self.out.line();
                self.first_cell = true;
            }
            "td" | "th" => {
                if !std::mem::replace(&mut self.first_cell, false) {
                    self.out.blank();
                    self.out.mark("| ");
                }
            }
            "img" => {
                if let Some(alt) = tag.attribute("alt").filter(|alt| !alt.trim().is_empty()) {
                    self.out.mark("![");
                    self.out.words(alt.trim());
                    self.out.close("]");
                }
            }
            "a" => {
                self.end_link();
                if let Some(number) = tag.attribute("href").and_then(|href| self.number(href.trim())) {
                    self.out.mark("[");
                    self.link = Some((number, self.out.len()));
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        self.in_title = false;
        if let Some((skipped, depth)) = &mut self.skipped {
            if skipped == name {
                *depth -= 1;
                if *depth == 0 {
                    self.skipped = None;
                    if BLOCKS.contains(&name) && !self.is_outside() {
                        self.out.paragraph();
                    }
                }
            }
            return;
        }
        if self.is_outside() {
            return;
        }
        match name {
            "a" => self.end_link(),
            "ul" | "ol" => drop(self.lists.pop()),
            "pre" => self.out.pre = false,
            "blockquote" => {
                self.quotes = self.quotes.saturating_sub(1);
                self.quote();
            }
            _ => {}
        }
        if BLOCKS.contains(&name) {
            self.end_link();
            self.block(name);
        }
        if let Some((region, depth)) = &mut self.region {
            if *region == name {
                *depth -= 1;
            }
        }
    }

    /// A list inside of a list belongs to the item before it.
    fn block(&mut self, name: &str) {
        if matches!(name, "ul" | "ol") && !self.lists.is_empty() { self.out.line() } else { self.out.paragraph() }
    }

    fn quote(&mut self) {
        self.out.prefix = "> ".repeat(self.quotes.min(MAX_DEPTH));
    }

    fn end_link(&mut self) {
        if let Some((number, _)) = self.link.take() {
            self.out.close(&format!("][{number}]"));
        }
    }

    /// The number of an address, the same for the same one. None where it is nothing to go to, or one too many.
    fn number(&mut self, href: &str) -> Option<u32> {
        let lower = href.get(..7).map(str::to_ascii_lowercase);
        let url = if lower.as_deref() == Some("mailto:") {
            href.to_owned()
        } else if href.is_empty() || href.starts_with('#') {
            return None;
        } else {
            self.base.join(href).ok()?.text()
        };
        // Blanks and the like would end the address for a reader, and hide the rest of it.
        let url: String =
            url.chars().filter(|c| !c.is_whitespace() && !c.is_control() && !crate::text::is_invisible(*c)).collect();
        if let Some(number) = self.numbers.get(&url) {
            return Some(*number);
        }
        if self.links.len() >= MAX_LINKS || self.link_bytes + url.len() > MAX_LINK_BYTES {
            return None;
        }
        self.link_bytes += url.len();
        let number = u32::try_from(self.links.len()).ok()? + 1;
        self.numbers.insert(url.clone(), number);
        self.links.push(Link { number, url });
        Some(number)
    }
}

/// What the page itself says is not to be seen. Styles from elsewhere are not looked at.
fn is_hidden(tag: &Tag<'_>) -> bool {
    if tag.attribute("hidden").is_some() || tag.attribute("aria-hidden").is_some_and(|value| value == "true") {
        return tag.name != "html" && tag.name != "body";
    }
    let Some(style) = tag.attribute("style") else { return false };
    let style: String = style.to_ascii_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    let zero = |key: &str| {
        style.split(';').filter_map(|part| part.split_once(':')).any(|(name, value)| {
            name == key
                && value
                    .trim_end_matches("!important")
                    .trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%')
                    .parse()
                    == Ok(0.0)
        })
    };
    style.contains("display:none") || style.contains("visibility:hidden") || zero("opacity") || zero("font-size")
}
