//! A strict reader of the HTML page: it accepts less than a browser does. Every tag is closed in its order, every attribute quoted, every
//! `<` and `&` what it should be. And a reader of what a browser prints of the elements that it has made.

use std::collections::BTreeMap;

#[derive(Debug)]
pub struct Element {
    pub tag: String,
    pub attributes: BTreeMap<String, String>,
    /// All text in it, entities undone.
    pub text: String,
}

/// All elements of a page in the order of their ends, or the first fault.
pub fn elements(page: &str) -> Result<Vec<Element>, String> {
    let mut rest = page.strip_prefix("<!DOCTYPE html>\n").ok_or("no doctype")?;
    let (mut open, mut done): (Vec<Element>, Vec<Element>) = (Vec::new(), Vec::new());
    while !rest.is_empty() {
        let (text, tail) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        let style = open.last().is_some_and(|e| e.tag == "style");
        let text = if style { text.to_owned() } else { undone(text)? };
        if open.is_empty() && !text.trim().is_empty() {
            return Err(format!("text outside of everything: {text}"));
        }
        for element in &mut open {
            element.text.push_str(&text);
        }
        if tail.is_empty() {
            break;
        }
        let (tag, tail) = tail.split_once('>').ok_or("a tag without end")?;
        let tag = &tag[1..];
        rest = tail;
        if let Some(name) = tag.strip_prefix('/') {
            let element = open.pop().ok_or("one end too many")?;
            if element.tag != name {
                return Err(format!("{} is closed by {name}", element.tag));
            }
            done.push(element);
        } else if let Some(tag) = tag.strip_suffix('/') {
            done.push(element(tag)?);
        } else {
            open.push(element(tag)?);
        }
    }
    if open.is_empty() { Ok(done) } else { Err(format!("not closed: {}", open[0].tag)) }
}

/// The same of a page as a browser writes it out: what is void has no end, quotes in text stand as they are, and angle brackets may in attributes.
#[allow(dead_code, reason = "not every test that reads pages has a browser")]
pub fn parsed_by_browser(dom: &str) -> Result<Vec<Element>, String> {
    let mut plain = "<!DOCTYPE html>\n".to_owned();
    let mut rest = dom.trim().strip_prefix("<!DOCTYPE html>").ok_or("no doctype")?;
    while let Some(at) = rest.find('<') {
        let (text, tail) = rest.split_at(at);
        // Only text of a style has these as they are, and none of it has a `<`.
        let in_style = plain.ends_with("<style>");
        plain.push_str(&if in_style { text.to_owned() } else { text.replace('"', "&quot;").replace('\'', "&#39;") });
        let mut quoted = false;
        let length = tail.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let (tag, tail) = tail.split_at(length.ok_or("a tag without end")?);
        let inner = tag.get(1..).unwrap_or_default();
        let inner = inner.replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;");
        let end = if inner.starts_with("meta ") || inner.starts_with("img ") { "/>" } else { ">" };
        plain.push_str(&format!("<{inner}{end}"));
        rest = tail.get(1..).unwrap_or_default();
    }
    plain.push_str(rest);
    elements(&plain)
}

fn element(tag: &str) -> Result<Element, String> {
    let (name, mut rest) = tag.split_at(tag.find(' ').unwrap_or(tag.len()));
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(format!("no tag: {name:?}"));
    }
    let mut attributes = BTreeMap::new();
    while let Some(tail) = rest.strip_prefix(' ') {
        let (key, tail) =
            tail.split_once("=\"").ok_or_else(|| format!("an attribute without a quoted value: {tail}"))?;
        let (value, tail) = tail.split_once('"').ok_or("a value without end")?;
        if !key.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-') {
            return Err(format!("no attribute: {key:?}"));
        }
        if attributes.insert(key.to_owned(), undone(value)?).is_some() {
            return Err(format!("{key} twice"));
        }
        rest = tail;
    }
    if !rest.is_empty() {
        return Err(format!("after the attributes: {rest:?}"));
    }
    Ok(Element { tag: name.to_owned(), attributes, text: String::new() })
}

/// Text without its entities; an `&` that begins none, and quotes and angle brackets as they are, are faults.
fn undone(text: &str) -> Result<String, String> {
    if let Some(c) = text.chars().find(|c| matches!(c, '<' | '>' | '"' | '\'')) {
        return Err(format!("{c} in text: {text}"));
    }
    let mut plain = String::new();
    let mut parts = text.split('&');
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (entity, tail) = part.split_once(';').ok_or_else(|| format!("an & that begins nothing: {part}"))?;
        plain.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "#39" => '\'',
            other => return Err(format!("unknown entity {other}")),
        });
        plain.push_str(tail);
    }
    Ok(plain)
}

#[test]
fn the_reader_refuses_what_is_not_well_formed() {
    let page = |body: &str| elements(&format!("<!DOCTYPE html>\n<a>{body}</a>\n"));
    assert_eq!(page("x &lt;b&gt;<b c=\"d\">e</b>").unwrap()[1].text, "x <b>e");
    for body in [
        "<b>",
        "</b>",
        "<b></c>",
        "&",
        "&nbsp;",
        ">",
        "<b c=d></b>",
        "<b c></b>",
        "\"",
        "<!-- x -->",
        "<b c=\"1\" c=\"2\"></b>",
    ] {
        assert!(page(body).is_err(), "{body}");
    }
}
