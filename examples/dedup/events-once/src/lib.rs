//! Events that may be delivered several times, each let through once within a day.

use tidemill::prelude::*;

/// An event, of which nothing but its key matters here.
#[derive(Record)]
pub struct Event {}

/// Whether an event was there lately.
#[derive(State)]
pub struct Known {
    #[state(ttl = "24h")]
    seen: Value<bool>,
}

#[derive(Sides)]
pub struct Sides {
    repeats: Output<Same>,
}

/// Lets through what has not been seen for a day; the rest goes to `repeats`.
#[derive(Config)]
pub struct Once;

#[process]
impl Once {
    fn on_row(&self, _event: Event, known: &mut Known, out: &mut Output<Same>, sides: &mut Sides) {
        if known.seen.get().is_some() {
            sides.repeats.push(Same);
        } else {
            known.seen.set(true);
            out.push(Same);
        }
    }
}

tidemill::module!(Once);

#[cfg(test)]
mod tests {
    use super::*;
    use tidemill::Harness;

    #[test]
    fn an_event_is_forgotten_after_a_day() {
        let mut harness = Harness::new(Once);
        let day = 24 * 3600;
        harness
            .row("a", Event {})
            .row("a", Event {})
            .row("b", Event {});
        assert_eq!(
            (harness.rows::<Same>().len(), harness.side::<Same>(0).len()),
            (2, 1)
        );
        harness
            .advance_to(Timestamp::from_seconds(day - 1))
            .row("a", Event {});
        assert_eq!(harness.rows::<Same>().len(), 2);
        harness
            .advance_to(Timestamp::from_seconds(day))
            .row("a", Event {});
        assert_eq!(harness.rows::<Same>().len(), 3);
    }
}
