//! Nothing but the console: what a client asks for beside it is not there.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::house::{House, PATIENCE};
use crate::server::Sshd;
use crate::support::process::Running;
use crate::support::wait;

/// What the console says, and how it ends, where there is no terminal.
const NO_TERMINAL: (i32, &str) = (2, "needs a terminal");

#[test]
fn a_command_is_never_run() {
    let house = House::on_sqlite();
    let server = Sshd::start(&house);
    let proof = house.servery.home().join("proof");
    let touch = format!("touch {}", proof.display());
    let target = server.target();
    for command in [touch.as_str(), "servery doctor", "/bin/sh", "internal-sftp", "; id", "$(id)", ""] {
        let finished = server.run("ssh", &[&target, command]);
        assert_eq!(finished.status.code(), Some(NO_TERMINAL.0), "{command:?}: {finished:?}");
        assert!(finished.stderr.contains(NO_TERMINAL.1) && finished.stdout.is_empty(), "{command:?}: {finished:?}");
    }
    // With a terminal it is the console, whatever was asked for.
    let asked = server.connect_through(server.address().port(), &["-t", "-o", &format!("RemoteCommand={touch}")], &[]);
    asked.wait_for("Sign in", PATIENCE);
    assert!(!proof.exists(), "a command was run");
}

#[test]
fn no_file_is_moved() {
    let house = House::on_sqlite();
    let server = Sshd::start(&house);
    let target = server.target();
    let (ours, theirs) = (house.servery.home().join("ours"), house.servery.home().join("theirs"));
    std::fs::write(&ours, "not to be moved").expect("written");
    let (ours, remote) = (ours.display().to_string(), format!("{target}:{}", theirs.display()));
    let batch = house.servery.home().join("batch");
    std::fs::write(&batch, format!("put {ours} {}\n", theirs.display())).expect("written");
    let batch = batch.display().to_string();
    // scp by the file transfer protocol, and by the old one.
    for (program, arguments) in [
        ("sftp", vec!["-b", batch.as_str(), target.as_str()]),
        ("scp", vec!["-s", &ours, &remote]),
        ("scp", vec!["-O", &ours, &remote]),
        ("scp", vec!["-O", &remote, &ours]),
    ] {
        let finished = server.run(program, &arguments);
        assert!(!finished.status.success(), "{program} {arguments:?}: {finished:?}");
        assert!(!theirs.exists(), "{program} {arguments:?} moved a file");
    }
}

#[test]
fn no_port_is_forwarded() {
    let house = House::on_sqlite();
    let server = Sshd::start(&house);
    let target = server.target();
    let inside = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port that is to be reached");
    let reached = inside.local_addr().expect("an address").to_string();

    let direct = server.run("ssh", &["-W", &reached, &target]);
    assert!(!direct.status.success() && direct.stderr.contains("prohibited"), "{direct:?}");

    let remote = ["-N", "-o", "ExitOnForwardFailure=yes", "-R", &format!("0:{reached}"), &target];
    let remote = server.run("ssh", &remote);
    assert!(!remote.status.success() && remote.stderr.contains("forwarding failed"), "{remote:?}");

    let socket = house.servery.home().join("socket").display().to_string();
    let remote = ["-N", "-o", "ExitOnForwardFailure=yes", "-R", &format!("{socket}:{reached}"), &target];
    let remote = server.run("ssh", &remote);
    assert!(!remote.status.success() && remote.stderr.contains("forwarding failed"), "{remote:?}");

    // The near end of a local one opens; what goes into it comes to nothing.
    let near = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr().expect("an address");
    let mut command: Command = server.command(&["-N", "-L", &format!("{}:{reached}", near.port()), &target]);
    let client = Running::spawn(&mut command);
    let mut stream = wait::until_some(PATIENCE, "the near end of a tunnel", || TcpStream::connect(near).ok());
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    let _ = stream.write_all(b"hello");
    // Closed, by an end or a reset, without a byte.
    let mut answer = [0; 16];
    assert!(matches!(stream.read(&mut answer), Ok(0) | Err(_)), "something answered");
    let said = client.kill().stderr;
    assert!(said.contains("prohibited"), "{said}");

    inside.set_nonblocking(true).expect("a listener that does not wait");
    assert!(inside.accept().is_err(), "a connection came through");
}

#[test]
fn no_agent_and_no_display_reach_the_console() {
    let house = House::on_sqlite();
    let server = Sshd::start(&house);
    let agent = house.servery.home().join("agent");
    let name = agent.display().to_string();
    let _agent = Running::spawn(Command::new("ssh-agent").args(["-D", "-a", &name]));
    wait::until(PATIENCE, "the agent's socket", || agent.exists());
    // A client makes up a key for its display where this program knows none.
    let xauth = house.servery.home().join("xauth");
    std::fs::write(&xauth, "#!/bin/sh\n").expect("written");
    std::fs::set_permissions(&xauth, std::fs::Permissions::from_mode(0o755)).expect("mode");
    let xauth = format!("XAuthLocation={}", xauth.display());
    let options = ["-A", "-Y", "-v", "-o", &xauth, "-o", "SendEnv=LANG SERVERY_SITE"];
    let variables = [("SSH_AUTH_SOCK", name.as_str()), ("DISPLAY", ":99"), ("SERVERY_SITE", "elsewhere")];
    let client = server.connect_through(server.address().port(), &options, &variables);
    client.wait_for("Sign in", PATIENCE);
    let said = String::from_utf8_lossy(&client.raw_output()).into_owned();
    assert!(said.contains("Requesting X11 forwarding"), "the client asked:\n{said}");
    assert!(said.contains("Requesting authentication agent forwarding"), "the client asked:\n{said}");
    let mut consoles = 0;
    for pid in server.sessions() {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let variables: Vec<&str> =
            environment.split(|byte| *byte == 0).filter_map(|one| std::str::from_utf8(one).ok()).collect();
        if !variables.iter().any(|variable| variable.starts_with("SSH_CONNECTION=")) {
            continue;
        }
        consoles += 1;
        for name in ["SSH_AUTH_SOCK=", "DISPLAY=", "SERVERY_SITE="] {
            assert!(!variables.iter().any(|variable| variable.starts_with(name)), "{name} in {variables:?}");
        }
    }
    assert!(consoles > 0, "the console's own environment was looked at");
}
