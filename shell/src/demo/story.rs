//! The demonstration, step by step, in one line each.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use amparo_core::device::Device;
use amparo_core::random;
use amparo_core::seal::ticket_text;
use amparo_core::secret::Key;
use amparo_core::time::{FixedClock, Moment};
use amparo_hq::desk::view::CaseView;
use amparo_hq::desk::{Answer, FollowUp};
use amparo_schema::id::{CaseId, ReferralId, ScreeningId};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::Value;

use super::{Agency, DemoError, Headquarters, Manner, Office, Recorder, name};
use crate::ask::Plain;
use crate::host::SystemEntropy;
use crate::scenario::{self, Scenario};
use crate::sync::Seat;
use crate::transport::Http;
use crate::words::Speaker;
use crate::{embedded, home};

/// The screening. Synthetic.
const SCREENING: &str = include_str!("screening.json");
/// 2026-11-20 15:30 in Santiago, milliseconds since 1970: an hour after the screening begins.
const NOW_MS: i64 = 1_795_199_400_000;
/// How the steps count.
const STEPS: u32 = 12;
/// The agency that answers for the shelter, by its id in the recipients pack, and the shelter.
const AGENCY: (&str, &str) = ("demo-agency-chile", "cl-sernameg-shelter");
/// The agency that the device is enrolled for. Headquarters keeps this name, so it is found in its store.
const POST: &str = "demo-border-post";
/// A step takes the device a minute.
const STEP_MS: u32 = 60_000;

/// Runs the demonstration.
///
/// # Errors
/// [`DemoError`]; the temporary folder is removed all the same.
pub fn run(speaker: Speaker) -> Result<(), DemoError> {
    let folder = tempfile::Builder::new().prefix("amparo-demo").tempdir();
    let folder = folder.map_err(DemoError::at(&std::env::temp_dir()))?;
    let path = folder.path().to_owned();
    let told = Story::begin(speaker, folder.path()).and_then(|mut story| story.tell());
    let removed = folder.close().map_err(DemoError::at(&path));
    told?;
    removed?;
    line(
        speaker,
        "Todo se borró: no queda nada de esta demostración.",
        "All was removed: nothing of this demonstration is left.",
    );
    Ok(())
}

fn now_ms() -> i64 {
    NOW_MS
}

fn line(speaker: Speaker, es: &str, en: &str) {
    write(speaker.either(es, en));
}

fn write(text: &str) {
    // A closed pipe is no fault of ours.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// What the screening left behind.
struct Done {
    screening: ScreeningId,
    case: CaseId,
    referral: ReferralId,
    consent: u64,
}

struct Story {
    speaker: Speaker,
    step: u32,
    headquarters: Headquarters,
    backup: std::path::PathBuf,
    custodian: Office,
    agency: Office,
    clock: Arc<FixedClock>,
    device: Device,
    link: Recorder<Http>,
}

impl Story {
    fn begin(speaker: Speaker, folder: &Path) -> Result<Self, DemoError> {
        line(
            speaker,
            "Demostración: todo es sintético, en esta máquina, en una carpeta temporal. Las claves no son de nadie.",
            "Demonstration: all is synthetic, on this machine, in a temporary folder. The keys are nobody's.",
        );
        let manner = Manner { now_ms, tls: None, interruptible: true };
        let headquarters = Headquarters::start(folder, manner)?;
        let custodian = Office::open(folder, Agency::custodian()?, &headquarters, NOW_MS)?;
        let agency = Agency::of_pack(AGENCY.0, &[AGENCY.1], &["2026", "2027"])?;
        let agency = Office::open(folder, agency, &headquarters, NOW_MS)?;
        let scenario = screening()?;
        let start = scenario::moment(&scenario.at)?;
        let clock = Arc::new(FixedClock::new(Moment { steady_ms: 1, ..start }));
        let trust = embedded::trust().map_err(amparo_core::device::Error::from)?;
        let key = Key::new(&random::bytes(&SystemEntropy)?);
        let store = folder.join("device.db");
        let device = Device::create(&store, &key, trust, clock.clone(), Arc::new(SystemEntropy))?;
        home::install_embedded(&device)?;
        let link = Recorder::new(Http::new(&headquarters.known().url, None)?);
        let backup = folder.join("relay.backup");
        Ok(Self { speaker, step: 0, headquarters, backup, custodian, agency, clock, device, link })
    }

    fn tell(&mut self) -> Result<(), DemoError> {
        self.enrol()?;
        let done = self.screen()?;
        self.send()?;
        self.receipt()?;
        self.relay_sees()?;
        self.desks_see(done.case)?;
        self.answer(&done)?;
        self.fetch()?;
        self.withdraw(&done)?;
        self.step(
            "Se detiene la sede. Lo mismo en campo: amparo-hq serve, amparo enrol, amparo sync.",
            "Headquarters stops. The same in the field: amparo-hq serve, amparo enrol, amparo sync.",
        )?;
        self.headquarters.stop()
    }

    /// Says what comes now, unless ctrl-c ended it.
    fn step(&mut self, es: &str, en: &str) -> Result<(), DemoError> {
        if self.headquarters.was_interrupted() {
            return Err(DemoError::Interrupted);
        }
        self.step = self.step.saturating_add(1);
        self.clock.advance_ms(STEP_MS);
        write(&format!("\n[{}/{STEPS}] {}", self.step, self.speaker.either(es, en)));
        Ok(())
    }

    fn say(&self, es: &str, en: &str) {
        write(&format!("      {}", self.speaker.either(es, en)));
    }

    fn seat(&self) -> Seat<'_> {
        Seat { device: &self.device, speaker: self.speaker, json: false }
    }

    fn enrol(&mut self) -> Result<(), DemoError> {
        let at = self.headquarters.address();
        self.step(
            &format!("La sede escucha en {at}, con su almacén en un archivo; dos mesas: custodio y agencia."),
            &format!("Headquarters listens on {at}, its store in a file; two desks: custodian and agency."),
        )?;
        let text = ticket_text(&self.headquarters.invite(&name(POST)?)?)?;
        self.step(
            "La sede da un boleto para un dispositivo.",
            "Headquarters gives a ticket for one device.",
        )?;
        if std::io::stdout().is_terminal() {
            write(&picture(&text)?);
        }
        write(&format!("      {text}"));
        self.step(
            "El dispositivo se inscribe: amparo enrol BOLETO",
            "The device enrols: amparo enrol TICKET",
        )?;
        let mut nobody = Plain::new(std::io::empty(), std::io::sink(), self.speaker);
        self.seat().enrol(&mut nobody, Some(&text), None)?;
        Ok(())
    }

    fn screen(&mut self) -> Result<Done, DemoError> {
        self.step(
            "Sin red, en la frontera: una entrevista, una derivación al refugio con consentimiento, cerrada y sellada.",
            "Without a network, at the border: a screening, a referral to the shelter with consent, closed and sealed.",
        )?;
        let result = scenario::run_on(&screening()?, &self.device, &self.clock)?;
        let text = |pointer: &str| result.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let outcomes = result.pointer("/result/outcomes").map(Value::to_string).unwrap_or_default();
        let (code, outcomes) = (text("/result/screening/code"), outcomes.replace('"', ""));
        self.say(
            &format!("Caso {code}, resultado {outcomes}."),
            &format!("Case {code}, outcome {outcomes}."),
        );
        let missing = |_| DemoError::Content("the screening");
        let consent = result.pointer("/moves/1/ok/counter").and_then(Value::as_u64);
        Ok(Done {
            screening: text("/result/screening/screening").parse().map_err(missing)?,
            case: text("/result/screening/case").parse().map_err(missing)?,
            referral: text("/moves/0/ok/referral").parse().map_err(missing)?,
            consent: consent.ok_or(DemoError::Content("the consent"))?,
        })
    }

    fn send(&mut self) -> Result<(), DemoError> {
        self.step("Hay señal: amparo sync", "There is a signal: amparo sync")?;
        self.seat().sync_over(&self.link)?;
        Ok(())
    }

    fn receipt(&mut self) -> Result<(), DemoError> {
        self.step("El acuse, firmado por la sede:", "The receipt, signed by headquarters:")?;
        let receipt = self.link.receipt().ok_or(DemoError::Content("a receipt"))?;
        let (stored, durable, size, root) =
            (receipt.stored, receipt.durable, receipt.log_size, short(&receipt.log_root));
        self.say(
            &format!(
                "{stored} segmentos guardados, {durable} en copia; registro de {size} hojas, raíz {root}…"
            ),
            &format!("{stored} segments stored, {durable} in a backup; log of {size} leaves, root {root}…"),
        );
        self.headquarters.back_up(&self.backup)
    }

    fn relay_sees(&mut self) -> Result<(), DemoError> {
        self.step(
            "Lo que el relé puede ver, aparte de cuándo y de qué dirección llegó:",
            "What the relay can see, beside when and from which address it came:",
        )?;
        for header in self.link.headers() {
            let (device, number, bytes) = (short(&header.device), header.number, header.ciphertext_bytes);
            self.say(
                &format!("dispositivo {device}…, segmento {number}, {bytes} bytes rellenados y sellados"),
                &format!("device {device}…, segment {number}, {bytes} bytes, padded and sealed"),
            );
        }
        let grants: usize = self.link.disclosures().iter().map(|made| made.grants.len()).sum();
        self.say(
            &format!("{grants} llaves selladas, cada una para la clave de una mesa"),
            &format!("{grants} sealed keys, each for the key of one desk"),
        );
        let words = ["cl-los-libertadores", AGENCY.1, "ilo-adult-labour", "person-age"];
        // The backup that was just made: the store itself keeps what is new beside it for a while.
        let store = std::fs::read(&self.backup).map_err(DemoError::at(&self.backup))?;
        if found(&store, POST) == 0 {
            return Err(DemoError::Content("what headquarters itself wrote"));
        }
        let (up, _) = self.link.bytes();
        let hits: usize = words.iter().map(|word| found(&store, word) + found(&up, word)).sum();
        self.say(
            &format!("el puesto, el refugio o una pregunta, en su almacén o en el cable: {hits} veces"),
            &format!("the post, the shelter or a question, in its store or on the wire: {hits} times"),
        );
        Ok(())
    }

    fn desks_see(&mut self, case: CaseId) -> Result<(), DemoError> {
        self.step("Lo que ve cada mesa, con su clave:", "What each desk sees, with its key:")?;
        let (custodian, _) = self.custodian.pull()?;
        let (agency, _) = self.agency.pull()?;
        let (for_custodian, for_agency) = (self.custodian.desk().case(case)?, self.agency.desk().case(case)?);
        self.say(
            &format!("custodio: {custodian} segmentos, todo menos quién es: {}", self.view(&for_custodian)),
            &format!("custodian: {custodian} segments, all but who it is: {}", self.view(&for_custodian)),
        );
        self.say(
            &format!("agencia: {agency} segmentos, lo que la persona aceptó: {}", self.view(&for_agency)),
            &format!("agency: {agency} segments, what the person agreed to: {}", self.view(&for_agency)),
        );
        Ok(())
    }

    /// A case in a few words.
    fn view(&self, case: &CaseView) -> String {
        let list = |values: Vec<Value>| {
            let words: Vec<_> = values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            if words.is_empty() { "–".to_owned() } else { words.join(", ") }
        };
        let outcomes = list(case.outcomes.iter().filter_map(|o| serde_json::to_value(o).ok()).collect());
        let referrals =
            list(case.referrals.iter().filter_map(|r| serde_json::to_value(r.state).ok()).collect());
        let (answers, identity, hidden) = (
            case.screenings.iter().map(|screening| screening.answers.len()).sum::<usize>(),
            case.identity.len(),
            case.hidden,
        );
        self.speaker
            .either(
                format!(
                    "resultado {outcomes}; respuestas {answers}; derivación {referrals}; identidad {identity}; oculto {hidden}"
                ),
                format!(
                    "outcome {outcomes}; answers {answers}; referral {referrals}; identity {identity}; hidden {hidden}"
                ),
            )
    }

    fn answer(&mut self, done: &Done) -> Result<(), DemoError> {
        self.step(
            "La agencia acepta la derivación y deja un aviso: dos cartas firmadas, selladas para el dispositivo.",
            "The agency accepts the referral and leaves a note: two signed letters, sealed to the device.",
        )?;
        let text =
            self.speaker.either("Sintético: llamen antes de venir.", "Synthetic: call before you come.");
        let asked =
            FollowUp { case: done.case, screening: Some(done.screening), text: text.into(), due_ms: None };
        let desk = self.agency.desk();
        desk.answer(done.case, done.referral, &Answer::Accepted, NOW_MS, &SystemEntropy)?;
        desk.follow_up(&asked, NOW_MS, &SystemEntropy)?;
        self.agency.send()
    }

    fn fetch(&mut self) -> Result<(), DemoError> {
        self.step("Otra vez amparo sync: llegó la respuesta.", "amparo sync again: the answer has come.")?;
        self.seat().sync_over(&self.link)?;
        let durable = self.link.receipt().map_or(0, |receipt| receipt.durable);
        self.say(
            &format!("la sede hizo una copia mientras tanto: {durable} segmentos a salvo"),
            &format!("headquarters made a backup meanwhile: {durable} segments are safe"),
        );
        Ok(())
    }

    fn withdraw(&mut self, done: &Done) -> Result<(), DemoError> {
        self.step(
            "La persona retira su consentimiento; amparo sync; lo que la mesa de la agencia muestra después:",
            "The person withdraws the consent; amparo sync; what the agency's desk shows after it:",
        )?;
        self.device.withdraw_consent(done.screening, done.consent)?;
        self.seat().sync_over(&self.link)?;
        let (_, withdrawn) = self.agency.pull()?;
        let view = self.agency.desk().case(done.case)?;
        self.say(
            &format!("{withdrawn} segmentos retirados: {}", self.view(&view)),
            &format!("{withdrawn} segments withdrawn: {}", self.view(&view)),
        );
        Ok(())
    }
}

fn screening() -> Result<Scenario, DemoError> {
    serde_json::from_str(SCREENING).map_err(|_| DemoError::Content("the screening"))
}

/// How often a word stands in these bytes.
fn found(bytes: &[u8], word: &str) -> usize {
    bytes.windows(word.len()).filter(|window| *window == word.as_bytes()).count()
}

/// The first digits of an identifier.
fn short(id: &impl std::fmt::Display) -> String {
    id.to_string().chars().take(8).collect()
}

/// A text as a QR code: two modules in each character, dark on light whatever the colours of the terminal.
fn picture(text: &str) -> Result<String, DemoError> {
    let code = QrCode::new(text).map_err(|_| DemoError::Content("the picture"))?;
    let drawn = code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    Ok(drawn.lines().map(|line| format!("\u{1b}[97;40m{line}\u{1b}[0m\n")).collect())
}
