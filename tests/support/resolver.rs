//! A resolver that answers from a table and counts who was asked for.

use customs_boundary::network::{Lookup, Resolver};
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::Mutex;

#[derive(Default)]
pub struct FakeResolver {
    /// The answers for each name, one after the other; the last one again and again. No answer at all: it never comes.
    answers: BTreeMap<String, Vec<Vec<IpAddr>>>,
    queries: Mutex<Vec<String>>,
}

impl FakeResolver {
    /// Each name with its answers, each of them addresses with blanks between: `("name.test", &["93.184.216.34", "127.0.0.1 ::1"])`.
    pub fn new(answers: &[(&str, &[&str])]) -> FakeResolver {
        let addresses = |text: &str| text.split_whitespace().map(|address| address.parse().unwrap()).collect();
        let row = |(name, texts): &(&str, &[&str])| ((*name).to_owned(), texts.iter().map(|t| addresses(t)).collect());
        FakeResolver { answers: answers.iter().map(row).collect(), queries: Mutex::default() }
    }

    /// The names that were asked for, in order.
    pub fn queries(&self) -> Vec<String> {
        self.queries.lock().unwrap().clone()
    }
}

impl Resolver for FakeResolver {
    fn lookup(&self, name: &str) -> Lookup {
        let mut queries = self.queries.lock().unwrap();
        let before = queries.iter().filter(|asked| *asked == name).count();
        queries.push(name.to_owned());
        match self.answers.get(name) {
            None => Box::pin(async { Err(io::Error::new(io::ErrorKind::NotFound, "no such name")) }),
            Some(answers) if answers.is_empty() => Box::pin(std::future::pending()),
            Some(answers) => {
                let answer = answers[before.min(answers.len() - 1)].clone();
                Box::pin(async { Ok(answer) })
            }
        }
    }
}
