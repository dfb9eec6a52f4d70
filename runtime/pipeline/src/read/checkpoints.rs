//! Checkpoints.

use std::time::Duration;

use crate::diagnostics::Diagnostics;
use crate::keys::CHECKPOINTS;
use crate::model::Checkpoints;
use crate::place::Spanned;
use crate::section::Section;
use crate::tree::Value;

/// Reads `[checkpoints]`; nothing if there is none, or something in it is wrong.
pub(super) fn read(top: &Section<'_>, d: &mut Diagnostics) -> Option<Checkpoints> {
    let section = top.table("checkpoints", &CHECKPOINTS, d)?;
    let location = section.text("location", d);
    let settings = settings(&section, d);
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

fn settings(section: &Section<'_>, d: &mut Diagnostics) -> Vec<(Spanned<String>, Spanned<String>)> {
    let Some(entry) = section.entry("settings") else {
        return Vec::new();
    };
    let Value::Table(entries) = &entry.node.value else {
        return section
            .refuse("settings", &entry.node, d)
            .unwrap_or_default();
    };
    let mut settings = Vec::new();
    for entry in entries {
        match &entry.node.value {
            Value::Text(text) => settings.push((
                entry.key.clone(),
                Spanned::new(text.clone(), entry.node.span.clone()),
            )),
            _ => {
                d.error(
                    &entry.node.span,
                    format!("`settings` of {} holds no text", section.title),
                )
                .label(format!("expected a text, found {}", entry.node.found()))
                .help(format!("as in `settings = {{ {} = \"...\" }}`", entry.key));
            }
        }
    }
    settings
}
