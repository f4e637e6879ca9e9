//! From bytes to characters: what kind of text it is, and in which encoding.

use crate::request::Answer;

/// How far into a page its encoding is looked for, as browsers do.
const PRESCAN: usize = 1024;

pub enum Kind {
    Html,
    Text,
}

/// The content type without parameters, and the text. The error says what it is instead.
pub fn text(answer: &Answer) -> Result<(String, String), String> {
    if let Some(coding) = answer.header("content-encoding").filter(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(format!("it is compressed ({}), though nobody asked for that", short(coding)));
    }
    let stated = answer.header("content-type").unwrap_or_default();
    let (content_type, parameters) = stated.split_once(';').unwrap_or((stated, ""));
    let content_type = content_type.trim().to_ascii_lowercase();
    let charset = charset(parameters).or_else(|| {
        let start = String::from_utf8_lossy(&answer.body[..answer.body.len().min(PRESCAN)]).into_owned();
        charset(&start)
    });
    let charset = charset.unwrap_or_else(|| "utf-8".to_owned());
    let text = match charset.as_str() {
        "utf-8" | "utf8" | "us-ascii" | "ascii" => String::from_utf8_lossy(&answer.body).into_owned(),
        "iso-8859-1" | "latin1" | "latin-1" | "windows-1252" | "cp1252" => {
            answer.body.iter().map(|byte| western(*byte)).collect()
        }
        other => return Err(format!("its encoding is {}, which is not known here", short(other))),
    };
    // A cut may go through the middle of a character.
    let text = if answer.truncated { text.trim_end_matches('\u{fffd}').to_owned() } else { text };
    Ok((content_type, text))
}

pub fn kind(content_type: &str, text: &str) -> Result<Kind, String> {
    let text_like = |subtype: &str| {
        matches!(subtype, "json" | "xml" | "yaml" | "javascript" | "toml" | "x-ndjson")
            || subtype.ends_with("+json")
            || subtype.ends_with("+xml")
    };
    match content_type.split_once('/') {
        _ if text.contains('\0') => Err(format!("it is no text ({})", short(content_type))),
        Some(("text", "html")) | Some(("application", "xhtml+xml")) => Ok(Kind::Html),
        Some(("text", _)) => Ok(Kind::Text),
        Some(("application", subtype)) if text_like(subtype) => Ok(Kind::Text),
        None if text.trim_start().starts_with('<') => Ok(Kind::Html),
        None if !text.is_empty() => Ok(Kind::Text),
        _ => Err(format!("it is {}", short(content_type))),
    }
}

/// The value of `charset=`, in lower case.
fn charset(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let (_, value) = lower.split_once("charset")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let end = value.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_')).unwrap_or(value.len());
    Some(value[..end].to_owned()).filter(|value| !value.is_empty())
}

/// A byte of Windows-1252, which is what pages mean by Latin-1.
fn western(byte: u8) -> char {
    const UPPER: [u16; 32] = [
        0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d,
        0x017d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a,
        0x0153, 0x9d, 0x017e, 0x0178,
    ];
    match byte {
        0x80..=0x9f => char::from_u32(u32::from(UPPER[usize::from(byte - 0x80)])).unwrap_or('\u{fffd}'),
        _ => char::from(byte),
    }
}

/// A stranger's word in a message of ours.
fn short(text: &str) -> String {
    if text.is_empty() {
        "of no stated type".to_owned()
    } else {
        text.chars().filter(|c| !c.is_control()).take(60).collect()
    }
}
