//! Checkpoints.

use std::time::Duration;

use crate::diagnostics::Diagnostics;
use crate::keys::CHECKPOINTS;
use crate::model::Checkpoints;
use crate::section::Section;

/// Reads `[checkpoints]`; nothing if there is none, or something in it is wrong.
pub(super) fn read(top: &Section<'_>, d: &mut Diagnostics) -> Option<Checkpoints> {
    let section = top.table("checkpoints", &CHECKPOINTS, d)?;
    let location = section.text("location", d);
    let settings = section.texts_by_name("settings", d);
    let duration = |name, d: &mut Diagnostics| -> Option<Duration> {
        Some(section.std_duration(name, d)?.value)
    };
    let interval = duration("interval", d);
    let min_pause = duration("min-pause", d);
    let timeout = duration("timeout", d);
    let keep = section.whole("keep", d);
    let tolerated_failures = section.whole("tolerated-failures", d);
    let restarts = section.whole("restarts", d);
    let restart_pause = section.std_duration("restart-pause", d);
    Some(Checkpoints {
        location: location?,
        settings,
        interval: interval?,
        min_pause: min_pause?,
        timeout: timeout?,
        keep: keep?.value as usize,
        tolerated_failures: tolerated_failures?.value as u32,
        restarts: restarts?.value as u32,
        restart_pause: restart_pause?.value,
    })
}
