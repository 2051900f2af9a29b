//! The commands about the relay that are no server.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use amparo_schema::limits::SMALL_PACK_BYTES_MAX;
use amparo_schema::wire::bundle::EXTENSION;
use amparo_seal::random::bytes;
use amparo_seal::ticket_text;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::args::{Args, Command, Enrol, RecipientCommand, exit};
use super::backup;
use super::error::CliError;
use super::home::Home;
use super::host::{SystemEntropy, now_ms};
use super::{files, picture, say, serve, show};
use crate::relay::{Durability, Listed, Reader, Relay, RelayError};
use crate::storage::Storage;

/// Devices read at once.
const DEVICES_STEP: usize = 1_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Runs a command about the relay.
pub(super) fn run(args: &Args) -> Result<u8, CliError> {
    let home = Home::new(args);
    let done = match &args.command {
        Command::Init { url } => init(&home, url)?,
        Command::Serve(words) => return serve::run(&home, words).map(|()| exit::OK),
        Command::Backup { file, keep } => backup::backup(&home, file, *keep)?,
        Command::Restore { file } => backup::restore(&home, file)?,
        Command::Enrol(words) => return enrol(&home, words, args.json),
        Command::Devices => return devices(&home, args.json),
        Command::Carry { volumes, out } => return carry(&home, volumes, out, args.json),
        other => on_store(&home, other)?,
    };
    show(args.json, &done);
    Ok(exit::OK)
}

fn init(home: &Home, url: &str) -> Result<Value, CliError> {
    let relay = home.make(url)?;
    let known = relay.headquarters();
    Ok(json!({
        "url": known.url,
        "key": known.key,
        "bundle_key": known.bundle_key,
        "secret_keys": home.file("keys.json"),
        "note": "keep a copy of the secret keys in a safe place: without them nothing can be signed as before",
    }))
}

fn on_store(home: &Home, command: &Command) -> Result<Value, CliError> {
    let (relay, mut storage) = (home.relay(Durability::Local)?, home.storage()?);
    let (storage, now) = (&mut *storage, now_ms());
    Ok(match command {
        Command::Revoke { device } => {
            relay.revoke(storage, *device, now)?;
            json!({ "revoked": device })
        }
        Command::Release { device } => json!({ "frames": relay.release(storage, *device, now)? }),
        Command::Recipient { command: RecipientCommand::Add { agency, key, signing } } => {
            let reader = Reader { key: *key, signing: *signing, agency: agency.clone() };
            json!({ "recipient": HEXLOWER.encode(&relay.register(storage, &reader, now)?) })
        }
        Command::Publish { pack } => {
            let bytes = files::read(pack)?;
            if bytes.len() > SMALL_PACK_BYTES_MAX {
                return Err(RelayError::TooLarge.into());
            }
            relay.publish(storage, &bytes, now)?;
            json!({ "published_bytes": bytes.len() })
        }
        Command::BackedUp { newest, oldest } => {
            if oldest > newest {
                return Err(CliError::Refused("the oldest backup cannot hold more than the newest"));
            }
            relay.backed_up(storage, *newest, *oldest)?;
            json!({ "newest_backup": newest, "oldest_backup": oldest })
        }
        Command::Erase { device, segment } => {
            relay.erase(storage, *device, segment, now)?;
            json!({ "erased": segment })
        }
        // What has no arm of its own is `status`.
        _ => status(&relay, storage)?,
    })
}

fn status(relay: &Relay, storage: &mut dyn Storage) -> Result<Value, CliError> {
    let (status, log, known) = (relay.status(storage)?, relay.checkpoint(storage)?, relay.headquarters());
    Ok(json!({
        "url": known.url,
        "key": known.key,
        "bundle_key": known.bundle_key,
        "epoch": status.epoch,
        "devices": status.devices,
        "chains": status.chains,
        "segments": status.segments,
        "aside": status.aside,
        "recipients": status.recipients,
        "newest_backup": status.newest_backup,
        "oldest_backup": status.oldest_backup,
        "log_size": log.size,
        "log_root": log.root,
    }))
}

fn devices(home: &Home, as_json: bool) -> Result<u8, CliError> {
    let (relay, mut storage) = (home.relay(Durability::Local)?, home.storage()?);
    let (mut after, mut lines) = (None, Vec::new());
    loop {
        let listed = relay.devices(&mut *storage, after, DEVICES_STEP)?;
        let Some(last) = listed.last() else { break };
        after = Some(last.device);
        for Listed { device, agency, revoked, aside } in listed {
            if as_json {
                lines.push(json!({ "device": device, "agency": agency, "revoked": revoked, "aside": aside }));
            } else {
                let revoked = if revoked { "  revoked" } else { "" };
                say(&format!("{device}  {agency}  aside {aside}{revoked}"));
            }
        }
    }
    if as_json {
        show(true, &Value::Array(lines));
    }
    Ok(if after.is_none() { exit::NOTHING } else { exit::OK })
}

/// A volume that is damaged costs itself.
fn carry(home: &Home, volumes: &[PathBuf], out: &Path, as_json: bool) -> Result<u8, CliError> {
    let (relay, mut storage) = (home.relay(Durability::Local)?, home.storage()?);
    files::make_folder(out)?;
    let (mut taken, mut written, mut damaged) = (0_u64, 0_u64, Vec::new());
    for volume in volumes {
        match relay.carry(&mut *storage, &files::read(volume)?, now_ms(), &SystemEntropy) {
            Ok(answers) => {
                taken += 1;
                for (_, answer) in answers {
                    let name: [u8; 16] = bytes(&SystemEntropy)?;
                    let name = format!("{}.{EXTENSION}", HEXLOWER.encode(&name));
                    files::write(&out.join(name), &answer)?;
                    written += 1;
                }
            }
            Err(RelayError::Signature) => damaged.push(volume),
            Err(error) => return Err(error.into()),
        }
    }
    show(as_json, &json!({ "taken": taken, "written": written, "damaged": damaged }));
    Ok(if damaged.is_empty() { exit::OK } else { exit::FAULTS })
}

fn enrol(home: &Home, words: &Enrol, as_json: bool) -> Result<u8, CliError> {
    let (relay, mut storage) = (home.relay(Durability::Local)?, home.storage()?);
    let now = now_ms();
    let expires_ms = now.saturating_add(i64::from(words.days).saturating_mul(DAY_MS));
    let ticket = relay.invite(&mut *storage, &words.agency, expires_ms, now, &SystemEntropy)?;
    let text = ticket_text(&ticket)?;
    let code = picture::code(&text)?;
    let write = |file: &Path, bytes: &[u8]| files::write(file, bytes);
    if let Some(file) = &words.png {
        write(file, &picture::png(&code)?)?;
    }
    if let Some(file) = &words.svg {
        write(file, &picture::svg(&code))?;
    }
    if as_json {
        show(true, &json!({ "ticket": text, "expires_ms": expires_ms }));
    } else if std::io::stdout().is_terminal() {
        say(&picture::terminal(&code));
        say(&text);
        say(&format!("Whoever holds this ticket can enrol one device within {} days.", words.days));
    } else {
        say(&text);
    }
    Ok(exit::OK)
}
