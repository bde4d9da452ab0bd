//! Spoils bytes that were well formed: flips, cuts, copies, swaps, and pieces that readers of text stumble over.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

/// Pieces for any reader of text: numbers at the edges, characters that hide or turn, signs that begin something.
const PIECES: [&[u8]; 44] = [
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\r\n",
    b"\r",
    b"\n",
    b"\t",
    b"\"",
    b"\"\"\"",
    b"'",
    b"'''",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"\\u{110000}",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b":",
    b"=",
    b"#",
    b"-",
    b"null",
    b"true",
    b"-0",
    b"0x7fffffffffffffff",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"18446744073709551616",
    b"1e999",
    b"-1e-999",
    b"nan",
    b"inf",
    b"1979-05-27T07:32:00Z",
    "\u{202e}".as_bytes(),
    "\u{200b}\u{301}\u{301}\u{301}".as_bytes(),
    "\u{1f1e9}\u{1f1ea}👩\u{200d}👧".as_bytes(),
    b"\x1b[2J\x1b]0;x\x07",
];

/// A place in something of this length, its end included.
fn place(random: &mut ChaCha8Rng, length: usize) -> usize {
    random.random_range(0..=length)
}

/// A stretch of something of this length, mostly short.
fn stretch(random: &mut ChaCha8Rng, length: usize) -> std::ops::Range<usize> {
    let start = place(random, length);
    let most = if random.random_range(0..4) == 0 { length } else { 40 };
    start..start.saturating_add(random.random_range(0..=most)).min(length)
}

/// Spoils `bytes` once; `more` are pieces of the format itself.
pub fn spoil(random: &mut ChaCha8Rng, bytes: &mut Vec<u8>, more: &[&[u8]]) {
    let length = bytes.len();
    match random.random_range(0..13) {
        0 | 1 if length > 0 => {
            let at = random.random_range(0..length);
            bytes[at] ^= 1 << random.random_range(0..8);
        }
        2 if length > 0 => {
            let at = random.random_range(0..length);
            bytes[at] = random.random();
        }
        3 => bytes.truncate(place(random, length)),
        4 => {
            drop(bytes.drain(stretch(random, length)));
        }
        5 => {
            let copied = bytes[stretch(random, length)].to_vec();
            let at = place(random, length);
            bytes.splice(at..at, copied);
        }
        6 if length > 0 => {
            let (one, other) = (random.random_range(0..length), random.random_range(0..length));
            bytes.swap(one, other);
        }
        7 if random.random_range(0..20) == 0 => {
            let piece = PIECES[random.random_range(0..PIECES.len())].repeat(random.random_range(1..3000));
            let at = place(random, length);
            bytes.splice(at..at, piece);
        }
        8 | 9 => {
            let replaced = stretch(random, length);
            bytes.splice(replaced, PIECES[random.random_range(0..PIECES.len())].iter().copied());
        }
        10 | 11 if !more.is_empty() => {
            let at = place(random, length);
            bytes.splice(at..at, more[random.random_range(0..more.len())].iter().copied());
        }
        // A number becomes another one.
        _ => {
            let digits: Vec<usize> = (0..length).filter(|at| bytes[*at].is_ascii_digit()).collect();
            if digits.is_empty() {
                return;
            }
            let start = digits[random.random_range(0..digits.len())];
            let end = (start..length).find(|at| !bytes[*at].is_ascii_digit()).unwrap_or(length);
            bytes.splice(start..end, number(random).into_bytes());
        }
    }
}

/// A number, often one at an edge.
pub fn number(random: &mut ChaCha8Rng) -> String {
    const EDGES: [i128; 16] = [
        0,
        1,
        -1,
        2,
        255,
        256,
        65_535,
        65_536,
        1_000_000,
        1_000_000_001,
        1_000_000_000_000,
        1_000_000_000_001,
        i64::MAX as i128,
        i64::MIN as i128,
        u64::MAX as i128 + 1,
        i128::MAX,
    ];
    match random.random_range(0..4) {
        0 => random.random_range(-5_i64..500).to_string(),
        1 => random.random::<i64>().to_string(),
        2 => format!("{}.{}", random.random_range(-9..99_999), random.random_range(0..1000)),
        _ => EDGES[random.random_range(0..EDGES.len())].to_string(),
    }
}

/// So much of the bytes as fits a message about them.
pub fn shown(bytes: &[u8]) -> String {
    let most = bytes.get(..4000).unwrap_or(bytes);
    format!("{} bytes: {:?}", bytes.len(), String::from_utf8_lossy(most))
}
