//! Questions to a table in a file; the functions are described in `wit/query.wit`.
//!
//! Flow: [`scan`] opens the file and gives its rows one by one, read by [`csv`] or [`json`]; [`filter`] says which of them count; [`select`] keeps
//! the best of them, [`summary`] what is computed of them. None keeps more than [`budget`] allows, whatever the file is.

mod budget;
mod csv;
mod filter;
mod json;
mod scan;
mod select;
mod summary;
mod value;

wit_bindgen::generate!({ path: "wit", world: "query" });

use exports::customs::query::tables::{
    Answer, Column, Condition, Description, Format, Guest, Kind, Measure, Order, QueryError,
};
use filter::Filter;
use scan::Source;
use select::Selection;
use std::ops::ControlFlow;
use summary::Summary;

const EXAMPLE_CHARS: usize = 80;

struct Query;

impl Guest for Query {
    fn describe(path: String, format: Option<Format>, at: Option<String>) -> Result<Description, QueryError> {
        let mut about: Vec<Column> = Vec::new();
        let scanned = Source::of(path, format, at)?.scan(&mut |names, row| {
            about.extend(names.iter().skip(about.len()).map(|name| Column {
                name: name.clone(),
                kind: Kind::Number,
                filled: 0,
                example: None,
            }));
            for (column, cell) in about.iter_mut().zip(row) {
                let Some(cell) = cell else { continue };
                column.filled += 1;
                if value::number(cell).is_none() {
                    column.kind = Kind::Text;
                }
                column.example.get_or_insert_with(|| cell.chars().take(EXAMPLE_CHARS).collect());
            }
            Ok(ControlFlow::Continue(()))
        })?;
        // A table without rows has columns all the same, if it is CSV.
        about.extend(scanned.names.iter().skip(about.len()).map(|name| Column {
            name: name.clone(),
            kind: Kind::Text,
            filled: 0,
            example: None,
        }));
        for column in about.iter_mut().filter(|column| column.filled == 0) {
            column.kind = Kind::Text;
        }
        Ok(Description { columns: about, rows: scanned.rows, bytes: scanned.bytes })
    }

    fn select(
        path: String,
        columns: Option<Vec<String>>,
        where_: Option<Vec<Condition>>,
        order: Option<Vec<Order>>,
        limit: Option<u32>,
        skip: Option<u32>,
        format: Option<Format>,
        at: Option<String>,
    ) -> Result<Answer, QueryError> {
        let source = Source::of(path, format, at)?;
        let mut filter = Filter::of(where_)?;
        let mut selection = Selection::of(columns, order.unwrap_or_default(), limit, skip)?;
        let scanned = source.scan(&mut |names, row| {
            if filter.holds(names, row)? { selection.take(names, row) } else { Ok(ControlFlow::Continue(())) }
        })?;
        let named: Vec<&str> = filter.columns().chain(selection.named()).collect();
        scanned.knows(&named)?;
        let (columns, rows, more) = selection.finish(&scanned.names)?;
        Ok(Answer { columns, rows, more: more || scanned.stopped, looked_at: scanned.rows, bytes: scanned.bytes })
    }

    fn summarize(
        path: String,
        measures: Vec<Measure>,
        group_by: Option<Vec<String>>,
        where_: Option<Vec<Condition>>,
        order: Option<Vec<Order>>,
        limit: Option<u32>,
        format: Option<Format>,
        at: Option<String>,
    ) -> Result<Answer, QueryError> {
        let source = Source::of(path, format, at)?;
        let mut filter = Filter::of(where_)?;
        let mut summary = Summary::of(measures, group_by.unwrap_or_default())?;
        let mut selection = Selection::of(None, order.unwrap_or_default(), limit, None)?;
        for name in selection.named() {
            if !summary.names().iter().any(|own| own == name) {
                let names = summary.names().join(", ");
                return Err(QueryError::Invalid(format!("order: no column {name:?} in the answer, which has {names}")));
            }
        }
        let scanned = source.scan(&mut |names, row| {
            if filter.holds(names, row)? {
                summary.take(names, row)?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let named: Vec<&str> = filter.columns().chain(summary.named()).collect();
        scanned.knows(&named)?;
        let (names, groups) = summary.finish();
        let mut more = false;
        for group in groups {
            if selection.take(&names, &group)?.is_break() {
                more = true;
                break;
            }
        }
        let (columns, rows, left) = selection.finish(&names)?;
        Ok(Answer { columns, rows, more: more || left, looked_at: scanned.rows, bytes: scanned.bytes })
    }
}

export!(Query);
