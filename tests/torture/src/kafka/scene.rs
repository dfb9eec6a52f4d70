//! What all rounds share: the broker, the input, and what an undisturbed run makes of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use tidemill_broker::{Broker, Options, Place};
use tidemill_test_kafka::{Record, Topic, jars};

use super::Moment;
use super::feed::{PARTITIONS, records};
use super::judge::{Expected, Judge, OUTPUTS};
use super::life::{End, How, Life, Target};
use crate::Settings;
use crate::random::Random;

const PIPELINE: &str = include_str!("../../kafka.toml");

/// See the module.
pub struct Scene {
    /// What was asked for.
    pub settings: Settings<Moment>,
    /// The records of every round.
    pub records: Arc<Vec<Record>>,
    /// What comes of them.
    pub expected: Expected,
    broker: Option<Broker>,
    options: Options,
    address: String,
}

impl Scene {
    /// Starts a broker, and runs the pipeline undisturbed with one worker and with two.
    ///
    /// # Errors
    /// If these do not make the same rows.
    pub fn new(settings: Settings<Moment>) -> Result<Self> {
        fs::copy(&settings.module, settings.folder.join("kinds.wasm"))
            .with_context(|| settings.module.display().to_string())?;
        let mut options = Options {
            place: Place::Kept(settings.folder.join("broker")),
            ..Options::default()
        };
        let broker = Broker::start(&jars()?, &options)?;
        let address = broker.address().to_owned();
        let port = address.rsplit_once(':').context("an address has a port")?.1;
        options.port = port.parse()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let now_ms = i64::try_from(now.as_millis())?;
        let mut scene = Self {
            records: Arc::new(records(&mut Random::of(settings.seed, 0), now_ms)),
            settings,
            expected: Expected::default(),
            broker: Some(broker),
            options,
            address,
        };
        let (one, two) = (scene.undisturbed(1)?, scene.undisturbed(2)?);
        let same = two.begins(&one).and_then(|()| one.begins(&two));
        same.context("two workers do not make the rows of one")?;
        scene.expected = one;
        Ok(scene)
    }

    /// Where the broker listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Kills the broker.
    pub fn kill_broker(&mut self) -> Result<()> {
        let Some(mut broker) = self.broker.take() else {
            return Ok(());
        };
        broker.kill()?;
        while !broker.has_ended() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        Ok(())
    }

    /// Starts the broker again where it was, with what it had.
    pub fn restart_broker(&mut self) -> Result<()> {
        if self.broker.is_none() {
            self.broker = Some(Broker::start(&jars()?, &self.options)?);
        }
        Ok(())
    }

    fn undisturbed(&self, workers: u64) -> Result<Expected> {
        let (input, outputs) = self.topics(&format!("undisturbed-{workers}"));
        input.produce(&self.records);
        let folder = self.stage(&input, &self.address)?;
        let how = How {
            workers,
            take_over: false,
            ends: true,
            instance: None,
        };
        let life = Life::start(&self.settings, (&folder, 0), how, &Target::default())?;
        let end = life.end()?;
        ensure!(end == End::Done, "an undisturbed run ended so: {end:?}");
        let seen = Judge::new(&outputs, &input, &folder).see()?.clone();
        for (name, rows) in &seen.topics {
            ensure!(rows.len() > 0, "topic {name} has no rows");
        }
        ensure!(seen.files.len() > 0, "there are no files");
        fs::remove_dir_all(folder)?;
        Ok(seen)
    }

    /// The input topic of a round and those of its sinks.
    pub fn topics(&self, prefix: &str) -> (Topic, Vec<Topic>) {
        let input = Topic::at(&self.address, prefix, PARTITIONS, &[]);
        let output = |name: &&str| {
            let topic = Topic::named(&self.address, &format!("{}-{name}", input.name()));
            topic.create(PARTITIONS);
            topic
        };
        let outputs = OUTPUTS.iter().map(output).collect();
        (input, outputs)
    }

    /// A folder with the pipeline and its module, whose broker is found at this address.
    pub fn stage(&self, input: &Topic, broker: &str) -> Result<PathBuf> {
        let folder = self.settings.folder.join(input.name());
        fs::create_dir(&folder)?;
        write((&folder, "pipeline"), PIPELINE, (input, broker))?;
        std::os::unix::fs::symlink("../kinds.wasm", folder.join("kinds.wasm"))?;
        Ok(folder)
    }

    /// Puts a pipeline file beside it for each of several processes that share the pipeline, by name and where it finds the broker.
    pub fn stage_shared(
        &self,
        folder: &Path,
        input: &Topic,
        processes: &[(&str, String)],
    ) -> Result<()> {
        let text = PIPELINE
            .replace("name = \"tortured\"", SHARED)
            .replace("topics = [\"INPUT\"]", SHARED_TOPIC);
        let mut processes = processes.iter();
        processes.try_for_each(|(name, broker)| write((folder, name), &text, (input, broker)))
    }
}

/// What is different where several processes share the pipeline: the shortest session that a broker allows.
const SHARED: &str = "name = \"tortured\"\ninstances = \"on-one-host\"";
const SHARED_TOPIC: &str =
    r#"topics = ["INPUT"], partitioned-by = "key", properties = { "session.timeout.ms" = "6000" }"#;

fn write((folder, name): (&Path, &str), text: &str, (input, broker): (&Topic, &str)) -> Result<()> {
    let text = text
        .replace("INPUT", input.name())
        .replace("BROKER", broker);
    Ok(fs::write(folder.join(format!("{name}.toml")), text)?)
}
