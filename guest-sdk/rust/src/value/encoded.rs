//! Any serde type as bytes: `#[record(encoded)]`.
//!
//! The first byte is the version of the encoding: 1 is postcard.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ReadValue, Value};

const POSTCARD: u8 = 1;

/// How a field of type `T` is written to and read from a column of bytes.
pub struct Encoded<T>(PhantomData<T>);

impl<T: Serialize> Encoded<T> {
    /// Appends a value.
    pub fn write(value: &T, writer: &mut <Vec<u8> as Value>::Writer) {
        match postcard::to_extend(value, vec![POSTCARD]) {
            Ok(bytes) => bytes.write(writer),
            Err(error) => panic!("a field with #[record(encoded)] cannot be written: {error}"),
        }
    }
}

impl<T: DeserializeOwned> Encoded<T> {
    /// The value of row `row`.
    ///
    /// # Safety
    /// `row` is below the number of rows that the reader was opened with.
    pub unsafe fn read<'b>(reader: <&'b [u8] as ReadValue<'b>>::Reader, row: usize) -> T {
        // SAFETY: the caller's.
        match unsafe { <&[u8]>::read(reader, row) } {
            [POSTCARD, bytes @ ..] => match postcard::from_bytes(bytes) {
                Ok(value) => value,
                Err(error) => panic!("a field with #[record(encoded)] cannot be read: {error}"),
            },
            _ => panic!(
                "a field with #[record(encoded)] has an encoding that this version does not know"
            ),
        }
    }
}
