//! Values that may be null.

use super::{Plain, ReadValue, Value, Writer};
use crate::bindings::tidemill::operator::columns::Column;

/// A column with nulls, resolved.
#[derive(Clone, Copy)]
pub struct OptionReader<'b, R> {
    values: R,
    /// One byte per row, 0 where it is null. Absent: no row is.
    valid: Option<&'b [u8]>,
}

/// A column with nulls that is being made.
pub struct OptionWriter<W> {
    values: W,
    valid: Vec<u8>,
}

impl<W: Writer> Writer for OptionWriter<W> {
    fn with_rows(rows: usize) -> Self {
        Self {
            values: W::with_rows(rows),
            valid: Vec::with_capacity(rows),
        }
    }

    fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.valid.truncate(rows);
    }

    fn finish(self) -> Column {
        let nulls = self.valid.contains(&0);
        Column {
            valid: nulls.then_some(self.valid),
            ..self.values.finish()
        }
    }
}

impl<T: Plain> Value for Option<T> {
    const TYPE: &'static str = T::NULLABLE;
    type Writer = OptionWriter<T::Writer>;

    #[inline(always)]
    fn write(&self, writer: &mut Self::Writer) {
        writer.valid.push(u8::from(self.is_some()));
        match self {
            Some(value) => value.write(&mut writer.values),
            None => T::write_empty(&mut writer.values),
        }
    }
}

impl<'b, T: Plain + ReadValue<'b>> ReadValue<'b> for Option<T>
where
    T::Writer: 'b,
{
    type Reader = OptionReader<'b, T::Reader>;

    fn open(column: &'b Column, rows: usize) -> Option<Self::Reader> {
        let valid = match &column.valid {
            Some(valid) => Some(valid.get(..rows)?),
            None => None,
        };
        Some(OptionReader {
            values: T::open(column, rows)?,
            valid,
        })
    }

    fn view(writer: &'b Self::Writer) -> Self::Reader {
        OptionReader {
            values: T::view(&writer.values),
            valid: Some(&writer.valid),
        }
    }

    #[inline(always)]
    unsafe fn read(reader: Self::Reader, row: usize) -> Self {
        // SAFETY: the caller's: `open` has checked that there are as many values, and bytes of
        // validity, as rows.
        unsafe {
            match reader.valid {
                Some(valid) if *valid.get_unchecked(row) == 0 => None,
                _ => Some(T::read(reader.values, row)),
            }
        }
    }
}
