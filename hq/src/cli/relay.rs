//! The commands about the relay that are no server.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use amparo_schema::id::DeviceId;
use amparo_schema::limits::SMALL_PACK_BYTES_MAX;
use amparo_schema::pack::{Envelope, FORMAT, Header};
use amparo_schema::wire::bundle::EXTENSION;
use amparo_schema::wire::push::{Refusal, Reply};
use amparo_seal::random::bytes as random;
use amparo_seal::ticket_text;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::Digest as _;

use super::args::{Args, Command, Enrol, Lasting, RecipientCommand, exit};
use super::backup;
use super::error::CliError;
use super::home::{Home, Opened};
use super::host::{SystemEntropy, now_ms};
use super::{files, picture, say, serve, show};
use crate::relay::{Durability, Laid, Listed, Reader, Relay, RelayError, What};
use crate::storage::{Standing, Storage};

/// Devices read at once.
const DEVICES_STEP: usize = 1_000;
/// Frames aside read at once.
const ASIDE_STEP: usize = 64;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Runs a command about the relay.
pub(super) fn run(args: &Args) -> Result<u8, CliError> {
    let home = Home::new(args);
    let done = match &args.command {
        Command::Init { url } => init(&home, url)?,
        Command::Serve(words) => return serve::run(&home, words).map(|()| exit::OK),
        Command::Backup(words) => backup::backup(&home, words)?,
        Command::Restore { file } => backup::restore(&home, file)?,
        Command::Repeat { from } => backup::repeat(&home, from)?,
        Command::Enrol(words) => return enrol(&home, words, args.json),
        Command::Devices => return devices(&home, args.json),
        Command::Aside { device, discard: false } => return aside(&home, *device, args.json),
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
    let Opened { relay, mut storage, held: _held } = home.open()?;
    let (storage, now) = (&mut *storage, now_ms());
    Ok(match command {
        Command::Revoke { device } => {
            relay.revoke(storage, *device, now)?;
            json!({ "revoked": device })
        }
        Command::Aside { device, .. } => json!({ "discarded": relay.discard(storage, *device, now)? }),
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
            if !is_pack(&bytes) {
                return Err(CliError::Refused(
                    "this is no content pack: every device would be given it for good",
                ));
            }
            relay.publish(storage, &bytes, now)?;
            json!({ "published_bytes": bytes.len() })
        }
        Command::BackedUp { newest, oldest } => {
            if oldest > newest {
                return Err(CliError::Refused("the oldest backup cannot hold more than the newest"));
            }
            if *newest > relay.checkpoint(storage)?.size {
                return Err(CliError::Refused(
                    "the log is shorter than that: devices would let go of what is nowhere",
                ));
            }
            relay.backed_up(storage, *newest, *oldest)?;
            json!({ "newest_backup": newest, "oldest_backup": oldest })
        }
        Command::Durability { by } => {
            if *by == Lasting::Replicated {
                home.sqlite_file().map_or(Ok(()), |_| {
                    Err(CliError::Refused("SQLite is on one machine; only --database may be replicated"))
                })?;
            }
            relay.endure(storage, by.into())?;
            json!({ "durability": word(by.into()) })
        }
        Command::Erase { device, segment } => {
            relay.erase(storage, *device, segment, now)?;
            json!({ "erased": segment })
        }
        // What has no arm of its own is `status`.
        _ => status(&relay, storage)?,
    })
}

impl From<&Lasting> for Durability {
    fn from(by: &Lasting) -> Self {
        match by {
            Lasting::Backups => Self::Local,
            Lasting::Replicated => Self::Replicated,
        }
    }
}

fn word(durability: Durability) -> &'static str {
    match durability {
        Durability::Local => "backups",
        Durability::Replicated => "replicated",
    }
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
        "durability": word(status.durability),
        "newest_backup": status.newest_backup,
        "oldest_backup": status.oldest_backup,
        "log_size": log.size,
        "log_root": log.root,
    }))
}

fn devices(home: &Home, as_json: bool) -> Result<u8, CliError> {
    let Opened { relay, mut storage, held: _held } = home.open()?;
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

/// A file that is damaged or does not read costs itself.
fn carry(home: &Home, volumes: &[PathBuf], out: &Path, as_json: bool) -> Result<u8, CliError> {
    let Opened { relay, mut storage, held: _held } = home.open()?;
    files::make_folder(out)?;
    let (mut taken, mut written, mut damaged, mut notes) = (0_u64, 0_u64, Vec::new(), Vec::new());
    for volume in volumes {
        let Ok(bytes) = files::read(volume) else {
            damaged.push(volume);
            continue;
        };
        match relay.carry(&mut *storage, &bytes, now_ms(), &SystemEntropy) {
            Ok(carried) => {
                taken += 1;
                for (_, answer) in carried.answers {
                    let name: [u8; 16] = random(&SystemEntropy)?;
                    let name = format!("{}.{EXTENSION}", HEXLOWER.encode(&name));
                    files::write(&out.join(name), &answer)?;
                    written += 1;
                }
                notes.extend(carried.notes.iter().filter_map(note).map(|told| json!([volume, told])));
            }
            Err(RelayError::Signature) => damaged.push(volume),
            Err(error) => return Err(error.into()),
        }
    }
    let done = json!({ "taken": taken, "written": written, "damaged": damaged, "notes": notes });
    show(as_json, &done);
    Ok(if damaged.is_empty() { exit::OK } else { exit::FAULTS })
}

/// Whether these bytes have the form of a pack, with the content that its header names. Whether its signatures count
/// is for devices to say, by their root file.
fn is_pack(bytes: &[u8]) -> bool {
    let read = |bytes: &[u8]| {
        let mut decoder = minicbor::Decoder::new(bytes);
        let pack: Envelope = decoder.decode().ok()?;
        let header: Header = minicbor::decode(&pack.header).ok()?;
        let same = header.content_sha256.0[..] == sha2::Sha256::digest(&pack.content)[..];
        Some(same && pack.format == FORMAT && decoder.position() == bytes.len())
    };
    read(bytes).unwrap_or(false)
}

/// What a carrier is told of a frame that was not taken.
fn note(reply: &Reply) -> Option<String> {
    match reply {
        Reply::Refused { frame, why } => Some(format!("frame {frame} was refused: {}", refusal(*why))),
        Reply::Later { .. } => Some("too much at once: bring it again".into()),
        Reply::CertificateWanted => Some("a device called that is not known here: enrol it".into()),
        Reply::Receipt(_) | Reply::ReceiptWanted | Reply::Unchanged | Reply::Page(_) => None,
    }
}

fn refusal(why: Refusal) -> &'static str {
    match why {
        Refusal::Form => "form",
        Refusal::Signature => "signature",
        Refusal::Stranger => "stranger",
        Refusal::Fork => "fork",
        Refusal::Revoked => "revoked",
        Refusal::Newer => "newer",
        Refusal::TooLarge => "too large",
        Refusal::Full => "full",
    }
}

/// What lies aside for a device.
fn aside(home: &Home, device: DeviceId, as_json: bool) -> Result<u8, CliError> {
    let Opened { relay, mut storage, held: _held } = home.open()?;
    let (mut after, mut lines) = (None, Vec::new());
    loop {
        let laid = relay.laid_aside(&mut *storage, device, after, ASIDE_STEP)?;
        let Some(last) = laid.last() else { break };
        after = Some(last.id);
        for Laid { id, why, at_ms, bytes, what } in laid {
            let mut line = json!({ "id": id, "why": refusal(why), "at_ms": at_ms, "bytes": bytes });
            let more = match what {
                What::Segment { hash, incarnation, number, instead } => json!({
                    "what": "segment", "incarnation": incarnation, "number": number, "segment": hash,
                    "in_its_place": instead.map(|(hash, _)| hash),
                    "disputed": instead.is_some_and(|(_, standing)| standing == Standing::Disputed),
                }),
                What::Disclosure { incarnation, number, grants, withheld } => json!({
                    "what": "disclosure", "incarnation": incarnation, "number": number,
                    "grants": grants, "withheld": withheld,
                }),
                What::Unknown => json!({ "what": "unknown" }),
            };
            if let (Some(line), Value::Object(more)) = (line.as_object_mut(), more) {
                line.extend(more);
            }
            if as_json {
                lines.push(line);
            } else {
                say(&line.to_string());
            }
        }
    }
    if as_json {
        show(true, &Value::Array(lines));
    }
    Ok(if after.is_none() { exit::NOTHING } else { exit::OK })
}

fn enrol(home: &Home, words: &Enrol, as_json: bool) -> Result<u8, CliError> {
    let Opened { relay, mut storage, held: _held } = home.open()?;
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
