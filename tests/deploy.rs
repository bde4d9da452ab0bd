//! The files for operation (`assets/deploy`): systemd and sshd understand them, where this machine has those, and
//! the program understands what they start. What the checklists ask for is there.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests, which clippy does not know as tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const BINARY: &str = env!("CARGO_BIN_EXE_servery");
const INSTALLED: &str = "/usr/local/bin/servery";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/deploy")
}

fn file(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).expect("a file for operation")
}

/// The names of the files with this ending.
fn named(ending: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder()).expect("the folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(ending)).collect();
    names.sort();
    names
}

/// What a tool says; none where this machine does not have it.
fn tool(name: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(name).args(arguments).output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => panic!("{name}: {error}"),
    }
}

#[test]
fn every_unit_starts_a_command_that_the_program_knows() {
    let units = named(".service");
    assert_eq!(units.len(), 6, "{units:?}");
    for unit in units {
        let text = file(&unit);
        let start = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("a command");
        let (_, arguments) = start.split_once(INSTALLED).expect("the program");
        let arguments: Vec<&str> = arguments.split_whitespace().take_while(|word| !word.starts_with('"')).collect();
        let understood = Command::new(BINARY).args(&arguments).arg("--help").output().expect("the program runs");
        assert!(understood.status.success(), "{unit}: {arguments:?}: {understood:?}");
    }
}

#[test]
fn systemd_understands_the_units() {
    if tool("systemd-analyze", &["--version"]).is_none() {
        return;
    }
    let copies = tempfile::tempdir().expect("a folder");
    for name in named(".service").into_iter().chain(named(".timer")) {
        // It looks whether the program is there.
        let text = file(&name).replace(INSTALLED, BINARY).replace("Documentation=man:servery(1)\n", "");
        std::fs::write(copies.path().join(&name), text).expect("written");
    }
    for name in named(".service").into_iter().chain(named(".timer")) {
        let path = copies.path().join(&name);
        let output = tool("systemd-analyze", &["verify", path.to_str().expect("utf-8")]).expect("it is there");
        let words = String::from_utf8_lossy(&output.stderr);
        // Other units of this machine are none of ours.
        let ours: Vec<&str> = words.lines().filter(|line| line.contains("servery")).collect();
        assert!(ours.is_empty(), "{name}: {ours:#?}");
    }
}

#[test]
fn the_sshd_snippet_leaves_a_console_and_nothing_else() {
    let text = file("sshd_servery.conf");
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.starts_with('#')).collect();
    for wanted in [
        "Match User servery",
        "ForceCommand /usr/local/bin/servery console",
        "AuthenticationMethods publickey",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "DisableForwarding yes",
        "PermitTunnel no",
        "PermitUserRC no",
        "PermitTTY yes",
        "MaxSessions 1",
        "ClientAliveInterval 15",
        "ClientAliveCountMax 4",
        "AcceptEnv COLORTERM NO_COLOR",
    ] {
        assert!(lines.contains(&wanted), "{wanted} in {lines:#?}");
    }
    let keys = file("authorized_keys.example");
    let keys: Vec<&str> = keys.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(!keys.is_empty() && keys.iter().all(|line| line.starts_with("restrict,pty ssh-ed25519 ")), "{keys:?}");

    let Some(sshd) = ["/usr/sbin/sshd", "/usr/bin/sshd"].into_iter().find(|path| Path::new(path).exists()) else {
        return;
    };
    let place = tempfile::tempdir().expect("a folder");
    let (key, config) = (place.path().join("host_key"), place.path().join("sshd_config"));
    let (key, config_name) = (key.to_str().expect("utf-8"), config.to_str().expect("utf-8"));
    let Some(made) = tool("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", key]) else { return };
    assert!(made.status.success(), "{made:?}");
    std::fs::write(&config, format!("HostKey {key}\n{text}")).expect("written");
    let output = tool(sshd, &["-t", "-f", config_name]).expect("it is there");
    assert!(output.status.success(), "{output:?}");
}
