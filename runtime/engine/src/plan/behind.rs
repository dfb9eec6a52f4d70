//! Rows that come behind their own time (semantics, Watermarks 2): a window downstream that has no lateness refuses them.
//!
//! A correction has the time of its window's end, which W has passed; a result of `global` or `rows` that of its newest row;
//! a late row its own. None of this is wrong, but few mean it, so it is said.

use tidemill_core::window::{WindowKind, WindowSpec};
use tidemill_pipeline::units::show_duration;
use tidemill_pipeline::{Operator, Span};

use super::streams::Planner;
use super::{StationKind, WorkTime};
use crate::operator::window::LATE;

/// What comes behind its time, and from where.
struct Cause {
    /// The operator, as the file names its output.
    from: String,
    /// What it sends.
    sends: String,
    /// Where its window stands.
    span: Span,
}

/// Warns of each window that refuses what others send behind its time.
pub fn warn(planner: &mut Planner<'_>) {
    for station in 0..planner.stations.len() {
        let planned = &planner.stations[station];
        let Some(StationKind::Window(window)) = &planned.kind else {
            continue;
        };
        if planned.time == WorkTime::Processing || !refuses(&window.spec) {
            continue;
        }
        let slides = matches!(window.spec.kind, WindowKind::Slide { .. });
        let Some(operator) = operator(planner, &planned.name) else {
            continue;
        };
        let (name, span) = (operator.name.value.clone(), span_of(operator));
        let Some(cause) = cause(planner, station) else {
            continue;
        };
        let help = match slides {
            true => format!(
                "`slide` has no lateness: another window takes them, and `{name}.late` has what is refused"
            ),
            false => format!(
                "give `window` of `{name}` a `lateness` too; `{name}.late` has what is refused"
            ),
        };
        planner
            .diagnostics
            .warn(
                &span,
                format!(
                    "{} come to `{name}` when its windows may be closed",
                    cause.sends
                ),
            )
            .label("takes no row whose time has passed")
            .also(&cause.span, format!("of `{}`", cause.from))
            .help(help);
    }
}

/// Whether a window refuses rows that are behind, once it has ended.
fn refuses(spec: &WindowSpec) -> bool {
    let endless = matches!(spec.kind, WindowKind::Global | WindowKind::Rows { .. });
    !endless && spec.lateness == 0
}

/// The first of what comes behind its time to a station, through transforms too.
fn cause(planner: &Planner<'_>, station: usize) -> Option<Cause> {
    let inputs = planner.edges.iter().filter(|edge| edge.to == station);
    for edge in inputs {
        let from = &planner.stations[edge.from];
        let found = match &from.kind {
            Some(StationKind::Transform(_)) => cause(planner, edge.from),
            Some(StationKind::Window(window)) => {
                let operator = operator(planner, &from.name)?;
                let output = match from.ports[edge.port].name.as_str() {
                    "" => from.name.clone(),
                    port => format!("{}.{port}", from.name),
                };
                let sends = match edge.port {
                    LATE => Some("late rows".to_owned()),
                    _ => sends(&window.spec),
                };
                sends.map(|sends| Cause {
                    from: output,
                    sends,
                    span: span_of(operator),
                })
            }
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// What a window sends behind its time.
fn sends(spec: &WindowSpec) -> Option<String> {
    let by_rows = spec.triggers.each_row || spec.triggers.every_rows.is_some();
    match spec.kind {
        WindowKind::Global => {
            Some("results with the time of the newest row of `global`".to_owned())
        }
        WindowKind::Rows { .. } => {
            Some("results with the time of the newest row of `rows`".to_owned())
        }
        _ if spec.lateness > 0 && (by_rows || !spec.triggers.only) => Some(format!(
            "corrections, up to {} after their windows' ends,",
            show_duration(spec.lateness)
        )),
        _ => None,
    }
}

fn operator<'a>(planner: &Planner<'a>, name: &str) -> Option<&'a Operator> {
    let operators = planner.pipeline.operators.iter();
    operators
        .into_iter()
        .find(|operator| operator.name.value == name)
}

fn span_of(operator: &Operator) -> Span {
    let window = operator.window.as_ref();
    window.map_or_else(|| operator.name.span.clone(), |window| window.span.clone())
}
