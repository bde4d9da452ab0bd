//! The tools of the integration tests, tried on ordinary programs: a tool that cannot fail would prove nothing, so
//! each is also shown failing.

#![expect(clippy::expect_used, clippy::panic, reason = "a helper that cannot go on fails its test")]

mod support;

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use support::process::{self, Running, Servery};
use support::pty::{Key, Pty};
use support::restored::{assert_restored, leftovers};
use support::wait::{self, LIMIT};
use support::{postgres, svg};

/// A limit for what must not happen: short, as the test waits it out.
const SHORT: Duration = Duration::from_millis(200);

/// A shell script in an 80x24 terminal.
fn shell(script: &str) -> Pty {
    Pty::spawn("sh", &["-c", script], &[], 80, 24)
}

/// The message of a panic.
fn message_of(failing: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(failing)).expect_err("it did not fail");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

/// Enters everything that a full-screen program enters.
const ENTER: &str = r"\033[?1049h\033[?25l\033[?2004h\033[?1000h\033[?1002h\033[?1003h\033[?1006h\033[1;31m";
/// Leaves it again.
const LEAVE: &str = r"\033[0m\033[?1006l\033[?1003l\033[?1002l\033[?1000l\033[?2004l\033[?25h\033[?1049l";

#[test]
fn text_typed_into_a_program_is_waited_for_on_its_screen() {
    let pty = Pty::spawn("cat", &[], &[], 40, 10);
    pty.send("grüße 日本");
    pty.key(Key::Enter);
    // Once echoed by the terminal, once printed by the program.
    pty.wait_until(|screen| screen.contents() == "grüße 日本\ngrüße 日本", "the line twice", LIMIT);
    assert_eq!(pty.screen().lines().take(3).collect::<Vec<_>>(), ["grüße 日本", "grüße 日本", ""]);
    assert_eq!(pty.find("本"), Some((8, 0)));
    pty.key(Key::Ctrl('d'));
    assert!(pty.wait_exit(LIMIT).success());
}

#[test]
fn a_wait_that_fails_shows_the_last_screen() {
    let pty = shell("echo shown; cat");
    pty.wait_for("shown", LIMIT);
    let message = message_of(|| pty.wait_for("never", SHORT));
    assert!(
        message.contains("not within 200ms") && message.contains("\"never\"") && message.contains("│shown"),
        "{message}"
    );
    // An ended program is not waited for.
    let pty = shell("echo the last words");
    let message = message_of(|| pty.wait_for("never", LIMIT));
    assert!(message.contains("closed its terminal") && message.contains("│the last words"), "{message}");
}

#[test]
fn a_program_sees_a_new_size_at_once() {
    let pty = shell("trap 'stty size' WINCH; stty size; while :; do read -r line; done");
    pty.wait_for("24 80", LIMIT);
    pty.resize(33, 11);
    pty.wait_for("11 33", LIMIT);
    assert_eq!(pty.parsed_screen().size(), (11.try_into().expect("not zero"), 33.try_into().expect("not zero")));
}

#[test]
fn styles_of_cells_are_seen() {
    let pty = shell(r"printf '\033[2;3H\033[1;4;32;48;5;17mX\033[0m done'");
    pty.wait_for("done", LIMIT);
    let style = pty.style(2, 1).expect("a cell");
    assert_eq!(style.text, "X");
    assert_eq!((style.foreground, style.background), (vt100::Color::Idx(2), vt100::Color::Idx(17)));
    assert!(style.bold && style.underline && !style.inverse && !style.dim && !style.italic);
    assert_eq!(pty.style(80, 0), None);
}

#[test]
fn keys_and_pastes_arrive_as_a_terminal_sends_them() {
    let pty = shell(r"stty raw -echo; printf '\033[?2004hready'; dd bs=1 count=21 2>/dev/null | od -An -c -w64");
    pty.wait_for("ready", LIMIT);
    pty.keys(&[Key::Up, Key::Esc, Key::F(5)]);
    pty.paste("hi");
    pty.wait_for(r"033   [   A 033 033   [   1   5   ~ 033", LIMIT);
    pty.wait_for("h   i", LIMIT);
}

#[test]
fn clicks_need_a_program_that_asked_for_the_mouse() {
    let pty = shell(r"stty raw -echo; printf 'here: button'; dd bs=1 count=22 2>/dev/null | od -An -c -w64");
    let message = message_of(|| pty.click_on("button", LIMIT));
    assert!(message.contains("did not ask for the mouse"), "{message}");
    let script =
        r"stty raw -echo; printf '\033[?1000h\033[?1006hhere: button'; dd bs=1 count=18 2>/dev/null | od -An -c -w18";
    let pty = Pty::spawn("sh", &["-c", script], &[], 120, 24);
    pty.click_on("button", LIMIT);
    pty.wait_for("033   [   <   0   ;   7   ;   1   M 033   [   <   0   ;   7   ;   1   m", LIMIT);
}

#[test]
fn a_program_that_asks_for_the_cursor_gets_an_answer() {
    let pty = shell(r"stty raw -echo; printf '\033[3;5H\033[6n'; dd bs=1 count=6 2>/dev/null | od -An -c");
    pty.wait_for("033   [   3   ;   5   R", LIMIT);
}

#[test]
fn bells_and_titles_are_noticed() {
    let pty = shell(r"printf '\a\a\033]2;Servery\007done'");
    pty.wait_for("done", LIMIT);
    assert_eq!((pty.bells(), pty.title().as_str()), (2, "Servery"));
}

#[test]
fn a_signal_reaches_the_program() {
    let pty = shell("trap 'echo asked; exit 7' TERM; echo ready; while :; do read -r line; done");
    pty.wait_for("ready", LIMIT);
    pty.signal(Signal::SIGTERM);
    pty.wait_for("asked", LIMIT);
    assert_eq!(pty.wait_exit(LIMIT).code(), Some(7));
    assert!(!pty.is_running());
    assert!(message_of(|| pty.signal(Signal::SIGTERM)).contains("has ended"));
}

#[test]
fn a_program_that_runs_on_is_told_from_one_that_ended() {
    let pty = Pty::spawn("cat", &[], &[], 80, 24);
    let message = message_of(|| {
        pty.wait_exit(SHORT);
    });
    assert!(message.contains("runs on"), "{message}");
    pty.signal(Signal::SIGKILL);
    assert_eq!(pty.wait_exit(LIMIT).signal(), Some(9));
}

#[test]
fn hanging_up_ends_the_program() {
    let mut pty = shell("stty raw -echo; printf ready; exec cat");
    pty.wait_for("ready", LIMIT);
    assert!(pty.is_running());
    pty.hang_up();
    assert_eq!(pty.wait_exit(LIMIT).signal(), Some(1), "ended by SIGHUP");
    assert!(!process::is_running(pty.pid()));
    assert!(message_of(|| pty.send("x")).contains("nobody types after hanging up"));
}

#[test]
fn hanging_up_is_told_to_a_program_that_stays() {
    let mark = format!("{:?}", std::thread::current().id());
    let folder = tempfile::tempdir().expect("a folder");
    let told = folder.path().join("told");
    let script = format!("trap 'echo > {}; exit' HUP; printf ready; while :; do sleep 1; done", told.display());
    let mut pty = Pty::spawn("sh", &["-c", &script], &[("SELFTEST_MARK", &mark)], 80, 24);
    pty.wait_for("ready", LIMIT);
    assert!(process::with_environment("SELFTEST_MARK", &mark).contains(&pty.pid()));
    pty.hang_up();
    pty.wait_exit(LIMIT);
    wait::until(LIMIT, "the trap has run", || told.exists());
    wait::until(LIMIT, "no process is left", || process::with_environment("SELFTEST_MARK", &mark).is_empty());
}

#[test]
fn dropping_the_terminal_kills_program_and_children() {
    let pty = shell("trap '' HUP TERM; sleep 1000 & printf 'child:%s;' $!; wait; wait");
    pty.wait_until(|screen| screen.contents().contains(';'), "the child's id", LIMIT);
    let screen = pty.screen();
    let child: u32 = screen
        .trim()
        .strip_prefix("child:")
        .and_then(|rest| rest.strip_suffix(';'))
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("a number in {screen}"));
    let program = pty.pid();
    assert!(process::is_running(program) && process::is_running(child));
    drop(pty);
    wait::until(LIMIT, "both are gone", || !process::is_running(program) && !process::is_running(child));
}

#[test]
fn a_screen_at_rest_is_waited_for() {
    let pty = shell("printf one; read -r line; printf two; read -r line");
    pty.wait_stable(LIMIT);
    assert!(pty.screen().starts_with("one"));
    let busy = shell("while :; do printf x; done");
    assert!(message_of(|| busy.wait_stable(SHORT)).contains("still writing"));
}

#[test]
fn a_restored_terminal_is_told_from_one_that_is_not() {
    let pty = shell(&format!("before=$(stty -g); stty raw -echo; printf '{ENTER}hello{LEAVE}'; stty $before"));
    pty.wait_exit(LIMIT);
    pty.assert_restored();

    // Line editing left off, everything else restored.
    let pty = shell(&format!("stty raw -echo; printf '{ENTER}{LEAVE}'"));
    pty.wait_exit(LIMIT);
    assert_restored(&pty.raw_output());
    assert_eq!(pty.is_cooked(), Some(false));
    assert!(catch_unwind(AssertUnwindSafe(|| pty.assert_restored())).is_err());

    // Each piece by itself.
    for (piece, found) in [
        ("\x1b[?1006l", "mouse encoding SGR (?1006) left on"),
        ("\x1b[?1003l", "mouse (all motion) (?1003) left on"),
        ("\x1b[?1002l", "mouse (drag) (?1002) left on"),
        ("\x1b[?1000l", "mouse (press and release) (?1000) left on"),
        ("\x1b[?2004l", "bracketed paste (?2004) left on"),
        ("\x1b[?25h", "cursor visible (?25) left off"),
        ("\x1b[?1049l", "alternate screen (?1049) left on"),
    ] {
        let enter = ENTER.replace(r"\033", "\x1b");
        let leave = LEAVE.replace(r"\033", "\x1b");
        assert_eq!(leftovers(format!("{enter}{leave}").as_bytes()), [""; 0]);
        let left = leftovers(format!("{enter}{}", leave.replace(piece, "")).as_bytes());
        assert!(left.iter().any(|left| left == found), "{found:?} in {left:?}");
    }
    assert_eq!(leftovers(b"\x1b[1;31mx"), ["a text colour left on", "bold left on"]);
    assert_eq!(leftovers(b"\x1b[>1u\x1b[?1;7l").len(), 2);
    assert_eq!(leftovers(b"\x1b[>1u\x1b[<u\x1b[?1000;1006h\x1b[?1006;1000l").len(), 0);
    assert!(message_of(|| assert_restored(b"\x1b[?25l")).contains("cursor visible"));
}

#[test]
fn a_full_screen_program_is_driven_and_restores_its_terminal() {
    let script = format!(
        "before=$(stty -g); stty raw -echo; printf '{ENTER}'
        printf '\\033[H\\033[2J╭──────╮\\r\\n│first │\\r\\n╰──────╯'
        while key=$(dd bs=1 count=1 2>/dev/null); do
            case $key in
                n) printf '\\033[2;2Hsecond' ;;
                q) break ;;
            esac
        done
        printf '{LEAVE}'; stty $before"
    );
    let pty = Pty::spawn("sh", &["-c", &script], &[], 40, 10);
    pty.wait_for("│first │", LIMIT);
    assert_eq!((pty.is_cooked(), pty.cursor()), (Some(false), None));
    let picture = svg::render(&pty.parsed_screen(), "first", &svg::DARK);
    assert!(picture.contains(">first</text>"), "{picture}");
    svg::check_well_formed(&picture).expect("well-formed");
    pty.key(Key::Char('n'));
    pty.wait_for("│second│", LIMIT);
    pty.wait_gone("first", LIMIT);
    pty.key(Key::Char('q'));
    assert!(pty.wait_exit(LIMIT).success());
    pty.assert_restored();
    assert_eq!(pty.screen().trim(), "");
}

#[test]
fn waiting_ends_with_the_condition_or_with_the_limit() {
    let mut looks = 0;
    wait::until(LIMIT, "the third look", || {
        looks += 1;
        looks == 3
    });
    assert_eq!(looks, 3);
    let message = message_of(|| wait::until(SHORT, "the impossible", || false));
    assert!(message.contains("not within 200ms: the impossible"), "{message}");
}

#[tokio::test]
async fn waiting_in_async_code_ends_with_the_condition_or_with_the_limit() {
    let mut looks = 0;
    wait::until_async(LIMIT, "the third look", || {
        looks += 1;
        std::future::ready(looks == 3)
    })
    .await;
    assert_eq!(looks, 3);
    // Also when the look itself never ends.
    let hanging = tokio::spawn(wait::until_async(SHORT, "the impossible", std::future::pending::<bool>));
    assert!(hanging.await.expect_err("it did not fail").is_panic());
}

#[test]
fn output_status_and_end_of_a_process_are_seen() {
    let mut command = Command::new("sh");
    command.args(["-c", r#"echo '{"n": 1}'; echo '{"error": {"code": "CONFLICT"}}' >&2; exit 3"#]);
    let finished = Running::spawn(&mut command).finish(LIMIT);
    assert_eq!(finished.status.code(), Some(3));
    assert_eq!(finished.json()["n"], 1);
    assert_eq!(finished.error()["code"], "CONFLICT");

    let running = Running::spawn(Command::new("cat").arg("/dev/zero").stdout(std::process::Stdio::null()));
    let pid = running.pid();
    assert!(process::is_running(pid));
    assert!(process::resident_memory(pid).is_some_and(|bytes| bytes > 0));
    assert_eq!(running.kill().status.signal(), Some(9));
    assert!(!process::is_running(pid));
    assert_eq!(process::cpu_time(pid), None);
}

#[test]
fn processor_time_tells_a_busy_process_from_an_idle_one() {
    let busy = Running::spawn(Command::new("sh").args(["-c", "while :; do :; done"]));
    let idle = Running::spawn(Command::new("sleep").arg("1000"));
    wait::until(LIMIT, "100 ms of processor time", || {
        process::cpu_time(busy.pid()).is_some_and(|time| time >= Duration::from_millis(100))
    });
    assert!(process::cpu_time(idle.pid()).is_some_and(|time| time < Duration::from_millis(100)));
    let message = message_of(|| drop(idle.finish(SHORT)));
    assert!(message.contains("did not end"), "{message}");
}

#[test]
fn the_real_binary_runs_in_a_home_of_its_own() {
    let servery = Servery::on("sqlite:/nowhere/at/all.db").with("LANG", "C");
    let environment = servery.environment();
    assert_eq!(environment.get(OsStr::new("SERVERY_STORE")).expect("the store"), "sqlite:/nowhere/at/all.db");
    assert_eq!(environment.get(OsStr::new("HOME")).expect("the home"), servery.home().as_os_str());
    assert!(!environment.contains_key(OsStr::new("SERVERY_TEST_POSTGRES")));
    let finished = servery.run(&["--version"]);
    assert!(finished.status.success(), "{finished:?}");
    let pty = Pty::servery(&servery, &["--version"], 80, 24);
    assert!(pty.wait_exit(LIMIT).success());
    pty.assert_restored();
}

/// Runs one query that answers with one number.
async fn number(url: &str, query: &'static str, argument: &str) -> i64 {
    use sqlx::Connection as _;
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    let number = sqlx::query_scalar(query).bind(argument).fetch_one(&mut connection).await;
    number.unwrap_or_else(|error| panic!("{query}: {error}"))
}

#[tokio::test]
async fn a_test_database_is_fresh_and_goes_away_with_its_owner() {
    const COUNT: &str = "SELECT count(*) FROM pg_database WHERE datname = $1";
    const TABLES: &str = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> $1";
    let (Some(one), Some(two)) = (postgres::database(), postgres::database()) else { return };
    assert_ne!(one.url(), two.url());
    assert_eq!(number(one.url(), TABLES, "").await, 0);
    let (server, name) = (one.server_url().to_owned(), one.name().to_owned());
    assert_eq!(number(&server, COUNT, &name).await, 1);
    // A connection that is still open must not keep the database.
    let pool = sqlx::PgPool::connect(one.url()).await.expect("a pool");
    sqlx::query("CREATE TABLE dishes (name TEXT)").execute(&pool).await.expect("a table");
    drop(one);
    assert_eq!(number(&server, COUNT, &name).await, 0);
    assert_eq!(number(two.url(), TABLES, "").await, 0);
}

#[test]
fn the_database_of_a_url_is_replaced() {
    for (server, expected) in [
        ("postgres://a:b@h:1/postgres?sslmode=disable", "postgres://a:b@h:1/x?sslmode=disable"),
        ("postgres://a:b@h:1/postgres", "postgres://a:b@h:1/x"),
        ("postgres://h", "postgres://h/x"),
        ("postgres:///?host=/run/postgresql", "postgres:///x?host=/run/postgresql"),
    ] {
        assert_eq!(postgres::with_database(server, "x"), expected);
    }
}
