//! A table for people: aligned columns, the header before the first rows, numbers to the right.
//! What comes later may widen a column, never move it back.

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row, Table, Width, presets,
};
use tidemill_rows::arrow_array::cast::AsArray;
use tidemill_rows::arrow_array::{Array, ArrayRef};
use tidemill_rows::visible::is_hidden;
use tidemill_rows::{Batch, LogicalType, Schema, json};

use super::{change_name, change_of};

/// Cells are cut to so many characters.
const WIDEST: usize = 60;

/// Writes rows as a table.
#[derive(Clone)]
pub struct TableWriter {
    changes: bool,
    names: Vec<String>,
    right: Vec<bool>,
    widths: Vec<u16>,
    head_written: bool,
}

impl TableWriter {
    /// A writer for rows of a schema.
    pub fn new(schema: &Schema, changes: bool) -> Self {
        let number = |ty| matches!(ty, LogicalType::Integer | LogicalType::Float);
        let fields = schema.fields().iter();
        let mut names: Vec<String> = fields.clone().map(|field| field.name().clone()).collect();
        let mut right: Vec<bool> = fields
            .map(|field| number(LogicalType::of(field.data_type())))
            .collect();
        if changes {
            names.insert(0, "change".to_owned());
            right.insert(0, false);
        }
        let widths = vec![0; names.len()];
        Self {
            changes,
            names,
            right,
            widths,
            head_written: false,
        }
    }

    /// Begins anew: the header comes with the next rows.
    pub fn begin(&mut self) {
        self.head_written = false;
    }

    /// Writes the rows of a batch, the first time with the header.
    pub fn rows(&mut self, batch: &Batch, out: &mut Vec<u8>) {
        if batch.is_empty() {
            return;
        }
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled);
        if !self.head_written {
            self.head_written = true;
            table.add_row(self.aligned(self.names.clone()));
        }
        for row in 0..batch.len() {
            let change = self
                .changes
                .then(|| change_name(change_of(batch, row)).to_owned());
            let columns = batch
                .columns
                .columns()
                .iter()
                .map(|column| cell(column, row));
            table.add_row(self.aligned(change.into_iter().chain(columns).collect()));
        }
        self.fix_widths(&mut table);
        for line in table.lines() {
            out.extend(line.trim_end().as_bytes());
            out.push(b'\n');
        }
    }

    fn aligned(&self, texts: Vec<String>) -> Row {
        let cells = texts.into_iter().zip(&self.right).map(|(text, &right)| {
            let alignment = if right {
                CellAlignment::Right
            } else {
                CellAlignment::Left
            };
            Cell::new(text).set_alignment(alignment)
        });
        Row::from(cells.collect::<Vec<_>>())
    }

    fn fix_widths(&mut self, table: &mut Table) {
        for (i, width) in table.column_max_content_widths().into_iter().enumerate() {
            self.widths[i] = self.widths[i].max(width);
            if let Some(column) = table.column_mut(i) {
                let (left, right) = if i == 0 { (0, 1) } else { (1, 1) };
                column.set_padding((left, right));
                let whole = self.widths[i].saturating_add(left + right);
                column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(whole)));
            }
        }
    }
}

/// What would do anything to a terminal but stand there.
fn hidden(c: char) -> bool {
    c.is_control() || is_hidden(c)
}

/// A value on one line.
fn cell(column: &ArrayRef, row: usize) -> String {
    let text = if column.is_null(row) {
        return "-".to_owned();
    } else if LogicalType::of(column.data_type()) == LogicalType::Text {
        column.as_string::<i32>().value(row).to_owned()
    } else {
        json::value(column, row).trim_matches('"').to_owned()
    };
    let shown: String = text
        .chars()
        .take(WIDEST)
        .map(|c| if hidden(c) { '·' } else { c })
        .collect();
    if text.chars().count() > WIDEST {
        format!("{shown}…")
    } else {
        shown
    }
}
