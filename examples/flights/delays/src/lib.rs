//! What the departures of flights say: how punctual an airport was, its worst delays and jams, what each aircraft
//! did.
//!
//! One file per question. A cancelled flight is one that never departed: it has no delay, and counts as what it is.

mod board;
mod departures;
mod jam;
mod working_day;
mod worst;

pub use board::Board;
pub use departures::Departures;
pub use jam::Jams;
pub use working_day::WorkingDay;
pub use worst::Worst;

tidemill::module!(Departures, Worst, WorkingDay, Jams, Board);
