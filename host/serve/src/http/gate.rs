//! Who may ask: the host that was meant, the page that asks, the token.
//!
//! A web page that the person looks at can send requests to this machine, and by a name of its own that it lets point here (DNS rebinding) it
//! could read the answers. Browsers say which host they mean and which page asks; programs that are no browsers send no `Origin`.

use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::uri::{Authority, Uri};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The shortest token: at six bits a character, 96 bits.
const MIN_TOKEN: usize = 16;
const MAX_TOKEN: usize = 1_024;

/// What this machine calls itself.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// A bearer token, kept as its digest.
#[derive(Clone)]
pub struct Token([u8; 32]);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    /// The token in a text, without white space around it.
    ///
    /// # Errors
    /// Why it is none, without its text.
    pub fn new(text: &str) -> Result<Token, String> {
        let text = text.trim();
        // RFC 6750: letters, digits, -._~+/ and = at the end.
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
        if text.len() < MIN_TOKEN {
            return Err(format!("the token is shorter than {MIN_TOKEN} characters"));
        }
        if text.len() > MAX_TOKEN || !text.bytes().all(fits) {
            return Err("the token may have letters, digits and -._~+/= only, and 1024 of them".to_owned());
        }
        Ok(Token(Sha256::digest(text).into()))
    }

    /// Digests are compared, and all of them: how long it takes says nothing of the token.
    fn is(&self, given: &[u8]) -> bool {
        let given: [u8; 32] = Sha256::digest(given).into();
        let differs = self.0.iter().zip(given).fold(0, |differs, (a, b)| differs | (a ^ b));
        std::hint::black_box(differs) == 0
    }
}

/// Whom we answer.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    hosts: BTreeSet<String>,
    origins: BTreeSet<String>,
    token: Option<Token>,
    /// Only this machine can connect.
    loopback: bool,
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// No host, two, or one that cannot be read.
    NoHost,
    Host,
    Origin,
    Token,
}

impl Closed {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Closed::NoHost => StatusCode::BAD_REQUEST,
            Closed::Host | Closed::Origin => StatusCode::FORBIDDEN,
            Closed::Token => StatusCode::UNAUTHORIZED,
        }
    }

    pub(super) fn sentence(self) -> &'static str {
        match self {
            Closed::NoHost => "the request names no host, or more than one",
            Closed::Host => "this server does not answer for that host",
            Closed::Origin => "this server does not answer pages of that origin",
            Closed::Token => "a bearer token is needed",
        }
    }

    /// For metrics.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Closed::NoHost | Closed::Host => "host",
            Closed::Origin => "origin",
            Closed::Token => "token",
        }
    }
}

impl Gate {
    /// `bound` is where we listen; names of this machine and `hosts` are answered, and pages of `origins`.
    ///
    /// # Errors
    /// Which name is none.
    pub(super) fn new(
        bound: IpAddr,
        hosts: &[String],
        origins: &[String],
        token: Option<Token>,
    ) -> Result<Gate, String> {
        let mut known: BTreeSet<String> = LOOPBACK.map(str::to_owned).into();
        if !bound.is_unspecified() {
            known.insert(match bound.to_canonical() {
                IpAddr::V4(four) => four.to_string(),
                IpAddr::V6(six) => format!("[{six}]"),
            });
        }
        for name in hosts {
            let plain = name.parse::<Authority>().ok().filter(|a| a.host() == name && !name.is_empty());
            let Some(plain) = plain else {
                return Err(format!("{name:?} is no host name: a name or an address, without a port"));
            };
            known.insert(plain.host().to_ascii_lowercase());
        }
        let origins = origins.iter().map(|text| {
            self::origin(text).ok_or_else(|| format!("{text:?} is no origin: scheme://host or scheme://host:port"))
        });
        Ok(Gate {
            hosts: known,
            origins: origins.collect::<Result<_, _>>()?,
            token,
            loopback: bound.to_canonical().is_loopback(),
        })
    }

    /// Whether the request is for us. The origin that asks, where a page does.
    pub(super) fn meant<'r>(&self, uri: &Uri, headers: &'r HeaderMap) -> Result<Option<&'r HeaderValue>, Closed> {
        let mut named = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (named.next(), named.next()) else { return Err(Closed::NoHost) };
        let host: Authority = host.to_str().ok().and_then(|h| h.parse().ok()).ok_or(Closed::NoHost)?;
        // `GET http://other/ HTTP/1.1` means that one.
        for authority in [Some(&host), uri.authority()].into_iter().flatten() {
            if authority.as_str().contains('@') || !self.hosts.contains(&authority.host().to_ascii_lowercase()) {
                return Err(Closed::Host);
            }
        }
        let mut asking = headers.get_all(header::ORIGIN).iter();
        match (asking.next(), asking.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => {
                // A page of ours, if we had any: what its address says is what was asked, under a name that only this machine has.
                let ours = LOOPBACK.contains(&host.host().to_ascii_lowercase().as_str());
                let own = origin(&format!("http://{host}")).filter(|_| ours);
                let asking = value.to_str().ok().and_then(origin);
                let known = asking.is_some_and(|asking| self.origins.contains(&asking) || own == Some(asking));
                if known { Ok(Some(value)) } else { Err(Closed::Origin) }
            }
            (Some(_), Some(_)) => Err(Closed::Origin),
        }
    }

    /// Whether the token is there, where one is needed.
    pub(super) fn may(&self, headers: &HeaderMap) -> Result<(), Closed> {
        let Some(token) = &self.token else {
            // Without a token nothing but this machine is listened to: the program sees to it at its start, and so do we.
            return if self.loopback { Ok(()) } else { Err(Closed::Token) };
        };
        let mut given = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(given), None) = (given.next(), given.next()) else { return Err(Closed::Token) };
        let given = given.as_bytes();
        match given.split_at_checked(7) {
            Some((scheme, given)) if scheme.eq_ignore_ascii_case(b"bearer ") && token.is(given.trim_ascii()) => Ok(()),
            _ => Err(Closed::Token),
        }
    }

    /// On this machine, whether we are well is no secret.
    pub(super) fn may_ask_for_health(&self, headers: &HeaderMap) -> Result<(), Closed> {
        if self.loopback { Ok(()) } else { self.may(headers) }
    }
}

/// `scheme://host[:port]` in one form: small letters, no port where it is the scheme's own.
fn origin(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    if scheme.is_empty() || !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
        return None;
    }
    let authority: Authority = rest.parse().ok()?;
    let host = authority.host().to_ascii_lowercase();
    if host.is_empty() || rest.contains('@') {
        return None;
    }
    let own = match scheme.as_str() {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    match authority.port() {
        None if authority.host().len() == rest.len() => Some(format!("{scheme}://{host}")),
        Some(port) if port.as_u16() != own.unwrap_or(0) => Some(format!("{scheme}://{host}:{}", port.as_u16())),
        Some(_) if own.is_some() => Some(format!("{scheme}://{host}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        map
    }

    fn gate(bound: &str, hosts: &[&str], origins: &[&str], token: Option<&str>) -> Gate {
        let own = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        Gate::new(bound.parse().unwrap(), &own(hosts), &own(origins), token.map(|t| Token::new(t).unwrap())).unwrap()
    }

    #[test]
    fn a_host_is_answered_by_its_name_and_whatever_its_port() {
        let gate = gate("192.0.2.7", &["tools.example"], &[], None);
        let uri: Uri = "/mcp".parse().unwrap();
        for (host, wanted) in [
            ("localhost", Ok(())),
            ("LOCALHOST:8080", Ok(())),
            ("127.0.0.1:1", Ok(())),
            ("[::1]:8080", Ok(())),
            ("192.0.2.7:8080", Ok(())),
            ("Tools.Example:443", Ok(())),
            ("192.0.2.8:8080", Err(Closed::Host)),
            ("localhost.", Err(Closed::Host)),
            ("localhost.evil.example", Err(Closed::Host)),
            ("evil.example", Err(Closed::Host)),
            ("127.0.0.1.evil.example", Err(Closed::Host)),
            ("127.1", Err(Closed::Host)),
            ("evil@localhost", Err(Closed::Host)),
            ("localhost@evil.example", Err(Closed::Host)),
            ("", Err(Closed::NoHost)),
            ("local host", Err(Closed::NoHost)),
        ] {
            assert_eq!(gate.meant(&uri, &headers(&[("host", host)])).map(drop), wanted, "{host}");
        }
        assert_eq!(gate.meant(&uri, &headers(&[])), Err(Closed::NoHost));
        assert_eq!(gate.meant(&uri, &headers(&[("host", "localhost"), ("host", "localhost")])), Err(Closed::NoHost));
        let absolute: Uri = "http://evil.example/mcp".parse().unwrap();
        assert_eq!(gate.meant(&absolute, &headers(&[("host", "localhost")])), Err(Closed::Host));
    }

    #[test]
    fn an_origin_is_answered_where_scheme_host_and_port_are_the_same() {
        let gate = gate("127.0.0.1", &[], &["https://App.example", "http://localhost:3000"], None);
        let uri: Uri = "/mcp".parse().unwrap();
        for (origin, known) in [
            ("https://app.example", true),
            ("https://app.example:443", true),
            ("http://localhost:3000", true),
            ("http://app.example", false),
            ("https://app.example:444", false),
            ("https://app.example.", false),
            ("https://app.example/", false),
            ("https://x.app.example", false),
            ("http://localhost", false),
            ("http://127.0.0.1:3000", false),
            ("null", false),
            ("", false),
        ] {
            let headers = headers(&[("host", "localhost:8080"), ("origin", origin)]);
            assert_eq!(gate.meant(&uri, &headers).is_ok(), known, "{origin}");
        }
        for (host, origin, own) in [
            ("localhost:8080", "http://localhost:8080", true),
            ("[::1]:8080", "http://[::1]:8080", true),
            ("localhost", "http://localhost:80", true),
            ("localhost:8080", "http://localhost:8081", false),
            ("localhost:8080", "http://127.0.0.1:8080", false),
            ("localhost:8080", "https://localhost:8080", false),
            ("tools.example:8080", "http://tools.example:8080", false),
        ] {
            let gate = self::gate("127.0.0.1", &["tools.example"], &[], None);
            let headers = headers(&[("host", host), ("origin", origin)]);
            assert_eq!(gate.meant(&uri, &headers).is_ok(), own, "{host} {origin}");
        }
        assert_eq!(gate.meant(&uri, &headers(&[("host", "localhost")])), Ok(None));
        let one = ("origin", "https://app.example");
        assert!(gate.meant(&uri, &headers(&[("host", "localhost"), one, one])).is_err());
    }

    #[test]
    fn names_that_are_none_are_refused() {
        let new = |hosts: &[&str], origins: &[&str]| {
            let own = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
            Gate::new("127.0.0.1".parse().unwrap(), &own(hosts), &own(origins), None).is_ok()
        };
        assert!(new(&["tools.example", "[2001:db8::1]"], &["https://a.example"]));
        for host in ["tools.example:80", "*", "https://tools.example", "", "a b", "u@h"] {
            // A star is a host name's character nowhere.
            assert!(host == "*" || !new(&[host], &[]), "{host}");
        }
        for origin in ["*", "null", "a.example", "https://", "https://a.example/path", "https://u@a.example"] {
            assert!(!new(&[], &[origin]), "{origin}");
        }
    }

    #[test]
    fn a_token_is_that_token_and_nothing_else() {
        let gate = gate("127.0.0.1", &[], &[], Some("0123456789abcdef\n"));
        for (given, wanted) in [
            ("Bearer 0123456789abcdef", true),
            ("bearer 0123456789abcdef", true),
            ("Bearer 0123456789abcdeF", false),
            ("Bearer 0123456789abcde", false),
            ("Bearer 0123456789abcdef0", false),
            ("Basic 0123456789abcdef", false),
            ("0123456789abcdef", false),
            ("Bearer", false),
            ("Bearer ", false),
            ("", false),
        ] {
            assert_eq!(gate.may(&headers(&[("authorization", given)])).is_ok(), wanted, "{given}");
        }
        assert_eq!(gate.may(&headers(&[])), Err(Closed::Token));
        let right = ("authorization", "Bearer 0123456789abcdef");
        assert_eq!(gate.may(&headers(&[right, right])), Err(Closed::Token));
        assert!(gate.may_ask_for_health(&headers(&[])).is_ok());
    }

    #[test]
    fn beyond_this_machine_nothing_is_answered_without_a_token() {
        let open = gate("0.0.0.0", &[], &[], None);
        assert_eq!(
            (open.may(&headers(&[])), open.may_ask_for_health(&headers(&[]))),
            (Err(Closed::Token), Err(Closed::Token))
        );
        let here = gate("::ffff:127.0.0.1", &[], &[], None);
        assert_eq!((here.may(&headers(&[])), here.may_ask_for_health(&headers(&[]))), (Ok(()), Ok(())));
        let kept = gate("0.0.0.0", &[], &[], Some("0123456789abcdef"));
        assert!(kept.may_ask_for_health(&headers(&[("authorization", "Bearer 0123456789abcdef")])).is_ok());
        assert!(kept.may_ask_for_health(&headers(&[])).is_err());
    }

    #[test]
    fn short_and_odd_tokens_are_refused_without_being_said() {
        assert!(Token::new("0123456789abcdef").is_ok());
        for odd in ["0123456789abcde", "", "0123456789 abcdef", "0123456789abcdef\u{e9}"] {
            let why = Token::new(odd).unwrap_err();
            assert!(odd.is_empty() || !why.contains(odd), "{why}");
        }
        assert!(Token::new(&"a".repeat(MAX_TOKEN)).is_ok() && Token::new(&"a".repeat(MAX_TOKEN + 1)).is_err());
    }
}
