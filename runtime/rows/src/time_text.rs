//! Times as text, and back: RFC 3339, `YYYY-MM-DD hh:mm:ss[.ffffff]`, and numbers since the Unix
//! epoch.
//!
//! Times are microseconds since the Unix epoch, in UTC, by the proleptic Gregorian calendar. What
//! is read must lie in the years 1 to 9999 ([`FIRST`] to [`LAST`]). Fraction digits beyond the
//! microsecond are cut off, not rounded, so a time never moves into the next second. A second of 60
//! is refused: Unix time has no leap seconds, and any value would be another moment than the one
//! meant.
//!
//! This is the decoder's and the encoder's hot path, hence not `jiff`, against which it is tested.

/// 0001-01-01T00:00:00Z, the first time that can be read.
pub const FIRST: i64 = -62_135_596_800_000_000;

/// 9999-12-31T23:59:59.999999Z, the last time that can be read.
pub const LAST: i64 = 253_402_300_799_999_999;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Why a text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeError {
    /// It is not of the form asked for.
    Form,
    /// A field is out of its range: month 13, 30 February, 25 o'clock.
    NoSuchTime,
    /// Its second is 60.
    LeapSecond,
    /// It lies outside the years 1 to 9999.
    Years,
}

impl TimeError {
    /// The reason, in words.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Form => "is not of that form",
            Self::NoSuchTime => "names a date or an hour that does not exist",
            Self::LeapSecond => "is a leap second, which Unix time does not have",
            Self::Years => "lies outside the years 1 to 9999",
        }
    }
}

/// What one unit of a number since the epoch stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EpochUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
}

impl EpochUnit {
    /// Microseconds in one unit.
    pub fn micros(self) -> i64 {
        match self {
            Self::Seconds => SECOND,
            Self::Millis => 1_000,
            Self::Micros => 1,
        }
    }
}

/// Reads `2013-01-01T10:15:00Z`, with any number of fraction digits and any offset; `t`, `z` and a
/// space for the `T` are accepted, as RFC 3339 allows.
///
/// # Errors
/// A [`TimeError`] that says why it is no time.
pub fn parse_rfc3339(text: &[u8]) -> Result<i64, TimeError> {
    LastDay::default().parse_rfc3339(text)
}

/// Reads `2013-01-01 10:15:00[.ffffff]`, taken as UTC; a `T` for the space is accepted.
///
/// # Errors
/// A [`TimeError`] that says why it is no time.
pub fn parse_sql(text: &[u8]) -> Result<i64, TimeError> {
    LastDay::default().parse_sql(text)
}

/// Reads times of which many are of one day: the day of the last is remembered.
#[derive(Clone, Copy, Debug)]
pub struct LastDay {
    text: [u8; 10],
    /// Its midnight.
    midnight: i64,
}

impl Default for LastDay {
    fn default() -> Self {
        Self {
            text: *b"1970-01-01",
            midnight: 0,
        }
    }
}

impl LastDay {
    /// As [`parse_rfc3339`].
    ///
    /// # Errors
    /// A [`TimeError`] that says why it is no time.
    pub fn parse_rfc3339(&mut self, text: &[u8]) -> Result<i64, TimeError> {
        let separators = |byte| matches!(byte, b'T' | b't' | b' ');
        let (local, rest) = self.date_and_time(text, separators)?;
        let (fraction, rest) = fraction(rest)?;
        in_years(local + fraction - offset(rest)?)
    }

    /// As [`parse_sql`].
    ///
    /// # Errors
    /// A [`TimeError`] that says why it is no time.
    pub fn parse_sql(&mut self, text: &[u8]) -> Result<i64, TimeError> {
        let (local, rest) = self.date_and_time(text, |byte| matches!(byte, b' ' | b'T'))?;
        let (fraction, rest) = fraction(rest)?;
        if rest.is_empty() {
            in_years(local + fraction)
        } else {
            Err(TimeError::Form)
        }
    }

    /// The nineteen bytes of date and time of day, and what follows them.
    fn date_and_time<'t>(
        &mut self,
        text: &'t [u8],
        separator: impl Fn(u8) -> bool,
    ) -> Result<(i64, &'t [u8]), TimeError> {
        let Some((head, rest)) = text.split_first_chunk::<19>() else {
            return Err(TimeError::Form);
        };
        if head[13] != b':' || head[16] != b':' || !separator(head[10]) {
            return Err(TimeError::Form);
        }
        if head[..10] != self.text {
            self.midnight = midnight(head)?;
            self.text.copy_from_slice(&head[..10]);
        }
        Ok((self.midnight + time_of_day(head)?, rest))
    }
}

/// Reads a number as JSON writes it. A fraction counts, cut off at the microsecond; with an
/// exponent the number is taken as a double and rounded.
///
/// # Errors
/// A [`TimeError`] that says why it is no time.
pub fn parse_epoch(text: &[u8], unit: EpochUnit) -> Result<i64, TimeError> {
    if text.iter().any(|b| matches!(b, b'e' | b'E')) {
        return epoch_with_exponent(text, unit);
    }
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let point = digits
        .iter()
        .position(|&b| b == b'.')
        .unwrap_or(digits.len());
    let (whole, fraction) = digits.split_at(point);
    if whole.is_empty() || fraction.len() == 1 {
        return Err(TimeError::Form);
    }
    let mut micros = decimal(whole)?
        .checked_mul(unit.micros())
        .ok_or(TimeError::Years)?;
    let mut weight = unit.micros() / 10;
    for &digit in fraction.iter().skip(1) {
        micros += i64::from(self::digit(digit)?) * weight;
        weight /= 10;
    }
    in_years(if negative { -micros } else { micros })
}

fn epoch_with_exponent(text: &[u8], unit: EpochUnit) -> Result<i64, TimeError> {
    let text = std::str::from_utf8(text).map_err(|_| TimeError::Form)?;
    let number: f64 = text.parse().map_err(|_| TimeError::Form)?;
    let micros = (number * unit.micros() as f64).round();
    // Beyond this the conversion would saturate; both ends lie far outside the years.
    if micros.abs() < 1e18 {
        in_years(micros as i64)
    } else {
        Err(TimeError::Years)
    }
}

fn decimal(digits: &[u8]) -> Result<i64, TimeError> {
    digits.iter().try_fold(0_i64, |number, &byte| {
        let digit = i64::from(digit(byte)?);
        number
            .checked_mul(10)
            .and_then(|n| n.checked_add(digit))
            .ok_or(TimeError::Years)
    })
}

fn in_years(time: i64) -> Result<i64, TimeError> {
    if (FIRST..=LAST).contains(&time) {
        Ok(time)
    } else {
        Err(TimeError::Years)
    }
}

fn digit(byte: u8) -> Result<u8, TimeError> {
    let digit = byte.wrapping_sub(b'0');
    if digit < 10 {
        Ok(digit)
    } else {
        Err(TimeError::Form)
    }
}

/// The midnight of a date, the first ten bytes.
fn midnight(head: &[u8; 19]) -> Result<i64, TimeError> {
    if head[4] != b'-' || head[7] != b'-' {
        return Err(TimeError::Form);
    }
    let year = two(head, 0)? * 100 + two(head, 2)?;
    let (month, day) = (two(head, 5)?, two(head, 8)?);
    if month == 0 || month > 12 || day == 0 || day > days_in_month(year, month) {
        return Err(TimeError::NoSuchTime);
    }
    Ok(days_from_civil(i64::from(year), month, day) * DAY)
}

/// The time of day in the last eight bytes.
#[inline]
fn time_of_day(head: &[u8; 19]) -> Result<i64, TimeError> {
    let (hour, minute, second) = (two(head, 11)?, two(head, 14)?, two(head, 17)?);
    if second == 60 {
        return Err(TimeError::LeapSecond);
    }
    if hour > 23 || minute > 59 || second > 59 {
        return Err(TimeError::NoSuchTime);
    }
    Ok(i64::from(hour * 3600 + minute * 60 + second) * SECOND)
}

/// Two digits.
#[inline]
fn two(head: &[u8; 19], at: usize) -> Result<u32, TimeError> {
    Ok(u32::from(digit(head[at])?) * 10 + u32::from(digit(head[at + 1])?))
}

#[inline]
fn fraction(text: &[u8]) -> Result<(i64, &[u8]), TimeError> {
    let Some((b'.', digits)) = text.split_first() else {
        return Ok((0, text));
    };
    let (mut micros, mut weight) = (0, SECOND);
    let mut len = 0;
    while let Some(digit @ b'0'..=b'9') = digits.get(len) {
        weight /= 10;
        micros += i64::from(digit - b'0') * weight;
        len += 1;
    }
    if len == 0 {
        return Err(TimeError::Form);
    }
    Ok((micros, &digits[len..]))
}

/// The offset from UTC: `Z`, `+hh:mm` or `-hh:mm`.
fn offset(text: &[u8]) -> Result<i64, TimeError> {
    match *text {
        [b'Z' | b'z'] => Ok(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let hours = i64::from(digit(h1)? * 10 + digit(h2)?);
            let minutes = i64::from(digit(m1)? * 10 + digit(m2)?);
            if hours > 23 || minutes > 59 {
                return Err(TimeError::NoSuchTime);
            }
            let offset = (hours * 60 + minutes) * 60 * SECOND;
            Ok(if sign == b'-' { -offset } else { offset })
        }
        _ => Err(TimeError::Form),
    }
}

fn days_in_month(year: u32, month: u32) -> u32 {
    let divides = |years: u32| year.is_multiple_of(years);
    let leap = divides(4) && (!divides(100) || divides(400));
    match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the Unix epoch (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of a number of days since the Unix epoch (the inverse of the above).
fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month as u32, day)
}

/// Writes `2013-01-01T10:15:00Z`, with as many fraction digits as the time needs, at most six.
///
/// A time outside the years 0 to 9999 (the bounds of a global window) is written in ISO 8601's
/// expanded form, `+294247-01-10T04:00:54.775807Z`, which is not read back.
pub fn write_rfc3339(time: i64, out: &mut Vec<u8>) {
    write_date_and_time(time, b'T', out);
    write_fraction(time, 0, out);
    out.push(b'Z');
}

/// Writes `2013-01-01 10:15:00.000`: in UTC, with three fraction digits, or as many more as the
/// time needs.
pub fn write_sql(time: i64, out: &mut Vec<u8>) {
    write_date_and_time(time, b' ', out);
    write_fraction(time, 3, out);
}

/// [`write_rfc3339`] as a `String`, for messages.
pub fn rfc3339(time: i64) -> String {
    let mut out = Vec::with_capacity(32);
    write_rfc3339(time, &mut out);
    out.into_iter().map(char::from).collect()
}

fn write_date_and_time(time: i64, separator: u8, out: &mut Vec<u8>) {
    let (year, month, day) = civil_from_days(time.div_euclid(DAY));
    let seconds = (time.rem_euclid(DAY) / SECOND) as u32;
    if (0..=9999).contains(&year) {
        two_digits(year as u32 / 100, out);
        two_digits(year as u32 % 100, out);
    } else {
        out.extend(format!("{year:+07}").as_bytes());
    }
    out.push(b'-');
    two_digits(month, out);
    out.push(b'-');
    two_digits(day, out);
    out.push(separator);
    two_digits(seconds / 3600, out);
    out.push(b':');
    two_digits(seconds / 60 % 60, out);
    out.push(b':');
    two_digits(seconds % 60, out);
}

fn two_digits(number: u32, out: &mut Vec<u8>) {
    out.extend([b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]);
}

/// The fraction of the second with at least `least` digits, and no point if that makes none.
fn write_fraction(time: i64, least: usize, out: &mut Vec<u8>) {
    let mut micros = time.rem_euclid(SECOND) as u32;
    let mut digits = [b'0'; 6];
    for place in digits.iter_mut().rev() {
        *place = b'0' + (micros % 10) as u8;
        micros /= 10;
    }
    let needed = digits
        .iter()
        .rposition(|&d| d != b'0')
        .map_or(0, |last| last + 1);
    let len = needed.max(least);
    if len > 0 {
        out.push(b'.');
        out.extend(&digits[..len]);
    }
}
