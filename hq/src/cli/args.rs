//! The words of the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use amparo_schema::id::{CaseId, DeviceId, Hash, ReferralId, ScreeningId};
use amparo_schema::name::Name;
use clap::{Args as Words, Parser, Subcommand};

use crate::desk::report::Period;

/// Exit codes that scripts can use; the same numbers as the terminal shell's.
pub mod exit {
    /// Done.
    pub const OK: u8 = 0;
    /// The program or the system failed.
    pub const FAILED: u8 = 1;
    /// The command line is wrong, or asks for what must not be done.
    pub const USAGE: u8 = 2;
    /// Something that was given is damaged or for another; the rest was done.
    pub const FAULTS: u8 = 3;
    /// There are no keys in the folder.
    pub const LOCKED: u8 = 4;
    /// Nothing was found.
    pub const NOTHING: u8 = 5;
}

/// Headquarters of Amparo: takes sealed screenings, gives receipts, and is an agency's desk.
///
/// The relay (`init`, `serve` and what follows) sees sealed bytes alone. The desk (`desk ...`) holds an
/// agency's keys and belongs on another machine.
#[derive(Debug, Parser)]
#[command(
    name = "amparo-hq",
    version,
    after_help = "Exit codes: 0 done, 1 failed, 2 usage, 3 a volume was damaged, 4 no keys in the folder, 5 nothing found.\n\
Secret keys lie in the folder in files that only their owner may read (0600); they are not wrapped by a\n\
passphrase: use an encrypted disk, and keep a copy of them apart from the backups of the store.\n\
Texts are in English alone: they are for operators, not for officials or persons."
)]
pub struct Args {
    /// The folder of the relay, or of the desk.
    #[arg(long, global = true, env = "AMPARO_HQ_HOME", value_name = "FOLDER", default_value = "amparo-hq")]
    pub home: PathBuf,

    /// Keeps the relay's store in PostgreSQL (or what speaks its protocol) instead of SQLite in the folder.
    #[arg(long, global = true, env = "AMPARO_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,

    /// Trusts only these certificates (PEM) of PostgreSQL's TLS, which is spoken with another machine always.
    #[arg(long, global = true, env = "AMPARO_DATABASE_CA", value_name = "FILE", requires = "database")]
    pub database_ca: Option<PathBuf>,

    /// Answers as JSON on standard output.
    #[arg(long, global = true)]
    pub json: bool,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make the folder, headquarters' keys and the store.
    Init {
        /// Where devices will find it: an https URL, or http on loopback.
        #[arg(long, default_value = "http://127.0.0.1:8443")]
        url: String,
    },
    /// Let callers in, until SIGTERM or ctrl-c; then finish what was taken.
    Serve(Serve),
    /// Make a ticket for one device: whoever holds it can enrol, once.
    Enrol(Enrol),
    /// The devices, with their agencies and what lies aside for them.
    Devices,
    /// Take volumes that came on a stick, and write for each of them one volume for each device that called in it.
    /// Tells what was refused, and why.
    Carry {
        /// Volumes for headquarters.
        #[arg(required = true)]
        volumes: Vec<PathBuf>,
        /// The folder for the answers; their names tell nothing.
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
    /// Revoke a device: what it still sends is kept aside.
    Revoke {
        /// The device.
        device: DeviceId,
    },
    /// What lies aside for a device: why, since when, which numbers and hashes. Headquarters has no content.
    Aside {
        /// The device; zeros for what names none.
        device: DeviceId,
        /// Throws it away for good, forks too; with zeros all that no enrolled device signed, whichever it names, so
        /// that there is room again. Look first: it may be somebody's facts.
        #[arg(long)]
        discard: bool,
    },
    /// Let in what lies aside for a device, and let its disputed segments be delivered. Of two segments with one
    /// number the first is delivered then; the second stays aside.
    Release {
        /// The device.
        device: DeviceId,
    },
    /// The keys of agencies.
    Recipient {
        /// What to do.
        #[command(subcommand)]
        command: RecipientCommand,
    },
    /// Publish a content pack to every device.
    Publish {
        /// The signed pack file.
        pack: PathBuf,
    },
    /// How the relay stands: counts, epoch, log size and root.
    Status,
    /// Copy the SQLite store to a new file while the server runs, and tell devices what it covers.
    Backup(Backup),
    /// Tell that PostgreSQL was backed up by its own tools, or that a `backup --same-disk` was copied away.
    BackedUp {
        /// Log size, by `status` before the newest backup was begun.
        #[arg(long)]
        newest: u64,
        /// Log size, by `status` before the oldest backup was begun from which headquarters might be restored.
        #[arg(long)]
        oldest: u64,
    },
    /// Say, for all who work with the store, what makes it durable. Needs no stop of servers.
    Durability {
        /// What.
        by: Lasting,
    },
    /// Put a backup in the place of the SQLite store; devices send again what it lacks.
    Restore {
        /// The backup.
        file: PathBuf,
    },
    /// After PostgreSQL was restored by its own tools, and before anything else: do again what was revoked, erased,
    /// withheld or registered since the backup in the database that it replaces. Says what is left to people.
    Repeat {
        /// The database that is replaced, as it was left.
        #[arg(long, env = "AMPARO_DATABASE_BEFORE", value_name = "URL", hide_env_values = true)]
        from: String,
    },
    /// Erase the ciphertext and the grants of a segment; header and log stay provable.
    Erase {
        /// The device that sealed it.
        device: DeviceId,
        /// The header hash of the segment.
        segment: Hash,
    },
    /// An agency's desk.
    Desk {
        /// What to do.
        #[command(subcommand)]
        command: DeskCommand,
    },
}

/// How to listen.
#[derive(Debug, Words)]
pub struct Serve {
    /// Where to listen. Elsewhere than on loopback only with TLS or behind a proxy.
    #[arg(long, default_value = "127.0.0.1:8443", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Certificate chain, PEM.
    #[arg(long, requires = "tls_key", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Its key, PEM.
    #[arg(long, requires = "tls_cert", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// A proxy on a network of its own ends TLS and comes in by plain http.
    #[arg(long, conflicts_with = "tls_cert")]
    pub behind_proxy: bool,
}

/// What makes the store durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Lasting {
    /// Backups, as `backup` and `backed-up` tell them.
    Backups,
    /// The database survives the loss of any one machine by itself: what is stored is durable.
    Replicated,
}

/// A backup.
#[derive(Debug, Words)]
pub struct Backup {
    /// The new file, on another disk than the store's, best on another machine.
    pub file: PathBuf,
    /// From how many of the newest backups headquarters might be restored; older ones are to be destroyed. One on
    /// the store's own disk takes the place of none elsewhere.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub keep: u32,
    /// Makes it on the store's own disk all the same. Nothing is durable by it until `backed-up` says so.
    #[arg(long)]
    pub same_disk: bool,
}

/// A ticket.
#[derive(Debug, Words)]
pub struct Enrol {
    /// The agency that the device will belong to, by its id in the recipients pack.
    #[arg(long)]
    pub agency: Name,
    /// Days until the ticket expires.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=366))]
    pub days: u16,
    /// Also writes the QR code as a picture.
    #[arg(long, value_name = "FILE")]
    pub png: Option<PathBuf>,
    /// Also writes the QR code as a drawing.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// The keys of agencies.
#[derive(Debug, Subcommand)]
pub enum RecipientCommand {
    /// Register a key, as `desk init` prints it.
    Add {
        /// The agency, by its id in the recipients pack.
        agency: Name,
        /// Its X25519 public key, 64 hexadecimal digits.
        key: Hash,
        /// The Ed25519 public key with which its desk signs, 64 hexadecimal digits.
        signing: Hash,
    },
}

/// An agency's desk.
#[derive(Debug, Subcommand)]
pub enum DeskCommand {
    /// Make the desk's folder, keys and store; print what headquarters must register.
    Init {
        /// The agency, by its id in the recipients pack.
        #[arg(long)]
        agency: Name,
        /// A service of the directory that the agency answers for; may be said several times.
        #[arg(long = "service", value_name = "SERVICE")]
        services: Vec<Name>,
        /// Headquarters' URL.
        #[arg(long)]
        url: String,
        /// Headquarters' Ed25519 public key, as `init` and `status` print it.
        #[arg(long)]
        key: Hash,
        /// Trusts the certificates in this PEM file instead of the public ones.
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
    },
    /// Make a new reading key; the old ones stay, to read what was sealed to them.
    NewKey,
    /// Fetch what was granted to the agency, and send letters that wait. What fails does not keep the rest back.
    Pull {
        /// Sends every letter again: headquarters was restored and may lack some. It takes each once.
        #[arg(long)]
        letters_again: bool,
    },
    /// How the desk stands.
    Status,
    /// The cases.
    List,
    /// One case, with everything that may be read of it.
    Show {
        /// The case.
        case: CaseId,
        /// Only who the person is, where a device recorded that the law lets it be shared without consent.
        #[arg(long)]
        by_law: bool,
    },
    /// Answer a referral.
    Answer(Answer),
    /// Ask the devices of a case to do something about it.
    FollowUp {
        /// The case.
        case: CaseId,
        /// What to do.
        text: String,
        /// The screening, if it is about one.
        #[arg(long)]
        screening: Option<ScreeningId>,
        /// Until when.
        #[arg(long, value_name = "YYYY-MM-DD")]
        due: Option<jiff::civil::Date>,
    },
    /// Count, by the variables of the domain; small cells are suppressed.
    Report(Report),
    /// Export the cases that may go to a receiver as HTCDS, with a report of what is lost.
    Htcds(Htcds),
}

/// An export.
#[derive(Debug, Words)]
pub struct Htcds {
    /// Who will receive it, by its id in the directory.
    pub receiver: Name,
    /// Identity goes along where the person consented to that for this receiver.
    #[arg(long)]
    pub identity: bool,
    /// The records as CSV, with the losses beside them; otherwise both as JSON.
    #[arg(long, conflicts_with = "json", requires = "losses")]
    pub csv: bool,
    /// Also writes what is lost, as CSV.
    #[arg(long, value_name = "FILE")]
    pub losses: Option<PathBuf>,
}

/// An answer to a referral.
#[derive(Debug, Words)]
#[command(group = clap::ArgGroup::new("answer").required(true))]
pub struct Answer {
    /// The case.
    pub case: CaseId,
    /// The referral.
    pub referral: ReferralId,
    /// The service takes the person.
    #[arg(long, group = "answer")]
    pub accepted: bool,
    /// It cannot, for this reason.
    #[arg(long, group = "answer", value_name = "REASON")]
    pub rejected: Option<String>,
    /// What the referral was for is done.
    #[arg(long, group = "answer")]
    pub done: bool,
}

/// A report.
#[derive(Debug, Words)]
#[command(group = clap::ArgGroup::new("period").required(true))]
pub struct Report {
    /// A month.
    #[arg(long, group = "period", value_name = "YYYY-MM", value_parser = monthly)]
    pub monthly: Option<Period>,
    /// A quarter.
    #[arg(long, group = "period", value_name = "YYYY-Qn", value_parser = quarterly)]
    pub quarterly: Option<Period>,
    /// A year.
    #[arg(long, group = "period", value_name = "YYYY", value_parser = annual)]
    pub annual: Option<Period>,
    /// SDG indicator 16.2.2 of a year.
    #[arg(long, group = "period", value_name = "YYYY", value_parser = sdg)]
    pub sdg: Option<Period>,
    /// As CSV; otherwise, and with --json, as JSON.
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// By what of the place; one for each report. Areas and posts are for reading inside the agency.
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = PlaceWord::Country)]
    pub place: PlaceWord,
    /// The least number that is shown. Below 11 it is for reading inside the agency.
    #[arg(long, value_name = "N", default_value_t = 11, value_parser = clap::value_parser!(u64).range(3..))]
    pub threshold: u64,
    /// For publication: refuses what is for reading inside the agency.
    #[arg(long)]
    pub published: bool,
}

/// By what of the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum PlaceWord {
    /// Country.
    Country,
    /// First-level area.
    Area,
    /// Post or crossing.
    Post,
    /// Kind of place.
    Setting,
}

fn period(text: &str, fits: impl FnOnce(Period) -> bool) -> Result<Period, &'static str> {
    text.parse().ok().filter(|period| fits(*period)).ok_or("no such period")
}

fn monthly(text: &str) -> Result<Period, &'static str> {
    period(text, |period| matches!(period, Period::Month { .. }))
}

fn quarterly(text: &str) -> Result<Period, &'static str> {
    period(text, |period| matches!(period, Period::Quarter { .. }))
}

fn annual(text: &str) -> Result<Period, &'static str> {
    period(text, |period| matches!(period, Period::Year { .. }))
}

fn sdg(text: &str) -> Result<Period, &'static str> {
    period(&format!("sdg-{text}"), |period| matches!(period, Period::Sdg1622 { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_well_formed_and_periods_are_what_they_are_called() {
        <Args as clap::CommandFactory>::command().debug_assert();
        let parse = |words: &str| Args::try_parse_from(words.split(' '));
        for good in [
            "amparo-hq desk report --monthly 2026-11 --csv",
            "amparo-hq desk report --quarterly 2026-Q4",
            "amparo-hq desk report --annual 2026 --json",
            "amparo-hq desk report --sdg 2026 --published",
            "amparo-hq desk report --annual 2026 --place post --threshold 3",
            "amparo-hq serve --tls-cert c.pem --tls-key k.pem",
            "amparo-hq --database x durability replicated",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in [
            "amparo-hq desk report",
            "amparo-hq desk report --monthly 2026",
            "amparo-hq desk report --annual sdg-2026",
            "amparo-hq desk report --sdg 2026 --annual 2026",
            "amparo-hq desk report --sdg 2026 --csv --json",
            "amparo-hq desk report --sdg 2026 --threshold 2",
            "amparo-hq serve --tls-cert c.pem",
            "amparo-hq durability sometimes",
            "amparo-hq revoke 00",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
