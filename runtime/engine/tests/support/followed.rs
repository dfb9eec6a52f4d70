//! Sources of followed files, rows for them, and sums of what they give.

/// In microseconds.
pub const SECOND: i64 = 1_000_000;

/// A row of a key at a second.
pub fn row(key: &str, second: i64) -> String {
    let at = second * 1000;
    format!("{{\"key\":\"{key}\",\"at\":{at},\"value\":1}}\n")
}

/// Rows of one key at these seconds.
pub fn rows(seconds: impl Iterator<Item = i64>) -> String {
    seconds.map(|second| row("k", second)).collect()
}

/// A source of followed files.
pub fn source(name: &str, files: &str, more: &str) -> String {
    format!(
        "[sources.{name}]\nfiles = {{ path = {files}, follow = true }}\nevent-time = \"at\"\n\
         out-of-orderness = \"0s\"\n{more}\n[sources.{name}.columns]\nkey = \"text\"\nvalue = \"integer\"\n\
         at = {{ type = \"time\", format = \"epoch-ms\" }}\n\n"
    )
}

/// Sums of ten seconds.
pub fn sums(input: &str, more: &str) -> String {
    format!(
        "[operators.sums]\ninput = {input}\nkey = \"key\"\nwindow = {{ tumble = \"10s\" }}\n\
         function = \"kinds/sum\"\n{more}\n[sinks.out]\ninput = \"sums\"\nfile = \"out.jsonl\"\n"
    )
}
