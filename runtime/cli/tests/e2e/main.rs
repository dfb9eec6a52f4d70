//! The real binary, from the command line to what it writes.

mod bad_rows;
mod bench;
mod build;
mod check;
mod doctor;
mod examples;
mod failures;
mod inspect;
mod live;
mod new;
mod pure;
mod rerun;
mod scenarios;
mod support;
