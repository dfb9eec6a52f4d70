//! Puts runs of rows from several splits together as one batch.

use arrow_array::RecordBatch;
use arrow_buffer::ScalarBuffer;

use super::prepare::Prepared;

/// Rows `from .. from + len` of chunk `chunk`, which belongs to split `split`.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Index of the chunk among those of the batch.
    pub chunk: usize,
    /// Index of the split's name.
    pub split: u32,
    /// First row.
    pub from: usize,
    /// How many rows.
    pub len: usize,
}

/// Runs shorter than this on average are picked row by row; longer ones are copied as they are.
const LONG_RUN: usize = 16;

/// The rows of the runs, in order.
pub fn columns(chunks: &[Prepared], runs: &[Run]) -> RecordBatch {
    if let [run] = runs {
        return chunks[run.chunk].rows.slice(run.from, run.len);
    }
    let rows: usize = runs.iter().map(|run| run.len).sum();
    if rows >= runs.len() * LONG_RUN {
        let parts: Vec<RecordBatch> = runs
            .iter()
            .map(|run| chunks[run.chunk].rows.slice(run.from, run.len))
            .collect();
        return arrow_select::concat::concat_batches(&parts[0].schema(), &parts)
            .expect("chunks of one source have one schema");
    }
    let sources: Vec<&RecordBatch> = chunks.iter().map(|chunk| &chunk.rows).collect();
    let places: Vec<(usize, usize)> = runs
        .iter()
        .flat_map(|run| (run.from..run.from + run.len).map(|row| (run.chunk, row)))
        .collect();
    arrow_select::interleave::interleave_record_batch(&sources, &places)
        .expect("chunks of one source have one schema")
}

/// What each run carries, end to end.
pub fn carried<T: Copy + arrow_buffer::ArrowNativeType>(
    chunks: &[Prepared],
    runs: &[Run],
    of: impl Fn(&Prepared) -> &ScalarBuffer<T>,
) -> ScalarBuffer<T> {
    if let [run] = runs {
        return of(&chunks[run.chunk]).slice(run.from, run.len);
    }
    let mut all = Vec::with_capacity(runs.iter().map(|run| run.len).sum());
    for run in runs {
        all.extend_from_slice(&of(&chunks[run.chunk])[run.from..run.from + run.len]);
    }
    all.into()
}
