//! Sync beside TaskChampion, on the same facts in the same run.
//!
//! Twenty-odd facts of a screening, as the device made them, go through Amparo (sealed, padded, signed, by the
//! shell's HTTP to headquarters' own server) and through TaskChampion (its replica and its own HTTP client, which
//! encrypts), twice: each fact as JSON, and all of them as the one compressed blob that our segments hold. A proxy
//! between each client and its server counts, is as slow as a satellite, and fails. TLS is left out on both sides.
//! PouchDB is not here: it needs Node. Progress goes to stderr, Markdown to stdout. Synthetic throughout.
#![allow(clippy::disallowed_methods, reason = "a benchmark is asked how long things take")]

mod cost;
mod cuts;
mod depot;
mod faults;
mod field;
mod hq;
mod limit;
mod link;
mod our_cuts;
mod ours;
mod report;
mod shaped;
mod their_cuts;
mod theirs;

use report::Row;
use theirs::Payload;

/// What went wrong, for a developer to read.
pub type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// Screenings in each run that counts.
const SCREENINGS: usize = 100;
/// Screenings in each sync.
const BATCHES: [usize; 3] = [1, 10, 100];

fn main() -> Fallible<()> {
    let (mut rows, mut facts) = (Vec::new(), Vec::new());
    for batch in BATCHES {
        let (made, cost) = ours::count(SCREENINGS, batch)?;
        let (natural, blob) = (Payload::Facts, Payload::Blob);
        rows.push(Row { batch, who: "Amparo", cost });
        rows.push(Row { batch, who: "TaskChampion", cost: theirs::count(&made, batch, natural)? });
        rows.push(Row { batch, who: "TaskChampion, same blob", cost: theirs::count(&made, batch, blob)? });
        eprintln!("counted at {batch} in one sync");
        facts = made;
    }
    let json: usize = facts.iter().flat_map(|facts| &facts.json).map(String::len).sum();
    let count: usize = facts.iter().map(|facts| facts.json.len()).sum();
    println!("{} facts and {} bytes of JSON per screening.", count / SCREENINGS, json / SCREENINGS);
    report::bytes(&rows, SCREENINGS);
    report::work(&rows, SCREENINGS);
    if let Some(single) = rows.iter().find(|row| row.batch == 1) {
        report::limit(&limit::Limit::of(&facts)?, &single.cost, SCREENINGS);
    }
    eprintln!("over shaped links, all at once, and cut everywhere: some four minutes");
    // Waiting costs no processor: all at once.
    let (cut, failed, measured) = std::thread::scope(|scope| {
        let cut = scope.spawn(|| cut(&facts).map_err(|why| why.to_string()));
        let failed = scope.spawn(|| faults::everywhere(&facts).map_err(|why| why.to_string()));
        let measured = shaped::measure(&facts);
        (cut.join(), failed.join(), measured)
    });
    let cut = cut.map_err(|_| "a thread failed")??;
    report::resume(&cut, SCREENINGS);
    report::shaped(&measured?);
    report::faults(&failed.map_err(|_| "a thread failed")??);
    if cut.iter().any(|side| side.who == "Amparo" && (side.lost, side.doubled) != (0, 0)) {
        return Err("something was lost or doubled after a cut".into());
    }
    Ok(())
}

/// Both sides, cut everywhere.
fn cut(facts: &[field::Facts]) -> Fallible<[cuts::Resume; 2]> {
    let ours = cuts::everywhere(&mut our_cuts::OurCuts::new(SCREENINGS)?)?;
    Ok([ours, cuts::everywhere(&mut their_cuts::TheirCuts::new(facts)?)?])
}
