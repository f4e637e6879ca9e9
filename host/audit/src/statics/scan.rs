//! Looking through bytes for everything that is known, as they stand and through what hides it.

use super::encodings::{self, ANCHORS, Turned};
use super::hidden;
use super::hosts;
use super::known::KNOWN;
use super::packed;
use super::secrets::FORMS;
use super::walk::{Place, Region};
use super::{Indication, Kind, Producer, advisories};
use crate::imports::Import;
use crate::severity::Severity;
use crate::shown::{masked, shown};
use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// Bytes that are looked at as they stand.
const MAX_BYTES: u64 = 64 << 20;
/// Bytes of decoded texts, all ways together.
const MAX_DECODED: u64 = 96 << 20;
/// Encodings within each other.
const MAX_DEPTH: usize = 3;
/// Hits that are looked at. Honest components have some hundreds; a file of nothing but needles must not take minutes.
const MAX_HITS: u32 = 200_000;
/// Indications that are kept.
const MAX_KEPT: usize = 256;
/// Bytes that are turned into steps at once, and what two pieces have in common so that nothing is cut.
const PIECE: usize = 1 << 20;
const OVERLAP: usize = 256;
/// Even bytes that are worth a word: less may be a table of random numbers.
const MUCH_PACKED: usize = 16 << 10;

/// What is looked for in a text.
struct Needles {
    /// Upper case folded: [`KNOWN`], then `://`.
    folded: AhoCorasick,
    /// As they stand: prefixes of [`FORMS`].
    exact: AhoCorasick,
    /// [`ANCHORS`] as steps, by exclusive or, then by difference.
    turned: Vec<(Turned, AhoCorasick)>,
    /// Anchors under rot13 and backwards.
    moved: AhoCorasick,
}

fn needles() -> Option<&'static Needles> {
    static NEEDLES: OnceLock<Option<Needles>> = OnceLock::new();
    NEEDLES
        .get_or_init(|| {
            let known = KNOWN.iter().map(|known| known.text).chain(["://"]);
            let steps = |way: Turned| {
                Some((way, AhoCorasick::new(ANCHORS.iter().map(|anchor| way.steps(anchor.as_bytes()))).ok()?))
            };
            let moved = ANCHORS
                .iter()
                .flat_map(|anchor| [encodings::rot13(anchor.as_bytes()), anchor.bytes().rev().collect::<Vec<u8>>()]);
            Some(Needles {
                folded: AhoCorasickBuilder::new().ascii_case_insensitive(true).build(known).ok()?,
                exact: AhoCorasick::new(FORMS.iter().map(|form| form.prefix)).ok()?,
                turned: vec![steps(Turned::Xor)?, steps(Turned::Added)?],
                moved: AhoCorasick::new(moved).ok()?,
            })
        })
        .as_ref()
}

/// A scan under way.
#[derive(Debug, Default)]
pub(super) struct Scan {
    found: BTreeSet<Indication>,
    looked_at: u64,
    decoded: u64,
    packed: usize,
    suppressed: u64,
    hits: u32,
    cut: bool,
}

impl Scan {
    /// Looks through a region.
    pub(super) fn region(&mut self, region: &Region<'_>) {
        let length = u64::try_from(region.bytes.len()).unwrap_or(u64::MAX);
        let room = MAX_BYTES.saturating_sub(self.looked_at);
        let bytes = if length > room {
            self.cut = true;
            region.bytes.get(..usize::try_from(room).unwrap_or(0)).unwrap_or_default()
        } else {
            &region.bytes
        };
        self.looked_at += u64::try_from(bytes.len()).unwrap_or(0);
        let hidden = if region.place.is_read() { hidden::in_text(bytes) } else { hidden::in_data(bytes) };
        if let Some(hidden) = hidden {
            self.add(Kind::Hidden, hidden.severity, hidden.what, &[], &region.place, hidden.why);
        }
        self.text(bytes, &[], &region.place);
        if region.place == Place::Data {
            self.packed += packed::even_bytes(bytes);
        }
        self.through(bytes, &[], &region.place);
    }

    /// What stands in a text.
    fn text(&mut self, text: &[u8], chain: &[String], place: &Place) {
        let Some(needles) = needles() else { return };
        for hit in needles.folded.find_overlapping_iter(text) {
            if self.enough() {
                return;
            }
            match KNOWN.get(hit.pattern().as_usize()) {
                Some(known) => {
                    let severity = worse(known.severity, chain);
                    // What stands around it makes it easier to find again; the needle itself is what counts.
                    self.add(known.kind, severity, around(text, hit.start(), hit.end()), chain, place, known.why);
                }
                None => self.url(text, hit.start(), chain, place),
            }
        }
        for hit in needles.exact.find_overlapping_iter(text) {
            if self.enough() {
                return;
            }
            if let Some(form) = FORMS.get(hit.pattern().as_usize())
                && let Some(secret) = form.at(text, hit.start())
            {
                let what = format!("{} {}", form.kind, masked(&String::from_utf8_lossy(secret)));
                // A token for a service may be meant to be public; a private key is never.
                let severity = if form.kind == "JSON web token" { Severity::Medium } else { Severity::High };
                self.add(
                    Kind::Secret,
                    severity,
                    what,
                    chain,
                    place,
                    "a secret by its form: whoever has the file has it",
                );
            }
        }
    }

    /// Counts a hit; whether there were too many.
    fn enough(&mut self) -> bool {
        self.hits += 1;
        self.cut |= self.hits > MAX_HITS;
        self.hits > MAX_HITS
    }

    /// An address around `://`.
    fn url(&mut self, text: &[u8], at: usize, chain: &[String], place: &Place) {
        let scheme =
            text.get(..at).unwrap_or_default().iter().rev().take(12).take_while(|b| b.is_ascii_alphabetic()).count();
        let head = text.get(at.saturating_sub(scheme)..at).unwrap_or_default().to_ascii_lowercase();
        // Texts stand side by side without a mark between them: the scheme is what the letters end with.
        let schemes: [&[u8]; 12] = [
            b"https",
            b"http",
            b"wss",
            b"ws",
            b"ftp",
            b"ldap",
            b"postgresql",
            b"postgres",
            b"mysql",
            b"mongodb",
            b"rediss",
            b"redis",
        ];
        let Some(known) = schemes.into_iter().find(|known| head.ends_with(known)) else { return };
        let Some(url) = hosts::url(text.get(at - known.len()..).unwrap_or_default()) else { return };
        if url.has_password {
            let what = format!("password in an address of {}", shown(&url.host, 80));
            self.add(Kind::Secret, Severity::Medium, what, chain, place, "a password inside an address");
        }
        if hosts::is_everybodys(&url.host) {
            return;
        }
        let judged = hosts::judge(&url.host);
        let severity =
            if chain.iter().any(|step| hides(step)) { judged.severity.max(Severity::Medium) } else { judged.severity };
        let why = if judged.severity < severity { "an address that was hidden" } else { judged.why };
        let what = if url.has_password { url.host.clone() } else { url.text.to_owned() };
        self.add(Kind::Url, severity, shown(&what, 120), chain, place, why);
    }

    /// The same through encodings.
    fn through(&mut self, bytes: &[u8], chain: &[String], place: &Place) {
        if chain.len() >= MAX_DEPTH {
            return;
        }
        let mut decoded: Vec<(String, Vec<u8>)> = Vec::new();
        let mut room = usize::try_from(MAX_DECODED.saturating_sub(self.decoded)).unwrap_or(0);
        let mut keep = |name: &str, text: &[u8], least: usize| {
            if text.len() < least || !is_readable(text) {
                return;
            }
            match room.checked_sub(text.len()) {
                Some(left) => {
                    room = left;
                    decoded.push((name.to_owned(), text.to_vec()));
                }
                None => room = 0,
            }
        };
        encodings::base64(bytes, |text| keep("base64", text, 10));
        encodings::hex(bytes, |text| keep("hex", text, 10));
        if chain.is_empty() {
            encodings::utf16(bytes, |text| keep("utf-16", text, 8));
        }
        self.cut |= room == 0;
        for (name, text) in decoded {
            self.decoded += u64::try_from(text.len()).unwrap_or(0);
            let chain: Vec<String> = chain.iter().cloned().chain([name]).collect();
            self.text(&text, &chain, place);
            self.through(&text, &chain, place);
        }
        self.turned(bytes, chain, place);
    }

    /// Under a key of one byte, moved by thirteen letters, or backwards.
    fn turned(&mut self, bytes: &[u8], chain: &[String], place: &Place) {
        let Some(needles) = needles() else { return };
        let mut from = 0;
        while let Some(piece) = bytes.get(from..(from + PIECE + OVERLAP).min(bytes.len())).filter(|p| !p.is_empty()) {
            for (way, automaton) in &needles.turned {
                let steps = way.steps(piece);
                for hit in automaton.find_overlapping_iter(&steps) {
                    if self.enough() {
                        return;
                    }
                    let anchor = ANCHORS.get(hit.pattern().as_usize()).copied().unwrap_or_default();
                    let (Some(plain), Some(turned)) = (anchor.bytes().next(), piece.get(hit.start())) else { continue };
                    let key = way.key(plain, *turned);
                    if key != 0 {
                        let name = way.name(key);
                        self.uncovered(
                            piece,
                            hit.start(),
                            anchor.len(),
                            |byte| way.back(byte, key),
                            name,
                            chain,
                            place,
                        );
                    }
                }
            }
            for hit in needles.moved.find_overlapping_iter(piece) {
                if self.enough() {
                    return;
                }
                let anchor = ANCHORS.get(hit.pattern().as_usize() / 2).copied().unwrap_or_default();
                if hit.pattern().as_usize() % 2 == 0 {
                    let text = encodings::rot13(window(piece, hit.start(), hit.end()));
                    self.plain(&text, anchor, "rot13".to_owned(), chain, place);
                } else {
                    let text: Vec<u8> = window(piece, hit.start(), hit.end()).iter().rev().copied().collect();
                    self.plain(&text, anchor, "reversed".to_owned(), chain, place);
                }
            }
            if from + PIECE + OVERLAP >= bytes.len() {
                break;
            }
            from += PIECE;
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one caller, and each is a fact of the hit")]
    fn uncovered(
        &mut self,
        piece: &[u8],
        at: usize,
        length: usize,
        back: impl Fn(u8) -> u8,
        name: String,
        chain: &[String],
        place: &Place,
    ) {
        let anchor: Vec<u8> = piece.get(at..at + length).unwrap_or_default().iter().map(|byte| back(*byte)).collect();
        let text: Vec<u8> = window(piece, at, at + length).iter().map(|byte| back(*byte)).collect();
        self.plain(&text, &String::from_utf8_lossy(&anchor), name, chain, place);
    }

    /// A text that was turned back and has an anchor in it.
    fn plain(&mut self, text: &[u8], anchor: &str, name: String, chain: &[String], place: &Place) {
        let chain: Vec<String> = chain.iter().cloned().chain([name]).collect();
        // Only around the anchor: what stands next to it was never turned, and reads as noise.
        let Some(at) = memchr::memmem::find(text, anchor.as_bytes()) else { return };
        let visible = |b: &u8| b.is_ascii_graphic();
        let end = text.get(at..).unwrap_or_default().iter().position(|b| !visible(b)).map_or(text.len(), |n| at + n);
        let start = text.get(..at).unwrap_or_default().iter().rposition(|b| !visible(b)).map_or(0, |n| n + 1);
        self.text(text.get(start..end).unwrap_or_default(), &chain, place);
    }

    /// Imports that no tool needs.
    pub(super) fn imports(&mut self, imports: &[Import]) {
        for import in imports.iter().filter(|import| !import.known) {
            let why = "an import that this program does not have: it is refused when it is loaded";
            self.add(Kind::Import, Severity::Medium, import.interface.clone(), &[], &Place::Name, why);
        }
    }

    /// Producers with a known hole.
    pub(super) fn producers(&mut self, producers: &[Producer]) {
        for (producer, advisory) in producers.iter().flat_map(|p| advisories::of(p).map(move |a| (p, a))) {
            let what = format!("{} in {} {}", advisory.id, producer.name, producer.version);
            self.found.insert(Indication {
                kind: Kind::Advisory,
                severity: advisory.severity,
                what,
                decoding: Vec::new(),
                place: "custom producers".to_owned(),
                why: advisory.what.clone(),
            });
        }
    }

    fn add(&mut self, kind: Kind, severity: Severity, what: String, chain: &[String], place: &Place, why: &str) {
        let indication =
            Indication { kind, severity, what, decoding: chain.to_vec(), place: place.text(), why: why.to_owned() };
        if self.found.len() < 4 * MAX_KEPT {
            self.found.insert(indication);
        } else if !self.found.contains(&indication) {
            self.suppressed += 1;
        }
    }

    pub(super) fn complete(&self) -> bool {
        !self.cut && self.suppressed == 0
    }

    /// Bytes looked at, indications left out, and the indications, the worst first.
    pub(super) fn done(mut self) -> (u64, u64, Vec<Indication>) {
        if self.packed >= MUCH_PACKED {
            let what = format!("{} KiB that look compressed or encrypted", self.packed >> 10);
            self.add(
                Kind::Packed,
                Severity::Info,
                what,
                &[],
                &Place::Data,
                "what is in them can't be seen without running it",
            );
        }
        let mut all: Vec<Indication> = self.found.into_iter().collect();
        all.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.cmp(b)));
        let more = all.len().saturating_sub(MAX_KEPT);
        all.truncate(MAX_KEPT);
        (self.looked_at, self.suppressed + u64::try_from(more).unwrap_or(0), all)
    }
}

/// Whether a step hides something. JavaScript keeps its texts as UTF-16, and hides nothing by that.
fn hides(step: &str) -> bool {
    step != "utf-16"
}

/// What was hidden is a step worse than what stands there in the open.
fn worse(severity: Severity, chain: &[String]) -> Severity {
    if !chain.iter().any(|step| hides(step)) {
        return severity;
    }
    match severity {
        Severity::Info => Severity::Low,
        Severity::Low => Severity::Medium,
        Severity::Medium | Severity::High => Severity::High,
    }
}

/// Some bytes around a hit.
fn window(piece: &[u8], start: usize, end: usize) -> &[u8] {
    piece.get(start.saturating_sub(64)..(end + 192).min(piece.len())).unwrap_or_default()
}

/// The hit; of a directory also what follows in it. Texts stand side by side with nothing between them, so that more would be another's.
fn around(text: &[u8], start: usize, end: usize) -> String {
    let part = |b: &u8| b.is_ascii_alphanumeric() || b"._-".contains(b);
    let is_directory = end.checked_sub(1).and_then(|at| text.get(at)) == Some(&b'/');
    let after = if is_directory {
        text.get(end..).unwrap_or_default().iter().take(16).take_while(|b| part(b)).count()
    } else {
        0
    };
    shown(String::from_utf8_lossy(text.get(start..end + after).unwrap_or_default()).trim(), 80)
}

/// Mostly text: what base64 of a word makes is not.
fn is_readable(text: &[u8]) -> bool {
    let plain = text.iter().filter(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()).count();
    plain * 10 >= text.len() * 9
}
