//! A PostgreSQL server for the length of a measurement: on a folder and a socket of its own, with fsync on.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::Fallible;

/// The server; it ends with the value.
pub(crate) struct Server {
    folder: PathBuf,
    bin: PathBuf,
    user: Option<(u32, u32)>,
    child: Child,
    /// A path to a socket may not be long.
    socket: tempfile::TempDir,
}

impl Server {
    /// Starts one in a folder; none where its programs are not to be had.
    pub(crate) fn start(folder: &Path) -> Fallible<Option<Self>> {
        let Some(bin) = binaries() else { return Ok(None) };
        let Ok(user) = other_user() else { return Ok(None) };
        let socket = tempfile::Builder::new().prefix("amparo-pg").tempdir_in("/tmp")?;
        // Its own user reaches no folder of ours: data beside the socket then.
        let folder = if user.is_some() { socket.path().to_path_buf() } else { folder.to_path_buf() };
        if let Some((uid, gid)) = user {
            chown(socket.path(), Some(uid), Some(gid))?;
        }
        let data = folder.join("data");
        let mut init = command(&bin, "initdb", user, socket.path());
        init.args(["-A", "trust", "-U", "amparo", "--no-sync", "-E", "UTF8", "--locale=C", "-D"]).arg(&data);
        if !init.status()?.success() {
            return Err("initdb failed".into());
        }
        let mut serve = command(&bin, "postgres", user, socket.path());
        serve.args(["-c", "listen_addresses=", "-D"]).arg(&data).arg("-k").arg(socket.path());
        let server = Self { child: serve.spawn()?, folder, bin, user, socket };
        for _ in 0..300 {
            let mut ready = command(&server.bin, "pg_isready", server.user, server.socket.path());
            if ready.arg("-h").arg(server.socket.path()).status()?.success() {
                return Ok(Some(server));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err("PostgreSQL did not start within 30 seconds".into())
    }

    /// A new database; gives how to connect to it.
    pub(crate) fn database(&self, name: &str) -> Fallible<String> {
        let socket = self.socket.path().display();
        let url = |database: &str| format!("host={socket} user=amparo dbname={database}");
        let mut client = super::bare::connect(&url("postgres"))?;
        client.batch_execute(&format!("CREATE DATABASE {name}"))?;
        Ok(url(name))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = command(&self.bin, "pg_ctl", self.user, self.socket.path());
        stop.args(["stop", "-m", "immediate", "-D"]).arg(self.folder.join("data"));
        if !stop.status().is_ok_and(|status| status.success()) {
            drop(self.child.kill());
        }
        drop(self.child.wait());
    }
}

fn command(bin: &Path, program: &str, user: Option<(u32, u32)>, folder: &Path) -> Command {
    let mut command = Command::new(bin.join(program));
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
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
fn other_user() -> Fallible<Option<(u32, u32)>> {
    let id = |args: &[&str]| -> Fallible<u32> {
        let out = Command::new("id").args(args).output()?;
        Ok(String::from_utf8(out.stdout)?.trim().parse()?)
    };
    if id(&["-u"])? != 0 {
        return Ok(None);
    }
    Ok(Some((id(&["-u", "postgres"])?, id(&["-g", "postgres"])?)))
}
