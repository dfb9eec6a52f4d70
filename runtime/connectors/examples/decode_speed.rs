//! How fast Nexmark bids are read from a file of JSON lines, against `serde_json` into a struct
//! that borrows.
//!
//! `cargo run --release -p tidemill-connectors --example decode_speed [events]`

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use tidemill_connectors::nexmark::{Kind, NexmarkSpec, write_json_lines};
use tidemill_connectors::{
    ColumnSpec, FilesSpec, FormatKind, FormatSpec, LogicalType, SourceSpec, Then, TimeFormat, open,
};

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    bid: Bid<'a>,
}

#[derive(Deserialize)]
struct Bid<'a> {
    auction: i64,
    bidder: i64,
    price: i64,
    channel: &'a str,
    date_time: &'a str,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let events = std::env::args()
        .nth(1)
        .map_or(Ok(1_000_000), |n| n.parse())?;
    let file = std::env::temp_dir().join("tidemill-decode-speed.jsonl");
    let spec = NexmarkSpec {
        kind: Kind::Bids,
        events: Some(events),
        ..NexmarkSpec::default()
    };
    let mut out = std::io::BufWriter::new(std::fs::File::create(&file)?);
    let rows = write_json_lines(&spec, &mut out)?;
    out.flush()?;
    let bytes = std::fs::metadata(&file)?.len();
    let mut talk = std::io::stderr();
    writeln!(talk, "{rows} bids of {} bytes", bytes / rows)?;
    for _ in 0..3 {
        let ns = read(&file, rows)?;
        writeln!(talk, "tidemill, five columns: {ns:.0} ns per row")?;
    }
    for _ in 0..2 {
        let ns = serde(&file, rows)?;
        writeln!(talk, "serde_json, borrowing struct: {ns:.0} ns per row")?;
    }
    std::fs::remove_file(&file)?;
    Ok(())
}

/// The CPU time of this thread: what else the machine does shall not show.
fn cpu_ns() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn read(file: &Path, rows: u64) -> Result<f64, Box<dyn std::error::Error>> {
    let integer =
        |name: &str| ColumnSpec::new(name, LogicalType::Integer, false).at(&format!("bid.{name}"));
    let columns = vec![
        integer("auction"),
        integer("bidder"),
        integer("price"),
        ColumnSpec::new("channel", LogicalType::Text, false).at("bid.channel"),
        ColumnSpec::new("time", LogicalType::Time, false)
            .at("bid.date_time")
            .written(TimeFormat::Sql),
    ];
    let source = SourceSpec::Files(FilesSpec {
        paths: vec![file.to_string_lossy().into_owned()],
        base: ".".into(),
        follow: false,
        format: FormatSpec::new(FormatKind::Json, columns),
    });
    let start = cpu_ns();
    let mut opened = open(&source, 0, 1, Arc::new(|| {}))?;
    let mut read = 0;
    loop {
        let chunk = opened.splits[0].1.read(1024)?;
        read += chunk.rows.num_rows() as u64;
        assert!(chunk.bad.is_empty(), "{:?}", chunk.bad);
        if chunk.then == Then::End {
            break;
        }
    }
    assert_eq!(read, rows);
    Ok((cpu_ns() - start) / rows as f64)
}

fn serde(file: &Path, rows: u64) -> Result<f64, Box<dyn std::error::Error>> {
    let start = cpu_ns();
    let text = std::fs::read_to_string(file)?;
    let mut sum = 0;
    for line in text.lines() {
        let bid = serde_json::from_str::<Event>(line)?.bid;
        sum += bid.auction + bid.bidder + bid.price;
        sum += (bid.channel.len() + bid.date_time.len()) as i64;
    }
    assert!(sum > 0);
    Ok((cpu_ns() - start) / rows as f64)
}
