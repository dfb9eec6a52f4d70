//! One function of each sort that the SDK makes, for tests of the host.

mod aggregates;
mod changing;
mod failing;
mod impure;
mod processes;
mod ringing;
mod sifting;
mod tally;
mod transforms;
mod whole;

pub use aggregates::{Count, Sum, SumFloats, Velocity};
pub use changing::{Newest, Standing, Undo};
pub use failing::{Crowded, FailAfterChange, PickySum, TrapAfterChange, Trapping};
pub use impure::{AddBefore, CountResults, CountWindows, LatestEver, Numbering, SumFloatsAnyhow};
pub use processes::{Busy, Keeping, Lasting};
pub use ringing::Ringing;
pub use sifting::{FailFinish, FailMerge, Sift, Unmarked};
pub use tally::{Tally, TallyLess, TallyMore};
pub use transforms::{Large, Route, Tag, Words};
pub use whole::{List, Members, Punctuated, Tolerant};

tidemill::module!(
    Count,
    Sum,
    SumFloats,
    Velocity,
    FailAfterChange,
    PickySum,
    Crowded,
    TrapAfterChange,
    Trapping,
    Large,
    Tag,
    Words,
    Route,
    Unmarked,
    Sift,
    FailMerge,
    FailFinish,
    Numbering,
    AddBefore,
    CountResults,
    SumFloatsAnyhow,
    CountWindows,
    LatestEver,
    List,
    Members,
    Punctuated,
    Tolerant,
    Busy,
    Keeping,
    Lasting,
    Ringing,
    Tally,
    TallyMore,
    TallyLess,
    Newest,
    Standing,
    Undo
);
