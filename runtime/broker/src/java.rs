//! Which Java there is.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::BrokerError;

/// What Kafka's jars are compiled for.
const OLDEST: u32 = 17;

/// Finds Java, that of `JAVA_HOME` or the search path's, and sees that it is new enough.
///
/// # Errors
/// If there is none or it is too old.
pub fn find() -> Result<PathBuf, BrokerError> {
    asked().map(|(java, _)| java)
}

/// What the Java that was found says of itself, in a line.
///
/// # Errors
/// If there is none or it is too old.
pub fn told() -> Result<String, BrokerError> {
    asked().map(|(_, told)| told.lines().next().unwrap_or_default().to_owned())
}

fn asked() -> Result<(PathBuf, String), BrokerError> {
    let home = env::var_os("JAVA_HOME").filter(|home| !home.is_empty());
    let java = home.map_or_else(
        || PathBuf::from("java"),
        |home| Path::new(&home).join("bin/java"),
    );
    let told = Command::new(&java)
        .arg("-version")
        .stdin(Stdio::null())
        .output();
    let Ok(told) = told else {
        return Err(BrokerError::NoJava { tried: java });
    };
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    match major(&told) {
        Some(major) if major >= OLDEST => Ok((java, told)),
        _ => Err(BrokerError::OldJava {
            java,
            found: told.lines().next().unwrap_or("silent").to_owned(),
        }),
    }
}

/// The version in what `java -version` says, such as 17 in `openjdk version "17.0.15" 2025-04-15`, 8 in `"1.8.0_392"`.
fn major(told: &str) -> Option<u32> {
    let version = told.split('"').nth(1)?;
    let mut numbers = version.split(|c: char| !c.is_ascii_digit());
    match numbers.next()?.parse().ok()? {
        1 => numbers.next()?.parse().ok(),
        major => Some(major),
    }
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_version_is_read_from_what_java_says() {
        let cases = [
            ("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK…", Some(17)),
            ("openjdk version \"21\" 2023-09-19", Some(21)),
            ("openjdk version \"26-ea\" 2026-03-17", Some(26)),
            ("java version \"1.8.0_392\"", Some(8)),
            ("Error: could not find java", None),
            ("\"\"", None),
        ];
        for (told, expected) in cases {
            assert_eq!(major(told), expected, "{told}");
        }
    }
}
