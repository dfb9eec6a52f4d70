//! Transforms: each shape of output, side outputs, configuration of every type.

use tidemill::prelude::*;

/// A payment.
#[derive(Record)]
pub struct Payment<'a> {
    pub account: &'a str,
    pub amount: Option<f64>,
}

/// Keeps payments of at least so much; one without an amount is bad, one of infinity stops everything.
#[derive(Config)]
pub struct Large {
    pub at_least: f64,
    #[config(default = ["EUR", "USD"])]
    pub currencies: Vec<String>,
    pub note: Option<String>,
    #[config(default = true)]
    pub positive: bool,
}

#[transform]
impl Large {
    fn filter(&self, payment: Payment) -> Result<bool, Failure> {
        match payment.amount {
            None => Err(Failure::invalid(
                "no-amount",
                format!("account {}", payment.account),
            )),
            Some(f64::INFINITY) => Err(Failure::fatal("infinite", "an infinite payment")),
            Some(amount) => Ok(amount >= self.at_least && (amount > 0.0 || !self.positive)),
        }
    }
}

/// What `Tag` adds.
#[derive(Record)]
pub struct Tagged {
    pub size: &'static str,
}

/// Adds a column to each row.
#[derive(Config)]
pub struct Tag {}

#[transform]
impl Tag {
    fn map(&self, payment: Payment) -> Extended<Tagged> {
        let large = payment.amount.is_some_and(|amount| amount >= 100.0);
        Extended(Tagged {
            size: if large { "large" } else { "small" },
        })
    }
}

/// A line of text.
#[derive(Record)]
pub struct Line<'a> {
    pub line: &'a str,
    #[record(event_time)]
    pub at: Timestamp,
}

/// A word, with a time of its own.
#[derive(Record, Debug, PartialEq)]
pub struct Word<'a> {
    pub word: &'a str,
    pub letters: Option<i64>,
    #[record(event_time)]
    pub at: Timestamp,
}

/// Splits lines into words, each a second after the one before. A word `bad` makes the whole line fail.
#[derive(Config)]
pub struct Words {}

#[transform]
impl Words {
    fn flat_map(&self, line: Line, out: &mut Output<Word>) -> Result<(), Failure> {
        for (nth, word) in line.line.split_whitespace().enumerate() {
            if word == "bad" {
                return Err(Failure::invalid(
                    "bad-word",
                    format!("word {nth} of \"{}\"", line.line),
                ));
            }
            let at = line.at.plus_micros(nth as i64 * 1_000_000);
            let letters = word
                .chars()
                .all(char::is_alphabetic)
                .then_some(word.len() as i64);
            out.push(Word { word, letters, at });
        }
        Ok(())
    }
}

/// Where `Route` sends rows.
#[derive(Sides)]
pub struct Routes<'a> {
    pub large: Output<Same>,
    pub accounts: Output<Account<'a>>,
    pub unknown: Output<Extended<Tagged>>,
}

/// An account.
#[derive(Record)]
pub struct Account<'a> {
    pub account: &'a str,
}

/// Keeps small payments, sends large ones, those without an amount, and every account elsewhere.
#[derive(Config)]
pub struct Route {
    pub large_from: f64,
}

#[transform]
impl Route {
    fn filter(&self, payment: Payment, routes: &mut Routes) -> bool {
        routes.accounts.push(Account {
            account: payment.account,
        });
        match payment.amount {
            None => routes.unknown.push(Extended(Tagged { size: "unknown" })),
            Some(amount) if amount >= self.large_from => routes.large.push(Same),
            Some(_) => return true,
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_follow_each_other_by_a_second() {
        let mut out = Output::<Word>::default();
        let at = Timestamp::from_seconds(10);
        Words {}
            .flat_map(Line { line: "high 2", at }, &mut out)
            .unwrap();
        let words = [
            Word {
                word: "high",
                letters: Some(4),
                at,
            },
            Word {
                word: "2",
                letters: None,
                at: Timestamp::from_seconds(11),
            },
        ];
        assert_eq!(out.rows::<Word>(), words);
    }

    #[test]
    fn large_payments_go_to_the_side() {
        let mut routes = Routes::default();
        let route = Route { large_from: 10.0 };
        assert!(route.filter(
            Payment {
                account: "a",
                amount: Some(9.0)
            },
            &mut routes
        ));
        assert!(!route.filter(
            Payment {
                account: "b",
                amount: Some(10.0)
            },
            &mut routes
        ));
        assert!(!route.filter(
            Payment {
                account: "c",
                amount: None
            },
            &mut routes
        ));
        assert_eq!((routes.large.len(), routes.unknown.len()), (1, 1));
        let accounts = routes.accounts.rows::<Account>();
        assert_eq!(
            accounts.iter().map(|row| row.account).collect::<String>(),
            "abc"
        );
    }
}
