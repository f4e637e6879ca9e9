//! `customs verify`: is this ledger whole and unaltered?

use crate::cli::{Format, Verify};
use crate::exit::{Exit, Fault};
use crate::{machine, output};
use customs_ledger::{Escaped, Verdict, hex, verify};
use serde_json::json;

pub(crate) fn run(args: &Verify) -> Result<Exit, Fault> {
    let head = args.head.as_deref().map(parse_head).transpose()?;
    let file = machine::open(&args.ledger)?;
    let name = args.ledger.display().to_string();
    let report = verify(std::io::BufReader::new(file), head)
        .map_err(|e| Fault::Refused(format!("{name}: {}", machine::plain(&e))))?;
    let seq = match report.verdict {
        Verdict::Altered { seq } => Some(seq),
        _ => None,
    };
    let text = match args.output {
        Format::Json => {
            let mut object = json!({
                "schema": "customs.verify/1",
                "verdict": report.verdict.as_str(),
                "events": report.events,
                "head": hex(&report.head),
                "detail": report.detail,
            });
            if let (Some(seq), Some(object)) = (seq, object.as_object_mut()) {
                object.insert("seq".to_owned(), json!(seq));
            }
            format!("{object}\n")
        }
        Format::Text => {
            let what = match report.verdict {
                Verdict::Ok => format!("{} records, head {}", report.events, hex(&report.head)),
                _ => report.detail.clone(),
            };
            format!("{:<9}{}  {}\n", report.verdict.as_str(), Escaped(&name), Escaped(&what))
        }
    };
    output::result(&text)?;
    Ok(if report.verdict == Verdict::Ok { Exit::Returned } else { Exit::Error })
}

fn parse_head(text: &str) -> Result<[u8; 32], Fault> {
    let bad = || Fault::Refused("--head must be 64 hexadecimal digits".to_owned());
    let digits: Vec<u8> = text.trim().bytes().collect();
    if digits.len() != 64 {
        return Err(bad());
    }
    let mut head = [0; 32];
    for (byte, pair) in head.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| bad())?;
        if !pair.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(bad());
        }
        *byte = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
    }
    Ok(head)
}
