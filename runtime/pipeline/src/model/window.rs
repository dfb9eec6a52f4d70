//! The window of an operator.

use tidemill_core::window::WindowSpec;

use crate::place::Span;

/// A window and where it stands.
#[derive(Clone, Debug)]
pub struct Window {
    /// What the core is told.
    pub spec: WindowSpec,
    /// The value of `window`.
    pub span: Span,
}
