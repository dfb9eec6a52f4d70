//! Functions of the kinds window and watermark that are hostile to one window or row: the guest `tests/guests/plain`.

use crate::case::{Case, Ends};

/// For what would meet the limit on memory before another one.
const BOMB: &str = ", memory = \"512MiB\"";

/// Windows of four rows: exactly that with a row of 13 fails, unless said otherwise.
pub fn windows() -> Vec<Case> {
    let window = Case::window;
    vec![
        window("loop-in-window", "loops"),
        window("panic-in-window", "panics"),
        window("memory-bomb-in-window", "memory").deadline("2s"),
        window("log-without-end-in-window", "logs"),
        window("window-refused", "refuses").ends(Ends::Stopped),
        window("window-of-no-firing", "beyond"),
        window("window-with-times", "times"),
        window("window-with-changes", "changes"),
        window("window-with-a-wrong-key", "key-far"),
        window("window-with-a-key-of-another-type", "key-type"),
        window("window-without-a-column", "column-missing"),
        window("window-to-no-output", "target-far"),
        window("window-beyond-returned", "huge")
            .limits(BOMB)
            .deadline("2s"),
        window("window-of-more-rows-than-allowed", "many-rows")
            .limits(BOMB)
            .deadline("2s"),
        window("window-with-invalid-utf-8", "utf8"),
        window("window-with-offsets-backwards", "offsets"),
        window("window-failure-of-no-firing", "failure-far"),
        window("window-failed-and-emitted", "failed-and-emitted"),
        window("window-failure-severity-9", "severity"),
        window("window-failure-fatal", "fatal").ends(Ends::Stopped),
        window("ten-million-failures-of-a-window", "fail-10m"),
        window("window-state-in-globals", "remembers").ends(Ends::Well),
    ]
}

/// Watermarks: exactly the row of 13 is a bad row of the source, unless said otherwise.
pub fn watermarks() -> Vec<Case> {
    let watermark = Case::watermark;
    vec![
        watermark("loop-in-create-of-a-watermark", "create-loops").ends(Ends::Stopped),
        watermark("panic-in-create-of-a-watermark", "create-panics").ends(Ends::Stopped),
        watermark("state-without-a-column", "create-columns").ends(Ends::Stopped),
        watermark("state-of-four-billion-rows", "create-rows").ends(Ends::Stopped),
        watermark("state-with-null", "create-null").ends(Ends::Stopped),
        watermark("loop-in-observe", "loops"),
        watermark("panic-in-observe", "panics"),
        watermark("memory-bomb-in-observe", "memory").deadline("2s"),
        watermark("log-without-end-in-observe", "logs"),
        watermark("observe-refused", "refuses").ends(Ends::Stopped),
        watermark("watermarks-too-few", "few"),
        watermark("watermarks-too-many", "more"),
        watermark("watermark-beyond-all-time", "beyond"),
        watermark("watermark-last-of-i64", "last-of-i64"),
        watermark("watermark-at-the-end-of-time", "end-of-time").ends(Ends::Well),
        watermark("watermark-that-falls", "falls").ends(Ends::Well),
        watermark("state-of-too-many-rows", "state-rows"),
        watermark("state-of-no-row", "state-none"),
        watermark("state-that-loses-a-column", "state-columns"),
        watermark("state-of-another-layout", "state-layout"),
        watermark("state-beyond-returned", "state-80mb")
            .limits(BOMB)
            .deadline("2s"),
        watermark("observe-failure-of-no-row", "failure-far"),
        watermark("observe-failure-severity-9", "severity"),
        watermark("observe-failure-fatal", "fatal").ends(Ends::Stopped),
        watermark("ten-million-failures-of-observe", "fail-10m"),
        watermark("observe-clean-that-is-not", "clean-lies"),
    ]
}
