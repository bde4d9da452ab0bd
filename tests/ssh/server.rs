//! An `sshd` for one test: on a loopback port, as the user who runs the test, with a host key, a client key and a
//! configuration of its own. Around the snippet of the house everything is allowed, so that what is refused is refused
//! by the snippet. No test stands here.

use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::unistd::{Uid, User};

use crate::house::{House, PATIENCE};
use crate::support::process::{BINARY, Finished, Running, descendants};
use crate::support::pty::Pty;
use crate::support::wait;

/// What to install where a program is missing.
const MISSING: &str = "is missing; install it (Debian, Ubuntu: apt-get install openssh-server openssh-client)";
/// How often another port is tried when somebody else took it first.
const TRIES: u32 = 5;
/// The size of the client's terminal.
pub const COLUMNS: u16 = 80;
pub const ROWS: u16 = 24;

/// The server. Dropping it ends it; its sessions end with their clients.
pub struct Sshd {
    folder: tempfile::TempDir,
    daemon: Running,
    port: u16,
    user: String,
}

impl Sshd {
    /// A server that lets into the console of `house`.
    ///
    /// # Panics
    /// When `sshd` is missing or does not start; the message has its log.
    #[track_caller]
    pub fn start(house: &House) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the server");
        let at = |name: &str| folder.path().join(name).display().to_string();
        for key in ["host_key", "client_key"] {
            let made = run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &at(key)]);
            assert!(made.status.success(), "{made:?}");
        }
        // Without the options of the house's example, so that the snippet alone refuses.
        fs::copy(at("client_key.pub"), at("authorized_keys")).expect("the client's key");
        make_privilege_separation_folder();
        let user = User::from_uid(Uid::current()).ok().flatten().expect("a user with a name").name;
        let snippet = snippet(house, &user, &at("authorized_keys"));
        for _ in 0..TRIES {
            let port = free_port();
            fs::write(at("sshd_config"), format!("{}{snippet}", permissive(port, &at("host_key")))).expect("written");
            let mut command = Command::new(sshd());
            command.args(["-D", "-f", &at("sshd_config"), "-E", &at("log")]);
            let daemon = Running::spawn(&mut command);
            if answers(port, daemon.pid()) {
                let host = fs::read_to_string(at("host_key.pub")).expect("the host's key");
                fs::write(at("known_hosts"), format!("servery-test {host}")).expect("written");
                return Self { folder, daemon, port, user };
            }
        }
        panic!("sshd does not start:\n{}", fs::read_to_string(at("log")).unwrap_or_default());
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// What the server wrote into its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// The processes of sessions: all that the server has started and what they started.
    pub fn sessions(&self) -> Vec<u32> {
        descendants(self.daemon.pid())
    }

    /// The options of a client that takes nothing from the person who runs the test: no configuration, no keys, no
    /// known hosts of theirs. `port` is the server's, or that of a line to it.
    fn client_options(&self, port: u16) -> Vec<String> {
        let options = [
            format!("Port={port}"),
            format!("IdentityFile={}", self.path("client_key")),
            format!("UserKnownHostsFile={}", self.path("known_hosts")),
            "IdentitiesOnly=yes".to_owned(),
            "GlobalKnownHostsFile=none".to_owned(),
            "HostKeyAlias=servery-test".to_owned(),
            "StrictHostKeyChecking=yes".to_owned(),
            "BatchMode=yes".to_owned(),
            "ConnectTimeout=20".to_owned(),
        ];
        let options = options.into_iter().flat_map(|option| ["-o".to_owned(), option]);
        ["-F".to_owned(), "none".to_owned()].into_iter().chain(options).collect()
    }

    /// Who comes in, and where.
    pub fn target(&self) -> String {
        format!("{}@127.0.0.1", self.user)
    }

    /// A client of this name (`ssh`, `sftp`, `scp`) with more options and arguments, run to its end.
    #[track_caller]
    pub fn run(&self, program: &str, arguments: &[&str]) -> Finished {
        let mut command = Command::new(program);
        command.args(self.client_options(self.port)).args(arguments);
        Running::spawn(&mut command).finish(PATIENCE)
    }

    /// The command of a client that is started beside the test.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("ssh");
        command.args(self.client_options(self.port)).args(arguments);
        command
    }

    /// A client in a terminal, through `port`, with `environment` and more options before the target.
    #[track_caller]
    pub fn connect_through(&self, port: u16, options: &[&str], environment: &[(&str, &str)]) -> Pty {
        let (all, target) = (self.client_options(port), self.target());
        let mut arguments: Vec<&str> = all.iter().map(String::as_str).collect();
        arguments.extend(options);
        arguments.push(&target);
        Pty::spawn("ssh", &arguments, environment, COLUMNS, ROWS)
    }

    /// A client in a terminal, at the sign-in of the console.
    #[track_caller]
    pub fn connect(&self) -> Pty {
        let client = self.connect_through(self.port, &[], &[]);
        client.wait_for("Sign in", PATIENCE);
        client
    }
}

/// Everything that a session might get is allowed here, so that only the snippet can be what refuses it.
/// `StrictModes` is off because the keys lie in a temporary folder, whose parents anybody may write into.
fn permissive(port: u16, host_key: &str) -> String {
    format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {host_key}\nPidFile none\nStrictModes no\nUsePAM no\n\
         LogLevel VERBOSE\nPermitRootLogin yes\nAllowTcpForwarding yes\nAllowAgentForwarding yes\n\
         AllowStreamLocalForwarding yes\nX11Forwarding yes\nX11UseLocalhost yes\nGatewayPorts yes\n\
         Subsystem sftp internal-sftp\n"
    )
}

/// The house's own file with the paths of this test: every change must meet exactly one place.
fn snippet(house: &House, user: &str, keys: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/deploy/sshd_servery.conf");
    let mut text = fs::read_to_string(file).expect("the snippet");
    let environment = environment(house);
    let fill = [
        ("Match User servery", format!("Match User {user}")),
        ("/usr/local/bin/servery", BINARY.to_owned()),
        ("SERVERY_STORE=sqlite:/var/lib/servery/servery.db SERVERY_PEPPER_FILE=/etc/servery/pepper", environment),
        ("/etc/ssh/servery/authorized_keys", keys.to_owned()),
    ];
    for (place, value) in fill {
        assert_eq!(text.matches(place).count(), 1, "{place:?} stands once in\n{text}");
        text = text.replace(place, &value);
    }
    text
}

/// The settings of the house's processes, as `SetEnv` takes them.
fn environment(house: &House) -> String {
    let ours = |name: &str| name.starts_with("SERVERY_") || name.starts_with("XDG_") || name == "HOME";
    let all = house.servery.environment();
    let words = all.iter().filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)));
    let words: Vec<String> =
        words.filter(|(name, _)| ours(name)).map(|(name, value)| format!("{name}={value}")).collect();
    words.join(" ")
}

/// A server that root starts wants this folder, which its system service makes at boot: a machine where the service
/// never ran has none.
fn make_privilege_separation_folder() {
    let folder = Path::new("/run/sshd");
    if Uid::effective().is_root() && !folder.exists() {
        fs::create_dir(folder).expect("/run/sshd, which an sshd of root needs");
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("mode");
    }
}

fn sshd() -> PathBuf {
    let places = ["/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd"].map(PathBuf::from);
    places.into_iter().find(|path| path.exists()).unwrap_or_else(|| panic!("sshd {MISSING}"))
}

#[track_caller]
fn run(program: &str, arguments: &[&str]) -> Finished {
    assert!(Command::new(program).arg("-?").output().is_ok(), "{program} {MISSING}");
    let mut command = Command::new(program);
    command.args(arguments);
    Running::spawn(&mut command).finish(wait::LIMIT)
}

/// A port that nobody has now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Waits for the server's first words; false where it ended instead.
fn answers(port: u16, pid: u32) -> bool {
    let mut spoke = false;
    wait::until(PATIENCE, "sshd answers, or ends", || {
        spoke = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok_and(|mut stream| {
            let mut words = [0; 4];
            stream.set_read_timeout(Some(Duration::from_secs(5))).is_ok()
                && stream.read_exact(&mut words).is_ok()
                && &words == b"SSH-"
        });
        spoke || !crate::support::process::is_running(pid)
    });
    spoke
}
