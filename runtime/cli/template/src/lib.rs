//! The functions of this module. The pipeline file names them by their type in kebab-case: `functions/average`.

use tidemill::prelude::*;

/// A reading, as far as this function looks at it: each field is a column of the operator's input.
#[derive(Record)]
pub struct Reading {
    pub celsius: f64,
}

/// What is kept per key and window. Tidemill holds it, and hands it in again with the next rows.
#[derive(Record, Default, Clone, Debug, PartialEq)]
pub struct Sum {
    pub celsius: f64,
    pub readings: i64,
}

/// A result: its fields are columns behind the key and the window.
#[derive(Record, Debug, PartialEq)]
pub struct Mean {
    pub mean: f64,
    pub readings: i64,
}

/// The mean of a window's readings. The fields are what `config` sets in the pipeline file.
#[derive(Config)]
pub struct Average {
    /// Windows with fewer readings give no result.
    pub at_least: i64,
}

#[aggregate]
impl Average {
    /// A row comes in.
    fn add(&self, sum: &mut Sum, reading: Reading) {
        sum.celsius += reading.celsius;
        sum.readings += 1;
    }

    /// Two parts of one window become one.
    fn merge(&self, sum: &mut Sum, other: Sum) {
        sum.celsius += other.celsius;
        sum.readings += other.readings;
    }

    /// The window ends: what comes out, if anything.
    fn finish(&self, _window: Window, sum: &Sum) -> Option<Mean> {
        (sum.readings >= self.at_least).then(|| Mean {
            mean: sum.celsius / sum.readings as f64,
            readings: sum.readings,
        })
    }
}

tidemill::module!(Average);

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(readings: &[f64]) -> Sum {
        let mut sum = Sum::default();
        for &celsius in readings {
            Average { at_least: 1 }.add(&mut sum, Reading { celsius });
        }
        sum
    }

    #[test]
    fn the_mean_is_the_sum_by_the_count() {
        let mean = Average { at_least: 1 }.finish(Window::default(), &sum(&[19.0, 22.0]));
        assert_eq!(
            mean,
            Some(Mean {
                mean: 20.5,
                readings: 2
            })
        );
    }

    #[test]
    fn few_readings_give_no_result() {
        let rule = Average { at_least: 2 };
        assert_eq!(rule.finish(Window::default(), &sum(&[19.0])), None);
    }

    #[test]
    fn merging_is_adding() {
        let mut first = sum(&[19.0]);
        Average { at_least: 1 }.merge(&mut first, sum(&[22.0, 25.0]));
        assert_eq!(first, sum(&[19.0, 22.0, 25.0]));
    }
}
