//! Files that everybody has, as far as their messages mean something here.

const TIMESTAMP: &str = "syntax = \"proto3\"; package google.protobuf; message Timestamp { int64 seconds = 1; int32 nanos = 2; }";

const DURATION: &str = "syntax = \"proto3\"; package google.protobuf; message Duration { int64 seconds = 1; int32 nanos = 2; }";

const WRAPPERS: &str = "syntax = \"proto3\"; package google.protobuf;
message DoubleValue { double value = 1; }
message FloatValue { float value = 1; }
message Int64Value { int64 value = 1; }
message UInt64Value { uint64 value = 1; }
message Int32Value { int32 value = 1; }
message UInt32Value { uint32 value = 1; }
message BoolValue { bool value = 1; }
message StringValue { string value = 1; }
message BytesValue { bytes value = 1; }";

/// The message that is a moment.
pub const MOMENT: &str = "google.protobuf.Timestamp";

/// The text of a file, if it is one of those.
pub fn file(name: &str) -> Option<&'static str> {
    match name {
        "google/protobuf/timestamp.proto" => Some(TIMESTAMP),
        "google/protobuf/duration.proto" => Some(DURATION),
        "google/protobuf/wrappers.proto" => Some(WRAPPERS),
        _ => None,
    }
}

/// Whether a message stands for the one field that it has, `value`.
pub fn is_wrapper(name: &str) -> bool {
    let of = name.strip_prefix("google.protobuf.");
    let of = of.and_then(|name| name.strip_suffix("Value"));
    of.is_some_and(|of| {
        [
            "Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes",
        ]
        .contains(&of)
    })
}
