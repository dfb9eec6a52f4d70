//! A loaded module: its file, what it describes, and the linked machine code that instances are made from.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cache::content_hash;
use crate::description::{Description, Kind};
use crate::error::{CallError, ModuleError};
use crate::host::{Host, Source};
use crate::instance::{Instance, Linked};
use crate::limits::{Limits, size};
use crate::report::Stopped;
use crate::slot::Settings;
use crate::surface::{Surface, VERSION, too_large};
use crate::{Aggregate, Process, Transform, Watermark, Window};

/// A module. Cheap to clone; instances are made per operator and worker.
#[derive(Clone)]
pub struct Module(Arc<Inner>);

struct Inner {
    host: Host,
    file: PathBuf,
    hash: String,
    surface: Surface,
    description: Description,
    linked: Linked,
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module")
            .field("file", &self.0.file)
            .field("hash", &self.0.hash)
            .finish()
    }
}

impl Module {
    pub(crate) fn load(host: &Host, file: &Path, limits: &Limits) -> Result<Self, ModuleError> {
        let refused = |message| ModuleError::refused(file, message);
        let bytes = read(file, limits)?;
        let surface = Surface::read(&bytes).map_err(refused)?;
        surface.check().map_err(refused)?;
        let hash = content_hash(&bytes);
        let source = Source {
            file,
            bytes: &bytes,
            hash: &hash,
            surface: &surface,
        };
        let component = host.compiled(&source, limits)?;
        let engine = host.engine(limits.stack_bytes)?;
        let linked = Linked::new(&engine, &component, surface.wasi())
            .map_err(|e| refused(format!("it does not fit the interface {VERSION}: {e:#}")))?;
        let description = describe(host, &linked, limits).map_err(refused)?;
        served(&description, &linked).map_err(refused)?;
        let file = file.to_owned();
        Ok(Self(Arc::new(Inner {
            host: host.clone(),
            file,
            hash,
            surface,
            description,
            linked,
        })))
    }

    /// The file it was loaded from.
    pub fn file(&self) -> &Path {
        &self.0.file
    }

    /// The SHA-256 of the file, in hexadecimal.
    pub fn hash(&self) -> &str {
        &self.0.hash
    }

    /// The first 12 digits of the hash: what reports show.
    pub fn short_hash(&self) -> &str {
        &self.0.hash[..12]
    }

    /// What the module says of its functions.
    pub fn description(&self) -> &Description {
        &self.0.description
    }

    /// Names of the interfaces it imports, sorted.
    pub fn imports(&self) -> &[String] {
        &self.0.surface.imports
    }

    /// Names of the interfaces it exports, sorted.
    pub fn exports(&self) -> &[String] {
        &self.0.surface.exports
    }

    /// Whether it is a core module that was made a component here.
    pub fn is_core(&self) -> bool {
        self.0.surface.core
    }

    /// Whether it imports WASI, and so gets the virtual one.
    pub fn wants_wasi(&self) -> bool {
        self.0.surface.wasi()
    }

    /// Makes a transform of it ready.
    ///
    /// # Errors
    /// If the instance cannot be made or refuses its configuration.
    ///
    /// # Panics
    /// If the function is no transform: the engine's plan names functions by kind.
    pub fn transform(&self, settings: Settings) -> Result<Transform, ModuleError> {
        self.expect(&settings, Kind::Transform);
        Transform::new(self.clone(), settings)
    }

    /// Makes an aggregate of it ready.
    ///
    /// # Errors
    /// If the instance cannot be made or refuses its configuration.
    ///
    /// # Panics
    /// If the function is no aggregate.
    pub fn aggregate(&self, settings: Settings) -> Result<Aggregate, ModuleError> {
        self.expect(&settings, Kind::Aggregate);
        Aggregate::new(self.clone(), settings)
    }

    /// Makes a function of kind window of it ready.
    ///
    /// # Errors
    /// If the instance cannot be made or refuses its configuration.
    ///
    /// # Panics
    /// If the function is of another kind.
    pub fn window(&self, settings: Settings) -> Result<Window, ModuleError> {
        self.expect(&settings, Kind::Window);
        Window::new(self.clone(), settings)
    }

    /// Makes a process function of it ready.
    ///
    /// # Errors
    /// If the instance cannot be made or refuses its configuration.
    ///
    /// # Panics
    /// If the function is of another kind.
    pub fn process(&self, settings: Settings) -> Result<Process, ModuleError> {
        self.expect(&settings, Kind::Process);
        Process::new(self.clone(), settings)
    }

    /// Makes a function of kind watermark of it ready.
    ///
    /// # Errors
    /// If the instance cannot be made or refuses its configuration.
    ///
    /// # Panics
    /// If the function is of another kind.
    pub fn watermark(&self, settings: Settings) -> Result<Watermark, ModuleError> {
        self.expect(&settings, Kind::Watermark);
        Watermark::new(self.clone(), settings)
    }

    fn expect(&self, settings: &Settings, kind: Kind) {
        let function = &self.0.description.functions[settings.function];
        assert_eq!(
            function.kind, kind,
            "function {} is of another kind",
            function.name
        );
    }

    pub(crate) fn host(&self) -> &Host {
        &self.0.host
    }

    /// Makes an instance and configures it.
    pub(crate) fn start(&self, settings: &Settings) -> Result<Instance, ModuleError> {
        let limits = &settings.limits;
        let function = &self.0.description.functions[settings.function];
        let _ticking = self.0.host.ticker().ticking();
        let stopped = |what: &str, stopped: Stopped| {
            let text = format!("operator {}, {what}: {}", settings.operator, stopped.tell());
            ModuleError::refused(self.file(), text)
        };
        let mut instance =
            Instance::start(&self.0.linked, Some(function.kind), limits).map_err(|e| {
                let (error, mut store) = *e;
                stopped("start", Stopped::trapped(error, store.data_mut(), limits))
            })?;
        instance.store.data_mut().watch.start(limits.deadline);
        instance.store.set_epoch_deadline(1);
        let index = settings.function as u32;
        let configured =
            instance
                .setup
                .call_configure(&mut instance.store, index, &settings.config);
        match configured {
            Ok(Ok(())) => {}
            Ok(Err(message)) => {
                return Err(ModuleError::config(self.file(), &function.name, &message));
            }
            Err(error) => {
                let state = instance.store.data_mut();
                let what = format!("configure of function {}", function.name);
                return Err(stopped(&what, Stopped::trapped(error, state, limits)));
            }
        }
        instance.configured_bytes = instance.store.data().memory.bytes;
        Ok(instance)
    }
}

impl Stopped {
    /// One text of all that is known.
    pub(crate) fn tell(&self) -> String {
        let mut text = self.message.clone();
        for line in &self.log {
            text.push_str(&format!("\n  {}: {}", line.level, line.text));
        }
        for frame in self.backtrace().iter().flat_map(|b| b.lines()) {
            text.push_str(&format!("\n  at {frame}"));
        }
        text
    }

    /// The error of a call that has no rows to blame.
    pub(crate) fn into_error(self, function: &str, call: &'static str) -> CallError {
        CallError::Failed {
            function: function.to_owned(),
            call,
            message: self.tell(),
        }
    }
}

fn read(file: &Path, limits: &Limits) -> Result<Vec<u8>, ModuleError> {
    let unreadable = |source| ModuleError::Unreadable {
        file: file.to_owned(),
        source,
    };
    let bytes = fs::metadata(file).map_err(unreadable)?.len();
    if bytes > limits.module_bytes {
        return Err(ModuleError::refused(file, too_large(bytes, limits)));
    }
    fs::read(file).map_err(unreadable)
}

/// Asks a fresh instance what the module offers.
fn describe(host: &Host, linked: &Linked, limits: &Limits) -> Result<Description, String> {
    let _ticking = host.ticker().ticking();
    let mut instance = Instance::start(linked, None, limits).map_err(|e| {
        let (error, mut store) = *e;
        let why = Stopped::trapped(error, store.data_mut(), limits).tell();
        format!("it cannot be started: {why}")
    })?;
    instance.store.data_mut().watch.start(limits.deadline);
    instance.store.set_epoch_deadline(1);
    let text = instance
        .setup
        .call_describe(&mut instance.store)
        .map_err(|error| {
            let state = instance.store.data_mut();
            format!(
                "describe failed: {}",
                Stopped::trapped(error, state, limits).tell()
            )
        })?;
    if text.len() > limits.describe_bytes {
        let (is, limit) = (size(text.len() as u64), size(limits.describe_bytes as u64));
        return Err(format!(
            "the text of describe has {is}, more than the limit describe-size ({limit})"
        ));
    }
    Description::parse(&text).map_err(|e| format!("the text of describe is wrong: {e}"))
}

/// Holds the description against what the module exports.
fn served(description: &Description, linked: &Linked) -> Result<(), String> {
    if description.interface != VERSION {
        let built = &description.interface;
        return Err(format!(
            "describe says interface {built:?}, this host serves {VERSION:?}"
        ));
    }
    for function in &description.functions {
        if !linked.serves(function.kind) {
            let (name, kind) = (&function.name, function.kind.name());
            return Err(format!(
                "describe names function {name} of kind {kind}, but the export tidemill:operator/{kind}@{VERSION} is missing"
            ));
        }
    }
    Ok(())
}
