//! Protobuf: whatever the schema is and whatever the message, the columns are sound, and what was decoded before decides nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidemill_connectors::FormatKind;

#[path = "../../runtime/connectors/tests/support/any_value.rs"]
mod any_value;

fuzz_target!(|bytes: &[u8]| {
    any_value::check(FormatKind::Protobuf, bytes);
});
