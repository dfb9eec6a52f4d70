//! What was written is read, whatever the slots; what is cut short is recognised.

use proptest::prelude::*;
use tidemill_core::process::Timer;
use tidemill_wasm::{Arena, Clock, Column, Table, Ttl, Values};

use super::*;
use crate::checkpoint::kept::{Lists, RowsKept, SlotKept};

/// How many keys are written together.
const KEYS: usize = 5;

fn layout(slots: Vec<(Vec<Form>, Option<Clock>, bool)>) -> Layout {
    let slot = |(columns, clock, is_map): (Vec<Form>, Option<Clock>, bool)| SlotLayout {
        nullable: columns.len() > 1,
        columns,
        ttl: clock.map(|clock| Ttl {
            micros: 10,
            clock,
            by_read: false,
        }),
        is_map,
    };
    Layout {
        slots: slots.into_iter().map(slot).collect(),
    }
}

fn layouts() -> impl Strategy<Value = Layout> {
    let form = prop::sample::select(vec![Form::Octet, Form::Word, Form::Float, Form::Arena]);
    let clock = prop::sample::select(vec![None, Some(Clock::Event), Some(Clock::Processing)]);
    let slot = (prop::collection::vec(form, 1..11), clock, any::<bool>());
    prop::collection::vec(slot, 0..4).prop_map(layout)
}

/// Numbers for everything, one after the other.
struct Numbers(Vec<i64>, usize);

impl Numbers {
    fn next(&mut self) -> i64 {
        self.1 += 1;
        self.0[self.1 % self.0.len()].wrapping_mul(self.1 as i64 | 1)
    }

    fn column(&mut self, form: Form, rows: usize, nullable: bool) -> Column {
        let mut each = |rows| (0..rows).map(|_| self.next()).collect::<Vec<i64>>();
        let values = match form {
            Form::Octet => Values::Octets(each(rows).into_iter().map(|n| n as u8 & 1).collect()),
            Form::Word => Values::Words(each(rows)),
            Form::Float => Values::Floats(each(rows).into_iter().map(|n| n as f64).collect()),
            Form::Arena => {
                let lens = each(rows).into_iter().map(|n| n as usize % 9);
                let ends = lens.scan(0, |end, len| {
                    *end += len as u32;
                    Some(*end)
                });
                let offsets: Vec<u32> = std::iter::once(0).chain(ends).collect();
                let bytes = vec![7; *offsets.last().expect("the first") as usize];
                Values::Arena(Arena { offsets, bytes })
            }
        };
        let valid = each(rows).into_iter().map(|n| u8::from(n & 3 != 0));
        let valid: Vec<u8> = valid.collect();
        // A column without nulls says nothing of them.
        let valid = (nullable && valid.contains(&0)).then_some(valid);
        Column { values, valid }
    }

    fn slot(&mut self, layout: &SlotLayout) -> SlotKept {
        let mut ends = Vec::new();
        let mut rows = 0;
        for _ in 0..KEYS {
            rows += self.next() as usize % 3;
            ends.push(rows as u64);
        }
        let mut columns = layout.columns.iter();
        let mut column = |form: &Form| self.column(*form, rows, layout.nullable);
        let columns = match rows {
            0 => Vec::new(),
            _ => columns.by_ref().map(&mut column).collect(),
        };
        let mut sub_keys = Lists::default();
        if layout.is_map {
            (0..rows).for_each(|row| sub_keys.push(&[row as u8; 3][..row % 4]));
        }
        let clocks = layout.ttl.map_or(0, |_| rows);
        SlotKept {
            entries: RowsKept {
                ends,
                rows: Table {
                    rows: rows as u32,
                    columns,
                }
                .into(),
            },
            clocks: (0..clocks).map(|_| self.next()).collect(),
            sub_keys,
        }
    }
}

fn timer(time: i64, later: i64, name: u32) -> Timer {
    Timer {
        time,
        fires: time.saturating_add(later),
        name,
        row: Timer::NO_ROW,
    }
}

fn written(layout: &Layout, slots: &[SlotKept], timers: [&[Timer]; 2]) -> Vec<Vec<u8>> {
    let saved = Saved::new(layout, slots.to_vec());
    let record = |key| {
        let mut record = Vec::new();
        saved.write(key, timers, &mut record);
        record
    };
    (0..KEYS).map(record).collect()
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        layout in layouts(),
        numbers in prop::collection::vec(any::<i64>(), 1..40),
        times in prop::collection::vec((any::<i64>(), 0i64..5, 0u32..3), 0..3),
    ) {
        let mut numbers = Numbers(numbers, 0);
        let slots: Vec<SlotKept> = layout.slots.iter().map(|slot| numbers.slot(slot)).collect();
        let timers: Vec<Timer> = times.into_iter().map(|(time, later, name)| timer(time, later, name)).collect();
        let records = written(&layout, &slots, [&timers, &timers[..timers.len() / 2]]);
        let mut join = Join::new(&layout);
        for record in &records {
            let read = join.add(record).expect("a record");
            prop_assert_eq!(&read.timers[..], &timers[..]);
            prop_assert_eq!(&read.clock_timers[..], &timers[..timers.len() / 2]);
        }
        prop_assert_eq!(join.into_slots(), slots);
        for end in 0..records[0].len() {
            prop_assert!(Join::new(&layout).add(&records[0][..end]).is_err());
        }
    }
}

#[test]
fn a_record_has_expired_when_nothing_in_it_is_alive() {
    let clocks = [Clock::Event, Clock::Processing];
    let forms = clocks.map(|clock| (vec![Form::Word], Some(clock), false));
    let layout = layout(forms.to_vec());
    let slot = |clock| SlotKept {
        entries: RowsKept {
            ends: vec![1; KEYS],
            rows: Table {
                rows: 1,
                columns: vec![Column {
                    values: Values::Words(vec![1]),
                    valid: None,
                }],
            }
            .into(),
        },
        clocks: vec![clock],
        sub_keys: Lists::default(),
    };
    let slots = [slot(100), slot(200)];
    let record = &written(&layout, &slots, [&[], &[]])[0];
    for (w, now, expired) in [
        (110, 210, true),
        (109, 210, false),
        (110, 209, false),
        (i64::MIN, i64::MIN, false),
    ] {
        assert_eq!(is_expired(record, w, now), expired, "{w} {now}");
    }
    let with_a_timer = &written(&layout, &slots, [&[timer(500, 0, 0)], &[]])[0];
    assert!(!is_expired(with_a_timer, 1_000_000, 1_000_000));
}
