//! Building content: from authored files to packs that a device opens. All content is synthetic.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

use std::path::{Path, PathBuf};

use amparo_core::pack::{Rule, Trust, check as check_pack, open};
use amparo_schema::limits;
use amparo_schema::pack::Content;
use amparo_schema::pack::checklist::ItemKind;
use amparo_schema::pack::recipients::{Recipient, RecipientRole};
use amparo_shell::content::ContentError;
use amparo_shell::content::build::{build, run};
use amparo_shell::content::check::check;
use amparo_shell::content::compile::Compiled;
use amparo_shell::content::keys::{
    DEMO_CUSTODIAN_PHRASE, Keys, demo_agency_public, demo_agency_signing_key, demo_custodian_public,
};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A folder with the good packs and the demonstration keys.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("keys")).unwrap();
    std::fs::copy(repository().join("content/keys/demo.yaml"), dir.path().join("keys/demo.yaml")).unwrap();
    for entry in std::fs::read_dir(repository().join("tests/good-packs")).unwrap() {
        let file = entry.unwrap().path();
        std::fs::copy(&file, dir.path().join(file.file_name().unwrap())).unwrap();
    }
    // The good protocol counts in a zone that the good calendar does not have.
    let protocol = dir.path().join("protocol.yaml");
    let text = std::fs::read_to_string(&protocol).unwrap().replace("America/Santiago", "Etc/Test");
    std::fs::write(protocol, text).unwrap();
    dir
}

fn packs(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .map(|f| (f.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&f).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn what_is_built_opens_and_is_the_same_again() {
    let dir = folder();
    let out = dir.path().join("packs");
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("checklist-gone.pack"), b"old").unwrap();
    std::fs::write(out.join("mine.pack"), b"not of this form").unwrap();
    let summary = run(dir.path(), &out, &mut Vec::new()).unwrap();
    assert_eq!((summary.packs, summary.errors), (6, 0));
    std::fs::remove_file(out.join("mine.pack")).unwrap();
    let first = packs(&out);
    let names: Vec<_> = first.iter().map(|(name, _)| name.as_str()).collect();
    let kinds = ["calendar", "checklist", "directory", "policy", "protocol", "recipients"];
    assert_eq!(names, kinds.map(|kind| format!("{kind}-good-{kind}.pack")), "and no pack without a file");
    let trust = Trust::read(&std::fs::read(dir.path().join("keys/root.json")).unwrap()).unwrap();
    for (name, bytes) in &first {
        let pack = open(bytes, &trust, None).unwrap();
        assert_eq!(format!("{}-{}.pack", pack.header.kind.as_str(), pack.header.id), *name);
    }
    run(dir.path(), &out, &mut Vec::new()).unwrap();
    assert_eq!(packs(&out), first);
}

#[test]
fn nothing_is_written_while_there_are_errors() {
    let dir = folder();
    let bad = repository().join("tests/bad-packs/never-true.yaml");
    std::fs::copy(bad, dir.path().join("bad.yaml")).unwrap();
    let mut said = Vec::new();
    let result = run(dir.path(), &dir.path().join("packs"), &mut said);
    assert!(matches!(result, Err(ContentError::Refused { errors: 1 })), "{result:?}");
    assert!(!dir.path().join("packs").exists() && !dir.path().join("keys/root.json").exists());
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("bad.yaml:19:") && said.contains("error[never-true] items[1].when"), "{said}");
}

#[test]
fn an_authority_without_enough_keys_cannot_build() {
    let dir = folder();
    let file = dir.path().join("protocol.yaml");
    let text = std::fs::read_to_string(&file).unwrap().replace("amparo-demo", "amparo-two");
    let two = |countries: &str| {
        std::fs::write(&file, text.replace("  audience", &format!("  countries: {countries}\n  audience")))
            .unwrap();
        build(&check(dir.path()).unwrap(), &Keys::read(dir.path()).unwrap()).map(|packs| packs.len())
    };
    assert!(matches!(two("[CL]"), Ok(6)));
    assert!(matches!(two("[MX]"), Err(ContentError::Pack { .. })));
    std::fs::write(&file, text.replace("amparo-two", "nobody")).unwrap();
    let keys = Keys::read(dir.path()).unwrap();
    assert!(matches!(build(&check(dir.path()).unwrap(), &keys), Err(ContentError::Pack { .. })));
}

#[test]
fn packs_are_checked_together() {
    let dir = folder();
    let rules = |file: &str, from: &str, to: &str| {
        let path = dir.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        std::fs::write(&path, text.replace(from, to)).unwrap();
        let found: Vec<_> = check(dir.path())
            .unwrap()
            .findings
            .into_iter()
            .filter(|f| f.severity == amparo_core::pack::Severity::Error)
            .map(|f| f.rule.into_owned())
            .collect();
        std::fs::write(&path, text).unwrap();
        found
    };
    assert_eq!(rules("protocol.yaml", "Etc/Test", "Etc/Other"), ["unknown-zone"]);
    assert_eq!(rules("protocol.yaml", "Etc/Test", "UTC"), [""; 0]);
    assert_eq!(rules("protocol.yaml", "zone:", "calendar: good-calendar\n  zone:"), [""; 0]);
    assert_eq!(rules("protocol.yaml", "zone:", "calendar: other\n  zone:"), ["unknown-calendar"]);
    assert_eq!(rules("recipients.yaml", "services: [one]", "services: [one, gone]"), ["unknown-service"]);
    std::fs::copy(dir.path().join("policy.yaml"), dir.path().join("policy2.yaml")).unwrap();
    assert_eq!(rules("policy.yaml", "id: good-policy", "id: good-policy"), ["duplicate-pack"]);
}

/// The committed packs are those that the committed content makes. When this fails after a change of
/// content: `amparo content build`.
#[test]
fn the_committed_packs_are_current() {
    let content = repository().join("content");
    let built = build(&check(&content).unwrap(), &Keys::read(&content).unwrap()).unwrap();
    let mut committed = packs(&content.join("packs"));
    committed.retain(|(name, _)| name.ends_with(".pack"));
    let names = |packs: &[(String, Vec<u8>)]| packs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let mut built: Vec<_> = built.into_iter().map(|pack| (pack.file_name(), pack.bytes)).collect();
    built.sort();
    assert_eq!(names(&committed), names(&built));
    let stale: Vec<_> = committed.iter().zip(&built).filter(|(a, b)| a != b).map(|(a, _)| &a.0).collect();
    assert!(stale.is_empty(), "{stale:?}");
}

/// The committed root file is the one that the committed phrases make.
#[test]
fn the_committed_root_file_is_current() {
    let content = repository().join("content");
    let keys = Keys::read(&content).unwrap();
    let committed: amparo_schema::pack::root::Root =
        serde_json::from_slice(&std::fs::read(content.join("keys/root.json")).unwrap()).unwrap();
    assert_eq!(committed, keys.root);
    let readme = std::fs::read_to_string(content.join("keys/README.md")).unwrap();
    assert!(readme.contains(&demo_custodian_public().to_string()) && readme.contains(DEMO_CUSTODIAN_PHRASE));
}

/// The keys in the demonstration pack are those that anyone can make from the published phrases.
#[test]
fn the_demonstration_recipients_have_published_keys() {
    let report = check(&repository().join("content/recipients/demo.yaml")).unwrap();
    let Content::Recipients(content) = &report.packs[0].content else { panic!() };
    let mut keys = 0;
    for recipient in &content.recipients {
        let id = recipient.id.as_str();
        for (key, year) in recipient.keys.iter().zip(["2026", "2027"]) {
            assert_eq!(key.public_key, demo_agency_public(id, year), "{id} {year}");
            keys += 1;
        }
        for key in &recipient.signing_keys {
            assert_eq!(key.0, demo_agency_signing_key(id).verifying_key().to_bytes(), "{id}");
            keys += 1;
        }
    }
    assert_eq!(keys, 7);
}

fn good(kind: &str) -> Compiled {
    let file = repository().join(format!("tests/good-packs/{kind}.yaml"));
    check(&file).unwrap().packs.pop().unwrap()
}

/// The slugs of errors after a change of the content.
fn after(kind: &str, change: impl FnOnce(&mut Content)) -> Vec<&'static str> {
    let mut pack = good(kind);
    change(&mut pack.content);
    let json = amparo_core::pack::parse::json(&pack.content).unwrap();
    let mut rules: Vec<_> = check_pack(&pack.header, &pack.content, &json)
        .into_iter()
        .filter(|f| f.rule.severity() == amparo_core::pack::Severity::Error)
        .map(|f| f.rule.slug())
        .collect();
    rules.dedup();
    rules
}

fn grow<T: Clone>(list: &mut Vec<T>, length: usize) {
    let one = list.first().unwrap().clone();
    list.resize(length, one);
}

/// Each limit, one past it. Copies share an id, so that duplicates are found as well.
#[test]
fn every_limit_of_content_is_kept() {
    let limit = Rule::LimitExceeded.slug();
    let checklist = |change: fn(&mut amparo_schema::pack::checklist::Checklist)| {
        after("checklist", |content| {
            let Content::Checklist(c) = content else { panic!() };
            change(c);
        })
    };
    assert!(checklist(|c| grow(&mut c.items, limits::ITEMS_MAX + 1)).contains(&limit));
    assert!(checklist(|c| grow(&mut c.indicators, limits::INDICATORS_MAX + 1)).contains(&limit));
    assert!(checklist(|c| grow(&mut c.dimensions, limits::DIMENSIONS_MAX + 1)).contains(&limit));
    assert!(checklist(|c| grow(&mut c.rules, limits::RULES_MAX + 1)).contains(&limit));
    let options = checklist(|c| {
        let ItemKind::Choice(options) = &mut c.items[3].kind else { panic!() };
        grow(options, limits::OPTIONS_MAX + 1);
    });
    assert!(options.contains(&limit));
    let languages = checklist(|c| {
        for i in 0..limits::TEXT_LANGUAGES_MAX {
            let lang = amparo_schema::text::Lang::new(format!("es-x{i}")).unwrap();
            c.validation.0.insert(lang, "x".into());
        }
    });
    assert_eq!(languages, [limit]);
    let steps = after("protocol", |content| {
        let Content::Protocol(c) = content else { panic!() };
        grow(&mut c.steps, limits::STEPS_MAX + 1);
    });
    assert!(steps.contains(&limit));
    let directory = |change: fn(&mut amparo_schema::pack::directory::Directory)| {
        after("directory", |content| {
            let Content::Directory(c) = content else { panic!() };
            change(c);
        })
    };
    assert_eq!(directory(|c| grow(&mut c.services[0].channels, limits::CHANNELS_MAX + 1)), [limit]);
    let calendar = |change: fn(&mut amparo_schema::pack::calendar::Calendar)| {
        after("calendar", |content| {
            let Content::Calendar(c) = content else { panic!() };
            change(c);
        })
    };
    let years = |c: &mut amparo_schema::pack::calendar::Calendar| {
        c.years = (2000..).map(|year| (year, vec![])).take(limits::CALENDAR_YEARS_MAX + 1).collect();
    };
    assert!(calendar(years).contains(&limit));
    let days = calendar(|c| {
        let year = c.years.values_mut().next().unwrap();
        grow(year, limits::CALENDAR_DAYS_MAX + 1);
    });
    assert!(days.contains(&limit));
    let changes = calendar(|c| {
        let zone = c.zones.values_mut().next().unwrap();
        grow(&mut zone.changes, limits::ZONE_CHANGES_MAX + 1);
    });
    assert!(changes.contains(&limit));
}

#[test]
fn recipients_share_no_key_and_no_service_and_their_days_run_forwards() {
    let recipients = |change: fn(&mut Vec<Recipient>)| {
        after("recipients", |content| {
            let Content::Recipients(c) = content else { panic!() };
            change(&mut c.recipients);
        })
    };
    assert_eq!(recipients(|_| ()), [""; 0]);
    assert_eq!(recipients(|l| l[1].keys[0].public_key = l[0].keys[1].public_key), ["duplicate-id"]);
    assert_eq!(recipients(|l| l[1].signing_keys = l[0].signing_keys.clone()), ["duplicate-id"]);
    assert_eq!(recipients(|l| l[1].id = l[0].id.clone()), ["duplicate-id"]);
    assert_eq!(
        recipients(|l| (l[1].role, l[1].services) = (RecipientRole::Agency, l[0].services.clone())),
        ["duplicate-id"]
    );
    assert_eq!(
        recipients(|l| l[0].keys[0].until = l[0].keys[0].from.yesterday().unwrap()),
        ["dates-out-of-order"]
    );
    assert_eq!(recipients(|l| l[0].services.clear()), ["recipient-services"]);
    assert_eq!(recipients(|l| l[0].keys[1].public_key.0 = [0; 32]), ["recipient-key"]);
    // No point of the curve has this y.
    assert_eq!(recipients(|l| l[0].signing_keys[0].0 = [2; 32]), ["signing-key"]);
    assert_eq!(recipients(|l| l[0].sources.clear()), ["unsourced"]);
    let limit = Rule::LimitExceeded.slug();
    assert!(recipients(|l| grow(l, limits::RECIPIENTS_MAX + 1)).contains(&limit));
    assert!(recipients(|l| grow(&mut l[0].keys, limits::RECIPIENT_KEYS_MAX + 1)).contains(&limit));
    assert!(recipients(|l| grow(&mut l[0].signing_keys, limits::RECIPIENT_KEYS_MAX + 1)).contains(&limit));
}

/// A finding is written to logs; nothing that a pack says may come along.
#[test]
fn findings_do_not_repeat_words_of_a_pack() {
    for entry in std::fs::read_dir(repository().join("tests/bad-packs")).unwrap() {
        let file = entry.unwrap().path();
        for mut pack in check(&file).unwrap().packs {
            pack.header.licence = "\u{202e}Prueba".into();
            for finding in check_pack(&pack.header, &pack.content, &pack.json) {
                let said = format!("{finding} {finding:?}");
                assert!(!said.contains("Prueba") && !said.contains('\u{202e}'), "{said}");
            }
        }
    }
}
