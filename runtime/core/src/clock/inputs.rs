//! An operator over its inputs, or over the senders of one exchange.
//!
//! Invariants: those of [`super::source`]. The watermark only rises; an input that is back from idleness counts again once
//! its own watermark has reached the operator's.

use crate::time;

/// One input.
#[derive(Clone, Copy, Debug)]
struct Input {
    watermark: i64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Counts.
    Active,
    /// Back from idleness, behind the operator's watermark: does not count.
    CatchingUp,
    /// Does not count.
    Idle,
    /// Does not count, and never will.
    Finished,
}

/// The watermark of an operator over its inputs.
#[derive(Clone, Debug)]
pub struct InputClock {
    inputs: Vec<Input>,
    watermark: i64,
}

impl InputClock {
    /// An operator of `inputs` inputs, each at [`time::MIN`].
    pub fn new(inputs: usize) -> Self {
        let input = Input {
            watermark: time::MIN,
            state: State::Active,
        };
        Self {
            inputs: vec![input; inputs],
            watermark: time::MIN,
        }
    }

    /// An operator that stood at this watermark before a restart. Its inputs pass theirs on again before they send anything.
    pub fn restored(inputs: usize, watermark: i64) -> Self {
        Self {
            watermark,
            ..Self::new(inputs)
        }
    }

    /// An input passes its watermark on. It counts again if it was idle.
    pub fn set(&mut self, input: usize, w: i64) {
        let one = &mut self.inputs[input];
        one.watermark = one.watermark.max(w);
        if matches!(one.state, State::Idle | State::CatchingUp) {
            let reached = one.watermark >= self.watermark;
            one.state = if reached {
                State::Active
            } else {
                State::CatchingUp
            };
        }
        self.update();
    }

    /// An input says that none of its splits counts: left out of the minimum. Its watermark stands at `w`, or has risen to it
    /// with the clock (`when-idle`); that counts only where all inputs are idle.
    pub fn idle(&mut self, input: usize, w: i64) {
        let one = &mut self.inputs[input];
        one.watermark = one.watermark.max(w);
        if one.state != State::Finished {
            one.state = State::Idle;
        }
        self.update();
    }

    /// An input has ended. After the last one W rises to the largest of theirs; the end round is the caller's.
    pub fn finish(&mut self, input: usize) {
        self.inputs[input].state = State::Finished;
        self.update();
    }

    fn update(&mut self) {
        let active = |one: &&Input| one.state == State::Active;
        let lowest = self
            .inputs
            .iter()
            .filter(active)
            .map(|one| one.watermark)
            .min();
        let allowed = match lowest {
            Some(w) => w,
            None if self.inputs.iter().any(|one| one.state == State::CatchingUp) => return,
            None => self.largest(),
        };
        self.watermark = self.watermark.max(allowed);
    }

    /// The operator's watermark.
    pub fn watermark(&self) -> i64 {
        self.watermark
    }

    /// What the inputs other than this one allow: [`time::MAX`] if none of them counts.
    pub fn others(&self, input: usize) -> i64 {
        let counts = |(i, one): &(usize, &Input)| *i != input && one.state == State::Active;
        let others = self.inputs.iter().enumerate().filter(counts);
        others
            .map(|(_, one)| one.watermark)
            .min()
            .unwrap_or(time::MAX)
    }

    /// W at a row that came by `input` with `carried` (Watermarks 10).
    pub fn w_at_row(&self, input: usize, carried: i64) -> i64 {
        carried.min(self.others(input)).max(self.watermark)
    }

    /// [`InputClock::w_at_row`] for many rows that came by one input, in place.
    pub fn w_at_rows(&self, input: usize, carried: &mut [i64]) {
        let (others, watermark) = (self.others(input), self.watermark);
        carried
            .iter_mut()
            .for_each(|w| *w = (*w).min(others).max(watermark));
    }

    /// Whether all inputs have ended.
    pub fn all_finished(&self) -> bool {
        self.inputs.iter().all(|one| one.state == State::Finished)
    }

    /// Whether no input counts, though not all have ended: the operator is then left out of the minimum behind it.
    pub fn is_left_out(&self) -> bool {
        !self.inputs.iter().any(|one| one.state == State::Active) && !self.all_finished()
    }

    /// The largest of the inputs' watermarks.
    pub fn largest(&self) -> i64 {
        self.inputs
            .iter()
            .map(|one| one.watermark)
            .max()
            .unwrap_or(time::MIN)
    }
}
