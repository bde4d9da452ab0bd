//! What a terminal, or somebody who claims to be one, sends: keys as they are, and sequences that are broken, too long,
//! nested, unfinished or full of numbers that make no sense. One call makes one input.

use crate::bytes;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

/// Keys as terminals send them.
const KEYS: [&[u8]; 34] = [
    b"\r",
    b"\r",
    b"\r",
    b"\t",
    b"\x7f",
    b" ",
    b"\x1b[A",
    b"\x1b[B",
    b"\x1b[B",
    b"\x1b[C",
    b"\x1b[D",
    b"\x1b[H",
    b"\x1b[F",
    b"\x1b[Z",
    b"\x1b[2~",
    b"\x1b[3~",
    b"\x1b[5~",
    b"\x1b[6~",
    b"\x1bOP",
    b"\x1bOA",
    b"\x1b[15~",
    b"\x1b[24~",
    b"\x1b[1;5A",
    b"\x1b[1;3B",
    b"\x1b",
    b"1",
    b"2",
    b"/",
    b"?",
    b"c",
    b"p",
    b"+",
    b"-",
    b"x",
];
/// What begins something.
const BEGINNINGS: [&[u8]; 16] = [
    b"\x1b[",
    b"\x1bO",
    b"\x1b]",
    b"\x1bP",
    b"\x1b_",
    b"\x1b^",
    b"\x1bX",
    b"\x1b[<",
    b"\x1b[M",
    b"\x1b[?",
    b"\x1b[>",
    b"\x1b[[",
    b"\x1b[200~",
    b"\x9b",
    b"\xc2\x9b",
    b"\x1b\x1b[",
];
/// What ends something.
const ENDS: [&[u8]; 12] =
    [b"~", b"u", b"M", b"m", b"R", b"A", b"c", b"\x07", b"\x1b\\", b"\x1b[201~", b"\x1b", b"\x18"];

fn one<'a>(random: &mut ChaCha8Rng, of: &[&'a [u8]]) -> &'a [u8] {
    of[random.random_range(0..of.len())]
}

/// The numbers of a sequence.
fn parameters(random: &mut ChaCha8Rng, into: &mut Vec<u8>) {
    for _ in 0..random.random_range(0..5) {
        into.extend(bytes::number(random).bytes());
        into.extend(one(random, &[b";", b";", b":", b"", b"?"]));
    }
}

/// Words with everything that words of a stranger can hold.
fn words(random: &mut ChaCha8Rng, into: &mut Vec<u8>, most: usize) {
    for _ in 0..random.random_range(0..=most) {
        match random.random_range(0..12) {
            0 => into.push(random.random()),
            1 => into.extend("寿司🍕é\u{301}\u{202e}\u{200b}".bytes()),
            2 => into.extend(one(random, &BEGINNINGS)),
            3 => into.extend(one(random, &ENDS)),
            4 => into.extend(b"\r\n\0\t"),
            _ => into.push(random.random_range(b' '..=b'~')),
        }
    }
}

/// One input more.
pub fn input(random: &mut ChaCha8Rng, into: &mut Vec<u8>) {
    let start = into.len();
    match random.random_range(0..100) {
        0..30 => into.extend(one(random, &KEYS)),
        30..40 => into.push(random.random_range(b' '..=b'~')),
        40..43 => into.push(random.random_range(0..=0x1f)),
        43..46 => words(random, into, 12),
        46..49 => {
            // Alt and anything.
            into.push(0x1b);
            into.push(random.random());
        }
        // Clicks and the wheel.
        49..55 => {
            let button = if random.random_range(0..4) > 0 {
                one(random, &[b"0", b"64", b"65", b"2"]).to_vec()
            } else {
                bytes::number(random).into_bytes()
            };
            let place = |random: &mut ChaCha8Rng| match random.random_range(0..4) {
                0 => bytes::number(random),
                _ => random.random_range(0..130_u16).to_string(),
            };
            let (column, row) = (place(random), place(random));
            let (before, last) = match random.random_range(0..5) {
                0 => ("", 'M'),
                1 => ("<", 'm'),
                _ => ("<", 'M'),
            };
            into.extend(b"\x1b[");
            into.extend(before.bytes().chain(button));
            into.extend(format!(";{column};{row}{last}").bytes());
        }
        55..57 => {
            into.extend(b"\x1b[M");
            (0..3).for_each(|_| into.push(random.random()));
        }
        // The newer keyboard protocols.
        57..62 => {
            let code = if random.random_range(0..2) == 0 {
                random.random_range(0..64_000_u32).to_string()
            } else {
                bytes::number(random)
            };
            let held = random.random_range(0..300_u16);
            let kind = random.random_range(0..6_u8);
            into.extend(format!("\x1b[{code}:{held};{held}:{kind};{code}u").bytes());
        }
        62..66 => into.extend(one(
            random,
            &[b"\x1b[I", b"\x1b[O", b"\x1b[1;1R", b"\x1b[?1u", b"\x1b[?64;1c", b"\x1b[0;0R", b"\x1b[0n", b"\x1bc"],
        )),
        // A paste, in which another one may begin, or which never ends.
        66..72 => {
            into.extend(b"\x1b[200~");
            let most = if random.random_range(0..50) == 0 { 12_000 } else { 60 };
            words(random, into, most);
            if random.random_range(0..4) > 0 {
                into.extend(b"\x1b[201~");
            }
        }
        // A string that a terminal would take for itself.
        72..76 => {
            into.extend(one(random, &[b"\x1b]52;c;", b"\x1bP1$r", b"\x1b_G", b"\x1b]0;", b"\x1b]8;;"]));
            words(random, into, 40);
            into.extend(one(random, &[b"\x07", b"\x1b\\", b""]));
        }
        76..86 => {
            into.extend(one(random, &BEGINNINGS));
            parameters(random, into);
            into.extend(one(random, &ENDS));
        }
        86..90 => {
            into.extend(one(random, &BEGINNINGS));
            parameters(random, into);
        }
        90 => {
            // Digits without end.
            into.extend(one(random, &BEGINNINGS));
            let digit = random.random_range(b'0'..=b'9');
            into.extend(std::iter::repeat_n(digit, random.random_range(1..600)));
            into.extend(one(random, &ENDS));
        }
        91..93 => {
            into.extend(one(random, &[b"\xff\xfe", b"\xf0\x9f", b"\xed\xa0\x80", b"\xc0\x80", b"\0\0\0\0", b"\xf5"]))
        }
        _ => {
            let mut spoiled = one(random, &KEYS).to_vec();
            words(random, &mut spoiled, 4);
            for _ in 0..random.random_range(1..4) {
                bytes::spoil(random, &mut spoiled, &BEGINNINGS);
            }
            into.extend(spoiled);
        }
    }
    // Every input is at least a byte, so that each one counts.
    if into.len() == start {
        into.push(b' ');
    }
}
