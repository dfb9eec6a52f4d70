//! How far rows come out of order: what an out-of-orderness would have kept (Watermarks 4).
//!
//! A row that is `late` microseconds older than the newest row before it in its split is not behind under
//! `out-of-orderness = d` iff `late <= d`. So the question "which d keeps 99 % of the rows" is one about the distribution
//! of these ages. They are counted in buckets whose width is at most 1/32 of what is in them; what is reported is a bucket's
//! upper bound, so that it really keeps what it says, and the largest age exactly.
//!
//! A row that is the newest of its split costs a comparison, another one a count besides.

/// Each power of two is cut into so many buckets, as a power of two.
const CUTS: u32 = 5;

/// Ages go up to the length of the years 1 to 9999, less than 2^59 microseconds.
const BUCKETS: usize = ((58 - CUTS as usize) << CUTS) + (2 << CUTS);

/// Ages of rows, counted.
#[derive(Clone, Debug)]
pub struct Lateness {
    rows: u64,
    most: i64,
    /// By bucket, the rows that were not the newest of their split.
    counts: Box<[u64]>,
}

impl Default for Lateness {
    fn default() -> Self {
        Self {
            rows: 0,
            most: 0,
            counts: vec![0; BUCKETS].into(),
        }
    }
}

impl Lateness {
    /// Takes the event times of a split's next rows. `newest` is the split's largest time before them, and then after them;
    /// [`crate::time::MIN`] before the first row.
    pub fn observe(&mut self, newest: &mut i64, times: &[i64]) {
        let mut largest = *newest;
        for &time in times {
            if time < largest {
                self.count(largest - time);
            } else {
                largest = time;
            }
        }
        *newest = largest;
        self.rows += times.len() as u64;
    }

    fn count(&mut self, late: i64) {
        self.most = self.most.max(late);
        self.counts[bucket(late as u64)] += 1;
    }

    /// Adds what was counted elsewhere: for another split, on another worker.
    pub fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.most = self.most.max(other.most);
        let both = self.counts.iter_mut().zip(&other.counts);
        both.for_each(|(own, other)| *own += other);
    }

    /// How many rows were seen.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The out-of-orderness that keeps every row, exactly: 0 if all came in order.
    pub fn most(&self) -> i64 {
        self.most
    }

    /// An out-of-orderness with which at most one row in `n` is behind. It is at most 1/32 larger than need be.
    pub fn all_but_one_in(&self, n: u64) -> i64 {
        let allowed = self.rows / n;
        let mut behind = 0;
        for (bucket, count) in self.counts.iter().enumerate().rev() {
            behind += count;
            if behind > allowed {
                return upper_bound(bucket).min(self.most);
            }
        }
        0
    }
}

/// Ages below 2^(CUTS + 1) have a bucket each; of larger ones the highest CUTS + 1 bits decide.
fn bucket(late: u64) -> usize {
    let shift = (u64::BITS - late.leading_zeros()).saturating_sub(CUTS + 1);
    ((shift as usize) << CUTS) + (late >> shift) as usize
}

/// The largest age in a bucket.
fn upper_bound(bucket: usize) -> i64 {
    let shift = (bucket >> CUTS).saturating_sub(1);
    let first = bucket - (shift << CUTS);
    (((first + 1) << shift) - 1) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other() {
        let mut next = 0u64;
        for i in 0..BUCKETS {
            let last = upper_bound(i) as u64;
            assert_eq!((bucket(next), bucket(last)), (i, i), "{next} to {last}");
            assert!(last - next <= next / 32, "{next} to {last} is too wide");
            next = last + 1;
        }
        let longest = crate::time::LAST - crate::time::FIRST;
        assert!(longest < next as i64, "{longest}");
    }
}
