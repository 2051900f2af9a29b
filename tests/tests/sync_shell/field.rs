//! A phone as the shell's own binary keeps it, and screenings made on it by scenario.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use amparo_core::device::Device;
use amparo_core::seal::ticket_text;
use amparo_core::secret::Key;
use amparo_core::time::{Clock, FixedClock};
use amparo_schema::id::{CaseId, ReferralId, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::wire::enrol::Ticket;
use amparo_shell::demo::{Agency, Headquarters, Manner, Office};
use amparo_shell::host::{SystemClock, SystemEntropy};
use amparo_shell::keystore::Keystore;
use amparo_shell::scenario::{self, Scenario};
use amparo_shell::{embedded, home};
use amparo_tests::canary::{Canary, sightings};
use amparo_tests::device::patiently;
use serde_json::{Value, json};

const PASSPHRASE: &str = "frase secreta Quetzal3u7o";
const HOUR_MS: i64 = 60 * 60 * 1000;
/// Who the person is, as planted.
pub(crate) const IDENTITY: &str = "Persona Sintetica Tucan6r2v";
/// Why a step was not possible, as planted.
pub(crate) const REASON: &str = "Pajarorazon8w4y";
/// What an agency asks, as planted.
pub(crate) const ASKED: &str = "Gaviotaaviso7k2m llamar antes";
/// Why an agency rejects, as planted.
pub(crate) const REJECTED: &str = "Loronegativa3d8s sin lugar";
/// The agency that answers for the service of the scenario.
pub(crate) const AGENCY: (&str, &str) = ("demo-agency-chile", "cl-sernameg-shelter");

/// A phone.
pub(crate) struct Field {
    root: tempfile::TempDir,
    key: Key,
}

/// A screening that was made, with a referral.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made {
    pub(crate) case: CaseId,
    pub(crate) screening: ScreeningId,
    pub(crate) referral: ReferralId,
    pub(crate) consent: u64,
}

pub(crate) fn now_ms() -> i64 {
    SystemClock::new().now().wall_ms
}

/// A clock that stands at this time.
pub(crate) fn at(wall_ms: i64) -> Arc<FixedClock> {
    let clock = FixedClock::new(SystemClock::new().now());
    clock.set_wall_ms(wall_ms);
    Arc::new(clock)
}

pub(crate) fn headquarters(folder: &Path) -> Headquarters {
    let manner = Manner { now_ms, tls: None, interruptible: false };
    Headquarters::start(folder, manner).unwrap()
}

pub(crate) fn invite(headquarters: &Headquarters) -> Ticket {
    headquarters.invite(&Name::new("synthetic-post").unwrap()).unwrap()
}

pub(crate) fn desks(folder: &Path, headquarters: &Headquarters) -> (Office, Office) {
    let custodian = Office::open(folder, Agency::custodian().unwrap(), headquarters, now_ms()).unwrap();
    let agency = Agency::of_pack(AGENCY.0, &[AGENCY.1], &["2026", "2027"]).unwrap();
    (custodian, Office::open(folder, agency, headquarters, now_ms()).unwrap())
}

/// The shipped scenario of an adult at the border, with a referral, a consent to share who she is, and canaries.
fn scenario() -> Scenario {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/01-mother-two-children-creole.json");
    let mut text: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    text["then"] = json!([
        { "refer": AGENCY.1 },
        { "consent": { "purpose": "share_service", "scope": ["needs", "outcome", "indicators"], "by": "person" } },
        { "consent": { "purpose": "share_identity", "scope": ["identity"], "by": "person" } },
        { "identity": { "field": "name", "value": IDENTITY } },
        { "step": { "step": "cl-shelter-women", "state": { "impossible": { "reason": REASON } } } },
        { "referral": { "to": "sent" } },
        "close"
    ]);
    serde_json::from_value(text).unwrap()
}

impl Field {
    pub(crate) fn new() -> Self {
        Self::made_at(now_ms() - 2 * HOUR_MS)
    }

    /// A phone that was set up then.
    pub(crate) fn made_at(wall_ms: i64) -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["home", "temp", "stick"] {
            std::fs::create_dir(root.path().join(folder)).unwrap();
        }
        std::fs::write(root.path().join("secret"), format!("{PASSPHRASE}\n")).unwrap();
        let key = Keystore::at(&root.path().join("home")).create(PASSPHRASE, &SystemEntropy).unwrap();
        let field = Self { root, key };
        let clock = at(wall_ms);
        let (trust, store) = (embedded::trust().unwrap(), field.file("home/store.db"));
        let device = Device::create(&store, &field.key, trust, clock, Arc::new(SystemEntropy)).unwrap();
        home::install_embedded(&device).unwrap();
        field
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Two hours ago: a screening takes time, and must be over when the shell's own clock goes on.
    fn clock(&self) -> Arc<FixedClock> {
        at(now_ms() - 2 * HOUR_MS)
    }

    /// The device itself, while no shell runs.
    pub(crate) fn device(&self, clock: Arc<FixedClock>) -> Device {
        let (trust, store) = (embedded::trust().unwrap(), self.file("home/store.db"));
        patiently(|| Device::open(&store, &self.key, trust.clone(), clock.clone(), Arc::new(SystemEntropy)))
            .unwrap()
    }

    /// Makes a screening by scenario.
    pub(crate) fn screen(&self) -> Made {
        let clock = self.clock();
        let device = self.device(clock.clone());
        let result = scenario::run_on(&scenario(), &device, &clock).unwrap();
        let at = |pointer: &str| result.pointer(pointer).unwrap_or_else(|| panic!("{pointer}: {result:#}"));
        for (n, made) in at("/moves").as_array().unwrap().iter().enumerate() {
            assert!(made.get("error").is_none(), "move {n}: {made}");
        }
        let text = |pointer: &str| at(pointer).as_str().unwrap();
        Made {
            case: text("/result/screening/case").parse().unwrap(),
            screening: text("/result/screening/screening").parse().unwrap(),
            referral: text("/moves/0/ok/referral").parse().unwrap(),
            consent: at("/moves/1/ok/counter").as_u64().unwrap(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_amparo-under-test"));
        let temp = self.file("temp");
        command
            .arg("--home")
            .arg(self.file("home"))
            .arg("--passphrase-file")
            .arg(self.file("secret"))
            .args(arguments)
            .current_dir(self.root.path())
            .env_remove("AMPARO_HOME")
            .env_remove("AMPARO_LANG")
            .env_remove("AMPARO_CA")
            .envs(["TMPDIR", "SQLITE_TMPDIR"].map(|name| (name, &temp)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub(crate) fn begin(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// Runs it; the exit code is as wanted. Gives standard output and standard error.
    pub(crate) fn expect(&self, code: i32, arguments: &[&str]) -> (String, String) {
        let done = self.run(arguments);
        assert_eq!(sightings(&crate::planted(), &done.stderr, "standard error"), []);
        let secret = [Canary::new("passphrase", PASSPHRASE.as_bytes())];
        assert_eq!(sightings(&secret, &[&done.stdout[..], &done.stderr].concat(), "what is told"), []);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (out, err) = (text(&done.stdout), text(&done.stderr));
        assert_eq!(done.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
        (out, err)
    }

    pub(crate) fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let (out, _) = self.expect(code, &[&["--json"], arguments].concat());
        serde_json::from_str(&out).unwrap()
    }

    /// How far a screening is, as `status` tells.
    pub(crate) fn level(&self, screening: ScreeningId) -> String {
        let status = self.json(0, &["status"]);
        let mut lines = status["screenings"].as_array().unwrap().iter();
        let line = lines.find(|line| line["screening"] == screening.to_string()).unwrap();
        line["level"].as_str().unwrap().to_owned()
    }

    pub(crate) fn enrol(&self, ticket: &Ticket) {
        self.expect(0, &["enrol", &ticket_text(ticket).unwrap()]);
    }
}
