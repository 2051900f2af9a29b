//! Rules that the generators need and the compiler does not know.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::path::{Path, PathBuf};

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn nothing_that_a_generated_language_cannot_say() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 20);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().map(str::trim).enumerate() {
            let at = format!("{}:{}: {line}", file.display(), number + 1);
            // The end of a comment within a comment: generated Kotlin would not compile.
            let comment = line.starts_with("///") && (line.contains("/*") || line.contains("*/"));
            assert!(!comment, "{at}");
            // Kotlin's exceptions have a `message` of their own; `from` and `in` are words of Python.
            let field = line.strip_prefix("pub ").unwrap_or(line);
            let taken = ["message: ", "from: ", "in: ", "is: ", "not: ", "pass: ", "class: "];
            let declares = line.ends_with(',') && taken.iter().any(|name| field.starts_with(name));
            let value = line.contains("::") || line.contains('.') || line.contains('(');
            assert!(!declares || value, "{at}");
        }
    }
}
