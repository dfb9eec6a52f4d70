//! What can be done with tables of accumulators: lending them to a call, picking rows, putting rows back.

use crate::wire::{Arena, ArenaRef, Column, ColumnRef, Table, Values, ValuesRef};

impl Column {
    /// The column as a call takes it.
    pub fn lend(&self) -> ColumnRef<'_> {
        let values = match &self.values {
            Values::Octets(octets) => ValuesRef::Octets(octets),
            Values::Words(words) => ValuesRef::Words(words),
            Values::Floats(floats) => ValuesRef::Floats(floats),
            Values::Arena(Arena { offsets, bytes }) => {
                ValuesRef::Arena(ArenaRef { offsets, bytes })
            }
        };
        ColumnRef {
            values,
            valid: self.valid.as_deref(),
        }
    }
}

impl Arena {
    fn is_whole(&self, rows: usize) -> bool {
        self.offsets.len() == rows + 1
            && self.offsets[0] == 0
            && self.offsets.is_sorted()
            && self.offsets[rows] as usize == self.bytes.len()
    }
}

impl Table {
    /// A table without rows, with the columns of this one.
    pub fn without_rows(&self) -> Self {
        self.gather(&[])
    }

    /// The columns as a call takes them.
    pub fn lend(&self) -> Vec<ColumnRef<'_>> {
        self.columns.iter().map(Column::lend).collect()
    }

    /// The rows named, in the order named.
    ///
    /// # Panics
    /// If a row is out of range.
    pub fn gather(&self, rows: &[u32]) -> Self {
        Self {
            rows: rows.len() as u32,
            columns: self
                .columns
                .iter()
                .map(|column| gather(column, rows))
                .collect(),
        }
    }

    /// Rows of several tables of the same columns, each named by table and row.
    ///
    /// # Panics
    /// If there is no table, if the tables' columns differ in layout, or if a row is out of range.
    pub fn interleave(tables: &[&Self], picks: &[(usize, usize)]) -> Self {
        let columns = (0..tables[0].columns.len()).map(|at| {
            let columns: Vec<&Column> = tables.iter().map(|table| &table.columns[at]).collect();
            interleave(&columns, picks)
        });
        Self {
            rows: picks.len() as u32,
            columns: columns.collect(),
        }
    }

    /// All rows of several tables of the same columns, end to end.
    ///
    /// # Panics
    /// If there is no table, or if the tables' columns differ in layout.
    pub fn concat(tables: &[&Self]) -> Self {
        let picks = tables.iter().enumerate();
        let picks =
            picks.flat_map(|(at, table)| (0..table.rows as usize).map(move |row| (at, row)));
        Self::interleave(tables, &picks.collect::<Vec<_>>())
    }

    /// Whether it has columns of the same layouts as another, each with as many values as there are rows: what must be
    /// known of a table from outside before anything else is done with it.
    pub fn is_like(&self, other: &Self) -> bool {
        let rows = self.rows as usize;
        let like = |(column, other): (&Column, &Column)| {
            let values = match (&column.values, &other.values) {
                (Values::Octets(v), Values::Octets(_)) => v.len() == rows,
                (Values::Words(v), Values::Words(_)) => v.len() == rows,
                (Values::Floats(v), Values::Floats(_)) => v.len() == rows,
                (Values::Arena(arena), Values::Arena(_)) => arena.is_whole(rows),
                _ => false,
            };
            values
                && column
                    .valid
                    .as_ref()
                    .is_none_or(|valid| valid.len() == rows)
        };
        self.columns.len() == other.columns.len()
            && self.columns.iter().zip(&other.columns).all(like)
    }

    /// Replaces the rows named by those of `new`, in order.
    ///
    /// # Panics
    /// If a row is out of range, or `new` has fewer rows than are named.
    pub fn scatter(&mut self, rows: &[u32], new: &Self) {
        let mut picks: Vec<(usize, usize)> = (0..self.rows as usize).map(|row| (0, row)).collect();
        for (from, &to) in rows.iter().enumerate() {
            picks[to as usize] = (1, from);
        }
        *self = Self::interleave(&[self, new], &picks);
    }
}

fn gather(column: &Column, rows: &[u32]) -> Column {
    fn of<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
        rows.iter().map(|&row| values[row as usize]).collect()
    }
    let values = match &column.values {
        Values::Octets(octets) => Values::Octets(of(octets, rows)),
        Values::Words(words) => Values::Words(of(words, rows)),
        Values::Floats(floats) => Values::Floats(of(floats, rows)),
        Values::Arena(_) => {
            let picks: Vec<(usize, usize)> = rows.iter().map(|&row| (0, row as usize)).collect();
            Values::Arena(pick_arena(&[column], &picks))
        }
    };
    Column {
        values,
        valid: column.valid.as_ref().map(|valid| of(valid, rows)),
    }
}

fn interleave(columns: &[&Column], picks: &[(usize, usize)]) -> Column {
    let values = match &columns[0].values {
        Values::Octets(_) => Values::Octets(pick(columns, picks, |values| match values {
            Values::Octets(octets) => octets,
            other => other_layout(other),
        })),
        Values::Words(_) => Values::Words(pick(columns, picks, |values| match values {
            Values::Words(words) => words,
            other => other_layout(other),
        })),
        Values::Floats(_) => Values::Floats(pick(columns, picks, |values| match values {
            Values::Floats(floats) => floats,
            other => other_layout(other),
        })),
        Values::Arena(_) => Values::Arena(pick_arena(columns, picks)),
    };
    let valid = columns
        .iter()
        .any(|column| column.valid.is_some())
        .then(|| {
            let valid = |&(table, row): &(usize, usize)| -> u8 {
                let valid: Option<&Vec<u8>> = columns[table].valid.as_ref();
                valid.map_or(1, |valid| valid[row])
            };
            picks.iter().map(valid).collect()
        });
    Column { values, valid }
}

fn pick<T: Copy>(
    columns: &[&Column],
    picks: &[(usize, usize)],
    list: impl Fn(&Values) -> &Vec<T>,
) -> Vec<T> {
    let lists: Vec<&Vec<T>> = columns.iter().map(|column| list(&column.values)).collect();
    picks
        .iter()
        .map(|&(table, row)| lists[table][row])
        .collect()
}

fn pick_arena(columns: &[&Column], picks: &[(usize, usize)]) -> Arena {
    let mut picked = Arena {
        offsets: Vec::with_capacity(picks.len() + 1),
        bytes: Vec::new(),
    };
    picked.offsets.push(0);
    for &(table, row) in picks {
        let Values::Arena(Arena { offsets, bytes }) = &columns[table].values else {
            other_layout(&columns[table].values)
        };
        let value = offsets[row] as usize..offsets[row + 1] as usize;
        picked.bytes.extend_from_slice(&bytes[value]);
        picked.offsets.push(picked.bytes.len() as u32);
    }
    picked
}

fn other_layout(values: &Values) -> ! {
    panic!("tables of different layouts were put together: {values:?}")
}
