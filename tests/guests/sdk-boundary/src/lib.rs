//! What the bench of the boundary measures: reading every field of a row, and making whole rows again.

use tidemill::prelude::*;

/// Six columns: three numbers, two texts, a time.
#[derive(Record)]
pub struct Wide<'a> {
    pub id: i64,
    pub quantity: i64,
    pub amount: f64,
    pub account: &'a str,
    pub city: &'a str,
    pub at: Timestamp,
}

impl Wide<'_> {
    /// All numbers, the time, and the length and first byte of each text.
    fn sum(&self) -> f64 {
        let text = |text: &str| {
            text.len() as i64 + i64::from(text.as_bytes().first().copied().unwrap_or(0))
        };
        let whole = self
            .id
            .wrapping_add(self.quantity)
            .wrapping_add(self.at.micros());
        whole
            .wrapping_add(text(self.account))
            .wrapping_add(text(self.city)) as f64
            + self.amount
    }
}

/// Reads every field. No sum is `never`, which a compiler cannot know, so no row comes out.
#[derive(Config)]
pub struct ReadAll {
    #[config(default = 0.5)]
    pub never: f64,
}

#[transform]
impl ReadAll {
    fn filter(&self, row: Wide) -> bool {
        row.sum() == self.never
    }
}

/// Reads every field as `ReadAll` does, and makes every second row again, all of its columns.
#[derive(Config)]
pub struct HalfOut {
    #[config(default = 0.5)]
    pub never: f64,
}

#[transform]
impl HalfOut {
    fn map<'a>(&self, row: Wide<'a>) -> Option<Wide<'a>> {
        let read = row.sum() != self.never;
        (read && row.id & 1 == 0).then_some(row)
    }
}

tidemill::module!(ReadAll, HalfOut);

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64) -> Wide<'static> {
        let at = Timestamp::from_micros(1_000);
        Wide {
            id,
            quantity: 2,
            amount: 0.25,
            account: "a",
            city: "",
            at,
        }
    }

    #[test]
    fn every_field_counts() {
        let sum = 1.0 + 2.0 + 1_000.0 + 1.0 + f64::from(b'a') + 0.25;
        assert_eq!(row(1).sum(), sum);
        assert!(ReadAll { never: sum }.filter(row(1)));
        assert!(!ReadAll { never: 0.5 }.filter(row(1)));
    }

    #[test]
    fn every_second_row_comes_out() {
        let half_out = HalfOut { never: 0.5 };
        assert!(half_out.map(row(1)).is_none());
        assert_eq!(half_out.map(row(2)).map(|row| row.quantity), Some(2));
    }
}
