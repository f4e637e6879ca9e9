//! Which rows count.

use crate::{
    exports::customs::query::tables::{Condition, QueryError, Test},
    scan::Places,
    value,
};

/// Conditions that must all hold. More of them than a person writes would only make each row slow.
const MAX_CONDITIONS: usize = 100;

pub struct Filter {
    conditions: Vec<Condition>,
    places: Places,
}

impl Filter {
    pub fn of(conditions: Option<Vec<Condition>>) -> Result<Self, QueryError> {
        let mut conditions = conditions.unwrap_or_default();
        if conditions.len() > MAX_CONDITIONS {
            return Err(QueryError::Invalid(format!("where: more than {MAX_CONDITIONS} conditions")));
        }
        for Condition { column, test, value } in &mut conditions {
            if value.is_none() && !matches!(test, Test::Missing | Test::Present) {
                return Err(QueryError::Invalid(format!("where: the condition on {column:?} has no value")));
            }
            if matches!(test, Test::Contains) {
                *value = value.as_ref().map(|value| value.to_lowercase());
            }
        }
        let places = Places::of(conditions.iter().map(|condition| condition.column.clone()));
        Ok(Self { conditions, places })
    }

    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().map(|condition| condition.column.as_str())
    }

    pub fn holds(&mut self, names: &[String], row: &[Option<String>]) -> Result<bool, QueryError> {
        self.places.learn(names);
        let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).and_then(Option::as_deref);
        Ok(self.conditions.iter().zip(self.places.all()).all(|(condition, at)| holds(condition, cell(*at))))
    }
}

fn holds(condition: &Condition, cell: Option<&str>) -> bool {
    let wanted = condition.value.as_deref().unwrap_or_default();
    let Some(cell) = cell else { return matches!(condition.test, Test::Missing | Test::NotEqual) };
    let order = || value::compare(cell, wanted);
    // A text is neither less nor more than a number.
    let alike = || value::number(cell).is_some() == value::number(wanted).is_some();
    match condition.test {
        Test::Equal => order().is_eq(),
        Test::NotEqual => order().is_ne(),
        Test::Less => alike() && order().is_lt(),
        Test::AtMost => alike() && order().is_le(),
        Test::More => alike() && order().is_gt(),
        Test::AtLeast => alike() && order().is_ge(),
        Test::Contains => cell.to_lowercase().contains(wanted),
        Test::Missing => false,
        Test::Present => true,
    }
}
