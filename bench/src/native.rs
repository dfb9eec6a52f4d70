//! The bench's functions compiled in, behind the same seam as guests.

use arrow_array::ArrayRef;
use bench_functions::{Count, EveryNth, HalfOut, ReadAll, Sum};
use tidemill::Function;
use tidemill::native;
use tidemill_engine::functions::{AggregateCalls, Functions, TransformCalls};
use tidemill_rows::Field;
use tidemill_wasm::{
    Accumulated, Arena, CallError, Column, Emitted, Firings, Module, ModuleError, Outcome,
    Produced, RowsIn, Settings, Table, Values, column_to_arrow, table_from_arrow,
};

/// Functions compiled into the bench.
pub struct CompiledIn;

/// One of them.
pub struct Native {
    function: Box<dyn Function + Send>,
    output: Vec<Field>,
}

impl Functions for CompiledIn {
    fn transform(
        &self,
        module: &Module,
        settings: Settings,
    ) -> Result<Box<dyn TransformCalls>, ModuleError> {
        Ok(Box::new(Native::new(module, &settings)))
    }

    fn aggregate(
        &self,
        module: &Module,
        settings: Settings,
    ) -> Result<Box<dyn AggregateCalls>, ModuleError> {
        Ok(Box::new(Native::new(module, &settings)))
    }
}

impl Native {
    /// The function of the module, by its name.
    pub fn new(module: &Module, settings: &Settings) -> Self {
        fn of<F: Function + Send>(config: &str) -> Box<dyn Function + Send> {
            Box::new(native::configure::<F>(config).expect("the module took the configuration"))
        }
        let described = &module.description().functions[settings.function];
        let function = match described.name.as_str() {
            "read-all" => of::<ReadAll>(&settings.config),
            "half-out" => of::<HalfOut>(&settings.config),
            "every-nth" => of::<EveryNth>(&settings.config),
            "count" => of::<Count>(&settings.config),
            "sum" => of::<Sum>(&settings.config),
            other => panic!("{other} is not compiled into the bench"),
        };
        Self {
            function,
            output: described.output.fields().to_vec(),
        }
    }

    fn outcome(&self, output: native::Output) -> Outcome {
        let emitted =
            output.emitted.into_iter().map(|emitted| {
                let rows = emitted.origins.len();
                let columns = emitted.columns.into_iter().zip(&self.output).map(
                    |(column, field)| match column {
                        native::Produced::Input(n) => Produced::Input(n),
                        native::Produced::Made(column) => {
                            let column = column_to_arrow(&to_host(column), field, rows);
                            Produced::Made(column.expect("the function makes what it declares"))
                        }
                    },
                );
                Emitted {
                    target: emitted.target as usize,
                    columns: columns.collect(),
                    origins: emitted.origins,
                    times: emitted.times,
                    changes: emitted.changes,
                }
            });
        Outcome {
            emitted: emitted.collect(),
            failed: Vec::new(),
        }
    }
}

impl TransformCalls for Native {
    fn apply(&mut self, rows: &RowsIn<'_>) -> Result<Outcome, CallError> {
        let output = self
            .function
            .apply(&batch(rows))
            .expect("the function serves the call");
        Ok(self.outcome(output))
    }
}

impl AggregateCalls for Native {
    fn create(&mut self) -> Result<Table, CallError> {
        Ok(table_to_host(
            self.function
                .create()
                .expect("the function serves the call"),
        ))
    }

    fn accumulate(
        &mut self,
        rows: &RowsIn<'_>,
        groups: &[u32],
        accs: &Table,
        marks: &[u32],
        _keys: &[u32],
    ) -> Result<Accumulated, CallError> {
        let done = self
            .function
            .accumulate(&batch(rows), groups, &table(accs), marks);
        Ok(accumulated(done.expect("the function serves the call")))
    }

    fn merge(
        &mut self,
        into: &Table,
        others: &Table,
        groups: &[u32],
    ) -> Result<Accumulated, CallError> {
        let done = self.function.merge(&table(into), &table(others), groups);
        Ok(accumulated(done.expect("the function serves the call")))
    }

    fn finish(
        &mut self,
        keys: &[ArrayRef],
        firings: &Firings,
        accs: &Table,
    ) -> Result<Outcome, CallError> {
        let told = native::Firings {
            starts: firings.starts.clone(),
            ends: firings.ends.clone(),
            moments: firings.moments.clone(),
            numbers: firings.numbers.clone(),
            last: firings.last.clone(),
        };
        let keys = table(&table_from_arrow(keys, firings.len()));
        let output = self.function.finish(&keys, &told, &table(accs));
        Ok(self.outcome(output.expect("the function serves the call")))
    }
}

fn accumulated(done: native::Accumulated) -> Accumulated {
    Accumulated {
        accs: table_to_host(done.accs),
        marked: table_to_host(done.marked),
        failed: Vec::new(),
        clean: done.clean,
    }
}

fn batch(rows: &RowsIn<'_>) -> native::Batch {
    native::Batch {
        rows: rows.len as u32,
        times: rows.times.to_vec(),
        stamps: rows.stamps.map(<[i64]>::to_vec),
        changes: rows.changes.map(<[u8]>::to_vec),
        columns: table_from_arrow(rows.columns, rows.len)
            .columns
            .into_iter()
            .map(to_guest)
            .collect(),
    }
}

fn table(table: &Table) -> native::Table {
    native::Table {
        rows: table.rows,
        columns: table.columns.iter().cloned().map(to_guest).collect(),
    }
}

fn table_to_host(table: native::Table) -> Table {
    Table {
        rows: table.rows,
        columns: table.columns.into_iter().map(to_host).collect(),
    }
}

fn to_guest(column: Column) -> native::Column {
    let values = match column.values {
        Values::Octets(v) => native::Values::Octets(v),
        Values::Words(v) => native::Values::Words(v),
        Values::Floats(v) => native::Values::Floats(v),
        Values::Arena(Arena { offsets, bytes }) => {
            native::Values::Arena(native::Arena { offsets, bytes })
        }
    };
    native::Column {
        values,
        valid: column.valid,
    }
}

fn to_host(column: native::Column) -> Column {
    let values = match column.values {
        native::Values::Octets(v) => Values::Octets(v),
        native::Values::Words(v) => Values::Words(v),
        native::Values::Floats(v) => Values::Floats(v),
        native::Values::Arena(native::Arena { offsets, bytes }) => {
            Values::Arena(Arena { offsets, bytes })
        }
    };
    Column {
        values,
        valid: column.valid,
    }
}
