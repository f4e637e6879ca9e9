//! Rows that are kept: the first ones, or the first ones in an order.

use crate::{
    budget::Budget,
    exports::customs::query::tables::{Order, QueryError},
    scan::Places,
    value,
};
use std::{cmp::Ordering, ops::ControlFlow};

const DEFAULT_ROWS: u32 = 100;
/// More rows than a model reads, and few enough to be sorted again and again while a large file passes.
const MAX_ROWS: usize = 10_000;
/// The texts of an answer. The host has a bound on what is given out, and ends a call that passes it.
const MAX_ANSWER_BYTES: usize = 4 << 20;

type Row = Vec<Option<String>>;

pub struct Selection {
    columns: Option<Places>,
    order: Vec<Order>,
    by: Places,
    skip: usize,
    limit: usize,
    /// What each is ordered by, and its cells.
    kept: Vec<(Row, Row)>,
    dropped: bool,
    budget: Budget,
}

impl Selection {
    pub fn of(
        columns: Option<Vec<String>>,
        order: Vec<Order>,
        limit: Option<u32>,
        skip: Option<u32>,
    ) -> Result<Self, QueryError> {
        let (limit, skip) = (limit.unwrap_or(DEFAULT_ROWS) as usize, skip.unwrap_or(0) as usize);
        if limit.saturating_add(skip) > MAX_ROWS {
            return Err(QueryError::Invalid(format!("limit: more than {MAX_ROWS} rows, those skipped included")));
        }
        let by = Places::of(order.iter().map(|order| order.column.clone()));
        let columns = columns.filter(|columns| !columns.is_empty()).map(|columns| Places::of(columns.into_iter()));
        Ok(Self { columns, order, by, skip, limit, kept: Vec::new(), dropped: false, budget: Budget::new() })
    }

    /// The columns that have to be there.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        let columns = self.columns.iter().flat_map(|columns| columns.names());
        columns.chain(self.by.names()).map(String::as_str)
    }

    pub fn take(&mut self, names: &[String], row: &[Option<String>]) -> Result<ControlFlow<()>, QueryError> {
        self.by.learn(names);
        let wanted = self.skip + self.limit;
        if self.order.is_empty() && self.kept.len() >= wanted {
            return Ok(ControlFlow::Break(()));
        }
        let cell = |at: &Option<usize>| at.and_then(|at| row.get(at)).cloned().flatten();
        let keys: Row = self.by.all().iter().map(cell).collect();
        let cells = match &mut self.columns {
            Some(columns) => {
                columns.learn(names);
                columns.all().iter().map(cell).collect()
            }
            None => row.to_vec(),
        };
        self.budget.take(&keys)?;
        self.budget.take(&cells)?;
        self.kept.push((keys, cells));
        if self.kept.len() > wanted * 2 + 64 {
            self.sort();
            self.cut(wanted);
        }
        Ok(ControlFlow::Continue(()))
    }

    fn sort(&mut self) {
        let order = &self.order;
        // Stable: rows that are alike stay as they came.
        self.kept.sort_by(|(a, _), (b, _)| {
            order.iter().zip(a.iter().zip(b)).fold(Ordering::Equal, |so_far, (order, (a, b))| {
                so_far.then_with(|| match (a, b) {
                    (Some(a), Some(b)) if order.descending => value::compare(b, a),
                    (Some(a), Some(b)) => value::compare(a, b),
                    (a, b) => a.is_none().cmp(&b.is_none()),
                })
            })
        });
    }

    fn cut(&mut self, wanted: usize) {
        for (keys, cells) in self.kept.drain(wanted.min(self.kept.len())..) {
            self.dropped = true;
            self.budget.give_back(&keys);
            self.budget.give_back(&cells);
        }
    }

    /// The names, the rows, and whether there were more.
    pub fn finish(mut self, names: &[String]) -> Result<(Vec<String>, Vec<Row>, bool), QueryError> {
        self.sort();
        self.cut(self.skip + self.limit);
        let names = self.columns.as_ref().map_or(names, Places::names).to_vec();
        let mut bytes = 0;
        let mut rows = Vec::new();
        for (_, mut row) in self.kept.drain(self.skip.min(self.kept.len())..) {
            row.resize(names.len(), None);
            bytes += row.iter().map(|cell| cell.as_ref().map_or(4, String::len)).sum::<usize>();
            rows.push(row);
        }
        if bytes > MAX_ANSWER_BYTES {
            let advice = "ask for fewer columns or rows";
            return Err(QueryError::TooLarge(format!("the answer has {bytes} bytes: {advice}")));
        }
        Ok((names, rows, self.dropped))
    }
}
