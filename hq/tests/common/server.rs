//! A PostgreSQL server for one test: on a directory and a socket of its own, gone with the value.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

const MISSING: &str = "PostgreSQL's server binaries are not here: install the package `postgresql` (15 or later) \
                       or name their directory in PG_BIN. This test is never skipped.";

pub struct Server {
    directory: TempDir,
    /// Where it listens by TLS, if it does.
    port: Option<u16>,
    bin: PathBuf,
    user: Option<(u32, u32)>,
    child: Child,
}

impl Server {
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Listens on loopback too, by TLS with this certificate and key (PEM).
    pub fn start_tls(certificate: &Path, key: &Path) -> Self {
        Self::start_with(Some((certificate, key)))
    }

    fn start_with(tls: Option<(&Path, &Path)>) -> Self {
        let bin = binaries().expect(MISSING);
        let user = other_user();
        let directory = tempfile::Builder::new().prefix("amparo-pg").tempdir_in("/tmp").unwrap();
        if let Some((uid, gid)) = user {
            chown(directory.path(), Some(uid), Some(gid)).unwrap();
        }
        let data = directory.path().join("data");
        let mut init = command(&bin, "initdb", user, directory.path());
        init.args(["-A", "trust", "-U", "amparo", "--no-sync", "-E", "UTF8", "--locale=C", "-D"]);
        let done = init.arg(&data).output().expect(MISSING);
        assert!(done.status.success(), "initdb: {}", String::from_utf8_lossy(&done.stderr));
        let mut serve = command(&bin, "postgres", user, directory.path());
        let port = tls.map(|(certificate, key)| {
            for (from, name) in [(certificate, "server.crt"), (key, "server.key")] {
                let to = data.join(name);
                std::fs::copy(from, &to).unwrap();
                std::fs::set_permissions(&to, Permissions::from_mode(0o600)).unwrap();
                if let Some((uid, gid)) = user {
                    chown(&to, Some(uid), Some(gid)).unwrap();
                }
            }
            // Free a moment ago: a server that finds it taken does not start, and the test says so.
            TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
        });
        match port {
            None => serve.args(["-c", "listen_addresses="]),
            Some(port) => serve
                .args(["-c", "listen_addresses=127.0.0.1", "-c", "ssl=on", "-c"])
                .arg(format!("port={port}")),
        };
        // The test never asks what survives a power cut, so nothing waits for a disk.
        serve.args(["-c", "fsync=off", "-D"]).arg(&data);
        let child = serve.arg("-k").arg(directory.path()).spawn().unwrap();
        let server = Self { directory, port, bin, user, child };
        server.wait();
        server
    }

    fn wait(&self) {
        let mut ready = command(&self.bin, "pg_isready", self.user, self.directory.path());
        ready.arg("-h").arg(self.directory.path()).arg("-p").arg(self.port.unwrap_or(5432).to_string());
        for _ in 0..300 {
            if ready.status().is_ok_and(|status| status.success()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("PostgreSQL did not start within 30 seconds");
    }

    /// A fresh database; gives how to connect to it.
    pub fn database(&self, name: &str) -> String {
        let socket = self.directory.path().display();
        let port = self.port.unwrap_or(5432);
        let url = |database: &str| format!("host={socket} port={port} user=amparo dbname={database}");
        let mut client = postgres::Client::connect(&url("postgres"), postgres::NoTls).unwrap();
        client.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        url(name)
    }
}

impl Server {
    /// A copy of a database that nobody is connected to, as its own tools make; gives how to connect to it.
    pub fn copy(&self, of: &str, name: &str) -> String {
        self.database(&format!("{name} TEMPLATE {of}")).replace(&format!(" TEMPLATE {of}"), "")
    }
}

impl Server {
    /// How to connect by loopback to a database that was made.
    pub fn by_loopback(&self, name: &str) -> String {
        let port = self.port.expect("started with TLS");
        format!("host=127.0.0.1 port={port} user=amparo dbname={name}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = command(&self.bin, "pg_ctl", self.user, self.directory.path());
        stop.args(["stop", "-m", "immediate", "-D"]).arg(self.directory.path().join("data"));
        if !stop.status().is_ok_and(|status| status.success()) {
            drop(self.child.kill());
        }
        drop(self.child.wait());
    }
}

fn command(bin: &Path, program: &str, user: Option<(u32, u32)>, directory: &Path) -> Command {
    let mut command = Command::new(bin.join(program));
    command.current_dir(directory).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if program == "initdb" {
        command.stderr(Stdio::piped());
    }
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

fn binaries() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("PG_BIN") {
        return Some(named.into());
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let bins = versions.filter_map(|version| {
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        Some((number, version.path().join("bin")))
    });
    bins.filter(|(_, bin)| bin.join("postgres").exists()).max().map(|(_, bin)| bin)
}

/// The server does not run as root; then it runs as the user that its package made.
fn other_user() -> Option<(u32, u32)> {
    let id = |args: &[&str]| -> Option<u32> {
        let out = Command::new("id").args(args).output().ok()?;
        String::from_utf8(out.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    Some((id(&["-u", "postgres"]).expect(MISSING), id(&["-g", "postgres"]).expect(MISSING)))
}
