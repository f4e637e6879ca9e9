//! What the network answers, as it is noted on a tape.

use super::connect::Failed;
use crate::tape::Answer;
use crate::tape::wire::{Failure, Wire};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::net::IpAddr;
use wasmtime_wasi_http::Error;

macro_rules! codes {
    ($($code:literal = $error:ident,)*) => {
        /// The word for an error of an exchange.
        pub(crate) fn code(error: &Error) -> &'static str {
            match error {
                $(Error::$error => $code,)*
                Error::DnsError { .. } => "dns-error",
                Error::HttpRequestBodySize(_) => "http-request-body-size",
                Error::HttpResponseBodySize(_) => "http-response-body-size",
                Error::HttpResponseTrailerSectionSize(_) => "http-response-trailer-section-size",
                _ => "internal-error",
            }
        }

        /// The error with this word.
        pub(crate) fn error(code: &str) -> Option<Error> {
            Some(match code {
                $($code => Error::$error,)*
                "dns-error" => Error::DnsError { rcode: None, info_code: None },
                "http-request-body-size" => Error::HttpRequestBodySize(None),
                "http-response-body-size" => Error::HttpResponseBodySize(None),
                "http-response-trailer-section-size" => Error::HttpResponseTrailerSectionSize(None),
                "internal-error" => Error::InternalError(None),
                _ => return None,
            })
        }
    };
}

codes! {
    "dns-timeout" = DnsTimeout,
    "destination-not-found" = DestinationNotFound,
    "destination-unavailable" = DestinationUnavailable,
    "destination-ip-prohibited" = DestinationIpProhibited,
    "destination-ip-unroutable" = DestinationIpUnroutable,
    "connection-refused" = ConnectionRefused,
    "connection-terminated" = ConnectionTerminated,
    "connection-timeout" = ConnectionTimeout,
    "connection-read-timeout" = ConnectionReadTimeout,
    "connection-write-timeout" = ConnectionWriteTimeout,
    "connection-limit-reached" = ConnectionLimitReached,
    "tls-protocol-error" = TlsProtocolError,
    "tls-certificate-error" = TlsCertificateError,
    "http-request-denied" = HttpRequestDenied,
    "http-request-uri-invalid" = HttpRequestUriInvalid,
    "http-response-incomplete" = HttpResponseIncomplete,
    "http-response-timeout" = HttpResponseTimeout,
    "http-upgrade-failed" = HttpUpgradeFailed,
    "http-protocol-error" = HttpProtocolError,
    "loop-detected" = LoopDetected,
    "configuration-error" = ConfigurationError,
}

impl Failure for Failed {
    fn write(&self) -> String {
        format!("{} {}", code(&self.guest), self.record)
    }

    fn read(text: &str) -> Option<Self> {
        let (code, record) = text.split_once(' ').unwrap_or((text, ""));
        Some(Failed::new(error(code)?, record))
    }

    fn absent() -> Self {
        Failed::new(Error::ConnectionRefused, "not in the recording")
    }
}

/// A body broke off.
impl Failure for Error {
    fn write(&self) -> String {
        code(self).to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        error(text)
    }

    fn absent() -> Self {
        Error::HttpResponseIncomplete
    }
}

impl Wire for IpAddr {
    fn write(&self) -> Answer {
        Answer::Text(self.to_string())
    }

    fn read(answer: &Answer) -> Option<Self> {
        String::read(answer)?.parse().ok()
    }
}

/// Header fields as they came, what was masked in them masked.
pub(super) type Fields = Vec<(String, Bytes)>;

pub(super) fn fields(headers: &HeaderMap) -> Fields {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes()))).collect()
}

/// Those that can stand in a message.
pub(super) fn headers(fields: &Fields) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    headers
}

/// The head of an answer: its status, its fields, and how many secrets were masked in them.
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) fields: Fields,
    pub(super) masked: u64,
}

impl Wire for Head {
    fn write(&self) -> Answer {
        ((self.status, self.masked), self.fields.clone()).write()
    }

    fn read(answer: &Answer) -> Option<Self> {
        let ((status, masked), fields) = Wire::read(answer)?;
        Some(Head { status, fields, masked })
    }
}

/// A piece of an answer's body, after masking.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Data(Bytes),
    Trailers(Fields),
    End,
}

impl Wire for Piece {
    fn write(&self) -> Answer {
        match self {
            Piece::Data(bytes) => Answer::Bytes(bytes.clone()),
            Piece::Trailers(fields) => fields.write(),
            Piece::End => Answer::Unit,
        }
    }

    fn read(answer: &Answer) -> Option<Self> {
        match answer {
            Answer::Bytes(bytes) => Some(Piece::Data(bytes.clone())),
            Answer::Unit => Some(Piece::End),
            fields => Wire::read(fields).map(Piece::Trailers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_exchange_fails_again_with_the_same_words() {
        let failed = Failed::new(Error::TlsCertificateError, "tls: invalid peer certificate: UnknownIssuer");
        let again = Failed::read(&Failure::write(&failed)).unwrap();
        assert_eq!((code(&again.guest), again.record), ("tls-certificate-error", failed.record));
        assert!(Failed::read("nonsense x").is_none());
    }

    #[test]
    fn pieces_are_read_back_and_unwritable_fields_left_out() {
        let trailers = vec![("x-sum".to_owned(), Bytes::from_static(b"7"))];
        for piece in [Piece::Data(Bytes::from_static(b"ab")), Piece::Trailers(trailers), Piece::End] {
            assert_eq!(Piece::read(&piece.write()), Some(piece));
        }
        let hostile = vec![("a b".to_owned(), Bytes::new()), ("ok".to_owned(), Bytes::from_static(b"\n"))];
        assert!(headers(&hostile).is_empty());
    }
}
