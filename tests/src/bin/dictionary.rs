//! Trains the dictionary with which segments are compressed, and says what it saves.
//!
//! `dictionary` measures the one in use on screenings that it never saw; `dictionary --write FILE` trains a
//! new one. Everything in it is synthetic: a dictionary is a published piece of plaintext. A dictionary that
//! was released never changes; a better one gets the next number.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use amparo_core::device::{Device, Error, NextStep};
use amparo_core::random::SeededEntropy;
use amparo_core::seal::{SecretKey, open, to_bytes};
use amparo_core::time::{FixedClock, Moment};
use amparo_schema::fact::{IdentityField, ReferralState, Scope, StepState};
use amparo_schema::id::ScreeningId;
use amparo_schema::pack::directory::{Service, ServiceStatus};
use amparo_schema::pack::policy::Purpose;
use amparo_schema::person::Setting;
use amparo_schema::wire::segment::{DICTIONARY, dictionary, padded_bytes};
use amparo_shell::content::keys::demo_custodian_secret;
use amparo_shell::{embedded, home};
use amparo_tests::dice::Dice;
use amparo_tests::{answers, device};
use zstd::bulk::Compressor;

/// Bytes of the dictionary: what a phone carries for it.
const DICTIONARY_BYTES: usize = 32 * 1024;
const TRAINING: std::ops::Range<u64> = 0..200;
const UNSEEN: std::ops::Range<u64> = 1_000..1_200;
const CHECKLISTS: [&str; 5] =
    ["four-questions", "border-observation", "labour-site", "ilo-adult-labour", "ilo-child-labour"];
/// 2026-11-22 04:00 in Santiago.
const NOW_MS: i64 = 1_795_330_800_000;
/// More than the directory has.
const SERVICES_MAX: usize = 10_000;
const LEVEL: i32 = 19;

/// What a screening leaves behind: the checklist, and of each segment its plaintext and its length as sealed.
struct Screening {
    checklist: &'static str,
    segments: Vec<(Vec<u8>, usize)>,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.as_slice() {
        [] => measure(dictionary(DICTIONARY).unwrap_or_default()),
        [flag, file] if flag == "--write" => train(file),
        _ => return ExitCode::from(2),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn train(file: &str) -> Result<(), Box<dyn std::error::Error>> {
    let all = screenings(TRAINING)?;
    let samples: Vec<&[u8]> = all.iter().flat_map(|s| &s.segments).map(|(plain, _)| &plain[..]).collect();
    let trained = zstd::dict::from_samples(&samples, DICTIONARY_BYTES)?;
    println!("{} samples, {} bytes of dictionary", samples.len(), trained.len());
    std::fs::write(file, &trained)?;
    measure(&trained)
}

fn measure(dictionary: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
    println!("bytes per screening on screenings that the dictionary never saw");
    let unseen = screenings(UNSEEN)?;
    for checklist in CHECKLISTS {
        let some: Vec<&Screening> = unseen.iter().filter(|s| s.checklist == checklist).collect();
        tell(checklist, &some, dictionary)?;
    }
    tell("all", &unseen.iter().collect::<Vec<_>>(), dictionary)
}

fn tell(what: &str, some: &[&Screening], dictionary: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
    let mut with = packer(dictionary)?;
    let mut without = packer(&[])?;
    let mut sums = [0; 6];
    for (plain, sealed) in some.iter().flat_map(|s| &s.segments) {
        let (bare, packed) = (packed_bytes(&mut without, plain)?, packed_bytes(&mut with, plain)?);
        let each = [plain.len(), bare, padded_bytes(bare), packed, padded_bytes(packed), *sealed];
        sums.iter_mut().zip(each).for_each(|(sum, bytes)| *sum += bytes);
    }
    let [plain, bare, bare_padded, packed, packed_padded, sealed] = sums.map(|sum| sum / some.len().max(1));
    let segments = some.iter().map(|s| s.segments.len()).sum::<usize>();
    println!("{what}: {} screenings, {segments} segments", some.len());
    println!("  as encoded                {plain:>6}");
    println!("  zstd                      {bare:>6}   padded {bare_padded}");
    println!("  zstd with the dictionary  {packed:>6}   padded {packed_padded}");
    println!("  sealed by this build      {sealed:>6}   with header, signature and tag");
    Ok(())
}

/// Compresses as segments are.
fn packer(dictionary: &[u8]) -> std::io::Result<Compressor<'static>> {
    let mut packer = Compressor::with_dictionary(LEVEL, dictionary)?;
    packer.include_contentsize(false)?;
    packer.include_dictid(false)?;
    packer.include_checksum(false)?;
    Ok(packer)
}

/// The length of the frame without its magic number.
fn packed_bytes(packer: &mut Compressor<'_>, plain: &[u8]) -> std::io::Result<usize> {
    Ok(packer.compress(plain)?.len().saturating_sub(4))
}

/// What each screening leaves behind.
fn screenings(seeds: std::ops::Range<u64>) -> Result<Vec<Screening>, Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let clock = Arc::new(FixedClock::new(Moment { wall_ms: NOW_MS, offset_minutes: -180, steady_ms: 9_000 }));
    let entropy = Arc::new(SeededEntropy::new(seeds.start));
    let device = Device::create(
        &device::store(folder.path()),
        &device::key(),
        embedded::trust()?,
        clock.clone(),
        entropy,
    )?;
    home::install_embedded(&device)?;
    let services = services(&device)?;
    let mut all = Vec::new();
    for seed in seeds {
        let mut dice = Dice::new(seed);
        clock.advance_ms(u32::try_from(dice.below(80_000_000))?);
        all.push(screening(&device, &clock, &services, &mut dice)?);
    }
    Ok(all)
}

/// Every service of the directory that may be offered.
fn services(device: &Device) -> Result<Vec<Service>, Error> {
    let mut all = BTreeMap::new();
    for letter in 'a'..='z' {
        let (found, _) = device.lookup(letter.encode_utf8(&mut [0; 4]), None, SERVICES_MAX)?;
        all.extend(found.into_iter().map(|service| (service.id.clone(), service)));
    }
    let offered =
        |service: &Service| matches!(service.status, ServiceStatus::Current | ServiceStatus::NoContact);
    Ok(all.into_values().filter(offered).collect())
}

fn screening(
    device: &Device,
    clock: &FixedClock,
    services: &[Service],
    dice: &mut Dice,
) -> Result<Screening, Error> {
    let checklist = dice.one(&CHECKLISTS).copied().unwrap_or_default();
    let mut request = device::request(checklist, None)?;
    let service = dice.one(services).ok_or(Error::NotFound { what: "service" })?;
    request.place.country = service.country;
    request.place.setting =
        dice.one(&[Setting::Border, Setting::Workplace, Setting::Street]).copied().unwrap_or(Setting::Border);
    let id = device.start(&request)?;
    loop {
        clock.advance_ms(u32::try_from(2_000 + dice.below(30_000)).unwrap_or(0));
        match device.next(id)? {
            NextStep::Item(item) => {
                let question = device.question(id, &item)?;
                device.answer(id, &item, answers::some(&question.item, dice))?;
            }
            NextStep::Gate => {
                let checks = device.gate_checks(id)?.into_iter().map(|check| check.id).collect();
                device.gate(id, &checks)?;
                for purpose in [Purpose::Talk, Purpose::Store, Purpose::Statistics] {
                    device.consent(id, &device::plain_consent(purpose)?)?;
                }
            }
            NextStep::End => break,
        }
    }
    after(device, id, service, dice)?;
    device.close(id)?;
    let secret = SecretKey::new(&demo_custodian_secret());
    let mut segments = Vec::new();
    for sealed in device.sealed(id)? {
        let Some(grant) = sealed.grants.first() else { continue };
        let Ok(plain) = open(&sealed.segment, grant, &secret, &device.public_key()) else { continue };
        segments.push((to_bytes(&plain)?, sealed.segment.len()));
    }
    Ok(Screening { checklist, segments })
}

/// What follows a talk: steps, a referral to this service in two of three, and whom the person lets read.
fn after(device: &Device, id: ScreeningId, service: &Service, dice: &mut Dice) -> Result<(), Error> {
    device.record_outcome(id)?;
    for step in device.protocol(id)?.steps {
        if dice.below(3) == 0 {
            // One that asks for something first is left alone.
            let _ = device.log_step(id, &step.step.id, StepState::Done);
        }
    }
    if dice.below(3) > 0 {
        let channel = (dice.below(2) == 0 && !service.channels.is_empty()).then_some(0);
        let referral = match device.refer(id, &service.id, channel) {
            // A channel that is never dialled.
            Err(Error::NoCopy(_)) => device.refer(id, &service.id, None)?,
            done => done?,
        };
        let mut share = device::plain_consent(Purpose::ShareService)?;
        share.receiver = Some(service.id.clone());
        share.scope = [Scope::Needs, Scope::Outcome, Scope::Indicators].into_iter().collect();
        // A possible child cannot consent alone.
        let _ = device.consent(id, &share);
        let _ = device.move_referral(id, referral, ReferralState::Sent, None);
    }
    if dice.below(4) == 0 {
        let name = format!("Synthetic {}", dice.below(10_000));
        let _ = device.give_identity(id, IdentityField::Name, name);
    }
    Ok(())
}
