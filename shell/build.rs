//! Lists the packs of `content/packs` for the shell to embed.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../content/packs").canonicalize()?;
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut files: Vec<_> = std::fs::read_dir(&folder)?.filter_map(|e| Some(e.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "pack"));
    files.sort();
    let lines: Vec<_> = files.iter().map(|path| format!("    include_bytes!({path:?}),\n")).collect();
    let root = folder.join("../keys/root.json").canonicalize()?;
    println!("cargo:rerun-if-changed={}", root.display());
    let text = format!("&[\n{}]\n", lines.concat());
    let out = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&out).join("packs.rs"), text)?;
    std::fs::write(Path::new(&out).join("root.rs"), format!("include_bytes!({root:?})\n"))?;
    Ok(())
}
