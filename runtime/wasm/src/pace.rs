//! What a function lately needed, hence what a call is allowed that may be cut without blaming anybody, and how many rows
//! a call takes.
//!
//! ```text
//! allowed  = 20 times what was lately needed, but at most 8 ms more than that, at least 5 ms, at most the deadline
//! a row alone on a fresh instance: the deadline
//! ```
//!
//! Only that last call can blame a row (see [`crate::isolate`]). All others are cut early: the search for a row that
//! loops must cost little beyond the deadline of that row. Hence also the two bounds on rows: before anything is known a
//! call has few, and it never has more than lately took about 4 ms. If all parts of a call that was cut succeed, the next
//! calls are smaller, and grow again when all is quiet.
//!
//! Invariant: nothing here decides a result, only in which calls it is made.

use std::time::Duration;

const FACTOR: f64 = 20.0;
const LEAST: Duration = Duration::from_millis(5);
const SPARE: Duration = Duration::from_millis(8);
/// For a call of which nothing is known.
const UNKNOWN: Duration = Duration::from_millis(20);
/// Rows of the first call, which finds out what the function needs.
const FIRST_ROWS: usize = 16;
/// What a call of many rows may be expected to take.
const LONGEST_NS: f64 = 4e6;
/// A call of fewer rows costs what a call costs, not what its rows cost.
const SMALL_ROWS: usize = 64;
/// The most that warming up may add to what a fresh instance is allowed.
const WARMING: Duration = Duration::from_millis(50);
/// Calls are timed one in so many, since the thread's clock costs as much as a call.
const SAMPLE: u32 = 64;
/// Clean calls after which a shrunk batch doubles.
const CALM: u32 = 64;

/// The pace of one function on one worker.
#[derive(Debug)]
pub(crate) struct Pace {
    /// What small calls need.
    call: Need,
    /// What a row of large calls needs.
    row: Need,
    /// What the first call of an instance needs beyond the others.
    warming_ns: f64,
    calls: u32,
    most_rows: usize,
    calm: u32,
}

/// A need in nanoseconds: rises at once, falls slowly.
#[derive(Debug, Default)]
struct Need(Option<f64>);

impl Need {
    fn note(&mut self, is: f64) {
        self.0 = Some(match self.0 {
            Some(was) if was > is => was * 0.9 + is * 0.1,
            _ => is,
        });
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            call: Need::default(),
            row: Need::default(),
            warming_ns: 0.0,
            calls: 0,
            most_rows: usize::MAX,
            calm: 0,
        }
    }
}

impl Pace {
    /// CPU time that a call of `rows` rows is allowed.
    pub fn allowance(&self, rows: usize, fresh: bool, deadline: Duration) -> Duration {
        if rows == 0 || rows == 1 && fresh {
            return deadline;
        }
        let Some(needed) = self.needed_ns(rows) else {
            return UNKNOWN.min(deadline);
        };
        let spare = SPARE.as_nanos() as f64;
        let wanted = Duration::from_nanos((FACTOR * needed).min(needed + spare) as u64);
        let warming = match fresh {
            true => Duration::from_nanos((4.0 * self.warming_ns) as u64).min(WARMING),
            false => Duration::ZERO,
        };
        (wanted.max(LEAST) + warming).min(deadline)
    }

    /// What a call of `rows` rows is expected to take.
    fn needed_ns(&self, rows: usize) -> Option<f64> {
        let by_calls = |call: f64| call * rows.div_ceil(SMALL_ROWS) as f64;
        let by_rows = |row: f64| row * rows as f64;
        if rows <= SMALL_ROWS {
            self.call.0.or(self.row.0.map(by_rows))
        } else {
            self.row.0.map(by_rows).or(self.call.0.map(by_calls))
        }
    }

    /// Whether the next call's time should be measured: the first few, then a sample, and every long one.
    pub fn samples(&mut self, rows: usize) -> bool {
        self.calls = self.calls.wrapping_add(1);
        let long = self
            .needed_ns(rows)
            .is_some_and(|needed| needed > 100_000.0);
        self.calls < 16 || self.calls.is_multiple_of(SAMPLE) || long
    }

    /// Takes note of what a call needed. The first one of an instance says little of the others.
    pub fn note(&mut self, rows: usize, fresh: bool, spent: Duration) {
        let is = spent.as_nanos() as f64;
        if fresh && let Some(needed) = self.needed_ns(rows) {
            self.warming_ns = (self.warming_ns * 0.9).max(is - needed);
        } else if rows <= SMALL_ROWS {
            self.call.note(is);
        } else {
            self.row.note(is / rows as f64);
        }
    }

    /// The most rows that a call should have, at least 1.
    pub fn most_rows(&self) -> usize {
        match self.needed_ns(1 << 16) {
            None => FIRST_ROWS,
            Some(needed) => {
                let lately = LONGEST_NS / needed.max(1.0) * f64::from(1 << 16);
                self.most_rows.min(lately as usize).max(1)
            }
        }
    }

    /// A call failed although each of its parts, of `rows` rows, succeeded.
    pub fn shrink(&mut self, rows: usize) {
        self.most_rows = self.most_rows.min(rows.max(1));
        self.calm = 0;
    }

    /// A call succeeded.
    pub fn grow(&mut self) {
        if self.most_rows == usize::MAX {
            return;
        }
        self.calm += 1;
        if self.calm >= CALM {
            self.calm = 0;
            self.most_rows = self.most_rows.saturating_mul(2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_secs(1);
    const US: Duration = Duration::from_micros(1);

    fn known(rows: usize, spent: Duration) -> Pace {
        let mut pace = Pace::default();
        pace.note(rows, false, spent);
        pace
    }

    #[test]
    fn only_a_row_alone_on_a_fresh_instance_has_the_deadline() {
        for pace in [Pace::default(), known(16, US), known(2048, 400 * US)] {
            assert_eq!(pace.allowance(1, true, DEADLINE), DEADLINE);
            assert!(pace.allowance(1, false, DEADLINE) <= UNKNOWN);
            assert!(pace.allowance(2048, true, DEADLINE) <= UNKNOWN);
        }
    }

    #[test]
    fn what_is_cut_costs_little_however_slow_the_function_is() {
        for row_us in [0.01, 0.1, 1.0, 10.0, 100.0, 5000.0] {
            let spent = Duration::from_secs_f64(row_us * 1e-6 * 2048.0);
            let pace = known(2048, spent);
            let (mut rows, mut cut) = (pace.most_rows().min(2048), Duration::ZERO);
            let useful = Duration::from_secs_f64(row_us * 1e-6 * rows as f64);
            while rows > 1 {
                cut += pace.allowance(rows, true, DEADLINE);
                rows = rows.div_ceil(crate::isolate::PARTS);
            }
            cut += pace.allowance(1, false, DEADLINE);
            let beyond = cut.saturating_sub(useful);
            assert!(beyond.as_millis() < 40, "{row_us} us per row: {beyond:?}");
        }
    }

    #[test]
    fn a_lone_slow_row_makes_no_large_call_dear() {
        let mut pace = known(2048, 200 * US);
        pace.note(1, false, 50_000 * US);
        assert!(pace.allowance(2048, false, DEADLINE) <= LEAST);
        assert!(pace.most_rows() > 10_000);
    }

    #[test]
    fn a_long_start_is_allowed_for_without_being_a_pace() {
        let mut pace = known(2048, 200 * US);
        pace.note(2048, true, 5_200 * US);
        assert_eq!(pace.allowance(2048, false, DEADLINE), LEAST);
        assert_eq!(pace.allowance(2048, true, DEADLINE), LEAST + 20_000 * US);
    }

    #[test]
    fn a_shrunk_call_grows_again_when_all_is_quiet() {
        let mut pace = known(2048, 200 * US);
        pace.shrink(128);
        assert_eq!(pace.most_rows(), 128);
        (0..CALM).for_each(|_| pace.grow());
        assert_eq!(pace.most_rows(), 256);
    }
}
