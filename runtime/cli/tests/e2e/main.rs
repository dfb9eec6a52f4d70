//! The real binary, from the command line to what it writes.

mod bad_rows;
mod bench;
mod build;
mod check;
mod checkpoint;
mod checks;
mod clocks;
mod doctor;
mod examples;
mod failures;
mod infer;
mod inspect;
mod kills;
mod live;
mod new;
mod processes;
mod pure;
mod rerun;
mod scenarios;
mod shells;
mod support;
mod walk;
mod watch;
