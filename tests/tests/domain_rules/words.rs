//! Rules 1, 21, 24 and 25: what may be said, asked and shown, and in which languages.

use std::path::{Path, PathBuf};

use amparo_core::schema::answer::Mode;
use amparo_core::schema::pack::Content;
use amparo_core::schema::pack::checklist::{Item, ItemKind};
use amparo_core::schema::text::{Lang, Text};
use serde_json::Value;

use super::Shipped;

const LANGUAGES: [&str; 5] = ["es", "en", "pt", "fr", "ht"];

/// Written out by hand, apart from the rule of the compiler.
const NEVER: [&str; 32] = [
    "victim",
    "victims",
    "víctima",
    "víctimas",
    "vítima",
    "vítimas",
    "victime",
    "victimes",
    "viktim",
    "score",
    "puntaje",
    "puntuación",
    "probability",
    "probable",
    "probabilidad",
    "probabilidade",
    "probabilité",
    "credible",
    "creíble",
    "crível",
    "crédible",
    "suspect",
    "sospechoso",
    "sospechosa",
    "suspeito",
    "illegal",
    "ilegal",
    "illégal",
    "prostitute",
    "prostituta",
    "rescue",
    "rescatar",
];

/// Every text of a value with its place: a map whose keys are all languages.
fn texts(value: &Value, at: &str, found: &mut Vec<(String, String, String)>) {
    match value {
        Value::Object(map) if !map.is_empty() && map.keys().all(|k| LANGUAGES.contains(&k.as_str())) => {
            for (lang, words) in map {
                if let Some(words) = words.as_str() {
                    found.push((at.to_owned(), lang.clone(), words.to_owned()));
                }
            }
        }
        Value::Object(map) => map.iter().for_each(|(key, value)| texts(value, &format!("{at}.{key}"), found)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, value)| texts(value, &format!("{at}[{i}]"), found));
        }
        _ => {}
    }
}

fn said(words: &str) -> Option<&'static str> {
    let lower = words.to_lowercase();
    let mut parts = lower.split(|c: char| !c.is_alphanumeric());
    parts.find_map(|part| NEVER.into_iter().find(|never| *never == part))
}

#[test]
fn rule_1_no_text_says_what_a_screen_cannot_know() {
    let (mut looked_at, mut wrong) = (0, Vec::new());
    for (id, pack) in Shipped::new().0 {
        let mut found = Vec::new();
        let content = amparo_core::pack::parse::json(&pack.content).unwrap();
        texts(&serde_json::from_slice(&content).unwrap(), &id, &mut found);
        texts(&serde_json::to_value(&pack.header.title).unwrap(), &id, &mut found);
        // Services and bodies are called what they are called.
        let proper = |at: &str| matches!(&*pack.content, Content::Directory(_)) && at.ends_with("].name");
        for (at, lang, words) in found.iter().filter(|(at, ..)| !proper(at)) {
            looked_at += 1;
            wrong.extend(said(words).map(|never| format!("{at} ({lang}): {never}")));
        }
    }
    assert!(looked_at > 3_000, "{looked_at}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(said("No es una VÍCTIMA."), Some("víctima"));
}

#[test]
fn rule_1_the_shell_says_none_of_it_either() {
    let shell = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shell/src");
    let mut wrong = Vec::new();
    for file in
        ["words.rs", "report.rs"].map(|f| shell.join(f)).into_iter().chain(sources(&shell.join("draw")))
    {
        for literal in literals(&std::fs::read_to_string(&file).unwrap()) {
            wrong.extend(said(&literal).map(|never| format!("{}: {never}: {literal}", file.display())));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Items of checklists and intake, with where they stand.
fn items(shipped: &Shipped) -> Vec<(String, &Item)> {
    let intake = shipped.policy().intake.iter().map(|item| (format!("intake {}", item.id), item));
    let asked = shipped
        .checklists()
        .flat_map(|(id, c)| c.items.iter().map(move |item| (format!("{id} {}", item.id), item)));
    intake.chain(asked).collect()
}

#[test]
fn rule_21_nothing_asks_who_the_person_is_or_what_is_nobodys_business() {
    // Parts of words in Spanish and English; what an item warns against stands in hints, which are not asked.
    const PRIVATE: [&str; 34] = [
        "su nombre",
        "tu nombre",
        "cómo se llama",
        "apellido",
        "your name",
        "surname",
        "nacimiento",
        "cumpleaños",
        "born",
        "birth",
        "pasaporte",
        "passport",
        "número de",
        "cédula",
        "id number",
        "domicilio",
        "dirección",
        "address",
        "teléfono de",
        "phone number",
        "religi",
        "church",
        "iglesia",
        "relaciones sexuales",
        "sexual partner",
        "cuántas veces",
        "how many times",
        "embaraz",
        "pregnan",
        "vih",
        "hiv",
        "dice la verdad",
        "truth",
        "quién fue",
    ];
    let shipped = Shipped::new();
    let mut wrong = Vec::new();
    let items = items(&shipped);
    assert!(items.len() > 130, "{}", items.len());
    for (at, item) in &items {
        if matches!(item.kind, ItemKind::Date | ItemKind::ShortText { .. }) {
            wrong.push(format!("{at}: a date or free words"));
        }
        let mut found = Vec::new();
        texts(&serde_json::to_value(&item.prompt).unwrap(), at, &mut found);
        texts(&serde_json::to_value(&item.kind).unwrap(), at, &mut found);
        for (at, _, words) in found {
            let lower = words.to_lowercase();
            let asks = |part: &&&str| {
                lower.split(|c: char| !c.is_alphanumeric() && c != ' ').any(|p| holds(p, part))
            };
            wrong.extend(PRIVATE.iter().find(asks).map(|part| format!("{at}: {part}: {words}")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whether a part begins at a word, so that `born` is not found in `stubborn`.
fn holds(text: &str, part: &str) -> bool {
    text.match_indices(part).any(|(at, _)| at == 0 || text.as_bytes().get(at - 1) == Some(&b' '))
}

#[test]
fn rule_21_the_intake_is_seen_and_never_asked() {
    for item in &Shipped::new().policy().intake {
        assert_ne!(item.mode, Mode::Ask, "{}", item.id);
    }
}

/// What a person hears: questions and their options, steps, consents, outcomes.
fn heard(shipped: &Shipped) -> Vec<(String, Text)> {
    let mut heard = Vec::new();
    for (at, item) in items(shipped).into_iter().filter(|(_, item)| item.mode == Mode::Ask) {
        heard.push((at.clone(), item.prompt.clone()));
        if let ItemKind::Choice(options) | ItemKind::Choices(options) = &item.kind {
            heard.extend(options.iter().map(|o| (format!("{at} {}", o.id), o.label.clone())));
        }
    }
    let policy = shipped.policy();
    heard.extend(policy.consents.iter().map(|c| (format!("{:?}", c.purpose), c.words.clone())));
    heard.extend(policy.outcomes.iter().map(|(of, words)| (of.as_str().to_owned(), words.person.clone())));
    for (id, protocol) in shipped.protocols() {
        let said = protocol.steps.iter().filter_map(|s| Some((format!("{id} {}", s.id), s.say.clone()?)));
        heard.extend(said);
    }
    heard
}

#[test]
fn rule_24_what_a_person_hears_is_there_in_five_languages_and_a_missing_one_shows() {
    let heard = heard(&Shipped::new());
    assert!(heard.len() > 150, "{}", heard.len());
    let aymara = Lang::new("ay").unwrap();
    for (at, text) in &heard {
        for tag in LANGUAGES {
            let found = text.find(&Lang::new(tag).unwrap()).unwrap();
            assert!(!found.fallback && !found.words.trim().is_empty(), "{at}: {tag}");
        }
        let found = text.find(&aymara).unwrap();
        assert!(found.fallback && found.lang.as_str() == "es", "{at}");
    }
}

#[test]
fn rule_24_every_text_is_there_in_spanish_and_english() {
    let mut wrong = Vec::new();
    for (at, item) in items(&Shipped::new()) {
        let both =
            ["es", "en"].map(|tag| item.prompt.find(&Lang::new(tag).unwrap()).is_some_and(|f| !f.fallback));
        if both != [true, true] {
            wrong.push(at);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn rule_25_the_core_speaks_to_nobody() {
    // Whoever speaks to people says you; an error for a programmer does not.
    const SPEAKS: [&str; 14] = [
        "you", "your", "please", "usted", "su", "puede", "pueden", "llame", "pregunte", "você", "vous",
        "votre", "persona", "ayuda",
    ];
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src");
    let (mut looked_at, mut wrong) = (0, Vec::new());
    for file in sources(&core).into_iter().filter(|file| !is_test(&core, file)) {
        let text = std::fs::read_to_string(&file).unwrap();
        for literal in literals(text.split("#[cfg(test)]").next().unwrap_or_default()) {
            looked_at += 1;
            let lower = literal.to_lowercase();
            let mut parts = lower.split(|c: char| !c.is_alphanumeric());
            if parts.any(|part| SPEAKS.contains(&part)) || literal.contains(['¿', '¡', '«']) {
                wrong.push(format!("{}: {literal}", file.display()));
            }
        }
    }
    assert!(looked_at > 500, "{looked_at}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whether a source file under `root` holds tests alone.
fn is_test(root: &Path, file: &Path) -> bool {
    file.strip_prefix(root).unwrap().to_string_lossy().contains("test")
}

/// The source files of a folder and those below.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The string literals of a Rust source, line by line; enough for sources without raw strings over lines.
fn literals(source: &str) -> Vec<String> {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| {
        let line = line.replace("\\\"", "'").replace("'\"'", "");
        line.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
    })
    .collect()
}
