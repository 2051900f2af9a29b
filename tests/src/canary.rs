//! Canaries: words that must not be found where nobody may read them, and how to look for them.

use std::path::{Path, PathBuf};

/// A word, in every form in which it could lie in a file.
#[derive(Clone)]
pub struct Canary {
    /// What it was planted as.
    pub planted: &'static str,
    forms: Vec<(&'static str, Vec<u8>)>,
}

/// A place where a canary was found. Names what it was planted as, never the word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// What it was planted as.
    pub planted: &'static str,
    /// In which form.
    pub form: &'static str,
    /// Where.
    pub place: String,
}

impl Canary {
    /// A canary; at least six bytes, so that chance does not make one.
    #[must_use]
    pub fn new(planted: &'static str, bytes: &[u8]) -> Self {
        let mut forms = vec![("raw", bytes.to_vec())];
        let hex = |upper: bool| -> Vec<u8> {
            let digit = |byte: &u8| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
            bytes.iter().map(digit).collect::<String>().into_bytes()
        };
        forms.extend([("hex", hex(false)), ("HEX", hex(true))]);
        for (form, skipped) in [("base64", 0), ("base64 + 1", 1), ("base64 + 2", 2)] {
            // Only whole groups of three bytes look the same whatever stands around them.
            let inner = bytes.get(skipped..).unwrap_or_default();
            let whole = inner.len() / 3 * 3;
            forms.push((form, base64(inner.get(..whole).unwrap_or_default())));
        }
        if let Ok(text) = std::str::from_utf8(bytes) {
            forms.push(("UTF-16 little", text.encode_utf16().flat_map(u16::to_le_bytes).collect()));
            forms.push(("UTF-16 big", text.encode_utf16().flat_map(u16::to_be_bytes).collect()));
            forms.push(("lower case", text.to_lowercase().into_bytes()));
            forms.push(("upper case", text.to_uppercase().into_bytes()));
        }
        forms.retain(|(_, form)| form.len() >= 6);
        Self { planted, forms }
    }

    /// The form in which it stands in these bytes, if it does.
    #[must_use]
    pub fn form_in(&self, bytes: &[u8]) -> Option<&'static str> {
        sightings(std::slice::from_ref(self), bytes, "").first().map(|sighting| sighting.form)
    }
}

/// Every canary in these bytes, once each, in one pass.
#[must_use]
pub fn sightings(canaries: &[Canary], bytes: &[u8], place: &str) -> Vec<Sighting> {
    let mut by_start: Vec<Vec<(&Canary, &'static str, &[u8])>> = vec![Vec::new(); 1 << 16];
    let start = |bytes: &[u8]| match bytes {
        [a, b, ..] => usize::from(u16::from_be_bytes([*a, *b])),
        _ => 0,
    };
    for canary in canaries {
        for (name, form) in &canary.forms {
            if let Some(forms) = by_start.get_mut(start(form)) {
                forms.push((canary, name, form));
            }
        }
    }
    let mut found: Vec<Sighting> = Vec::new();
    let mut rest = bytes;
    while rest.len() >= 2 {
        for (canary, form, word) in by_start.get(start(rest)).into_iter().flatten() {
            if rest.starts_with(word) && found.iter().all(|sighting| sighting.planted != canary.planted) {
                found.push(Sighting { planted: canary.planted, form, place: place.to_owned() });
            }
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    found
}

/// Every file below a folder.
///
/// # Errors
/// What the system says.
pub fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// Every canary in the files below a folder, in their bytes and in their names, and how many files there are.
///
/// # Errors
/// What the system says.
pub fn in_files(canaries: &[Canary], folder: &Path) -> std::io::Result<(Vec<Sighting>, usize)> {
    let files = files(folder)?;
    let mut found = Vec::new();
    for file in &files {
        let place = file.display().to_string();
        found.extend(sightings(canaries, place.as_bytes(), "the name of a file"));
        found.extend(sightings(canaries, &std::fs::read(file)?, &place));
    }
    Ok((found, files.len()))
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| LETTERS.get(usize::try_from(bits & 63).unwrap_or(0)).copied().unwrap_or(b'=');
    let group = |three: &[u8]| {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        [letter(bits >> 18), letter(bits >> 12), letter(bits >> 6), letter(bits)]
    };
    bytes.chunks_exact(3).flat_map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_canary_in_every_form() {
        let canary = Canary::new("test", b"Kanarienvogel");
        // Made with other tools: base64 of "xKanarienvogel!", "xxKanarienvogel!!", "xxxKanarienvogel".
        let planted: [(&str, &[u8]); 6] = [
            ("raw", b"..Kanarienvogel.."),
            ("lower case", b"kanarienvogel"),
            ("hex", b"4b616e617269656e766f67656c"),
            ("base64", b"eHh4S2FuYXJpZW52b2dlbA=="),
            ("base64 + 1", b"eHhLYW5hcmllbnZvZ2VsISE="),
            ("base64 + 2", b"eEthbmFyaWVudm9nZWwh"),
        ];
        for (form, bytes) in planted {
            assert_eq!(canary.form_in(bytes), Some(form));
        }
        let wide: Vec<u8> = "Kanarienvogel".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(canary.form_in(&wide), Some("UTF-16 little"));
        assert_eq!(canary.form_in(b"Kanarien, Vogel"), None);
    }
}
