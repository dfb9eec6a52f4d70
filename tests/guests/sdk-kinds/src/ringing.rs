//! A process function whose timers go by the clock.

use tidemill::prelude::*;

use crate::processes::Row;

/// When the clock rings, and what has rung within a minute of the clock.
#[derive(State)]
pub struct Bell {
    #[state(ttl = "1m", clock = "processing")]
    lately: Value<i64>,
}

#[derive(Timers)]
pub struct Bells {
    #[timer(processing)]
    clock: Timer,
    event: Timer,
}

/// Rings by the clock ten seconds after a row's time, and fails when it is to ring for a bad row.
#[derive(Config)]
pub struct Ringing {}

#[derive(Record)]
pub struct Rang {
    what: String,
    lately: i64,
}

#[process]
impl Ringing {
    fn on_row(&self, row: Row, bell: &mut Bell, bells: &mut Bells, out: &mut Output<Rang>) {
        let ten = if row.bad { 13 } else { 10 };
        bells.clock.set(row.at.plus_micros(ten * 1_000_000));
        bell.ring("row", out);
    }

    fn on_timer(
        &self,
        fired: Fired,
        bell: &mut Bell,
        bells: &mut Bells,
        out: &mut Output<Rang>,
    ) -> Result<(), Failure> {
        bell.ring(fired.name(), out);
        if fired.time().millis() / 1_000 % 10 == 3 {
            return Err(Failure::invalid("cracked", "the bell has cracked"));
        }
        if fired.name() == "clock" {
            bells.event.set(fired.time().plus_micros(1));
        }
        Ok(())
    }
}

impl Bell {
    fn ring(&mut self, what: &str, out: &mut Output<Rang>) {
        let lately = self.lately.get().copied().unwrap_or_default();
        self.lately.set(lately + 1);
        let what = what.to_owned();
        out.push(Rang { what, lately });
    }
}
