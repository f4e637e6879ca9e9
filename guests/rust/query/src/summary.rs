//! What is computed of rows: for all of them, or for each group.

use crate::{
    budget::Budget,
    exports::customs::query::tables::{Function, Measure, QueryError},
    scan::Places,
    value::{self, Sum},
};
use std::collections::{HashMap, HashSet};

/// Groups are kept in memory until the end; a person looks at far fewer.
const MAX_GROUPS: usize = 100_000;
const MAX_MEASURES: usize = 50;

type Row = Vec<Option<String>>;

pub struct Summary {
    measures: Vec<Measure>,
    /// The columns of the groups, then those of the measures.
    places: Places,
    grouped: usize,
    groups: HashMap<Row, Group>,
    budget: Budget,
}

struct Group {
    /// Groups are told in the order in which they came.
    number: usize,
    measured: Vec<Measured>,
}

#[derive(Clone, Default)]
struct Measured {
    count: u64,
    sum: Sum,
    extreme: Option<String>,
    different: HashSet<String>,
}

impl Summary {
    pub fn of(measures: Vec<Measure>, group_by: Vec<String>) -> Result<Self, QueryError> {
        if measures.is_empty() || measures.len() > MAX_MEASURES {
            return Err(QueryError::Invalid(format!("measures: there must be 1 to {MAX_MEASURES}")));
        }
        let unnamed = |measure: &&Measure| measure.column.is_none() && measure.function != Function::Count;
        if let Some(measure) = measures.iter().find(unnamed) {
            return Err(QueryError::Invalid(format!("measures: {} of which column?", word(measure.function))));
        }
        let grouped = group_by.len();
        let measured = measures.iter().map(|measure| measure.column.clone().unwrap_or_default());
        let places = Places::of(group_by.into_iter().chain(measured));
        Ok(Self { measures, places, grouped, groups: HashMap::new(), budget: Budget::new() })
    }

    /// The columns of the answer.
    pub fn names(&self) -> Vec<String> {
        let groups = self.places.names().iter().take(self.grouped).cloned();
        let measures = self.measures.iter().map(|measure| match &measure.column {
            Some(column) => format!("{}({column})", word(measure.function)),
            None => word(measure.function).to_owned(),
        });
        groups.chain(measures).collect()
    }

    /// The columns that have to be there.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        let measured = self.measures.iter().filter_map(|measure| measure.column.as_ref());
        self.places.names().iter().take(self.grouped).chain(measured).map(String::as_str)
    }

    pub fn take(&mut self, names: &[String], row: &[Option<String>]) -> Result<(), QueryError> {
        self.places.learn(names);
        let cell = |at: &Option<usize>| at.and_then(|at| row.get(at)).and_then(Option::as_ref);
        let (by, of) = self.places.all().split_at(self.grouped);
        let key: Row = by.iter().map(|at| cell(at).cloned()).collect();
        let number = self.groups.len();
        if !self.groups.contains_key(&key) {
            if number >= MAX_GROUPS {
                return Err(QueryError::TooLarge(format!("more than {MAX_GROUPS} groups: group by fewer columns")));
            }
            self.budget.take(&key)?;
            // What each measure takes, about.
            self.budget.take(&vec![None; self.measures.len() * 6])?;
        }
        let count = self.measures.len();
        let group =
            self.groups.entry(key).or_insert_with(|| Group { number, measured: vec![Measured::default(); count] });
        for ((measure, at), so_far) in self.measures.iter().zip(of).zip(&mut group.measured) {
            match (&measure.column, cell(at)) {
                (None, _) => so_far.count += 1,
                (Some(_), Some(value)) => so_far.add(measure.function, value, &mut self.budget)?,
                (Some(_), None) => {}
            }
        }
        Ok(())
    }

    /// The names of the columns, and a row for each group. Without groups there is one row, also of an empty table.
    pub fn finish(mut self) -> (Vec<String>, Vec<Row>) {
        if self.grouped == 0 && self.groups.is_empty() {
            let measured = vec![Measured::default(); self.measures.len()];
            self.groups.insert(Vec::new(), Group { number: 0, measured });
        }
        let names = self.names();
        let mut groups: Vec<_> = self.groups.into_iter().collect();
        groups.sort_by_key(|(_, group)| group.number);
        let rows = groups.into_iter().map(|(mut row, group)| {
            let measured = self.measures.iter().zip(group.measured);
            row.extend(measured.map(|(measure, measured)| measured.text(measure.function)));
            row
        });
        (names, rows.collect())
    }
}

impl Measured {
    fn add(&mut self, function: Function, text: &str, budget: &mut Budget) -> Result<(), QueryError> {
        let better = |other: &String| match function {
            Function::Least => value::compare(text, other).is_lt(),
            _ => value::compare(text, other).is_gt(),
        };
        match function {
            Function::Count => self.count += 1,
            Function::Sum | Function::Mean => self.count += u64::from(self.sum.add(text)),
            Function::Distinct if self.different.contains(text) => {}
            Function::Distinct => {
                budget.take(&[Some(text.to_owned()), None])?;
                self.different.insert(text.to_owned());
            }
            Function::Least | Function::Greatest => {
                if self.extreme.as_ref().is_none_or(better) {
                    budget.take(&[Some(text.to_owned())])?;
                    if let Some(other) = self.extreme.replace(text.to_owned()) {
                        budget.give_back(&[Some(other)]);
                    }
                }
            }
        }
        Ok(())
    }

    fn text(self, function: Function) -> Option<String> {
        match function {
            Function::Count => Some(self.count.to_string()),
            Function::Distinct => Some(self.different.len().to_string()),
            Function::Sum => (self.count > 0).then(|| self.sum.text()),
            Function::Mean => (self.count > 0).then(|| self.sum.mean(self.count)),
            Function::Least | Function::Greatest => self.extreme,
        }
    }
}

fn word(function: Function) -> &'static str {
    match function {
        Function::Count => "count",
        Function::Distinct => "distinct",
        Function::Sum => "sum",
        Function::Mean => "mean",
        Function::Least => "least",
        Function::Greatest => "greatest",
    }
}
