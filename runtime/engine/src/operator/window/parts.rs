//! What a window operator is made of.

use std::sync::Arc;

use arrow_schema::SchemaRef;
use tidemill_core::window::WindowOperator;

use super::called::Called;
use crate::blame::Blame;
use crate::metrics::Counters;
use crate::operator::keying::{Keying, NullKey};
use crate::talk::Talk;

/// What a window operator is made of.
pub struct WindowParts {
    /// Decides.
    pub window: WindowOperator,
    /// The key.
    pub keying: Keying,
    /// What becomes of null keys.
    pub null_key: NullKey,
    /// Holds what windows hold, and calls the function.
    pub called: Called,
    /// Which of the key columns the function wants, as indices of the key.
    pub finish_keys: Vec<usize>,
    /// Result schemas: of the main output, then of the side outputs.
    pub schemas: Vec<SchemaRef>,
    /// Where the function is heard.
    pub talk: Talk,
    /// Whom failed rows are put down to, and what is done about them.
    pub blame: Blame,
    /// Whether a window that fires again takes back what it has sent.
    pub retract: bool,
    /// Counters of this operator on this worker.
    pub counters: Arc<Counters>,
}
