//! The commands about the relay that are no server.

use std::io::IsTerminal as _;
use std::path::Path;

use amparo_schema::limits::SMALL_PACK_BYTES_MAX;
use amparo_seal::ticket_text;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::args::{Args, Command, Enrol, RecipientCommand, exit};
use super::backup;
use super::error::CliError;
use super::home::Home;
use super::host::{SystemEntropy, now_ms};
use super::{files, picture, say, serve, show};
use crate::relay::{Durability, Reader, Relay, RelayError};
use crate::storage::Storage;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Runs a command about the relay.
pub(super) fn run(args: &Args) -> Result<u8, CliError> {
    let home = Home::new(&args.home, args.database.as_deref());
    let done = match &args.command {
        Command::Init { url } => init(&home, url)?,
        Command::Serve(words) => return serve::run(&home, words).map(|()| exit::OK),
        Command::Backup { file, keep } => backup::backup(&home, file, *keep)?,
        Command::Restore { file } => backup::restore(&home, file)?,
        Command::Enrol(words) => return enrol(&home, words, args.json),
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
