//! What this guest says of its functions.

pub const TEXT: &str = r#"{
  "interface": "0.1.0",
  "functions": [
    {
      "name": "read",
      "kind": "transform",
      "input": [
        {"name": "a", "type": "integer"}, {"name": "b", "type": "integer"}, {"name": "c", "type": "float"},
        {"name": "s", "type": "text"}, {"name": "t", "type": "text"}, {"name": "at", "type": "time"}
      ]
    },
    {
      "name": "read-and-return",
      "kind": "transform",
      "input": [
        {"name": "a", "type": "integer"}, {"name": "b", "type": "integer"}, {"name": "c", "type": "float"},
        {"name": "s", "type": "text"}, {"name": "t", "type": "text"}, {"name": "at", "type": "time"}
      ],
      "output": {"new": [
        {"name": "a", "type": "integer"}, {"name": "b", "type": "integer"}, {"name": "c", "type": "float"},
        {"name": "s", "type": "text"}, {"name": "t", "type": "text"}, {"name": "at", "type": "time"}
      ]}
    },
    {
      "name": "hostile",
      "kind": "transform",
      "input": [{"name": "n", "type": "integer"}, {"name": "t", "type": "text?"}, {"name": "y", "type": "bool"}],
      "output": {"new": [
        {"name": "n", "type": "integer"}, {"name": "t", "type": "text"}, {"name": "y", "type": "bool"},
        {"name": "at", "type": "time?"}
      ]},
      "sides": [{"name": "odd", "output": "same"}],
      "config": [{"name": "how", "type": "text", "default": "well"}]
    },
    {
      "name": "folding",
      "kind": "aggregate",
      "input": [{"name": "n", "type": "integer"}],
      "accumulator": [{"name": "sum", "type": "integer"}, {"name": "count", "type": "integer"}, {"name": "seen", "type": "text"}],
      "output": {"new": [{"name": "sum", "type": "integer"}, {"name": "count", "type": "integer"}, {"name": "seen", "type": "text"}]},
      "config": [{"name": "how", "type": "text", "default": "well"}]
    },
    {
      "name": "whole",
      "kind": "window",
      "input": [{"name": "n", "type": "integer"}],
      "key": [{"name": "k", "type": "text"}],
      "output": {"new": [{"name": "k", "type": "text"}, {"name": "seen", "type": "text"}, {"name": "window", "type": "text"}]},
      "config": [{"name": "how", "type": "text", "default": "well"}]
    },
    {
      "name": "marking",
      "kind": "watermark",
      "input": [{"name": "n", "type": "integer"}],
      "state": [{"name": "largest", "type": "integer"}, {"name": "rows", "type": "integer"}],
      "config": [{"name": "how", "type": "text", "default": "well"}]
    },
    {
      "name": "worse",
      "kind": "transform",
      "input": [{"name": "n", "type": "integer"}, {"name": "t", "type": "text"}],
      "output": {"new": [{"name": "n", "type": "integer"}, {"name": "f", "type": "float"}, {"name": "at", "type": "time?"}]},
      "sides": [{"name": "odd", "output": "same"}],
      "config": [{"name": "how", "type": "text", "default": "well"}]
    },
    {
      "name": "heavy",
      "kind": "aggregate",
      "input": [{"name": "n", "type": "integer"}],
      "accumulator": [{"name": "sum", "type": "float"}, {"name": "blob", "type": "bytes"}],
      "output": {"new": [{"name": "sum", "type": "float"}, {"name": "size", "type": "integer"}]},
      "config": [{"name": "how", "type": "text", "default": "well"}]
    },
    {
      "name": "gathering",
      "kind": "window",
      "input": [{"name": "n", "type": "integer"}],
      "key": [{"name": "k", "type": "integer"}],
      "output": {"new": [{"name": "same", "type": "integer"}, {"name": "sum", "type": "integer"}, {"name": "rows", "type": "text"}]},
      "config": [{"name": "how", "type": "text", "default": "well"}]
    },
    {
      "name": "claiming",
      "kind": "watermark",
      "input": [{"name": "n", "type": "integer"}],
      "state": [{"name": "rows", "type": "integer"}, {"name": "blob", "type": "bytes"}],
      "config": [{"name": "how", "type": "text", "default": "well"}]
    },
    {
      "name": "keeping",
      "kind": "process",
      "input": [{"name": "n", "type": "integer"}],
      "slots": [{"name": "sum", "kind": "value", "columns": [{"name": "sum", "type": "integer"}], "ttl": 1000}],
      "timers": [{"name": "t"}],
      "output": {"new": [{"name": "sum", "type": "integer"}]},
      "sides": [{"name": "passed", "output": "same"}],
      "config": [{"name": "how", "type": "text", "default": "well"}]
    }
  ]
}"#;
