//! The words of a scenario that tests a pipeline: its head and its directives.
//!
//! Nothing is known here of the pipeline itself; that a source exists is checked by whoever runs the scenario.

mod directive;
mod head;
mod moment;

pub use directive::{Directive, Of, directive};
pub use head::{Head, Named, head};
pub use moment::moment;
