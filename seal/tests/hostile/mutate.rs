//! Mutants of good objects, from a seed.

/// SplitMix64: small, and the same everywhere.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 for none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

/// Bytes that mean something at the beginning of a CBOR item: numbers at their edges, long lengths, lists, maps,
/// indefinite lengths, tags, null, floats, the end mark.
const HEADS: [u8; 24] = [
    0x00, 0x17, 0x18, 0x1b, 0x1c, 0x20, 0x3b, 0x40, 0x50, 0x58, 0x5b, 0x5f, 0x60, 0x7a, 0x80, 0x82, 0x9a,
    0x9f, 0xa0, 0xbb, 0xc0, 0xf6, 0xfb, 0xff,
];

/// One object, changed one to four times; now and then a run of random bytes, or an object as it is.
pub(crate) fn mutant(corpus: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    if dice.below(50) == 0 {
        return (0..dice.below(300)).map(|_| dice.roll().to_le_bytes()[0]).collect();
    }
    let mut bytes = corpus[dice.below(corpus.len())].clone();
    for _ in 0..dice.below(5) {
        change(&mut bytes, corpus, dice);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(bytes.len());
    let Some(byte) = bytes.get_mut(at) else { return };
    match dice.below(9) {
        0 => *byte ^= 1 << dice.below(8),
        1 => *byte = dice.roll().to_le_bytes()[0],
        2 => *byte = HEADS[dice.below(HEADS.len())],
        3 => bytes.truncate(at),
        4 => drop(bytes.drain(at..(at + 1 + dice.below(40)).min(bytes.len()))),
        5 => {
            let head = HEADS[dice.below(HEADS.len())];
            let long = dice.roll().to_be_bytes();
            bytes.splice(at..at, std::iter::once(head).chain(long).take(1 + dice.below(9)));
        }
        // The same part again, up to a few thousand bytes.
        6 => {
            let part = bytes[at..(at + 1 + dice.below(60)).min(bytes.len())].to_vec();
            bytes.splice(at..at, part.repeat(1 + dice.below(40)));
        }
        // A part of another object.
        7 => {
            let other = &corpus[dice.below(corpus.len())];
            let from = dice.below(other.len());
            bytes.splice(at..at, other[from..(from + dice.below(200)).min(other.len())].iter().copied());
        }
        // Another object's end.
        _ => {
            let other = &corpus[dice.below(corpus.len())];
            bytes.truncate(at);
            bytes.extend_from_slice(&other[dice.below(other.len())..]);
        }
    }
}
