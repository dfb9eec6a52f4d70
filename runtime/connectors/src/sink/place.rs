//! Whether a sink can write where it should, without writing there.

use std::io::{Error, ErrorKind};
use std::path::Path;

use crate::ConnectorError;

/// Checks that a file could be put there.
///
/// # Errors
/// If something else is there, or no file can be made there.
pub fn check_file(path: &Path) -> Result<(), ConnectorError> {
    let Some(folder) = path.parent().filter(|_| path.file_name().is_some()) else {
        let message = format!("`{}` names no file", path.display());
        return Err(ConnectorError::Configuration(message));
    };
    match path.metadata() {
        Ok(there) if there.is_dir() => {
            let message = format!(
                "cannot write {}: it is a folder, and a file is to be written",
                path.display()
            );
            Err(ConnectorError::Configuration(message))
        }
        // What is there is replaced by renaming: a device, a pipe or a socket would be gone.
        Ok(there) if !there.is_file() => {
            let message = format!(
                "cannot write {}: it is a device or a pipe, and a file is to be written; `blackhole = {{}}` is a sink that writes nothing",
                path.display()
            );
            Err(ConnectorError::Configuration(message))
        }
        _ => makable(path, folder),
    }
}

/// Checks that parts could be put into that folder.
///
/// # Errors
/// If something else is there, or it cannot be made.
pub fn check_folder(path: &Path) -> Result<(), ConnectorError> {
    makable(path, path)
}

/// Checks that a folder is there and can be written to, or that it can be made.
fn makable(path: &Path, folder: &Path) -> Result<(), ConnectorError> {
    // The folder of a name alone is the working directory.
    let folder = match folder == Path::new("") {
        true => Path::new("."),
        false => folder,
    };
    let absolute =
        std::path::absolute(folder).map_err(|error| ConnectorError::writing(path, error))?;
    let there = absolute
        .ancestors()
        .find(|ancestor| ancestor.symlink_metadata().is_ok());
    let Some(there) = there else { return Ok(()) };
    let metadata = there
        .metadata()
        .map_err(|error| ConnectorError::writing(path, error))?;
    if !metadata.is_dir() {
        let error = Error::new(
            ErrorKind::NotADirectory,
            format!("{} is no folder", there.display()),
        );
        return Err(ConnectorError::writing(path, error));
    }
    rustix::fs::access(there, rustix::fs::Access::WRITE_OK)
        .map_err(|error| ConnectorError::writing(path, error.into()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_cannot_be_written_is_known_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "").expect("a file");
        fs::create_dir(at("folder")).expect("a folder");
        assert!(check_file(&at("new")).is_ok());
        assert!(check_file(&at("file")).is_ok());
        assert!(check_file(&at("a/b/new")).is_ok());
        assert!(check_folder(&at("folder")).is_ok());
        assert!(check_folder(&at("a/b")).is_ok());
        let refused = [
            (check_file(&at("folder")), "it is a folder"),
            (check_file(&at("file/new")), "is no folder"),
            (check_folder(&at("file")), "is no folder"),
            (check_folder(&at("file/new")), "is no folder"),
            (check_file(Path::new("/dev/null")), "device"),
        ];
        for (found, expected) in refused {
            let error = found.expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(
            fs::read_dir(folder.path()).expect("it is there").count(),
            2,
            "nothing was made"
        );
    }
}
