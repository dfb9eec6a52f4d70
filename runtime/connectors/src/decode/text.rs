//! Values that are written as text: times and bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tidemill_rows::time_text::{self, LastDay, TimeError};

use super::Misfit;
use crate::columns::Slot;
use crate::format::TimeFormat;

/// The time that a text is; `day` is that of the time before.
#[inline]
pub fn time(text: &[u8], format: TimeFormat, day: &mut LastDay) -> Result<i64, TimeError> {
    match format {
        TimeFormat::Rfc3339 => day.parse_rfc3339(text),
        TimeFormat::Sql => day.parse_sql(text),
        TimeFormat::Epoch(unit) => time_text::parse_epoch(text, unit),
    }
}

/// Decodes base64 (with padding) to the end of the scratch.
pub fn base64(text: &[u8], scratch: &mut Vec<u8>) -> Result<Slot, Misfit> {
    let start = scratch.len();
    match BASE64.decode_vec(text, scratch) {
        Ok(()) => Ok(Slot::InScratch {
            start: start as u32,
            len: (scratch.len() - start) as u32,
        }),
        Err(_) => {
            scratch.truncate(start);
            Err(Misfit::Base64)
        }
    }
}
