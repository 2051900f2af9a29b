//! What needs no store: the walk, the assessment, sealing, and the size of the program.

use std::path::{Path, PathBuf};

use amparo_core::checklist::Walk;
use amparo_schema::name::Name;

use super::table::{Row, Verdict};
use super::tool::{Case, said};
use super::watch::{self, exponent, pairs, ratio, time};
use super::{Fallible, alloc, cases, world};

pub(crate) fn rows(folder: &Path, rows: &mut Vec<Row>) -> Fallible<()> {
    rows.push(walk(folder)?);
    rows.push(assessment(folder)?);
    rows.push(sealing(folder)?);
    rows.push(size()?);
    Ok(())
}

/// Answer to next question, not saved.
fn walk(folder: &Path) -> Fallible<Row> {
    const OPERATIONS: usize = 2_000;
    let count = |name| Case { name, folder, operations: OPERATIONS }.instructions();
    let (small, large) = (count("walk-50")?, count("walk-500")?);
    let (few, many) = (allocations(50, OPERATIONS)?, allocations(500, OPERATIONS)?);
    let ready = |items| -> Fallible<(Walk, Vec<Name>)> {
        let form = world::form(items, 0)?;
        let ids = form.items().map(|item| item.id.clone()).collect();
        Ok((Walk::new(form, &Default::default()), ids))
    };
    let (mut long, mut short) = (ready(500)?, ready(50)?);
    let wall = pairs(
        100,
        || cases::walk_on(&mut long.0, &long.1, OPERATIONS),
        || cases::walk_on(&mut short.0, &short.1, OPERATIONS),
    )?;
    let grew = small.zip(large).map(|(small, large)| large / small);
    let by = grew.unwrap_or(wall.ratio);
    Ok(Row {
        what: "answer to next question, 500 questions (against the same form with 50; not saved)".into(),
        counts: format!(
            "{} instructions (50: {}); {many:.1} allocations (50: {few:.1}); {}",
            said(large),
            said(small),
            time(wall.ours / OPERATIONS as u32)
        ),
        ratio: format!("{} instructions; wall {wall}", grew.map_or("not counted".into(), ratio)),
        growth: format!("{:.2} in questions", exponent((50.0, 1.0), (500.0, by))),
        floor: "<= 1.5x",
        goal: "<= 1.2x, <= 10,000 instructions",
        verdict: Verdict::of(by <= 1.5, by <= 1.2 && large.is_some_and(|large| large <= 10_000.0)),
    })
}

fn allocations(items: usize, operations: usize) -> Fallible<f64> {
    let (one, done) = alloc::calls(|| cases::walk(items, operations));
    done?;
    let (two, done) = alloc::calls(|| cases::walk(items, 2 * operations));
    done?;
    Ok((two - one) as f64 / operations as f64)
}

/// The assessment of a long checklist.
fn assessment(folder: &Path) -> Fallible<Row> {
    let instructions = Case { name: "assess", folder, operations: 10 }.instructions()?;
    let (form, packs) = (world::form(500, 300)?, world::no_packs()?);
    let answers = world::answers(&form);
    let once = || drop(amparo_core::assessment::assess(&form, &answers, &packs.checklist));
    let (allocations, ()) = alloc::calls(once);
    let mut times: Vec<_> = (0..51).map(|_| watch::timed(once).0).collect();
    times.sort();
    Ok(Row {
        what: "assessment of 500 items and 300 indicators, with every reason".into(),
        counts: format!(
            "{} instructions; {allocations} allocations; {}",
            said(instructions),
            time(watch::quantile(&times, 0.5))
        ),
        ratio: "-".into(),
        growth: "-".into(),
        floor: "-",
        goal: "-",
        verdict: Verdict::None,
    })
}

/// Sealing of one screening for one reader, against the primitives.
fn sealing(folder: &Path) -> Fallible<Row> {
    let count = |name| Case { name, folder, operations: 20 }.instructions();
    let (whole, bare) = (count("seal")?, count("bare")?);
    let sealing = cases::Sealing::new()?;
    let wall = pairs(300, || sealing.whole().map(drop), || sealing.bare().map(drop))?;
    let counted = whole.zip(bare).map(|(whole, bare)| whole / bare);
    Ok(Row {
        what: "seal + sign + encode one screening (against ChaCha20-Poly1305, Ed25519 and one HPKE wrap of the same bytes)"
            .into(),
        counts: format!(
            "{} instructions (bare {}); {} bytes of facts in a segment of {}; {} (bare {})",
            said(whole),
            said(bare),
            sealing.plain_bytes(),
            sealing.whole()?,
            time(wall.ours),
            time(wall.theirs)
        ),
        ratio: format!("wall {wall}; instructions {}", counted.map_or("not counted".into(), ratio)),
        growth: "-".into(),
        floor: "<= 10x",
        goal: "<= 2x",
        verdict: Verdict::of(wall.ratio <= 10.0, wall.ratio <= 2.0),
    })
}

/// The field shell's binary, with everything in it.
fn size() -> Fallible<Row> {
    let this = std::env::current_exe()?;
    let binary = this.parent().map_or_else(PathBuf::new, Path::to_owned).join("amparo");
    let folder = tempfile::tempdir()?;
    let stripped = folder.path().join("amparo");
    let strip = std::process::Command::new("strip").arg("-o").arg(&stripped).arg(&binary).status();
    let counts = match strip {
        Ok(status) if status.success() => {
            format!("{:.2} MB, {}", std::fs::metadata(&stripped)?.len() as f64 / 1e6, std::env::consts::ARCH)
        }
        _ => "not measured: no binary or no strip".into(),
    };
    Ok(Row {
        what: "the `amparo` binary, stripped (core, SQLCipher, terminal shell, content)".into(),
        counts,
        ratio: "-".into(),
        growth: "-".into(),
        floor: "(library, arm64) <= 6 MB",
        goal: "<= 3.5 MB",
        verdict: Verdict::None,
    })
}
