//! Tests of the core as a whole: scenario files, tables, and properties against a model that recomputes everything.

mod aggregate;
mod clocks;
mod lateness;
mod machine;
mod many_rows;
mod model;
mod properties;
mod restart;
mod scenario;
mod states;
mod timers;
