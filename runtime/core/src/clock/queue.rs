//! The splits that count, lowest watermark first.
//!
//! A binary heap in which the place of every split is known, so that one whose watermark has risen is put where it
//! belongs. With the few splits that a source usually has it costs a comparison or two per row.

use crate::time;

/// A split's place in reading order: watermark, then name, which is its index.
pub(super) type Place = (i64, u32);

/// After every split.
pub(super) const LAST: Place = (time::MAX, u32::MAX);

/// Splits that count, by watermark, ties by index.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    heap: Vec<Place>,
    /// Where in the heap each split is.
    at: Vec<Option<u32>>,
}

impl Queue {
    /// The lowest.
    pub(super) fn first(&self) -> Option<Place> {
        self.heap.first().copied()
    }

    pub(super) fn contains(&self, split: usize) -> bool {
        self.at.get(split).is_some_and(Option::is_some)
    }

    /// The lowest but for `split`.
    pub(super) fn first_but(&self, split: usize) -> Place {
        match self.heap.first() {
            Some(&place) if place.1 as usize != split => place,
            Some(_) => {
                let second = self.heap.get(1).copied().unwrap_or(LAST);
                self.heap.get(2).map_or(second, |&third| second.min(third))
            }
            None => LAST,
        }
    }

    pub(super) fn insert(&mut self, split: usize, watermark: i64) {
        if self.at.len() <= split {
            self.at.resize(split + 1, None);
        }
        self.heap.push((watermark, split as u32));
        self.up(self.heap.len() - 1);
    }

    pub(super) fn remove(&mut self, split: usize) {
        let Some(at) = self.at.get_mut(split).and_then(Option::take) else {
            return;
        };
        let at = at as usize;
        self.heap.swap_remove(at);
        if at < self.heap.len() {
            self.down(at);
            self.up(at);
        }
    }

    /// The watermark of a split that counts has risen.
    #[inline]
    pub(super) fn raise(&mut self, split: usize, watermark: i64) {
        if let Some(Some(at)) = self.at.get(split).copied() {
            self.heap[at as usize].0 = watermark;
            self.down(at as usize);
        }
    }

    fn down(&mut self, mut at: usize) {
        let place = self.heap[at];
        loop {
            let mut child = 2 * at + 1;
            if child >= self.heap.len() {
                break;
            }
            if child + 1 < self.heap.len() && self.heap[child + 1] < self.heap[child] {
                child += 1;
            }
            if self.heap[child] > place {
                break;
            }
            self.put(at, self.heap[child]);
            at = child;
        }
        self.put(at, place);
    }

    fn up(&mut self, mut at: usize) {
        let place = self.heap[at];
        while at > 0 && place < self.heap[(at - 1) / 2] {
            self.put(at, self.heap[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
        self.put(at, place);
    }

    fn put(&mut self, at: usize, place: Place) {
        self.heap[at] = place;
        self.at[place.1 as usize] = Some(at as u32);
    }
}
