//! Avro: whatever the schema is and whatever the value, the columns are sound, and what was decoded before decides nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidemill_connectors::FormatKind;

mod values;

fuzz_target!(|bytes: &[u8]| values::check(FormatKind::Avro, bytes));
