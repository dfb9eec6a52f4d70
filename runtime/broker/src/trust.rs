//! Which certificates Java trusts: its own store, and those that the system trusts and that store lacks, such as a proxy's that
//! an administrator has added to the system alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// What the system trusts, as Debian has it.
const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What Java trusts, as Debian has it.
const OWN: &str = "/etc/ssl/certs/java/cacerts";

/// The password of Java's own store, which everybody knows: nothing in it is secret.
const PASSWORD: &str = "changeit";

/// Java's option for a store with all of them, made in this folder; none if its own store has them all, or that cannot be found out.
pub(crate) fn option(folder: &Path) -> Option<String> {
    let store = extended((Path::new(BUNDLE), Path::new(OWN)), folder)?;
    let store = store.display();
    Some(format!(
        "-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword={PASSWORD}"
    ))
}

/// A copy of a store of Java's, with those certificates of a bundle that it lacks; none if it lacks none.
fn extended((bundle, own): (&Path, &Path), folder: &Path) -> Option<PathBuf> {
    let bundle = fs::read_to_string(bundle).ok()?;
    let known = keytool(&["-list"], own)?;
    let known = known.replace(':', "").to_uppercase();
    let lacks = |pem: &&str| fingerprint(pem).is_some_and(|print| !known.contains(&print));
    let lacking: Vec<&str> = certificates(&bundle).filter(lacks).collect();
    if lacking.is_empty() {
        return None;
    }
    let store = folder.join("cacerts");
    fs::copy(own, &store).ok()?;
    for (number, pem) in lacking.iter().enumerate() {
        let (file, alias) = (folder.join("added.pem"), format!("system-{number}"));
        fs::write(&file, pem).ok()?;
        let file = file.to_str()?;
        // One that Java cannot read is no reason to do without the others.
        let _ = keytool(
            &["-importcert", "-noprompt", "-alias", &alias, "-file", file],
            &store,
        );
    }
    Some(store)
}

/// What `keytool` says about a store, if it has done what it was told.
fn keytool(args: &[&str], store: &Path) -> Option<String> {
    let told = Command::new("keytool")
        .args(args)
        .arg("-keystore")
        .arg(store)
        .args(["-storepass", PASSWORD])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    told.status.success().then_some(text)
}

/// The certificates of a bundle, as they stand there.
fn certificates(bundle: &str) -> impl Iterator<Item = &str> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    bundle.match_indices(BEGIN).filter_map(|(start, _)| {
        let end = bundle[start..].find(END)? + END.len();
        Some(&bundle[start..start + end])
    })
}

/// A certificate's SHA-256, as `keytool` shows it but for the colons.
fn fingerprint(pem: &str) -> Option<String> {
    let text: String = pem.lines().filter(|line| !line.starts_with("--")).collect();
    let bytes = STANDARD.decode(text).ok()?;
    let hash = Sha256::digest(bytes);
    Some(hash.iter().map(|byte| format!("{byte:02X}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any certificate: what stands in it does not matter to who trusts it.
    fn certificate(folder: &Path, name: &str) -> String {
        let (key, pem) = (folder.join("key"), folder.join(name));
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
            ])
            .args(["-nodes", "-days", "2", "-subj", &format!("/CN={name}")])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&pem)
            .output()
            .expect("openssl runs");
        assert!(made.status.success(), "{made:?}");
        fs::read_to_string(pem).expect("a certificate")
    }

    #[test]
    fn what_the_system_trusts_and_java_does_not_is_added() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let (one, other) = (certificate(folder, "one"), certificate(folder, "other"));
        let (bundle, own) = (folder.join("bundle"), folder.join("own"));
        let import = ["-importcert", "-noprompt", "-alias", "one", "-file"];
        let file = folder.join("one");
        let import = [&import[..], &[file.to_str().expect("text")]].concat();
        keytool(&import, &own).expect("a store of Java's");
        fs::write(&bundle, &one).expect("written");
        assert_eq!(extended((&bundle, &own), folder), None);
        fs::write(&bundle, format!("# both\n{one}\n{other}")).expect("written");
        let store = extended((&bundle, &own), folder).expect("a store");
        let listed = keytool(&["-list"], &store)
            .expect("a list")
            .replace(':', "");
        for pem in [&one, &other] {
            let print = fingerprint(pem).expect("a certificate");
            assert!(listed.contains(&print), "{listed}");
        }
        assert_eq!(extended((&bundle, &store), folder), None);
    }
}
