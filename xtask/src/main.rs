//! One command for each thing a developer does: `cargo xtask <command>`.

mod bench;
mod bindings;
mod ci;
mod layout;
mod run;
mod test;

const HELP: &str = "\
cargo xtask <command>

  ci         what the continuous integration runs: layout, format, lints, licences, tests
  test       every test that this machine can run; names each that it could not
             --all    a test that cannot run is a failure (as in ci)
  layout     file lengths, direction of dependencies, SQL and words where they belong
  content    check content/, build it, and compare with the packs in content/packs
             --write  keep what was built
  bindings   build the library, generate Kotlin, Swift and Python into target/bindings, build the wheel, and
             compare what they offer with bindings/api
             --write  keep what they offer now
             --bench  size of the release library, and what a call costs from Python and the JVM
  sim        a million seeded worlds of phones, headquarters and readers (AMPARO_WORLDS: another count)
  fuzz       ten million mutants of the wire through every decoder (AMPARO_FUZZ: another count)
  bench      the figures of README: counts and ratios, one run
";

fn main() -> std::process::ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let flag = |name: &str| words.iter().any(|word| word == name);
    let done = match words.first().map(String::as_str) {
        Some("ci") => ci::run(),
        Some("test") => test::run(flag("--all")),
        Some("layout") => layout::run(),
        Some("content") => test::content(flag("--write")),
        Some("bindings") if flag("--bench") => bindings::bench(),
        Some("bindings") => bindings::run(flag("--write")),
        Some("sim") => test::sim(),
        Some("fuzz") => test::fuzz(),
        Some("bench") => bench::run(),
        _ => {
            run::say(HELP);
            Ok(())
        }
    };
    match done {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(why) => {
            run::say(&format!("FAILED: {why}"));
            std::process::ExitCode::FAILURE
        }
    }
}
