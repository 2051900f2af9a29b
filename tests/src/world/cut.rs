//! One upload of many screenings, cut at every byte.

use amparo_core::random::SeededEntropy;
use amparo_core::seal::{First, first};
use amparo_core::sync::Outbox;
use amparo_schema::id::DeviceId;

use super::NOON_MS;
use super::hq::Hq;
use super::phone::Phone;
use super::reader::Reader;

/// What the cuts cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cuts {
    /// Bytes of the whole upload, every one of which was a cut.
    pub cuts: usize,
    /// Frames in it.
    pub frames: usize,
    /// Most bytes that were sent a second time, beyond the frame that was cut.
    pub again: usize,
}

/// Seals `screenings`, each granted to two readers; cuts the upload after every byte; resumes after every frame.
///
/// # Errors
/// Where something was lost, or sent again that was there.
pub fn every_byte(screenings: usize) -> Result<Cuts, String> {
    let entropy = SeededEntropy::new(4);
    let readers = [Reader::new(0), Reader::new(1)];
    let mut hq = Hq::new(true, 64);
    readers.iter().for_each(|reader| hq.know(reader, NOON_MS));
    let mut phone = Phone::new(DeviceId([1; 16]), &[2; 32], 3);
    hq.enrol(&mut phone, NOON_MS, &entropy);
    for _ in 0..screenings {
        let made = phone.screen(3, false, NOON_MS, &entropy).map_err(|why| why.to_string())?.clone();
        let pairs = readers.iter().map(|reader| (made.clone(), reader.key())).collect::<Vec<_>>();
        phone.grant(&pairs, &entropy).map_err(|why| why.to_string())?;
    }
    let upload = phone.upload();
    let mut cuts = Cuts { cuts: upload.len(), ..Cuts::default() };
    let mut at = 0;
    while let Ok(First::Item(frame, _)) = first(&upload[at..]) {
        let before = hq.clone();
        for cut in 0..frame.len() {
            // What came before is there already; only the part of a frame is new, and must change nothing.
            let replies = hq.exchange(&frame[..cut], NOON_MS);
            if !replies.is_empty() || !hq.same_store(&before) {
                return Err(format!("a cut at byte {} changed something", at + cut));
            }
        }
        hq.exchange(frame, NOON_MS);
        at += frame.len();
        cuts.frames += 1;
        resumes(&phone, &hq, &upload[at..], &mut cuts)?;
    }
    if at == upload.len() { Ok(cuts) } else { Err("the upload does not end with a frame".into()) }
}

/// Another call of the same phone, whose first hello brings the receipt, sends the rest and not more.
fn resumes(phone: &Phone, hq: &Hq, rest: &[u8], cuts: &mut Cuts) -> Result<(), String> {
    let (mut phone, mut hq) = (phone.clone(), hq.clone());
    let whole = phone.upload();
    let Ok(First::Item(hello, _)) = first(&whole) else { return Err("no hello".into()) };
    let replies = hq.exchange(hello, NOON_MS);
    phone.take(hello, &replies, &SeededEntropy::new(5));
    let again = phone.upload();
    cuts.again = cuts.again.max((hello.len() + again.len()).saturating_sub(rest.len()));
    let replies = hq.exchange(&again, NOON_MS);
    phone.take(&again, &replies, &SeededEntropy::new(6));
    let lives = phone.outbox.lives().unwrap_or_default();
    if lives.iter().any(|life| life.is_unacknowledged()) {
        return Err(format!("{} bytes before the end something stays unacknowledged", rest.len()));
    }
    Ok(())
}
