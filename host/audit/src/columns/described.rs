//! What a tool's name, description and schema say that it does: words of plain English, by capability. A description is the author's claim and no proof;
//! what it does not speak of and the tool tries is a surprise. When in doubt a word counts, so that a surprise is one.

use super::{By, Declaration};
use customs_policy::Capability;

/// Characters of a text that are read.
const READ: usize = 64 << 10;

/// Words, whole or as the beginning of one where they end in `*`, and what they speak of.
const WORDS: [(&str, &[Capability]); 59] = {
    use Capability::{
        ClockRead, DnsLookup, EnvGet, FsList, FsRead, FsStat, FsWrite, HttpRequest, RandomRead, TcpConnect, TcpListen,
        UdpSend,
    };
    [
        ("file*", &[FsRead, FsStat, FsList]),
        ("folder*", &[FsList, FsStat, FsRead]),
        ("director*", &[FsList, FsStat, FsRead]),
        ("path*", &[FsRead, FsStat, FsList]),
        ("disk", &[FsRead, FsStat, FsList]),
        ("filesystem*", &[FsRead, FsStat, FsList, FsWrite]),
        ("repositor*", &[FsRead, FsStat, FsList]),
        ("workspace*", &[FsRead, FsStat, FsList]),
        ("note*", &[FsRead, FsStat, FsList]),
        ("document*", &[FsRead, FsStat, FsList]),
        ("log*", &[FsRead, FsStat, FsList]),
        ("read*", &[FsRead, FsStat]),
        ("list*", &[FsList, FsStat]),
        ("open*", &[FsRead, FsStat]),
        ("stat", &[FsStat]),
        ("size*", &[FsStat]),
        ("metadata", &[FsStat]),
        ("search*", &[FsRead, FsList, FsStat]),
        ("write*", &[FsWrite, FsStat]),
        ("writing", &[FsWrite, FsStat]),
        ("save*", &[FsWrite, FsStat]),
        ("saving", &[FsWrite, FsStat]),
        ("store*", &[FsWrite, FsStat]),
        ("append*", &[FsWrite, FsStat]),
        ("delete*", &[FsWrite, FsStat]),
        ("remove*", &[FsWrite, FsStat]),
        ("rename*", &[FsWrite, FsStat]),
        ("edit*", &[FsWrite, FsRead, FsStat]),
        ("environment", &[EnvGet]),
        ("env", &[EnvGet]),
        ("variable*", &[EnvGet]),
        ("configur*", &[EnvGet, FsRead]),
        ("key", &[EnvGet]),
        ("token*", &[EnvGet]),
        ("credential*", &[EnvGet, FsRead]),
        ("http*", &[HttpRequest]),
        ("url*", &[HttpRequest]),
        ("uri*", &[HttpRequest]),
        ("web*", &[HttpRequest]),
        ("api*", &[HttpRequest]),
        ("fetch*", &[HttpRequest]),
        ("download*", &[HttpRequest, FsWrite]),
        ("upload*", &[HttpRequest, FsRead]),
        ("online", &[HttpRequest]),
        ("internet", &[HttpRequest]),
        ("weather", &[HttpRequest]),
        ("forecast*", &[HttpRequest]),
        ("dns", &[DnsLookup]),
        ("hostname*", &[DnsLookup]),
        ("domain*", &[DnsLookup]),
        ("resolv*", &[DnsLookup]),
        ("tcp", &[TcpConnect]),
        ("connect*", &[TcpConnect, HttpRequest]),
        ("socket*", &[TcpConnect, UdpSend]),
        ("listen*", &[TcpListen]),
        ("udp", &[UdpSend]),
        ("send*", &[HttpRequest]),
        ("time*", &[ClockRead]),
        ("random*", &[RandomRead]),
    ]
};

/// What these texts speak of: the tool's name, its description, and those of its fields.
#[must_use]
pub fn described(guest_texts: &[&str]) -> Vec<Declaration> {
    let mut declarations: Vec<Declaration> = Vec::new();
    for text in guest_texts {
        let text: String = text.chars().take(READ).collect::<String>().to_ascii_lowercase();
        for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
            for (pattern, capabilities) in WORDS.iter().filter(|(pattern, _)| fits(word, pattern)) {
                for &capability in *capabilities {
                    let what = format!("\"{}\"", pattern.trim_end_matches('*'));
                    let declaration = Declaration { capability, by: By::Description, what };
                    if !declarations.contains(&declaration) {
                        declarations.push(declaration);
                    }
                }
            }
        }
    }
    declarations
}

fn fits(word: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        // `reading` and `readable`, but no word that only begins alike: at most four letters more.
        Some(stem) => word.strip_prefix(stem).is_some_and(|rest| rest.len() <= 4),
        None => word == pattern,
    }
}
