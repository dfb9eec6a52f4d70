//! Simple native aggregates: what a guest's function would be.

use std::fmt;

/// An aggregate over the column `v`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    Count,
    Sum,
    Min,
    Max,
    /// All values, in the order in which they were added and merged.
    List,
    /// The sum of `v / 10` as a float: shows any other order of additions.
    FloatSum,
}

/// An accumulator.
#[derive(Clone, Debug, PartialEq)]
pub enum Acc {
    Number(i64),
    Best(Option<i64>),
    List(Vec<i64>),
    Float(f64),
}

impl Aggregate {
    pub fn parse(word: &str) -> Option<Self> {
        let all = [Self::Count, Self::Sum, Self::Min, Self::Max, Self::List];
        all.into_iter().find(|aggregate| aggregate.name() == word)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::List => "list",
            Self::FloatSum => "float-sum",
        }
    }

    pub fn create(self) -> Acc {
        match self {
            Self::Count | Self::Sum => Acc::Number(0),
            Self::Min | Self::Max => Acc::Best(None),
            Self::List => Acc::List(Vec::new()),
            Self::FloatSum => Acc::Float(0.0),
        }
    }

    pub fn add(self, acc: &mut Acc, value: i64) {
        let one = match self {
            Self::Count => Acc::Number(1),
            Self::Sum => Acc::Number(value),
            Self::Min | Self::Max => Acc::Best(Some(value)),
            Self::List => Acc::List(vec![value]),
            Self::FloatSum => Acc::Float(value as f64 / 10.0),
        };
        self.merge(acc, &one);
    }

    pub fn merge(self, into: &mut Acc, from: &Acc) {
        match (into, from) {
            (Acc::Number(a), Acc::Number(b)) => *a += b,
            (Acc::Float(a), Acc::Float(b)) => *a += b,
            (Acc::List(a), Acc::List(b)) => a.extend(b),
            (Acc::Best(a), Acc::Best(b)) if self == Self::Max => *a = (*a).max(*b),
            (Acc::Best(a), Acc::Best(b)) => *a = a.iter().chain(b.iter()).min().copied(),
            _ => panic!("accumulators of different aggregates"),
        }
    }
}

/// As JSON.
impl fmt::Display for Acc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(n) => write!(f, "{n}"),
            Self::Best(Some(n)) => write!(f, "{n}"),
            Self::Best(None) => write!(f, "null"),
            Self::Float(x) => write!(f, "{x:?}"),
            Self::List(values) => {
                let values: Vec<String> = values.iter().map(i64::to_string).collect();
                write!(f, "[{}]", values.join(","))
            }
        }
    }
}
