//! What a scenario's words mean, before anything runs: its head, its directives, its splits.

use std::collections::BTreeMap;

use tidemill_scenario::pipeline::{self, Directive, Head, Of};
use tidemill_scenario::{Mistake, Scenario, Step};

/// A scenario whose words are understood.
pub struct Script<'a> {
    /// The head.
    pub head: Head,
    /// Each step and what it does.
    pub steps: Vec<(&'a Step<'a>, Directive)>,
}

/// Reads the words of a scenario.
///
/// # Errors
/// The first mistake.
pub fn script<'a>(scenario: &'a Scenario<'a>) -> Result<Script<'a>, Mistake> {
    let head = pipeline::head(scenario)?;
    let with_directive = |step: &'a Step<'a>| Ok((step, pipeline::directive(step)?));
    let steps: Vec<(&Step<'_>, Directive)> = scenario
        .steps
        .iter()
        .map(with_directive)
        .collect::<Result<_, Mistake>>()?;
    let (mut clock, mut crashed) = (i64::MIN, false);
    for (step, directive) in &steps {
        if std::mem::replace(&mut crashed, *directive == Directive::Crash)
            != matches!(directive, Directive::Restore(_))
        {
            let title = match directive {
                Directive::Restore(_) => "nothing has crashed that could be restored",
                _ => "the pipeline has crashed: nothing can be done with it",
            };
            return Err(Mistake::new(step.directive.span(), title)
                .label("expected `restore` directly below `crash`, and nowhere else")
                .help("a run that does not crash goes on by itself"));
        }
        match directive {
            Directive::ProcessingTime(now) if *now < clock => {
                let span = step.directive.span();
                return Err(Mistake::new(span, "the clock does not go back")
                    .label("expected a time not before that of the `processing-time` above")
                    .help("put the steps in the order of the clock"));
            }
            Directive::ProcessingTime(now) => clock = *now,
            Directive::Rows(_) | Directive::Deletes(_) if step.rows().next().is_none() => {
                let span = step.directive.span();
                let word = step.directive.words().next().map_or("", |(word, _)| word);
                return Err(Mistake::new(span, format!("no rows below `{word}`"))
                    .label("expected input lines below this one, as the source reads them")
                    .help("one row a line; below a source that reads CSV, a header first"));
            }
            _ => {}
        }
    }
    Ok(Script { head, steps })
}

impl Script<'_> {
    /// The splits that are named, of each source.
    pub fn splits(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut splits: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (_, directive) in &self.steps {
            let (Directive::Rows(of)
            | Directive::Deletes(of)
            | Directive::Watermark(of, _)
            | Directive::End(of)) = directive
            else {
                continue;
            };
            if let Of::Split(source, split) = of {
                let of_source = splits.entry(source).or_default();
                if !of_source.contains(&split.as_str()) {
                    of_source.push(split);
                }
            }
        }
        splits
    }

    /// How many workers there are at most.
    pub fn most_workers(&self) -> usize {
        let restored = self.steps.iter().map(|(_, directive)| match directive {
            Directive::Restore(Some(workers)) => *workers,
            _ => 1,
        });
        restored.fold(self.head.workers, usize::max)
    }

    /// Whether the clock is told at all.
    pub fn has_clock(&self) -> bool {
        self.steps
            .iter()
            .any(|(_, directive)| matches!(directive, Directive::ProcessingTime(_)))
    }
}
