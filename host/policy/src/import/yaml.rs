//! A strict part of YAML: what policies of others are written in, and nothing that two readers could take differently.
//!
//! Block mappings and lists, flow lists of scalars, plain and quoted scalars, comments. Anchors, aliases, tags, merge keys, block scalars,
//! scalars over several lines, tabs before a text, several documents and keys that stand twice are errors with their line. Every scalar is a
//! text; what it means is for the one who asked for it. The text may be anybody's: one pass, its size and nesting bounded.

/// Levels of nesting. A policy needs six.
const MAX_DEPTH: usize = 16;

/// A value, with the line that it starts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing stands there.
    Nothing,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// Where, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) line: usize,
    pub(super) why: &'static str,
}

#[derive(Debug, Clone, Copy)]
struct Line<'t> {
    number: usize,
    indent: usize,
    text: &'t str,
}

pub(super) fn parse(text: &str) -> Result<Node, Wrong> {
    let mut lines = Vec::new();
    for (index, written) in text.lines().enumerate() {
        let number = index + 1;
        let body = without_comment(written).trim_end();
        let inner = body.trim_start_matches(' ');
        if inner.is_empty() || (inner == "---" && lines.is_empty()) {
            continue;
        }
        let wrong = |why| Err(Wrong { line: number, why });
        if inner.starts_with('\t') {
            return wrong("a tab stands before the text; YAML is indented with blanks");
        }
        if body == "---" || body == "..." || body.starts_with("--- ") {
            return wrong("a file of several documents is not read");
        }
        if inner.chars().any(|c| c.is_control() && c != '\t') {
            return wrong("a control character");
        }
        lines.push(Line { number, indent: body.len() - inner.len(), text: inner });
    }
    let mut reader = Reader { lines, at: 0 };
    let Some(first) = reader.peek() else { return Ok(Node { line: 1, value: Value::Nothing }) };
    let node = reader.block(first.indent, 0)?;
    match reader.peek() {
        Some(left) => Err(Wrong { line: left.number, why: "this line is indented otherwise than those before it" }),
        None => Ok(node),
    }
}

/// The line up to a `#` that begins it or stands after a blank, outside of quotes.
fn without_comment(line: &str) -> &str {
    let (mut quote, mut before) = (None, ' ');
    let mut escaped = false;
    for (at, character) in line.char_indices() {
        match quote {
            Some('"') if escaped => escaped = false,
            Some('"') if character == '\\' => escaped = true,
            Some(open) if character == open => quote = None,
            Some(_) => {}
            // A quote inside of a plain text is a letter of it.
            None if matches!(character, '"' | '\'') && matches!(before, ' ' | '[' | ',' | '{') => {
                quote = Some(character)
            }
            None if character == '#' && matches!(before, ' ' | '\t') => return line.get(..at).unwrap_or_default(),
            None => {}
        }
        before = character;
    }
    line
}

struct Reader<'t> {
    lines: Vec<Line<'t>>,
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<Line<'t>> {
        self.lines.get(self.at).copied()
    }

    fn block(&mut self, indent: usize, depth: usize) -> Result<Node, Wrong> {
        let Some(first) = self.peek() else { return Ok(Node { line: 0, value: Value::Nothing }) };
        if depth > MAX_DEPTH {
            return Err(Wrong { line: first.number, why: "it is nested too deeply" });
        }
        if is_item(first.text) {
            return self.list(indent, depth, first.number);
        }
        if entry(first.text).is_none() {
            self.at += 1;
            return scalar(first.text, first.number);
        }
        let mut map: Vec<(String, Node)> = Vec::new();
        while let Some(line) = self.peek().filter(|line| line.indent == indent && !is_item(line.text)) {
            let wrong = |why| Wrong { line: line.number, why };
            let (key, rest) = entry(line.text).ok_or(wrong("expected KEY: VALUE"))?;
            let Value::Text(key) = scalar(key, line.number)?.value else { return Err(wrong("a key is a text")) };
            if key == "<<" {
                return Err(wrong("merge keys are not read"));
            }
            if map.iter().any(|(known, _)| *known == key) {
                return Err(wrong("this key stands twice"));
            }
            self.at += 1;
            map.push((key, self.value(rest, line, depth)?));
        }
        Ok(Node { line: first.number, value: Value::Map(map) })
    }

    fn list(&mut self, indent: usize, depth: usize, number: usize) -> Result<Node, Wrong> {
        let mut items = Vec::new();
        while let Some(line) = self.peek().filter(|line| line.indent == indent && is_item(line.text)) {
            let rest = line.text.strip_prefix('-').unwrap_or_default();
            let inner = rest.trim_start_matches(' ');
            if entry(inner).is_some() || is_item(inner) {
                // A mapping or list that begins behind the dash is indented as far as its first word.
                let own = line.indent + (line.text.len() - inner.len());
                if let Some(place) = self.lines.get_mut(self.at) {
                    *place = Line { indent: own, text: inner, ..line };
                }
                items.push(self.block(own, depth + 1)?);
            } else {
                self.at += 1;
                items.push(self.value(inner, line, depth)?);
            }
        }
        Ok(Node { line: number, value: Value::List(items) })
    }

    /// What stands behind a key or dash, or below it.
    fn value(&mut self, rest: &str, line: Line<'_>, depth: usize) -> Result<Node, Wrong> {
        if !rest.is_empty() {
            return scalar(rest, line.number);
        }
        match self.peek() {
            Some(next) if next.indent > line.indent => self.block(next.indent, depth + 1),
            // A list may stand right below its key.
            Some(next) if next.indent == line.indent && is_item(next.text) && !is_item(line.text) => {
                self.list(next.indent, depth + 1, next.number)
            }
            _ => Ok(Node { line: line.number, value: Value::Nothing }),
        }
    }
}

fn is_item(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

/// `KEY: VALUE` or `KEY:`, the colon outside of quotes.
fn entry(text: &str) -> Option<(&str, &str)> {
    if text.starts_with(['[', '{']) {
        return None;
    }
    let from = match text.chars().next()? {
        quote @ ('"' | '\'') => text.get(1..)?.find(quote)? + 2,
        _ => 0,
    };
    let colon = text
        .get(from..)?
        .match_indices(':')
        .map(|(at, _)| from + at)
        .find(|at| text.get(at + 1..).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')))?;
    Some((text.get(..colon)?.trim_end(), text.get(colon + 1..)?.trim_start()))
}

/// A scalar, or a flow list of them.
fn scalar(text: &str, line: usize) -> Result<Node, Wrong> {
    let wrong = |why| Err(Wrong { line, why });
    let value = match text.chars().next() {
        None => Value::Nothing,
        Some('[') => {
            let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
                return wrong("a list in brackets ends on its line");
            };
            let mut items = Vec::new();
            for part in split(inner) {
                let part = part.trim();
                if part.starts_with(['[', '{']) || entry(part).is_some() {
                    return wrong("a list in brackets holds texts only");
                }
                if !part.is_empty() {
                    items.push(scalar(part, line)?);
                }
            }
            Value::List(items)
        }
        Some('{') if text == "{}" => Value::Map(Vec::new()),
        Some('{') => return wrong("mappings in braces are not read"),
        Some('&' | '*' | '!' | '|' | '>' | '%' | '@' | '`') => {
            return wrong("anchors, aliases, tags and texts over several lines are not read");
        }
        Some('"') => Value::Text(double(text).ok_or(Wrong { line, why: "the quoted text is malformed" })?),
        Some('\'') => {
            let inner = text.get(1..).and_then(|rest| rest.strip_suffix('\''));
            let Some(inner) = inner.filter(|inner| !inner.replace("''", "").contains('\'')) else {
                return wrong("the quoted text is malformed");
            };
            Value::Text(inner.replace("''", "'"))
        }
        Some(_) if matches!(text, "~" | "null" | "Null" | "NULL") => Value::Nothing,
        Some(_) => Value::Text(text.to_owned()),
    };
    Ok(Node { line, value })
}

/// At commas outside of quotes.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut from, mut quote, mut escaped) = (0, None, false);
    for (at, character) in text.char_indices() {
        match quote {
            Some('"') if escaped => escaped = false,
            Some('"') if character == '\\' => escaped = true,
            Some(open) if character == open => quote = None,
            Some(_) => {}
            None if matches!(character, '"' | '\'') => quote = Some(character),
            None if character == ',' => {
                parts.push(text.get(from..at).unwrap_or_default());
                from = at + 1;
            }
            None => {}
        }
    }
    parts.push(text.get(from..).unwrap_or_default());
    parts
}

/// A text in double quotes, with the escapes that JSON has as well.
fn double(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::new();
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => match characters.next()? {
                same @ ('"' | '\\' | '/') => out.push(same),
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                'x' => out.push(escaped(&mut characters, 2)?),
                'u' => out.push(escaped(&mut characters, 4)?),
                _ => return None,
            },
            other => out.push(other),
        }
    }
    // `"a\"` is not closed: its last quote is a part of it.
    let slashes = inner.bytes().rev().take_while(|&byte| byte == b'\\').count();
    (slashes % 2 == 0).then_some(out)
}

fn escaped(characters: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let hex: String = characters.take(digits).collect();
    let sound = hex.len() == digits && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    char::from_u32(u32::from_str_radix(&hex, 16).ok().filter(|_| sound)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn at<'n>(node: &'n Node, path: &[&str]) -> &'n Node {
        path.iter().fold(node, |node, part| match &node.value {
            Value::Map(map) => &map.iter().find(|(key, _)| key == part).unwrap().1,
            Value::List(list) => &list[part.parse::<usize>().unwrap()],
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn yaml_of_a_policy_is_read_with_lines_quotes_and_comments() {
        let node = parse(
            "---\n# one\na: 1 # two\nb:\n  - x: \"y # no\"\n    z: ['p', \"q,r\", s]\n  -\n    x: it's\nc:\n- 'it''s'\n- d: e\nf: fs://a/**\ng: ~\n\"h\": []\n",
        )
        .unwrap();
        assert_eq!(at(&node, &["a"]).value, text("1"));
        assert_eq!(at(&node, &["b", "0", "x"]).value, text("y # no"));
        assert_eq!(at(&node, &["b", "0", "z", "1"]).value, text("q,r"));
        assert_eq!((at(&node, &["b", "1", "x"]).value.clone(), at(&node, &["b", "1", "x"]).line), (text("it's"), 8));
        assert_eq!(at(&node, &["c", "0"]).value, text("it's"));
        assert_eq!(at(&node, &["c", "1", "d"]).value, text("e"));
        assert_eq!(at(&node, &["f"]).value, text("fs://a/**"));
        assert_eq!(at(&node, &["g"]).value, Value::Nothing);
        assert_eq!(at(&node, &["h"]).value, Value::List(Vec::new()));
    }

    #[test]
    fn yaml_that_could_be_read_otherwise_is_refused_with_its_line() {
        for (written, line) in [
            ("a: &x 1", 1),
            ("a: *x", 1),
            ("a: !!str 1", 1),
            ("a: |\n  x", 1),
            ("a: 1\na: 2", 2),
            ("a: 1\n<<: x", 2),
            ("a:\n\tb: 1", 2),
            ("a: 1\n---\nb: 2", 2),
            ("a:\n    b: 1\n  c: 2", 3),
            ("a: \"x", 1),
            ("a: \"x\\\"", 1),
            ("a: 'x'y'", 1),
            ("a: [x", 1),
            ("a: [[x]]", 1),
            ("a: {b: c}", 1),
            ("a: x\n  y", 2),
            ("- a\nb: c", 2),
        ] {
            assert_eq!(parse(written).map_err(|wrong| wrong.line), Err(line), "{written:?}");
        }
        assert!(parse(&(0..40).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>()).is_err());
    }
}
