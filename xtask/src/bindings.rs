//! Kotlin, Swift and Python: library, generated files, wheel, snapshots of what they offer, and their tests.
//!
//! What is made lies under `target/bindings`: `kotlin`, `swift`, `python`, `lib` as shipped, and the same under
//! `testing` with the feature of that name, for the tests of each language.

use std::path::{Path, PathBuf};

use crate::run::{Outcome, cargo, command, command_in, root, say, works};

/// Language, where its files go, and the file that holds what it offers.
const LANGUAGES: [(&str, &str, &str); 3] = [
    ("kotlin", "kotlin", "amparo/amparo.kt"),
    ("swift", "swift", "AmparoCore.swift"),
    ("python", "python/amparo", "amparo.py"),
];

/// The tests of one language.
struct Tests {
    language: &'static str,
    /// A command that succeeds where they can run.
    needs: (&'static str, &'static [&'static str]),
    run: (&'static str, &'static [&'static str]),
    /// Whether CI can install what they need; if not, that they did not run is said and is no failure.
    packaged: bool,
}

const TESTS: &[Tests] = &[
    Tests {
        language: "Python",
        needs: ("python3", &["-m", "pytest", "--version"]),
        run: ("python3", &["-m", "pytest", "-q", "bindings/python"]),
        packaged: true,
    },
    Tests {
        language: "Kotlin",
        needs: ("mvn", &["--version"]),
        run: ("mvn", &["-B", "-ntp", "-f", "bindings/kotlin/pom.xml", "test"]),
        packaged: true,
    },
    Tests {
        language: "Swift",
        // Not `swift`: other programs have that name.
        needs: ("swiftc", &["--version"]),
        run: ("sh", &["bindings/swift/scripts/test.sh"]),
        // No package of Debian, and CI has no other source: named as not run, never as passed.
        packaged: false,
    },
];

/// Builds and generates everything, and compares what each language offers with `bindings/api`.
pub(crate) fn run(write: bool) -> Outcome {
    let shipped = root().join("target/bindings");
    make("cli", &shipped)?;
    let mut changed = Vec::new();
    for (language, folder, file) in LANGUAGES {
        let made = shipped.join(folder).join(file);
        let text = std::fs::read_to_string(&made).map_err(|e| format!("{}: {e}", made.display()))?;
        let surface = surface(language, &text);
        let kept = root().join("bindings/api").join(format!("{language}.txt"));
        if write {
            std::fs::write(&kept, surface).map_err(|e| format!("{}: {e}", kept.display()))?;
        } else if std::fs::read_to_string(&kept).ok() != Some(surface) {
            changed.push(language);
        }
    }
    make("cli,testing", &shipped.join("testing"))?;
    wheel()?;
    match changed.as_slice() {
        [] => Ok(()),
        _ => Err(format!(
            "what {} offers has changed: look at it with cargo xtask bindings --write and git diff bindings/api",
            changed.join(", ")
        )),
    }
}

/// Runs the tests of every language that this machine has, and names the others.
pub(crate) fn tests(not_run: &mut Vec<String>) -> Outcome {
    run(false)?;
    for tests in TESTS {
        let ((needs, words), (program, run)) = (tests.needs, tests.run);
        if works(needs, words) {
            command(program, run)?;
        } else if tests.packaged {
            not_run.push(format!("tests of {} ({needs} {} fails)", tests.language, words.join(" ")));
        } else {
            say(&format!("NOT RUN: tests of {} (no {needs} here)", tests.language));
        }
    }
    Ok(())
}

/// What the shipped library weighs, and what a call costs from Python and the JVM: printed, for
/// docs/BENCHMARKS.md. The calls go to a release build with the feature `testing`, which the tests' kit needs.
pub(crate) fn bench() -> Outcome {
    run(false)?;
    let out = root().join("target/bindings/release");
    let library = library_name();
    let build = |features: &str, to: &Path| {
        let release = ["build", "--release", "--locked", "-p", "amparo", "--lib", "--features", features];
        command(&cargo(), &release)?;
        copy(&target().join("release").join(&library), to)
    };
    let (shipped, package) = (out.join("shipped").join(&library), out.join("python/amparo"));
    build("", &shipped)?;
    build("testing", &out.join("lib").join(&library))?;
    copy(&out.join("lib").join(&library), &package.join(&library))?;
    for file in ["__init__.py", "amparo.py"] {
        copy(&root().join("target/bindings/testing/python/amparo").join(file), &package.join(file))?;
    }
    let path = |path: &Path| path.display().to_string();
    let python = [&*path(&shipped), &*path(&out.join("python"))];
    command("python3", &[&["bindings/python/bench.py"], &python[..]].concat())?;
    let lib = format!("-Damparo.library={}", path(&out.join("lib")));
    command("mvn", &["-B", "-ntp", "-q", "-f", "bindings/kotlin/pom.xml", "test", "-Dtest=Cost", &lib])
}

/// Builds the library with these features and generates the files of each language into `out`.
fn make(features: &str, out: &Path) -> Outcome {
    command(&cargo(), &["build", "--locked", "-p", "amparo", "--features", features])?;
    let library = library_name();
    let built = target().join("debug").join(&library);
    let generator = target().join("debug/uniffi-bindgen").display().to_string();
    for (language, folder, _) in LANGUAGES {
        let to = out.join(folder).display().to_string();
        let from = built.display().to_string();
        command(&generator, &["generate", &from, "-l", language, "-o", &to, "--no-format"])?;
    }
    copy(&built, &out.join("lib").join(&library))?;
    let package = out.join("python/amparo");
    copy(&built, &package.join(&library))?;
    for file in ["__init__.py", "py.typed"] {
        copy(&root().join("bindings/python/amparo").join(file), &package.join(file))?;
    }
    Ok(())
}

fn library_name() -> String {
    format!("{}amparo{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// Where cargo builds.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

fn copy(from: &Path, to: &Path) -> Outcome {
    let place = |e: std::io::Error| format!("{} to {}: {e}", from.display(), to.display());
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(place)?;
    }
    // A library that a process has open is replaced, not written over.
    std::fs::remove_file(to).or_else(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(place(e)),
    })?;
    std::fs::copy(from, to).map(|_| ()).map_err(place)
}

fn wheel() -> Outcome {
    if !works("maturin", &["--version"]) {
        say("NOT MADE: the Python wheel (pip install maturin)");
        return Ok(());
    }
    command_in("bindings/python", "maturin", &["build", "--locked", "--out", "../../target/bindings/wheels"])
}

/// The public names of a generated file with their types, one a line; bodies, documentation and the plumbing
/// are left out.
fn surface(language: &str, text: &str) -> String {
    let keep: fn(&str) -> bool = match language {
        "kotlin" => kotlin,
        "swift" => swift,
        _ => python,
    };
    let mut out = String::new();
    // The plumbing comes first in Swift, and its classes hide what is in them in Python.
    let mut hidden = language == "swift";
    for line in text.lines() {
        match language {
            "swift" if line.starts_with("public protocol ") => hidden = false,
            "python" if line.starts_with("class ") || line.starts_with("def ") => {
                hidden = line.starts_with("class _") || line.starts_with("def _");
            }
            _ => {}
        }
        // Some fields stand behind the end of their documentation.
        let line = line.rsplit("*/").next().unwrap_or(line);
        if !hidden && keep(line.trim()) && !PLUMBING.iter().any(|word| line.contains(word)) {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}

/// Words that stand in no line of what a language offers.
const PLUMBING: &[&str] = &[
    "uniffi",
    "Uniffi",
    "UNIFFI",
    "Ffi",
    "RustBuffer",
    "ForeignBytes",
    "private ",
    "internal ",
    "external ",
    "Cleaner",
    "Cleanable",
    "Disposable",
    "override ",
    "static func l",
    "static func read",
    "static func write",
];

fn is_constant(line: &str) -> bool {
    let name = line.trim_end_matches([',', ';']);
    !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

fn kotlin(line: &str) -> bool {
    let type_ = |line: &str| {
        let words = ["class ", "data class ", "sealed class ", "enum class ", "open class ", "interface "];
        words.iter().chain(&["public interface ", "typealias ", "object "]).any(|word| line.starts_with(word))
    };
    let named = ["fun `", "@Throws", "val `", "var `"].iter().any(|word| line.contains(word));
    type_(line) || is_constant(line) || named && !line.contains(" = ")
}

fn swift(line: &str) -> bool {
    let case = line.starts_with("case ")
        && !line.ends_with(':')
        && ![": return", " let "].iter().any(|w| line.contains(w));
    // Fields of a case stand alone in a line.
    let field = line.split_once(": ").is_some_and(|(name, kind)| {
        name.chars().all(char::is_alphanumeric)
            && kind.chars().all(|c| c.is_alphanumeric() || "?[],".contains(c))
    });
    line.starts_with("public ") || line.starts_with("open ") || line.starts_with("func ") || case || field
}

fn python(line: &str) -> bool {
    let field = line.starts_with("def __init__(self, *,");
    let method = line.starts_with("def ") && !line.starts_with("def _");
    let variant = line
        .split_once(" = ")
        .is_some_and(|(name, value)| is_constant(name) && value.chars().all(|c| c.is_ascii_digit()));
    line.starts_with("class ") || line.ends_with(" = str") || field || method || variant
}
