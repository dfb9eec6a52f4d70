//! What is kept for a key, for people: the words that a family has saved, as windows, panes and rows.
//!
//! Nothing is loaded for it, and nothing follows from it. Accumulators and stored rows are named by their place among those
//! that were saved with the words.

use super::fixed::grid::Grid;
use super::saved::Unreadable;
use super::slide::{NO_PREFIX, PREFIX_MADE, PREFIX_OF_PANE};
use super::{WindowKind, WindowSpec};

/// One thing that is kept for a key. Times in microseconds; `acc` and `row` are places among what was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A window.
    Window {
        /// Its start.
        start: i64,
        /// Its end.
        end: i64,
        /// How often it has fired.
        fired: u32,
        /// How many rows it has taken, where they are counted.
        rows: Option<u32>,
        /// Its accumulator, if it has one of its own.
        acc: Option<usize>,
    },
    /// A slice of time that windows share.
    Pane {
        /// Its start.
        start: i64,
        /// Its end.
        end: i64,
        /// The accumulator of its rows, or of some of them that some windows refused.
        acc: usize,
    },
    /// A stored row.
    Row {
        /// Its time.
        time: i64,
        /// Which.
        row: usize,
    },
}

/// What words say that an operator with this window has saved for a key.
///
/// # Errors
/// If they are not what such an operator saves.
pub fn see(spec: &WindowSpec, words: &[i64]) -> Result<Vec<Seen>, Unreadable> {
    let mut reader = Reader {
        words: words.iter(),
        accs: 0,
        rows: 0,
        seen: Vec::new(),
    };
    let grid = grid(spec);
    match spec.kind {
        WindowKind::Slide { .. } if spec.stored.is_some() => {
            reader.stored()?;
            reader.stored()?;
        }
        WindowKind::Slide { .. } => reader.slid()?,
        _ if !spec.is_plain() => reader.tracked(grid.as_ref())?,
        WindowKind::Session { .. } => reader.sessions()?,
        _ => reader.parts(grid.as_ref())?,
    }
    match reader.words.next() {
        None => Ok(reader.seen),
        Some(_) => Err(Unreadable),
    }
}

fn grid(spec: &WindowSpec) -> Option<Grid> {
    let has = matches!(
        spec.kind,
        WindowKind::Tumble { .. } | WindowKind::Hop { .. } | WindowKind::Cumulate { .. }
    );
    has.then(|| Grid::new(spec.kind))
}

struct Reader<'a> {
    words: std::slice::Iter<'a, i64>,
    accs: usize,
    rows: usize,
    seen: Vec<Seen>,
}

impl Reader<'_> {
    fn word(&mut self) -> Result<i64, Unreadable> {
        self.words.next().copied().ok_or(Unreadable)
    }

    fn count(&mut self) -> Result<usize, Unreadable> {
        usize::try_from(self.word()?).map_err(|_| Unreadable)
    }

    fn number(&mut self) -> Result<u32, Unreadable> {
        u32::try_from(self.word()?).map_err(|_| Unreadable)
    }

    fn acc(&mut self) -> usize {
        self.accs += 1;
        self.accs - 1
    }

    fn own(&mut self) -> Result<Option<usize>, Unreadable> {
        match self.word()? {
            0 => Ok(None),
            1 => Ok(Some(self.acc())),
            _ => Err(Unreadable),
        }
    }

    fn stored(&mut self) -> Result<(), Unreadable> {
        for _ in 0..self.count()? {
            let (time, _first, _id) = (self.word()?, self.word()?, self.word()?);
            self.seen.push(Seen::Row {
                time,
                row: self.rows,
            });
            self.rows += 1;
        }
        Ok(())
    }

    fn sessions(&mut self) -> Result<(), Unreadable> {
        for _ in 0..self.count()? {
            let (start, end, fired) = (self.word()?, self.word()?, self.number()?);
            let acc = self.own()?;
            self.seen.push(Seen::Window {
                start,
                end,
                fired,
                rows: None,
                acc,
            });
        }
        Ok(())
    }

    fn slid(&mut self) -> Result<(), Unreadable> {
        for _ in 0..self.count()? {
            let (time, _rows, acc) = (self.word()?, self.word()?, self.acc());
            self.seen.push(Seen::Pane {
                start: time,
                end: time.saturating_add(1),
                acc,
            });
        }
        let (_fired, _block) = (self.word()?, self.word()?);
        match self.word()? {
            NO_PREFIX => {}
            PREFIX_OF_PANE => _ = self.word()?,
            // A merge of panes that stand here already.
            PREFIX_MADE => _ = self.acc(),
            _ => return Err(Unreadable),
        }
        Ok(())
    }

    fn tracked(&mut self, grid: Option<&Grid>) -> Result<(), Unreadable> {
        for _ in 0..self.count()? {
            let (start, end, _largest) = (self.word()?, self.word()?, self.word()?);
            let rows = Some(self.number()?);
            let (_unsent, _counted, fired) = (self.word()?, self.word()?, self.number()?);
            let acc = self.own()?;
            self.seen.push(Seen::Window {
                start,
                end,
                fired,
                rows,
                acc,
            });
            self.stored()?;
            if self.word()? == 1 {
                let _sent = self.word()?;
            }
        }
        self.parts(grid)?;
        self.stored()
    }

    /// Accumulators of panes, and how often windows have fired.
    fn parts(&mut self, grid: Option<&Grid>) -> Result<(), Unreadable> {
        let from = self.seen.len();
        for _ in 0..self.count()? {
            let (pane, _refused, acc) = (self.word()?, self.word()?, self.acc());
            let (start, end) = grid.ok_or(Unreadable)?.span(pane);
            self.seen.push(Seen::Pane { start, end, acc });
        }
        for _ in 0..self.count()? {
            let (window, fired) = (self.word()?, self.number()?);
            let grid = grid.ok_or(Unreadable)?;
            self.seen.push(Seen::Window {
                start: grid.start(window),
                end: grid.end(window),
                fired,
                rows: None,
                acc: None,
            });
        }
        if grid.is_some_and(|grid| !grid.overlaps()) {
            self.join(from);
        }
        Ok(())
    }

    /// Where each window is one pane they are shown as one.
    fn join(&mut self, from: usize) {
        let parts = self.seen.split_off(from);
        for part in parts {
            let whole = match part {
                Seen::Pane { start, end, acc } => Seen::Window {
                    start,
                    end,
                    fired: 0,
                    rows: None,
                    acc: Some(acc),
                },
                other => other,
            };
            let Seen::Window {
                start, end, fired, ..
            } = whole
            else {
                continue;
            };
            let same = self.seen[from..].iter_mut().find_map(|one| match one {
                Seen::Window {
                    start: s,
                    end: e,
                    fired,
                    acc: Some(_),
                    ..
                } if (*s, *e) == (start, end) => Some(fired),
                _ => None,
            });
            match same {
                Some(known) if fired > 0 => *known = fired,
                _ => self.seen.push(whole),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start: i64, end: i64, fired: u32, acc: Option<usize>) -> Seen {
        Seen::Window {
            start,
            end,
            fired,
            rows: None,
            acc,
        }
    }

    fn pane(start: i64, end: i64, acc: usize) -> Seen {
        Seen::Pane { start, end, acc }
    }

    #[test]
    fn words_are_shown_as_what_they_stand_for() {
        let tumble = WindowKind::Tumble {
            size: 10,
            offset: 3,
        };
        let hop = WindowKind::Hop {
            size: 5,
            step: 2,
            offset: 0,
        };
        let session = WindowKind::Session { gap: 4 };
        let slide = WindowKind::Slide { range: 9 };
        let cases: Vec<(WindowKind, &[i64], Vec<Seen>)> = vec![
            (
                tumble,
                &[2, -1, 0, 4, 0, 1, -1, 2],
                vec![window(-7, 3, 2, Some(0)), window(43, 53, 0, Some(1))],
            ),
            (
                hop,
                &[2, 6, 0, 7, 1, 1, 2, 1],
                vec![pane(6, 7, 0), pane(7, 8, 1), window(4, 9, 1, None)],
            ),
            (
                session,
                &[2, 1, 5, 0, 1, 20, 30, 3, 0],
                vec![window(1, 5, 0, Some(0)), window(20, 30, 3, None)],
            ),
            (
                slide,
                &[2, 7, 1, 8, 2, 1, 0, PREFIX_MADE],
                vec![pane(7, 8, 0), pane(8, 9, 1)],
            ),
        ];
        for (kind, words, expected) in cases {
            let spec = WindowSpec::new(kind);
            assert_eq!(see(&spec, words), Ok(expected), "{kind:?}");
            assert_eq!(see(&spec, &words[..words.len() - 1]), Err(Unreadable));
            let more = [words, &[0]].concat();
            assert_eq!(see(&spec, &more), Err(Unreadable), "{kind:?}");
        }
    }
}
