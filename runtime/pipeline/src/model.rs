//! The pipeline file as data: what the planner is given. Plain values, no behaviour of the engine.
//!
//! Sources, operators, sinks and modules are in file order. Names are unique over sources, operators and sinks; every
//! `input` names one of them; there is no cycle.

mod checkpoints;
mod column;
mod config;
mod connector;
mod failure;
mod input;
mod instances;
mod kafka;
mod module;
mod operator;
mod sink;
mod source;
mod state;
mod values;
mod window;
mod word;

pub use checkpoints::Checkpoints;
pub use column::{Column, Generator, RecordPart, TimeFormat};
pub use config::Config;
pub use connector::{Connector, Datagen, Files, Nexmark, NexmarkKind};
pub use failure::{FailurePolicy, OnFailure};
pub use input::{FAILED, Input, LATE};
pub use instances::Instances;
pub use kafka::{
    Cluster, Isolation, KafkaGuarantee, KafkaSink, KafkaSource, KafkaStart, KafkaTopic,
    KafkaTopics, KafkaUntil, NullValues,
};
pub use module::{Limits, Module};
pub use operator::{FunctionRef, NullKey, Operator, Rename, Time};
pub use sink::{Folder, Sink, SinkConnector, SinkFormat};
pub use source::{EventTime, Format, Source, Strategy, UnknownFields, WatermarkFunction, WhenIdle};
pub use state::{Backend, State};
pub use values::{Registration, Registry, ValueSchema, WrittenSchema};
pub use window::Window;
pub(crate) use word::Word;

use std::path::PathBuf;

use crate::place::Spanned;

/// A pipeline: a graph of sources, operators and sinks.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// What it is called in metrics, logs and checkpoints.
    pub name: Spanned<String>,
    /// The folder of the pipeline file: paths are relative to it.
    pub folder: PathBuf,
    /// Threads that run tasks; absent: one per core.
    pub workers: Option<Spanned<usize>>,
    /// How many processes share the pipeline.
    pub instances: Spanned<Instances>,
    /// Number of key groups. Fixed by the first checkpoint.
    pub max_parallelism: Spanned<u32>,
    /// Where and how often checkpoints are made; absent: none are.
    pub checkpoints: Option<Checkpoints>,
    /// What holds the state of process functions; absent: memory.
    pub state: Option<State>,
    /// Modules, first the declared ones, then those that only a `function = "file.wasm/name"` names.
    pub modules: Vec<Module>,
    /// Where rows come from.
    pub sources: Vec<Source>,
    /// What is done with them.
    pub operators: Vec<Operator>,
    /// Where they go.
    pub sinks: Vec<Sink>,
}
