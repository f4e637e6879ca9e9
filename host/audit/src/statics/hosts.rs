//! What an address is: a place for stolen things, one of everybody, one of nobody.

use crate::severity::Severity;
use std::net::{IpAddr, Ipv4Addr};

/// What is to be said of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) severity: Severity,
    pub(super) why: &'static str,
}

/// Hosts by their ending: where things go that nobody should send, and why.
const PLACES: [(&str, Severity, &str); 48] = {
    use Severity::{High, Medium};
    const CATCHES: &str = "a place that shows any request to whoever made it";
    const TUNNEL: &str = "a tunnel to somebody's own machine";
    const PASTE: &str = "a place to paste texts at without a name";
    const DROP: &str = "a place to drop files at without a name";
    const CHAT: &str = "a messenger, through which things leave unnoticed";
    const PROBE: &str = "a place for attackers to see that an attack works";
    const METADATA: &str = "the metadata of a cloud machine, where its credentials are";
    [
        ("webhook.site", High, CATCHES),
        ("pipedream.net", High, CATCHES),
        ("requestbin.com", High, CATCHES),
        ("requestbin.net", High, CATCHES),
        ("requestcatcher.com", High, CATCHES),
        ("beeceptor.com", High, CATCHES),
        ("hookbin.com", High, CATCHES),
        ("requestrepo.com", High, CATCHES),
        ("postb.in", High, CATCHES),
        ("oastify.com", High, PROBE),
        ("burpcollaborator.net", High, PROBE),
        ("interact.sh", High, PROBE),
        ("oast.fun", High, PROBE),
        ("oast.live", High, PROBE),
        ("oast.me", High, PROBE),
        ("oast.online", High, PROBE),
        ("oast.pro", High, PROBE),
        ("oast.site", High, PROBE),
        ("canarytokens.com", High, PROBE),
        ("dnslog.cn", High, PROBE),
        ("ceye.io", High, PROBE),
        ("ngrok.io", Medium, TUNNEL),
        ("ngrok.app", Medium, TUNNEL),
        ("ngrok-free.app", Medium, TUNNEL),
        ("ngrok.dev", Medium, TUNNEL),
        ("localtunnel.me", Medium, TUNNEL),
        ("loca.lt", Medium, TUNNEL),
        ("serveo.net", Medium, TUNNEL),
        ("localhost.run", Medium, TUNNEL),
        ("trycloudflare.com", Medium, TUNNEL),
        ("pagekite.me", Medium, TUNNEL),
        ("pastebin.com", Medium, PASTE),
        ("hastebin.com", Medium, PASTE),
        ("paste.ee", Medium, PASTE),
        ("dpaste.com", Medium, PASTE),
        ("rentry.co", Medium, PASTE),
        ("ix.io", Medium, PASTE),
        ("0x0.st", Medium, DROP),
        ("transfer.sh", Medium, DROP),
        ("file.io", Medium, DROP),
        ("anonfiles.com", Medium, DROP),
        ("gofile.io", Medium, DROP),
        ("catbox.moe", Medium, DROP),
        ("hooks.slack.com", Medium, CHAT),
        ("api.telegram.org", Medium, CHAT),
        ("onion", High, "a hidden service"),
        ("metadata.google.internal", High, METADATA),
        ("metadata.azure.com", High, METADATA),
    ]
};

/// Places that toolchains, runtimes and their documentation name.
const EVERYBODY: [&str; 31] = [
    "github.com",
    "githubusercontent.com",
    "gitlab.com",
    "python.org",
    "w3.org",
    "rust-lang.org",
    "docs.rs",
    "mozilla.org",
    "wikipedia.org",
    "ietf.org",
    "rfc-editor.org",
    "unicode.org",
    "json-schema.org",
    "schema.org",
    "ecma-international.org",
    "tc39.es",
    "whatwg.org",
    "nodejs.org",
    "gnu.org",
    "apache.org",
    "opensource.org",
    "creativecommons.org",
    "llvm.org",
    "webassembly.org",
    "bytecodealliance.org",
    "golang.org",
    "go.dev",
    "xmlsoap.org",
    "sourceforge.net",
    "example.com",
    "example.org",
];

/// Judges a host, lower case, without its port.
pub(super) fn judge(host: &str) -> Judged {
    let judged = |severity, why| Judged { severity, why };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return match address {
            IpAddr::V4(v4) => address_v4(v4),
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) => address_v4(v4),
                None if v6.is_loopback() || v6.is_unspecified() => judged(Severity::Info, "this machine"),
                None => judged(Severity::Medium, "an address instead of a name"),
            },
        };
    }
    if let Some((_, severity, why)) = PLACES.iter().find(|(place, ..)| is_in(host, place)) {
        return judged(*severity, why);
    }
    judged(Severity::Info, "an address that it may use")
}

fn address_v4(address: Ipv4Addr) -> Judged {
    let judged = |severity, why| Judged { severity, why };
    if address == Ipv4Addr::new(169, 254, 169, 254) {
        judged(Severity::High, "the metadata of a cloud machine, where its credentials are")
    } else if address.is_loopback() || address.is_unspecified() || address.is_documentation() || address.is_broadcast()
    {
        judged(Severity::Info, "this machine, or nobody's")
    } else if address.is_private() || address.is_link_local() {
        judged(Severity::Low, "an address in a private network")
    } else {
        judged(Severity::Medium, "an address instead of a name")
    }
}

/// Whether every toolchain may name it.
pub(super) fn is_everybodys(host: &str) -> bool {
    EVERYBODY.iter().any(|place| is_in(host, place))
}

/// The host itself, or one below it.
fn is_in(host: &str, place: &str) -> bool {
    host.strip_suffix(place).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// An address taken out of a text in which nothing says where it ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Url<'t> {
    pub(super) text: &'t str,
    pub(super) host: String,
    pub(super) has_password: bool,
}

/// This machine, or the examples of documentation.
fn is_local(host: &str) -> bool {
    host == "localhost"
        || host.starts_with("127.")
        || host == "[::1]"
        || is_in(host, "example.com")
        || is_in(host, "example.org")
}

/// Characters of an address that are told.
const MAX_URL: usize = 200;

/// Reads the address that begins `text`: a scheme, `://`, and a host.
pub(super) fn url(text: &[u8]) -> Option<Url<'_>> {
    let end = text
        .iter()
        .take(MAX_URL)
        .position(|b| !b.is_ascii_graphic() || b"\"'<>\\^`{|}".contains(b))
        .unwrap_or(text.len().min(MAX_URL));
    let text = std::str::from_utf8(text.get(..end)?).ok()?;
    let (_, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, host) = authority.rsplit_once('@').map_or(("", authority), |(user, host)| (user, host));
    let host = if host.starts_with('[') { host.split_inclusive(']').next()? } else { host.split(':').next()? };
    let host = host.trim_end_matches(['.', ',', ';', ')', '*']).to_ascii_lowercase();
    let name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let good = host.starts_with('[') || (host.chars().all(name) && (host.contains('.') || host == "localhost"));
    // The last label of a name is letters, and some dots make no address.
    let last = host.rsplit('.').next().unwrap_or_default();
    let named = host.starts_with('[')
        || host == "localhost"
        || host.parse::<Ipv4Addr>().is_ok()
        || (last.len() >= 2 && last.chars().all(|c| c.is_ascii_alphabetic()) && !host.starts_with('.'));
    // What guards one's own machine or an example is no secret.
    let password = user.split_once(':').map(|(_, password)| password).unwrap_or_default();
    let has_password = password.len() >= 6 && !password.contains(['$', '%', '{']) && !is_local(&host);
    (good && named && host.len() >= 4).then_some(Url { text, host, has_password })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_places_are_told_by_whole_labels() {
        assert_eq!(judge("abc.webhook.site").severity, Severity::High);
        assert_eq!(judge("notwebhook.site").severity, Severity::Info);
        assert_eq!(judge("169.254.169.254").severity, Severity::High);
        assert_eq!(judge("[::ffff:169.254.169.254]").severity, Severity::High);
        assert_eq!(judge("8.8.4.4").severity, Severity::Medium);
        assert_eq!(judge("127.0.0.1").severity, Severity::Info);
        assert!(is_everybodys("docs.python.org") && !is_everybodys("evilpython.org"));
    }

    #[test]
    fn url_is_read_to_where_it_can_end() {
        let read = |text: &str| url(text.as_bytes()).map(|url| (url.host, url.has_password));
        assert_eq!(read("https://a.example.net:8080/x\"y"), Some(("a.example.net".to_owned(), false)));
        assert_eq!(read("postgres://app:hunter22@db.acme.dev/x"), Some(("db.acme.dev".to_owned(), true)));
        assert_eq!(read("http://[::1]:80/"), Some(("[::1]".to_owned(), false)));
        for text in ["http://", "http://x", "https://..", "http:///path", "https://{host}/", "http://a_b c"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
