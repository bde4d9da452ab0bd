//! The bytes of a terminal into the real program in a pseudo-terminal: a kiosk, a kitchen, and a console at which nobody
//! has signed in. One input is one sequence of `sequences.rs`.
//!
//! The program takes them as fast as it reads. A round is a process of its own: at its end it must still answer a key as
//! it always does, end as it always ends with the terminal put back, and have written no report of a panic. A kitchen
//! and a console may be left by anybody with a key; the keys that the key map gives to that are left out of the bytes,
//! and where a sequence spells one of them in another way the role is started again, which is counted.

use crate::campaign::{Campaign, inputs};
use crate::sequences;
use crate::support::process::Servery;
use crate::support::pty::{Key, Pty};
use crate::support::wait;
use nix::sys::signal::Signal;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// A limit for one answer of a screen. Far more than it takes: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// Of the ten million inputs, those that are keys.
const LONG: u64 = 3_000_000;
/// Inputs of one process, in a long run.
const ROUND: u64 = 20_000;
/// Inputs that are written at once.
const BATCH: u64 = 128;
/// What a role may need in memory at most, in KiB: a debug build of one begins with 55 MiB, and a frame of the largest size
/// that is drawn takes as much again.
const MOST_MEMORY: u64 = 256 * 1024;
/// What may be added to it by what is never finished, in KiB: less than the smallest of what is sent.
const MOST_KEPT: u64 = 6 * 1024;
/// Longer than the silence that ends a paste.
const AFTER_SILENCE: Duration = Duration::from_millis(3_500);
/// Ends whatever an input has begun.
const BREAK: &str = "\x1b[201~\x1b[201~";
const SIZES: [(u16, u16); 8] = [(80, 24), (120, 40), (100, 30), (60, 20), (1, 1), (0, 0), (2, 300), (0, 24)];
/// Sizes that no screen has; a frame of one takes long in a debug build, so there are few of them.
const HUGE: [(u16, u16); 2] = [(300, 100), (65_535, 65_535)];

/// A screen before which strangers stand.
#[derive(Clone, Copy)]
struct Role {
    arguments: &'static [&'static str],
    /// What it shows at the start.
    ready: &'static str,
    /// Keys by which anybody may leave it.
    leaving: &'static [u8],
}

const ROLES: [Role; 3] = [
    Role { arguments: &["kiosk", "--terminal", "kiosk-1"], ready: "Press Enter or touch to order", leaving: b"" },
    Role { arguments: &["kitchen", "--terminal", "kitchen-1"], ready: "Kitchen", leaving: b"qQ\x03" },
    Role { arguments: &["console"], ready: "Sign in", leaving: b"\x03\x19" },
];
/// Esc leaves a console at which nobody has signed in, and is part of everything else: here another key does.
const KEY_MAP: &str = "[global]\nback = [\"ctrl+y\"]\n";

impl Role {
    const fn is_kiosk(self) -> bool {
        self.leaving.is_empty()
    }

    fn start(self, servery: &Servery) -> Pty {
        let pty = Pty::servery(servery, self.arguments, 100, 30);
        pty.wait_for(self.ready, PATIENCE);
        pty.look_away(true);
        pty
    }

    /// A key shows what it always shows, whatever came before, and the role ends as it always does.
    fn prove_alive(self, pty: &Pty) {
        // A size that it has never had, so that it draws everything anew.
        pty.look_away(false);
        pty.resize(101, 31);
        pty.send(BREAK);
        if self.is_kiosk() {
            pty.key(Key::Ctrl('q'));
            pty.wait_for("Staff only", PATIENCE);
            pty.key(Key::Esc);
            pty.wait_gone("Staff only", PATIENCE);
            pty.signal(Signal::SIGTERM);
        } else {
            pty.key(Key::Ctrl('c'));
        }
        assert!(pty.wait_exit(PATIENCE).success(), "{}", pty.screen());
        pty.assert_restored();
    }
}

/// A store with the demo in it, and the key map of the console.
fn house(role: Role) -> Servery {
    let servery = Servery::without_store();
    servery.make_demo();
    if role.arguments == ["console"] {
        let folder = servery.home().join("config").join("servery");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("keys.toml"), KEY_MAP).expect("a key map");
    }
    servery
}

/// What is told of panics anywhere below a folder: reports, and lines of logs.
fn panics(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(panics(&path));
        } else if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("panic-")) {
            found.push(fs::read_to_string(&path).unwrap_or_default());
        } else if path.extension().is_some_and(|extension| extension == "log") {
            let log = fs::read(&path).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            found.extend(log.lines().filter(|line| line.contains("panicked")).map(str::to_owned));
        }
    }
    found
}

/// The most memory that a process has had, in KiB.
fn peak_memory(pty: &Pty) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", pty.pid())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// The time that a process has had of a processor, in hundredths of a second.
fn processor_time(pty: &Pty) -> u64 {
    let line = fs::read_to_string(format!("/proc/{}/stat", pty.pid())).unwrap_or_default();
    // The name in brackets may hold spaces; the state follows it, then user and system time as 12th and 13th.
    let after = line.rsplit_once(')').map_or("", |(_, after)| after);
    after.split_whitespace().skip(11).take(2).filter_map(|number| number.parse::<u64>().ok()).sum()
}

/// Sends inputs to a process of the role, and what follows from them.
fn round(role: Role, servery: &Servery, campaign: &Campaign, first: u64, count: u64, random: &mut ChaCha8Rng) {
    let mut pty = role.start(servery);
    let mut bytes = Vec::new();
    let mut peak = peak_memory(&pty);
    campaign.most(&format!("{} KiB at the start", role.arguments[0]), peak);
    for input in first..first + count {
        let start = bytes.len();
        sequences::input(random, &mut bytes);
        for byte in &mut bytes[start..] {
            if role.leaving.contains(byte) {
                *byte = b'w';
            }
        }
        if random.random_range(0..400) == 0 {
            let huge = random.random_range(0..30) == 0;
            let sizes = if huge { HUGE.as_slice() } else { SIZES.as_slice() };
            let (columns, rows) = sizes[random.random_range(0..sizes.len())];
            pty.announce_size(columns, rows);
            campaign.count("sizes");
        }
        if (input + 1) % BATCH != 0 && input + 1 != first + count {
            continue;
        }
        pty.send_bytes(&bytes);
        campaign.alive(input);
        campaign.add("bytes", u64::try_from(bytes.len()).expect("a number"));
        bytes.clear();
        if !pty.is_running() {
            let status = pty.wait_exit(PATIENCE);
            let found = panics(servery.home());
            assert!(!role.is_kiosk() && status.success() && found.is_empty(), "{status:?} {found:?}\n{}", pty.screen());
            campaign.count("left and started again");
            pty = role.start(servery);
        } else if input % 1024 < BATCH {
            peak = peak.max(peak_memory(&pty));
        }
    }
    assert!(peak < MOST_MEMORY, "it took {peak} KiB");
    campaign.most(&format!("{} KiB", role.arguments[0]), peak.max(peak_memory(&pty)));
    campaign.add(&format!("{} hundredths of a second", role.arguments[0]), processor_time(&pty));
    if pty.is_running() {
        role.prove_alive(&pty);
    }
    let found = panics(servery.home());
    assert!(found.is_empty(), "{found:?}");
    campaign.add("inputs", count);
    campaign.count(role.arguments[0]);
}

#[test]
fn key_bytes() {
    let total = inputs(4_500, LONG);
    let each = ROUND.min(total.div_ceil(3));
    let campaign = Campaign::begin("key bytes", total);
    let houses = ROLES.map(|role| (role, house(role)));
    for at in campaign.numbers(each) {
        let (role, servery) = &houses[usize::try_from(at % 3).expect("a number")];
        let (first, mut random) = (at * each, campaign.random(at));
        let what = || format!("a {} from this input on", role.arguments[0]);
        campaign.attempt(first, &what, || round(*role, servery, &campaign, first, each, &mut random));
    }
    campaign.end();
}

/// What is begun and never finished takes no memory, and the next key counts again: a customer who presses Alt and a
/// bracket, then `200~`, must not make a kiosk deaf.
#[test]
fn what_is_never_finished_neither_fills_the_memory_nor_makes_deaf() {
    let role = ROLES[0];
    let servery = house(role);
    let pty = role.start(&servery);
    let before = peak_memory(&pty);
    let piece = vec![b'7'; 64 * 1024];
    let sent = [("\x1b[200~", 128), ("\x1b[", 128), ("\x1b[<", 4), ("\x1b[?", 4), ("\x1b]52;c;", 1), ("\x1bP", 1)];
    for (begun, pieces) in sent {
        pty.send(begun);
        (0..pieces).for_each(|_| pty.send_bytes(&piece));
    }
    // Answers that nobody asked for.
    let answers = b"\x1b[1;1R\x1b[?1u\x1b[?64;1c\x1b[0;0R\x1b[<0;0;0M\x1b[M   ".repeat(200);
    (0..inputs(10, 2_000)).for_each(|_| pty.send_bytes(&answers));
    // It has taken all of it once it answers.
    pty.look_away(false);
    pty.resize(101, 31);
    pty.send(BREAK);
    pty.key(Key::Ctrl('q'));
    pty.wait_for("Staff only", PATIENCE);
    pty.key(Key::Esc);
    pty.wait_gone("Staff only", PATIENCE);
    let kept = peak_memory(&pty) - before;
    assert!(kept < MOST_KEPT, "it kept {kept} KiB");
    for begun in ["\x1b[200~half a paste", "\x1b[<0;1", "\x1b[", "\x1bO", "\x1b[20", "\x1b[["] {
        pty.send(begun);
        let before = processor_time(&pty);
        // Only silence ends a paste: a key that comes too early is part of it, so it is pressed again later.
        let mut pressed: Option<Instant> = None;
        wait::until(PATIENCE, &format!("an answer after {begun:?}"), || {
            if pressed.is_none_or(|at| at.elapsed() > AFTER_SILENCE) {
                pty.key(Key::Ctrl('q'));
                pressed = Some(Instant::now());
            }
            pty.screen().contains("Staff only")
        });
        let used = processor_time(&pty) - before;
        assert!(used < 100, "it was busy while nothing came: {used} hundredths of a second");
        pty.key(Key::Esc);
        pty.wait_gone("Staff only", PATIENCE);
    }
    role.prove_alive(&pty);
    assert_eq!(panics(servery.home()), Vec::<String>::new());
}
