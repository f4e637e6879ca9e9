//! Names of sources and sinks in flow rules. A pattern that no name can have is refused: a rule with it would do nothing.

use std::borrow::Cow;

use super::kind::{Form, Kind};
use crate::endpoint::Endpoint;
use crate::guest_path::GuestPath;
use crate::host::{Host, HostPattern};
use crate::origin::{OriginPattern, parse_port, split_port};

/// Which names of a kind a rule is about, in the spelling of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    /// All of them.
    Any,
    /// This one.
    Is(String),
    /// Those that begin so.
    Begins(String),
}

/// Whether a rule is about something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    No,
    /// It may be: the rule binds there, and does not loosen.
    Perhaps,
    Yes,
}

impl Name {
    /// Reads the name behind `KIND:`.
    pub(super) fn parse(kind: &Kind, text: &str) -> Result<Name, String> {
        if text.is_empty() {
            return Err(format!("the name is empty; write {} for all of the kind", kind.word));
        }
        if kind.form == Form::Single {
            return Err(format!("there is only one {0}; write {0}", kind.word));
        }
        if text.contains(char::is_control) {
            return Err("no name in a rule has a control character; end it before that with *".to_owned());
        }
        let (text, open) = match text.strip_suffix('*') {
            Some("") => return Ok(Name::Any),
            Some(start) => (start, true),
            None => (text, false),
        };
        let name = match kind.form {
            Form::Single => text.to_owned(),
            Form::Variable if text.contains('=') => return Err("no variable has = in its name".to_owned()),
            Form::Variable => text.to_owned(),
            Form::Pointer => pointer(text, open)?,
            Form::Path => path(text, open)?,
            Form::Url => url(kind, text, open)?,
            Form::Host if open => unfinished_host(text, text)?,
            Form::Host => host_name(text)?,
            Form::Socket => socket(text, open)?,
            Form::Peer => peer(text, open)?,
        };
        Ok(if open { Name::Begins(name) } else { Name::Is(name) })
    }

    /// Whether the rule is about this name, which is partly of the guest's choosing: linear in its length.
    pub(super) fn fit(&self, kind: &Kind, name: &str) -> Fit {
        let (own, open) = match self {
            Name::Any => return Fit::Yes,
            Name::Is(own) => (own, false),
            Name::Begins(own) => (own, true),
        };
        // A result with very many texts is recorded as a whole under no name: any place may be in it.
        let whole = kind.form == Form::Pointer && name.is_empty();
        let fit = compare(kind, own.as_bytes(), open, name.as_bytes());
        match fit {
            Fit::No if whole => Fit::Perhaps,
            // Servers take these spellings for one another.
            Fit::No if kind.form == Form::Url => {
                compare(kind, &percent_decoded(own), open, &percent_decoded(name)).min(Fit::Perhaps)
            }
            _ => fit,
        }
    }
}

fn compare(kind: &Kind, own: &[u8], open: bool, name: &[u8]) -> Fit {
    let Some(rest) = name.strip_prefix(own) else { return Fit::No };
    if open {
        // https://api.example.com* also begins https://api.example.com.evil.test/.
        let host_ends = match kind.form {
            Form::Url => b'/',
            Form::Socket | Form::Peer => b':',
            _ => return Fit::Yes,
        };
        let cut = unfinished(own, host_ends) && rest.first() != Some(&host_ends);
        return if cut { Fit::Perhaps } else { Fit::Yes };
    }
    match rest.split_first() {
        None => Fit::Yes,
        Some((b'#', part)) if kind.parts.iter().any(|own| *own == "*" || own.as_bytes() == part) => Fit::Yes,
        // A value, a directory or a path of a URL, and something in it. The name itself may end in the slash.
        Some((next, _)) if matches!(kind.form, Form::Pointer | Form::Path | Form::Url) => {
            if *next == b'/' || own.ends_with(b"/") { Fit::Perhaps } else { Fit::No }
        }
        Some(_) => Fit::No,
    }
}

/// Whether this stops in a host: it has some of one, and not what ends it.
fn unfinished(start: &[u8], host_ends: u8) -> bool {
    let scheme = start.windows(3).position(|window| window == b"://");
    let host = scheme.and_then(|at| start.get(at + 3..)).unwrap_or_default();
    !host.is_empty() && !host.contains(&host_ends)
}

fn percent_decoded(text: &str) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    if !bytes.contains(&b'%') {
        return Cow::Borrowed(bytes);
    }
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let decoded = if byte == b'%' { digit(at + 1).zip(digit(at + 2)) } else { None };
        out.push(decoded.map_or(byte, |(high, low)| high << 4 | low));
        at += if decoded.is_some() { 3 } else { 1 };
    }
    Cow::Owned(out)
}

fn pointer(text: &str, open: bool) -> Result<String, String> {
    if !text.starts_with('/') {
        return Err("a place in a result or in arguments is a JSON Pointer, which starts with /".to_owned());
    }
    let escapes = text.split('~').skip(1);
    let last = escapes.clone().count();
    for (index, rest) in escapes.enumerate() {
        let cut = open && rest.is_empty() && index + 1 == last;
        if !cut && !rest.starts_with(['0', '1']) {
            return Err("in a JSON Pointer ~ is written ~0, and / in a key ~1".to_owned());
        }
    }
    Ok(text.to_owned())
}

fn path(text: &str, open: bool) -> Result<String, String> {
    let (dirs, last) = match text.rfind('/') {
        Some(slash) if open => text.split_at_checked(slash + 1).unwrap_or((text, "")),
        _ => (text, ""),
    };
    let plain = GuestPath::parse(dirs).map_err(|error| error.to_string())?;
    let plain = match plain.as_str() {
        dir if open && dir != "/" => format!("{dir}/"),
        path => path.to_owned(),
    };
    Ok(plain + last)
}

fn url(kind: &Kind, text: &str, open: bool) -> Result<String, String> {
    let starts = ["http://", "https://"];
    let Some(start) = starts.iter().find(|start| text.starts_with(**start)) else {
        return if open && starts.iter().any(|start| start.starts_with(text)) {
            Ok(text.to_owned())
        } else {
            Err("a URL starts with http:// or https://".to_owned())
        };
    };
    let rest = text.get(start.len()..).unwrap_or_default();
    let Some(slash) = rest.find('/') else {
        return if open {
            unfinished_host(text, rest)
        } else {
            Err("the path is missing; write /* after the host for all that is there".to_owned())
        };
    };
    let (origin, path) = text.split_at_checked(start.len() + slash).unwrap_or((text, ""));
    let OriginPattern { scheme, host: HostPattern::Is(host), port } = OriginPattern::parse(origin)? else {
        return Err("the host is written out".to_owned());
    };
    if path.contains('?') {
        return Err("the query is in no name; what it holds is found in #line".to_owned());
    }
    if path.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return Err("write the path as it is in a request, with percent encoding".to_owned());
    }
    if let Some((_, part)) = path.split_once('#')
        && !kind.parts.iter().any(|own| *own == part || (open && own.starts_with(part)))
    {
        return Err(format!("the parts of {} are #{}", kind.word, kind.parts.join(", #")));
    }
    Ok(format!("{}{path}", Endpoint { scheme: Some(scheme), host, port }))
}

/// The start of a host: it cannot be brought into its one spelling, so it must be in it. `whole` is what is kept.
fn unfinished_host(whole: &str, host: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
    if host.bytes().all(plain) {
        Ok(whole.to_owned())
    } else {
        Err("a host that * completes is written in lower case, in letters, digits, hyphens and dots".to_owned())
    }
}

fn host_name(text: &str) -> Result<String, String> {
    match Host::parse(text)? {
        Host::Name(name) => Ok(name),
        Host::Address(_) => Err("an address is not looked up".to_owned()),
    }
}

fn peer(text: &str, open: bool) -> Result<String, String> {
    match text.strip_prefix("dns:") {
        Some(name) if open => unfinished_host(text, name),
        Some(name) => host_name(name).map(|name| format!("dns:{name}")),
        None if open && "dns:".starts_with(text) => Ok(text.to_owned()),
        None => socket(text, open),
    }
}

fn socket(text: &str, open: bool) -> Result<String, String> {
    let starts = ["tcp://", "udp://"];
    let Some(start) = starts.iter().find(|start| text.starts_with(**start)) else {
        return if open && starts.iter().any(|start| start.starts_with(text)) {
            Ok(text.to_owned())
        } else {
            Err("a socket is tcp://HOST:PORT or udp://HOST:PORT".to_owned())
        };
    };
    let rest = text.get(start.len()..).unwrap_or_default();
    match split_port(rest) {
        (_, None) if open => unfinished_host(text, rest),
        (_, None) => Err("the port is missing".to_owned()),
        (host, Some("")) if open => Ok(format!("{start}{}:", Host::parse(host)?)),
        (host, Some(port)) => Ok(format!("{start}{}:{}", Host::parse(host)?, parse_port(port)?)),
    }
}
