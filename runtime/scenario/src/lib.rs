//! Scenario files: a text that says what is done, step by step, and what comes out of each step.
//!
//! ```text
//! # A comment.
//! pipeline fraud.toml             the head, which says what is tested; an empty line ends it
//!
//! rows payments                   a step: a directive,
//! {"account":"a","amount":6.0}    its input lines,
//! ----                            dashes,
//! velocity {"account":"a"}        what comes out, and an empty line
//! ```
//!
//! Owns the form ([`parse`], [`Scenario::with`]), the words of scenarios that test a pipeline ([`pipeline`]) and the
//! difference between what should come out and what came ([`difference`]). Runs nothing: whoever does gives the lines that
//! came out of each step. The core's own scenarios, which test one operator, have the same form and other words.
//!
//! Invariants:
//! 1. A text that is read and written again with what it expects is the same text, but for empty lines between steps.
//! 2. Every mistake has a place in the text and says what to do ([`Mistake`]); no text makes this crate panic.

pub mod difference;
mod form;
mod mistake;
pub mod pipeline;

pub use form::{DASHES, Line, Scenario, Step, parse};
pub use mistake::Mistake;
