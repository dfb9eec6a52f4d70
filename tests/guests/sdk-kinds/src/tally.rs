//! A process function, and two that it may be changed to: what was kept of one is taken over by another, or is not.

use tidemill::prelude::*;

/// Something that is counted.
#[derive(Record)]
pub struct Counted {
    pub value: i64,
    #[record(event_time)]
    pub at: Timestamp,
}

/// Everything that was known when a key had been silent for ten seconds.
#[derive(Record)]
pub struct Told {
    pub what: String,
}

#[derive(Record, Clone, Default)]
pub struct Total {
    rows: i64,
    sum: i64,
}

#[derive(State)]
pub struct Tallied {
    total: Value<Total>,
    values: List<i64>,
    by_value: Map<i64, Total>,
}

#[derive(Timers)]
pub struct Silent {
    silent: Timer,
    #[timer(processing)]
    some_day: Timer,
}

/// A day that no test sees: 2100-01-01.
const SOME_DAY: Timestamp = Timestamp::from_micros(4_102_444_800_000_000);

/// Counts in a value, a list and a map.
#[derive(Config)]
pub struct Tally {}

#[process]
impl Tally {
    fn on_row(
        &self,
        row: Counted,
        kept: &mut Tallied,
        timers: &mut Silent,
        _out: &mut Output<Told>,
    ) {
        timers.silent.move_to(row.at.plus_micros(10_000_000));
        timers.some_day.set(SOME_DAY);
        kept.values.push(row.value);
        let mut of_value = kept.by_value.get(&(row.value % 2)).unwrap_or_default();
        of_value.rows += 1;
        of_value.sum += row.value;
        kept.by_value.set(row.value % 2, of_value);
        kept.total.change(|total| {
            total.rows += 1;
            total.sum += row.value;
        });
    }

    fn on_timer(
        &self,
        fired: Fired,
        kept: &mut Tallied,
        _timers: &mut Silent,
        out: &mut Output<Told>,
    ) {
        let total = kept.total.get().cloned().unwrap_or_default();
        let by_value = kept.by_value.entries();
        let by_value = by_value.iter().map(|(value, of)| (*value, of.sum));
        out.push(Told {
            what: format!(
                "{} {} {} {:?} {:?}",
                fired.name(),
                total.rows,
                total.sum,
                kept.values.all(),
                by_value.collect::<Vec<_>>()
            ),
        });
    }
}

/// In another order, with floats, and one more.
#[derive(Record, Clone, Default)]
pub struct More {
    most: Option<i64>,
    sum: f64,
    rows: i64,
}

#[derive(State)]
pub struct MoreTallied {
    by_value: Map<i64, More>,
    last: Value<i64>,
    values: List<f64>,
    total: Value<More>,
}

#[derive(Timers)]
pub struct Early {
    early: Timer,
    #[timer(processing)]
    some_day: Timer,
    silent: Timer,
}

/// Counts more.
#[derive(Config)]
pub struct TallyMore {}

#[process]
impl TallyMore {
    fn on_row(
        &self,
        row: Counted,
        kept: &mut MoreTallied,
        timers: &mut Early,
        _out: &mut Output<Told>,
    ) {
        timers.silent.move_to(row.at.plus_micros(10_000_000));
        if row.value % 10 == 0 {
            timers.early.move_to(row.at.plus_micros(1));
        }
        kept.last.set(row.value);
        kept.values.push(row.value as f64 / 2.0);
        kept.total.change(|total| {
            total.rows += 1;
            total.sum += row.value as f64;
            total.most = total.most.max(Some(row.value));
        });
    }

    fn on_timer(
        &self,
        fired: Fired,
        kept: &mut MoreTallied,
        _timers: &mut Early,
        out: &mut Output<Told>,
    ) {
        let total = kept.total.get().cloned().unwrap_or_default();
        let by_value = kept.by_value.entries();
        let by_value = by_value.iter().map(|(value, of)| (*value, of.sum, of.most));
        out.push(Told {
            what: format!(
                "{} {} {:?} {:?} {:?} {:?}",
                fired.name(),
                total.rows,
                total.sum,
                total.most,
                kept.values.all(),
                by_value.collect::<Vec<_>>()
            ),
        });
    }
}

#[derive(State)]
pub struct LessTallied {
    total: Value<Total>,
}

/// Counts less, and says so with every row.
#[derive(Config)]
pub struct TallyLess {}

#[process]
impl TallyLess {
    fn on_row(&self, row: Counted, kept: &mut LessTallied, out: &mut Output<Told>) {
        kept.total.change(|total| {
            total.rows += 1;
            total.sum += row.value;
        });
        let total = kept.total.get().cloned().unwrap_or_default();
        out.push(Told {
            what: format!("{} {}", total.rows, total.sum),
        });
    }
}
