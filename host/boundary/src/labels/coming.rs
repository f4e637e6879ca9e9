//! Sources: what an import gives the guest, and which of them that is.

use super::given::{Given, Row};
use super::web::Fields;
use super::{Labels, Side};
use customs_ledger::material::SourceKind;
use customs_trace::Label;
use std::collections::BTreeSet;

impl Labels {
    /// The label of a source.
    pub(crate) fn label(&mut self, number: u64) -> Label {
        let is_public = self.public.contains(&number);
        let Some(bit) = self.bits.of(number, is_public) else { return Label::CLEAN };
        if let Some(sources) = self.traces.bits.get_mut(usize::from(bit))
            && let Err(at) = sources.binary_search(&number)
        {
            sources.insert(at, number);
        }
        Label::source(bit).unwrap_or(Label::CLEAN)
    }

    /// A source has its first byte.
    pub(crate) fn source(&mut self, number: u64, of: u64, kind: SourceKind, name: &str) {
        match kind {
            SourceKind::Argument => drop(self.arguments.insert(name.to_owned(), number)),
            SourceKind::HttpResponse => drop(self.answers.insert((of, Side::of(name)), number)),
            SourceKind::Metadata => drop(self.metadata.insert(name.to_owned(), number)),
            SourceKind::Env => self.variables.push(number),
            _ => {}
        }
        if matches!(kind, SourceKind::Argument | SourceKind::Stdin) {
            self.public.insert(number);
        }
    }

    /// Bytes of a source came in.
    pub(crate) fn came(&mut self, number: u64, kind: SourceKind) {
        // These are given by who knows which of them the guest asked for.
        if !matches!(kind, SourceKind::Argument | SourceKind::Env | SourceKind::HttpResponse) {
            self.given.source(number);
        }
    }

    /// Metadata that was told before is told again.
    pub(crate) fn told_again(&mut self, path: &str) {
        if let Some(number) = self.metadata.get(path) {
            self.given.source(*number);
        }
    }

    /// The source that a part of an answer is, where any of it came.
    fn answer(&mut self, of: u64, side: Side) -> Label {
        match self.answers.get(&(of, side)).copied() {
            Some(number) => self.label(number),
            None => Label::CLEAN,
        }
    }

    /// The guest reads of an answer.
    pub(crate) fn gave(&mut self, of: u64, side: Side) {
        if let Some(number) = self.answers.get(&(of, side)) {
            self.given.source(*number);
        }
    }

    /// Header fields as they come with an answer.
    pub(crate) fn fields_of(&mut self, of: u64, side: Side, names: BTreeSet<String>) -> Fields {
        Fields::of_answer(self.answer(of, side), names)
    }

    /// The import gives a list, and this is what is in it.
    pub(crate) fn give(&mut self, rows: Vec<Row>) {
        self.given.rows = rows;
    }

    /// What the sources gave since the last row is the next element of a list.
    pub(crate) fn row(&mut self) {
        let label = self.fresh();
        self.given.fresh.clear();
        self.given.rows.push(Row::whole(label));
    }

    /// What was seen is not given: only how much of it there is.
    pub(crate) fn kept_back(&mut self) {
        self.given = Given::default();
    }

    pub(super) fn fresh(&mut self) -> Label {
        let fresh = std::mem::take(&mut self.given.fresh);
        let label = fresh.iter().fold(Label::CLEAN, |label, number| label.or(self.label(*number)));
        self.given.fresh = fresh;
        label
    }

    /// All arguments of a command, behind the name that we made up.
    pub(crate) fn give_arguments(&mut self, many: usize) {
        let row = |at: usize| self.arguments.get(&format!("/args/{at}")).copied();
        let numbers: Vec<Option<u64>> = (0..many).map(row).collect();
        let rows = numbers.into_iter().map(|number| number.map_or(Label::CLEAN, |number| self.label(number)));
        self.given.rows = std::iter::once(Row::default()).chain(rows.map(Row::whole)).collect();
    }

    pub(super) fn give_variables(&mut self) {
        let variables = self.variables.clone();
        self.given.rows = variables.into_iter().map(|number| Row::whole(self.label(number))).collect();
    }

    pub(crate) fn arguments_at(&mut self, ranges: Vec<(u64, u64, String)>) {
        (self.argument_text, self.in_text) = (ranges, true);
    }
}
