//! Escape sequences that come in from anywhere come out nowhere: judged by every byte that reaches the client.

use crate::house::{House, PATIENCE, on_both_databases};
use crate::server::Sshd;
use crate::support::process::Finished;
use crate::support::pty::Pty;

/// A title, a colour, a colour by one control character, an answer that would be typed, the clipboard, a new line.
const HOSTILE: [&str; 6] = [
    "\u{1b}]2;owned\u{7}",
    "\u{1b}[31mowned",
    "\u{9b}31mowned",
    "\u{1b}P$qm\u{1b}\\owned",
    "\u{1b}]52;c;b3duZWQ=\u{7}owned",
    "owned\r\n\u{1b}[2Jowned",
];

on_both_databases!(
    in_an_order_they_are_text_or_nothing,
    in_the_name_of_the_terminal_they_are_nothing,
    in_a_user_name_they_are_nothing,
);

/// Only what draws came: control sequences that begin with `ESC [` and end in a letter that screens use, and no
/// other control character but those that move the cursor.
#[track_caller]
fn assert_harmless(client: &Pty) {
    let raw = String::from_utf8_lossy(&client.raw_output()).into_owned();
    for hostile in HOSTILE {
        assert!(!raw.contains(hostile), "{hostile:?} came through");
    }
    let mut rest = raw.as_str();
    while let Some(at) = rest.find(|character: char| character.is_control()) {
        rest = &rest[at..];
        let Some(sequence) = rest.strip_prefix("\u{1b}[") else {
            assert!(rest.starts_with(['\r', '\n', '\u{8}']), "a control character came: {:.20?}", rest);
            rest = &rest[1..];
            continue;
        };
        let end = sequence.find(|character: char| !matches!(character, '0'..='?')).expect("a whole sequence");
        assert!(sequence[end..].starts_with(|last| "mHJKhltABCDGLMr".contains(last)), "{:.20?}", rest);
        rest = &sequence[end + 1..];
    }
    assert_eq!(client.title(), "", "the window has a title");
}

fn sign_in(client: &Pty) {
    client.send("asha\rdemo-asha-2026\r");
    client.wait_for("Asha, admin", PATIENCE);
}

fn in_an_order_they_are_text_or_nothing(house: &House) {
    let place = ["order", "place", "--method", "card", "--item", "samosa", "--pay", "--test-card", "approved"];
    for hostile in HOSTILE {
        let order = [&place[..], &["--name", hostile, "--note", hostile]].concat();
        house.servery.json(&order);
    }
    // A row that some other program wrote, past every rule of ours.
    corrupt(house);
    let server = Sshd::start(house);
    let client = server.connect();
    sign_in(&client);
    client.wait_for("6 orders", PATIENCE);
    for _ in HOSTILE {
        client.send("\r");
        client.wait_for("Customer's note", PATIENCE);
        client.wait_for("owned", PATIENCE);
        client.send("\u{1b}");
        client.wait_for("6 orders", PATIENCE);
        client.send("\u{1b}[B");
    }
    assert_harmless(&client);
}

/// Writes hostile text into the store itself.
fn corrupt(house: &House) {
    use sqlx::Connection as _;
    const UPDATE: &str = "UPDATE orders SET note = $1, staff_note = $1, called_name = $2, version = version + 1";
    let environment = house.servery.environment();
    let url = environment.get(std::ffi::OsStr::new("SERVERY_STORE")).and_then(|url| url.to_str()).expect("a store");
    let text = HOSTILE.concat();
    let name: String = text.chars().take(40).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let changed = runtime.block_on(async {
        if house.database.is_some() {
            let mut connection = sqlx::PgConnection::connect(url).await.expect("the store opens");
            let update = sqlx::query(UPDATE).bind(text).bind(name);
            update.execute(&mut connection).await.expect("written").rows_affected()
        } else {
            let mut connection = sqlx::SqliteConnection::connect(url).await.expect("the store opens");
            let update = sqlx::query(UPDATE).bind(text).bind(name);
            let done = update.execute(&mut connection).await.expect("written");
            connection.close().await.expect("closed");
            done.rows_affected()
        }
    });
    assert_eq!(changed, HOSTILE.len() as u64);
}

fn in_the_name_of_the_terminal_they_are_nothing(house: &House) {
    let server = Sshd::start(house);
    for hostile in HOSTILE {
        let term = format!("xterm{hostile}");
        for (name, value) in [("TERM", term.as_str()), ("COLORTERM", hostile)] {
            let client =
                server.connect_through(server.address().port(), &["-o", "SendEnv=COLORTERM"], &[(name, value)]);
            client.wait_for("Sign in", PATIENCE);
            assert_harmless(&client);
        }
    }
}

fn in_a_user_name_they_are_nothing(house: &House) {
    let server = Sshd::start(house);
    for hostile in HOSTILE {
        // Typed, or pasted, as the name of a person of the house.
        let client = server.connect();
        client.paste(hostile);
        client.send("\rsome password\r");
        let refused =
            |screen: &vt100::Screen| ["is wrong", "Too many tries"].iter().any(|why| screen.contents().contains(why));
        client.wait_until(refused, "a refusal", PATIENCE);
        client.send(&format!("\u{1b}[Z{hostile}"));
        client.wait_for("owned", PATIENCE);
        assert_harmless(&client);

        // As the name with which a client comes to the server.
        let Finished { status, stdout, stderr } =
            server.run("ssh", &["-o", &format!("User={hostile}"), "127.0.0.1", "id"]);
        assert!(!status.success() && stdout.is_empty(), "{status} {stdout:?}");
        assert!(!stderr.chars().any(|character| character.is_control() && !"\r\n".contains(character)), "{stderr:?}");
    }
    let log = server.log();
    assert!(!log.chars().any(|character| character.is_control() && !"\r\n".contains(character)), "{log:?}");
}
