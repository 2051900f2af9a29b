//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Exit codes that scripts can use.
pub mod exit {
    /// Done.
    pub const OK: u8 = 0;
    /// The shell or the system failed.
    pub const FAILED: u8 = 1;
    /// The command line is wrong.
    pub const USAGE: u8 = 2;
    /// Something was checked and faults were found: content, store.
    pub const FAULTS: u8 = 3;
    /// No key: wrong passphrase, destroyed, missing.
    pub const LOCKED: u8 = 4;
    /// Nothing was found.
    pub const NOTHING: u8 = 5;
    /// The person ended the input before the command was done. What was answered is kept.
    pub const ENDED: u8 = 6;
    /// Headquarters was not reached, broke off, or asks to wait. Nothing is lost; the same command goes on.
    pub const UNFINISHED: u8 = 7;
    /// Refused: not enrolled, a ticket that does not count, a headquarters that cannot show to be it.
    pub const REFUSED: u8 = 8;
}

/// Amparo: screening and referral without a network. Without a command: the main job, step by step.
///
/// Everything is kept in an encrypted store in the data folder. Only `enrol` and `sync` speak to a network, and only
/// to the headquarters of the ticket.
#[derive(Debug, Parser)]
#[command(
    name = "amparo",
    version,
    after_help = "Exit codes: 0 done, 1 failed, 2 usage, 3 faults found, 4 locked, 5 nothing found, \
6 input ended, 7 headquarters not reached or not done (nothing is lost, try again), 8 refused (not enrolled, ticket \
or certificate does not count).\nAll persons and cases in the examples are synthetic. Directory entries are from 2016-2017 and unverified."
)]
pub struct Args {
    /// The data folder.
    #[arg(long, global = true, env = "AMPARO_HOME", value_name = "FOLDER")]
    pub home: Option<PathBuf>,

    /// The official's language: es or en.
    #[arg(long, global = true, env = "AMPARO_LANG", default_value = "es", value_parser = ["es", "en"])]
    pub lang: String,

    /// Reads the passphrase from the first line of this file instead of asking.
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,

    /// Answers as JSON on standard output.
    #[arg(long, global = true)]
    pub json: bool,

    /// Runs this walk without a person, on a store of its own that is removed afterwards.
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,

    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a screening, or go on with the open one.
    Screen {
        /// The checklist, by the id of its pack.
        #[arg(long)]
        checklist: Option<String>,
        /// The post or crossing, by its code.
        #[arg(long)]
        post: Option<String>,
        /// The country, two letters, where no post is given.
        #[arg(long)]
        country: Option<String>,
    },
    /// Find a contact as typed: names, places, services, in any language of the directory.
    Lookup {
        /// Words, or their beginnings.
        #[arg(required = true)]
        words: Vec<String>,
        /// Only this country, two letters.
        #[arg(long)]
        country: Option<String>,
    },
    /// The screenings on this device.
    List,
    /// One screening: outcome, steps, referrals.
    Show {
        /// Its id, or the code of its case.
        id: String,
    },
    /// Why a screening has its outcome: every answer, indicator, dimension and rule.
    Explain {
        /// Its id, or the code of its case.
        id: String,
    },
    /// Write the packets of a screening's referrals again, as far as consent still allows.
    Packet {
        /// Its id, or the code of its case.
        id: String,
    },
    /// Check the whole store: chain of facts, pages, links, packs.
    Verify,
    /// Bring the store to rest: close what is past its time, write everything home, forget the key, and remove the
    /// packets that lie open.
    Lock,
    /// Belong to a headquarters, by the ticket that it gave.
    Enrol {
        /// The text of the ticket, or a file that holds it; without either it is asked for.
        ticket: Option<String>,
        /// Trusts these certificates (PEM) instead of those that the public trusts.
        #[arg(long, env = "AMPARO_CA", value_name = "FILE")]
        ca: Option<PathBuf>,
    },
    /// Send what is sealed to headquarters and fetch answers, receipts and content.
    Sync {
        /// Trusts these certificates (PEM) instead of those that the public trusts.
        #[arg(long, env = "AMPARO_CA", value_name = "FILE")]
        ca: Option<PathBuf>,
    },
    /// How far each screening is, what agencies answered, when headquarters was last reached.
    Status,
    /// The same exchange as files that anyone may carry.
    Bundle {
        /// What to do.
        #[command(subcommand)]
        command: BundleCommand,
    },
    /// The whole loop on this machine, on synthetic data: headquarters, two desks, one device. Cleans up.
    Demo,
    /// Content authoring.
    Content {
        /// What to do.
        #[command(subcommand)]
        command: ContentCommand,
    },
}

/// Content authoring.
#[derive(Debug, Subcommand)]
pub enum ContentCommand {
    /// Check the authors' files; every finding has file, line and rule.
    Check {
        /// The folder.
        #[arg(default_value = "content")]
        folder: PathBuf,
    },
    /// Compile and sign the authors' files into packs.
    Build {
        /// The folder.
        #[arg(default_value = "content")]
        folder: PathBuf,
        /// Where the packs go.
        #[arg(default_value = "content/packs")]
        out: PathBuf,
    },
    /// The packs on this device.
    Packs,
    /// Install a pack file.
    Install {
        /// The file.
        file: PathBuf,
    },
}

/// Files instead of a network.
#[derive(Debug, Subcommand)]
pub enum BundleCommand {
    /// Write what headquarters lacks into a folder. Nothing goes from this device.
    Export {
        /// The folder, such as that of a stick.
        folder: PathBuf,
    },
    /// Take headquarters' answers, in any order.
    Import {
        /// Files, or folders that hold them.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}
