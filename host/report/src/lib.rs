//! Telling people: what a ledger says, as text, JSON, SARIF and one HTML page. Pure: bytes in, a `String` out.
//!
//! ```text
//!  the ledger's bytes --> Story::read   story/     what was reached, denied and found, call by call; bounded, the rest counted
//!  customs verify's answer -^  records.rs          one record's fields, believed only where they have their form
//!                                 |
//!           text.rs  json.rs  sarif/  html/        each from the story alone; words.rs has what they share
//! ```
//!
//! Everything in a ledger was written by a guest or by whoever changed the file. So every text is escaped by the format it goes
//! into, nothing of it becomes a link or markup, and every list has a bound. A report on a ledger that is torn, altered or not closed says so
//! before anything else, and shows what can be read. The same bytes always give the same report.

mod accesses;
pub mod audit;
mod html;
mod json;
mod records;
mod sarif;
mod story;
mod text;
mod traced;
mod why;
mod words;

pub use accesses::Accesses;
pub use audit::json::audit_json;
pub use audit::text::audit_text;
pub use html::{audit_html, html, html_of_run};
pub use json::json;
pub use sarif::{audit_sarif, sarif};
pub use story::{NoLedger, Story};
pub use text::text;
pub use traced::{Contents, Paint, Shown, traced_text};
pub use why::Why;
