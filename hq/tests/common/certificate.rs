//! A certificate for one test: self-signed, for 127.0.0.1, by the `openssl` of this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes `tls.pem` and `tls.key` in a folder; gives their paths.
pub fn make(folder: &Path) -> (PathBuf, PathBuf) {
    let (certificate, key) = (folder.join("tls.pem"), folder.join("tls.key"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=synthetic test", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl makes the certificate of this test");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (certificate, key)
}
