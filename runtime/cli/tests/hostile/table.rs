//! The table of `docs/hostile-modules.md`, and how an ended case is held against its row.

use std::path::Path;

use crate::case::{Case, Ended, Ends};

/// Resident memory that no case may exceed. A module that may have 64 MiB can hand as much to the host, which makes
/// columns of it, twice while it checks.
const MOST_MIB: f64 = 256.0;
/// CPU time that no case may exceed, the compiling process included.
const MOST_CPU_S: f64 = 12.0;

/// A row of the table.
#[derive(Debug)]
pub struct Row {
    /// The name of the case.
    pub name: String,
    /// What the user sees; `-` is nothing.
    pub sees: String,
}

/// Reads the table: lines `| name | what it does | what meets it | what the user sees |`, the first and the last in backticks.
pub fn read() -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/hostile-modules.md");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line
        .split(" | ")
        .map(|cell| cell.trim_matches(['|', ' ']))
        .collect();
    let [name, does, meets, sees] = cells[..] else {
        panic!("four cells: {line}");
    };
    assert!(!does.is_empty() && !meets.is_empty(), "{line}");
    let code = |cell: &str| {
        let inner = cell
            .strip_prefix('`')
            .and_then(|cell| cell.strip_suffix('`'));
        inner.unwrap_or(cell).to_owned()
    };
    Row {
        name: code(name),
        sees: code(sees),
    }
}

impl Row {
    /// Whether a case ended as it must.
    pub fn judge(&self, case: &Case, ended: &Ended) -> Result<(), String> {
        let Ended {
            usage,
            err,
            letters,
            out,
        } = ended;
        let (code, wanted_letters) = match case.ends {
            Ends::Refused => (2, 0),
            Ends::Stopped => (1, letters.len()),
            Ends::Without(rows) => (0, rows),
            Ends::Well => (0, 0),
        };
        if usage.code != Some(code) || letters.len() != wanted_letters {
            return Err(format!(
                "it ended with {usage:?} and {} letters, not as {:?}:\n{err}\n{:?}",
                letters.len(),
                case.ends,
                letters.first()
            ));
        }
        let said = |letter: &serde_json::Value| {
            let word = |name: &str| letter[name].as_str().unwrap_or_default().to_owned();
            format!("{}: {}", word("reason"), word("message"))
        };
        let told = match case.ends {
            Ends::Without(_) => letters.iter().map(said).collect::<Vec<_>>().join("\n"),
            Ends::Refused | Ends::Stopped | Ends::Well => err.clone(),
        };
        if self.sees != "-" && !told.contains(&self.sees) {
            return Err(format!(
                "the user does not see {:?} but:\n{told}",
                self.sees
            ));
        }
        let raw = |c: char| c.is_control() && c != '\n';
        if let Some(c) = err.chars().chain(out.chars()).find(|&c| raw(c)) {
            return Err(format!("{c:?} would reach the terminal:\n{err}"));
        }
        if usage.peak_mib > MOST_MIB || usage.cpu_s > MOST_CPU_S {
            return Err(format!("it took {usage:?}"));
        }
        Ok(())
    }
}
