//! Times as text: nothing panics, what is read lies in the years 1 to 9999, and is read again from how it is written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidemill_rows::time_text::{
    EpochUnit, FIRST, LAST, parse_epoch, parse_rfc3339, parse_sql, rfc3339,
};

fuzz_target!(|text: &[u8]| {
    let units = [EpochUnit::Seconds, EpochUnit::Millis, EpochUnit::Micros];
    let epochs = units.map(|unit| parse_epoch(text, unit));
    for time in [parse_rfc3339(text), parse_sql(text)]
        .into_iter()
        .chain(epochs)
    {
        let Ok(time) = time else { continue };
        assert!((FIRST..=LAST).contains(&time), "{time}");
        let written = rfc3339(time).to_string();
        assert_eq!(parse_rfc3339(written.as_bytes()), Ok(time), "{written}");
    }
});
