//! The files for operation (`assets/deploy`): systemd and sshd understand them, where this machine has those, and
//! the program understands what they start. What the checklists ask for is there. And what a machine needs
//! to start a role: the pepper, or none.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests, which clippy does not know as tests")]

#[path = "support/mod.rs"]
mod support;

use nix::sys::signal::Signal;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use support::process::Servery;
use support::wait;

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

#[test]
fn a_machine_without_the_stores_pepper_starts_only_what_verifies_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, other) = (folder.path().join("pepper"), folder.path().join("other"));
    let store = format!("sqlite:{}", folder.path().join("store/servery.db").display());
    let at = |pepper: &Path| Servery::on(&store).with("SERVERY_PEPPER_FILE", pepper.to_str().expect("utf-8"));
    // The demo's staff bind the store to the pepper that is made for them.
    at(&ours).make_demo();
    assert!(ours.exists());

    for role in ["kiosk", "kitchen"] {
        let refused = at(&other).run(&[role, "--json"]).error();
        assert_eq!((&refused["code"], &refused["details"]["guard"]), (&"FORBIDDEN".into(), &"pepper".into()), "{role}");
        assert!(refused["message"].as_str().is_some_and(|words| words.contains("has no pepper file")), "{refused}");
        assert!(!other.exists(), "a second pepper is never made");
    }
    let worker = at(&other).start(&["worker"]);
    wait::until(wait::LIMIT, "the worker leads without a pepper", || {
        at(&other).run(&["health", "--json"]).json()["worker"]["running"] == true
    });
    worker.signal(Signal::SIGTERM);
    assert!(worker.finish(wait::LIMIT).status.success());

    std::fs::write(&other, "x".repeat(64)).expect("another pepper");
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o600)).expect("mode");
    for role in ["kiosk", "kitchen", "board", "worker"] {
        let refused = at(&other).run(&[role, "--json"]).error();
        assert_eq!(refused["details"]["guard"], "pepper", "{role}: {refused}");
        assert!(refused["message"].as_str().is_some_and(|words| words.contains("is not the one")), "{refused}");
    }
    std::fs::copy(&ours, &other).expect("copied");
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o644)).expect("mode");
    let refused = at(&other).run(&["kiosk", "--json"]).error();
    assert!(refused["message"].as_str().is_some_and(|words| words.contains("0644")), "{refused}");
}

#[test]
fn the_rights_are_printed_for_the_roles_that_are_asked_for() {
    let servery = Servery::on("sqlite:/nowhere/at/all.db");
    let all = servery.run(&["db", "grants"]);
    let sql = all.stdout.as_str();
    for role in ["kiosk", "kitchen", "console", "worker"] {
        assert!(sql.contains(&format!("--   CREATE ROLE servery_{role} ")), "{sql}");
        assert!(sql.contains(&format!("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM servery_{role};")), "{sql}");
    }
    let one = servery.run(&["db", "grants", "--role", "kiosk", "--prefix", "north_"]);
    assert!(one.stdout.contains("TO north_kiosk;") && !one.stdout.contains("kitchen"), "{}", one.stdout);
    for wrong in [["db", "grants", "--role", "owner"], ["db", "grants", "--prefix", "a; DROP"]] {
        assert_eq!(servery.run(&wrong).status.code(), Some(2), "{wrong:?}");
    }
}
