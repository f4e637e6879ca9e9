//! Where a call belongs in a larger trace (W3C Trace Context), and who is told of it when it has ended.

#[cfg(feature = "otel")]
mod otlp;

#[cfg(feature = "otel")]
pub use otlp::{Clock, Collector, Exporter};

use customs_engine::Report;
use rmcp::RoleServer;
use rmcp::service::RequestContext;
use std::time::Duration;

/// The reserved key of a request's metadata, and the header's name.
const KEY: &str = "traceparent";
/// `00-`, 32 digits, `-`, 16 digits, `-`, 2 digits.
const LENGTH: usize = 55;

/// A valid `traceparent`: which trace, and which span of it made the call. It comes from the client and proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traceparent(String);

impl Traceparent {
    /// Version 00, or a later one of which only what 00 has is kept. None where it is not valid.
    #[must_use]
    pub fn parse(text: &str) -> Option<Traceparent> {
        let head = text.get(..LENGTH)?;
        let mut parts = head.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let digits = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let nonzero = |part: &str| part.bytes().any(|b| b != b'0');
        let later = text.get(LENGTH..).unwrap_or_default();
        let ends = later.is_empty() || (version != "00" && later.starts_with('-'));
        let valid = digits(version, 2)
            && version != "ff"
            && digits(trace, 32)
            && nonzero(trace)
            && digits(span, 16)
            && nonzero(span)
            && digits(flags, 2)
            && ends;
        valid.then(|| Traceparent(head.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// 32 hexadecimal digits.
    #[must_use]
    pub fn trace(&self) -> &str {
        self.0.get(3..35).unwrap_or_default()
    }

    /// 16 hexadecimal digits.
    #[must_use]
    pub fn span(&self) -> &str {
        self.0.get(36..52).unwrap_or_default()
    }

    /// Whether whoever calls records the trace.
    #[must_use]
    pub fn sampled(&self) -> bool {
        self.0.get(53..).and_then(|flags| u8::from_str_radix(flags, 16).ok()).is_some_and(|flags| flags & 1 == 1)
    }

    /// From the request's metadata, else from its HTTP header.
    pub(crate) fn of(cx: &RequestContext<RoleServer>) -> Option<Traceparent> {
        if let Some(text) = cx.meta.get(KEY).and_then(serde_json::Value::as_str) {
            return Traceparent::parse(text);
        }
        let mut values = cx.extensions.get::<hyper::http::request::Parts>()?.headers.get_all(KEY).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return None };
        value.to_str().ok().and_then(Traceparent::parse)
    }
}

/// A call that has ended, for metrics and traces.
#[derive(Clone, Copy, Debug)]
pub struct Ended<'a> {
    /// What the policy calls the component.
    pub component: &'a str,
    /// The tool's name in the component.
    pub tool: &'a str,
    /// The kind of its ending; `invalid` where the arguments did not fit, `fault` where it could not be recorded.
    pub ending: &'static str,
    /// None where nothing ran.
    pub report: Option<&'a Report>,
    /// How long it waited for a place among the calls.
    pub waited: Duration,
    /// How long it ran.
    pub took: Option<Duration>,
    pub trace: Option<&'a Traceparent>,
}

/// Is told of each call that has ended, on the thread of the protocol: quick, and it never waits.
pub trait Spans: Send + Sync {
    fn ended(&self, ended: &Ended<'_>);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_kept_where_it_is_valid() {
        let valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let parsed = Traceparent::parse(valid).unwrap();
        assert_eq!(parsed.as_str(), valid);
        assert_eq!((parsed.trace(), parsed.span()), ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"));
        assert!(parsed.sampled());
        assert!(!Traceparent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02").unwrap().sampled());
        // A later version may say more.
        let later = Traceparent::parse("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more").unwrap();
        assert_eq!(later.as_str().len(), LENGTH);
        for invalid in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319cb-7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333\u{e9}-1",
            "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(Traceparent::parse(invalid), None, "{invalid}");
        }
    }
}
