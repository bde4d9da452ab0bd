//! Passwords, PINs and session tokens: how they are hashed, verified and made. One [`Secrets`] is made
//! when a process starts and passed to what needs it. Nothing here decides who may do what, and nothing
//! secret is ever shown by `Debug`.
//!
//! Hashes are argon2id in PHC form, keyed with a pepper that lives in a file outside the store: a
//! stolen store alone gives nothing away. At most two are computed at a time, so that sign-ins cannot
//! eat the machine's memory.

use super::Door;
use crate::domain::error::{ErrorCode, Refused};
use crate::store::{Store, people};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{self, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use hmac::{Hmac, KeyInit, Mac};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// Names the pepper file.
pub const PEPPER_FILE: &str = "SERVERY_PEPPER_FILE";
/// The fewest bytes of a pepper.
const MIN_PEPPER: usize = 32;
/// The most bytes of a pepper file.
const MAX_PEPPER: u64 = 4096;
/// Bytes of a salt.
const SALT: usize = 16;
/// Bytes of a session token.
const TOKEN: usize = 32;
/// Hashes computed at a time.
const PERMITS: usize = 2;
/// The longest password or PIN that is looked at (bytes); longer ones are wrong.
pub const MAX_SECRET: usize = 256;

/// What an unknown name is verified against: the parameters of every other hash, and an output that
/// no password has.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2VydmVyeS1ub2JvZHkhIQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

struct Inner {
    pepper: Zeroizing<Vec<u8>>,
    fingerprint: [u8; 32],
    /// Where the pepper file was missed, in a process that goes on without.
    missing: Option<PathBuf>,
    permits: Arc<Semaphore>,
    random: Mutex<ChaCha12Rng>,
}

/// The keeper of secrets of this process; cheap to clone.
#[derive(Clone)]
pub struct Secrets {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// Where the pepper file stands: `SERVERY_PEPPER_FILE`, else `servery/pepper` in the folder of
/// configuration. `variable` answers an environment variable.
///
/// # Errors
/// `VALIDATION_ERROR` when neither of `SERVERY_PEPPER_FILE`, `XDG_CONFIG_HOME` and `HOME` is set.
pub fn pepper_path(variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, Refused> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set(PEPPER_FILE)
        .or_else(|| set("XDG_CONFIG_HOME").map(|folder| folder.join("servery").join("pepper")))
        .or_else(|| set("HOME").map(|folder| folder.join(".config").join("servery").join("pepper")))
        .ok_or_else(|| {
            Refused::invalid(PEPPER_FILE, "There is no folder for the pepper file.")
                .help("Set SERVERY_PEPPER_FILE to the path of the pepper file.")
        })
}

/// Whether the store is bound to a pepper: somebody was added whose secrets need it.
///
/// # Errors
/// `STORE_UNAVAILABLE`.
pub async fn is_bound(store: &Store) -> Result<bool, Refused> {
    let mut tx = store.read().await?;
    let known = people::pepper_fingerprint(&mut tx).await?;
    tx.rollback().await?;
    Ok(known.flatten().is_some())
}

impl Secrets {
    /// Reads the pepper file; makes it, readable by its owner only, where there is none.
    ///
    /// # Errors
    /// `FORBIDDEN` when others may read the file, when it is too short, or when it can be neither read
    /// nor made.
    #[expect(clippy::disallowed_methods, reason = "the one place that takes the machine's randomness for secrets")]
    pub fn open(path: &Path) -> Result<Self, Refused> {
        use rand::RngExt;
        let seed: [u8; 32] = rand::rng().random();
        let fresh: [u8; MIN_PEPPER] = rand::rng().random();
        let pepper = match read_pepper(path)? {
            Some(pepper) => pepper,
            None => {
                make_pepper(path, &Zeroizing::new(hex(&fresh)))?;
                // Read back: another process may have been faster.
                read_pepper(path)?.ok_or_else(|| unusable(path, "it was taken away as soon as it was made"))?
            }
        };
        Ok(Self::with_pepper(&pepper, seed))
    }

    /// As [`Secrets::open`] for a store that is bound to a pepper already: none is made then, because a
    /// new one would be a wrong one. Where there is no file the keeper verifies nothing
    /// ([`Secrets::is_missing`]).
    ///
    /// # Errors
    /// As [`Secrets::open`].
    #[expect(clippy::disallowed_methods, reason = "the randomness of a process without a pepper file")]
    pub fn open_bound(path: &Path) -> Result<Self, Refused> {
        use rand::RngExt;
        if read_pepper(path)?.is_some() {
            return Self::open(path);
        }
        let seed: [u8; 32] = rand::rng().random();
        // Never written anywhere: no hash of the store was made with it.
        let nothing: [u8; MIN_PEPPER] = rand::rng().random();
        Ok(Self::made(&nothing, seed, Some(path.to_owned())))
    }

    /// A keeper with this pepper, whose salts and tokens follow from the seed.
    #[must_use]
    pub fn with_pepper(pepper: &[u8], seed: [u8; 32]) -> Self {
        Self::made(pepper, seed, None)
    }

    fn made(pepper: &[u8], seed: [u8; 32], missing: Option<PathBuf>) -> Self {
        let fingerprint = Sha256::new().chain_update(b"servery pepper fingerprint\n").chain_update(pepper).finalize();
        Self {
            inner: Arc::new(Inner {
                pepper: Zeroizing::new(pepper.to_vec()),
                fingerprint: fingerprint.into(),
                missing,
                permits: Arc::new(Semaphore::new(PERMITS)),
                random: Mutex::new(ChaCha12Rng::from_seed(seed)),
            }),
        }
    }

    /// Names the pepper without giving it away.
    #[must_use]
    pub fn fingerprint(&self) -> &[u8] {
        &self.inner.fingerprint
    }

    /// Whether this machine has no pepper file: then no password or PIN can be verified or set here,
    /// which a board or a worker never does.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.inner.missing.is_some()
    }

    /// Whether a stored fingerprint names this pepper.
    ///
    /// # Errors
    /// `FORBIDDEN` when it names another one: every hash of that store would be refused here.
    pub fn require_fingerprint(&self, stored: &[u8]) -> Result<(), Refused> {
        if bool::from(stored.ct_eq(&self.inner.fingerprint)) {
            return Ok(());
        }
        let copy = "Copy the pepper file of the machine that set the store up";
        Err(match &self.inner.missing {
            Some(path) => Refused::new(
                ErrorCode::Forbidden,
                format!("This machine has no pepper file at {}, and this store has one.", path.display()),
            )
            .help(format!("{copy} to there, mode 0600, or name it with {PEPPER_FILE}.")),
            None => Refused::new(
                ErrorCode::Forbidden,
                "The pepper file of this machine is not the one with which this store's staff were added.",
            )
            .help(format!("{copy} to here, mode 0600 ({PEPPER_FILE}).")),
        }
        .by_guard("pepper"))
    }

    /// Binds the store to this pepper where it is bound to none, and refuses another one. Main calls it
    /// at start; everything that hashes calls it again.
    ///
    /// # Errors
    /// `FORBIDDEN` for another pepper, `NOT_FOUND` for a store that was not set up, `STORE_UNAVAILABLE`.
    pub async fn check_store(&self, door: &Door) -> Result<(), Refused> {
        let no_store = || Refused::not_found("store", door.site_id()).help("Set the store up first: servery init.");
        let mut tx = door.store().read().await?;
        let known = people::pepper_fingerprint(&mut tx).await?;
        tx.rollback().await?;
        if let Some(stored) = known.ok_or_else(no_store)? {
            return self.require_fingerprint(&stored);
        }
        if self.is_missing() {
            return Err(Refused::internal("a store without a pepper was opened as one that has one"));
        }
        let mut tx = door.store().write().await?;
        people::claim_pepper(&mut tx, &self.inner.fingerprint).await?;
        let stored = people::pepper_fingerprint(&mut tx).await?.flatten();
        tx.commit().await?;
        self.require_fingerprint(&stored.ok_or_else(no_store)?)
    }

    /// The PHC string of a password or PIN.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` when it cannot be computed.
    pub async fn hash(&self, secret: &str) -> Result<String, Refused> {
        let mut salt = [0_u8; SALT];
        self.fill(&mut salt);
        self.compute(secret, move |argon, secret| {
            use argon2::PasswordHasher;
            let hash: Result<PasswordHash, _> = argon.hash_password_with_salt(secret, &salt);
            hash.map(|hash| hash.to_string()).map_err(Refused::internal)
        })
        .await
    }

    /// Whether a password or PIN is the one of the PHC string. `None` takes as long and is never right.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` when the string cannot be read.
    pub async fn verify(&self, secret: &str, phc: Option<&str>) -> Result<bool, Refused> {
        // A longer secret was never accepted; it takes as long as any other wrong one.
        let (secret, possible) = if secret.len() > MAX_SECRET { ("", false) } else { (secret, phc.is_some()) };
        let phc = phc.unwrap_or(NOBODY).to_owned();
        let right = self
            .compute(secret, move |argon, secret| {
                let hash = PasswordHash::new(&phc).map_err(Refused::internal)?;
                match argon.verify_password(secret, &hash) {
                    Ok(()) => Ok(true),
                    Err(password_hash::Error::PasswordInvalid) => Ok(false),
                    Err(error) => Err(Refused::internal(error)),
                }
            })
            .await?;
        Ok(right && possible)
    }

    /// A new session token: 256 random bits as 64 hexadecimal digits.
    #[must_use]
    pub fn token(&self) -> String {
        let mut bytes = Zeroizing::new([0_u8; TOKEN]);
        self.fill(&mut *bytes);
        hex(&*bytes)
    }

    /// A keyed mark of a secret, by which a repeated request is known as the same. It never reaches the
    /// store itself, only the hash of the request does.
    #[must_use]
    pub(super) fn mark(&self, secret: &str) -> Vec<u8> {
        // A key of any length is accepted.
        Hmac::<Sha256>::new_from_slice(&self.inner.pepper)
            .map(|mac| mac.chain_update(b"servery request\n").chain_update(secret.as_bytes()).finalize().into_bytes())
            .map(|mark| mark.to_vec())
            .unwrap_or_default()
    }

    fn fill(&self, bytes: &mut [u8]) {
        match self.inner.random.lock() {
            Ok(mut random) => random.fill_bytes(bytes),
            Err(poisoned) => poisoned.into_inner().fill_bytes(bytes),
        }
    }

    /// Runs one computation of argon2 away from the async threads, when one of the permits is free.
    async fn compute<T: Send + 'static>(
        &self,
        secret: &str,
        run: impl FnOnce(&Argon2<'_>, &[u8]) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let secret = Zeroizing::new(secret.as_bytes().to_vec());
        let permit = Arc::clone(&self.inner.permits).acquire_owned().await.map_err(Refused::internal)?;
        let inner = Arc::clone(&self.inner);
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let argon = Argon2::new_with_secret(&inner.pepper, Algorithm::Argon2id, Version::V0x13, Params::default())
                .map_err(Refused::internal)?;
            run(&argon, &secret)
        });
        task.await.map_err(Refused::internal)?
    }
}

/// Whether two secrets that are not hashed are the same, in a time that tells nothing but their length.
#[must_use]
pub(super) fn same_secret(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |value: u8| DIGITS.get(usize::from(value & 0xf)).copied().unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

fn unusable(path: &Path, why: impl std::fmt::Display) -> Refused {
    Refused::new(ErrorCode::Forbidden, format!("The pepper file {} cannot be used: {why}.", path.display()))
        .by_guard("pepper")
        .help(format!("It must be a file of at least {MIN_PEPPER} bytes that only its owner may read (mode 0600)."))
}

/// The pepper in the file; `None` where there is no file.
fn read_pepper(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, Refused> {
    let refuse = |error: std::io::Error| unusable(path, error);
    // Looked at before it is opened: opening a pipe would wait for its other end.
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Err(unusable(path, "it is no file")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refuse(error)),
    }
    let file = std::fs::File::open(path).map_err(refuse)?;
    // Of the file that is open, whatever stands under its name by now.
    let found = file.metadata().map_err(refuse)?;
    let mode = found.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(unusable(path, format!("others than its owner may use it (mode {:04o})", mode & 0o7777)));
    }
    if found.len() > MAX_PEPPER {
        return Err(unusable(path, "it is too large"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(MAX_PEPPER).unwrap_or(0)));
    file.take(MAX_PEPPER).read_to_end(&mut bytes).map_err(refuse)?;
    let pepper = bytes.trim_ascii();
    if pepper.len() < MIN_PEPPER {
        return Err(unusable(path, "it is too short"));
    }
    Ok(Some(Zeroizing::new(pepper.to_vec())))
}

/// Makes the file whole or not at all, and never over one that another process made meanwhile.
fn make_pepper(path: &Path, text: &str) -> Result<(), Refused> {
    let refuse = |error: std::io::Error| unusable(path, error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(refuse)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let draft = folder.join(name);
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()
        })
        .and_then(|()| std::fs::hard_link(&draft, path));
    let removed = std::fs::remove_file(&draft);
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(refuse(error)),
        _ => removed.map_err(refuse),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_are_owasps_minimum_or_above_and_nobody_costs_the_same() {
        let params = Params::default();
        assert!(params.m_cost() >= 19_456 && params.t_cost() >= 2);
        let nobody = PasswordHash::new(NOBODY).expect("a PHC string");
        assert_eq!(Params::try_from(&nobody).expect("parameters").m_cost(), params.m_cost());
        assert_eq!(Params::try_from(&nobody).expect("parameters").t_cost(), params.t_cost());
        assert_eq!(nobody.algorithm.as_str(), "argon2id");
    }

    #[tokio::test]
    async fn a_secret_is_verified_with_its_own_pepper_only() {
        let secrets = Secrets::with_pepper(&[7; 32], [1; 32]);
        let hash = secrets.hash("correct horse").await.expect("hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(secrets.verify("correct horse", Some(&hash)).await.expect("verify"));
        assert!(!secrets.verify("correct horse ", Some(&hash)).await.expect("verify"));
        assert!(!secrets.verify("correct horse", None).await.expect("verify"));
        assert!(!secrets.verify(&"x".repeat(MAX_SECRET + 1), Some(&hash)).await.expect("verify"));
        let other = Secrets::with_pepper(&[8; 32], [1; 32]);
        assert!(!other.verify("correct horse", Some(&hash)).await.expect("verify"));
        assert!(secrets.verify("x", Some("no hash")).await.is_err());
        assert_ne!(hash, secrets.hash("correct horse").await.expect("hash"), "each hash has its own salt");
    }

    #[test]
    fn tokens_have_256_bits_and_nothing_is_shown() {
        let secrets = Secrets::with_pepper(&[7; 32], [1; 32]);
        let (one, two) = (secrets.token(), secrets.token());
        assert_eq!((one.len(), one == two), (64, false));
        assert_eq!(format!("{secrets:?}"), "Secrets(…)");
        assert_eq!(hex(&[0, 0x9f, 0xff]), "009fff");
    }

    #[test]
    fn the_pepper_file_is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("config").join("servery").join("pepper");
        let first = Secrets::open(&path).expect("made");
        assert_eq!(std::fs::metadata(&path).expect("file").permissions().mode() & 0o7777, 0o600);
        assert_eq!(first.fingerprint(), Secrets::open(&path).expect("read").fingerprint());
        assert_eq!(std::fs::read_dir(path.parent().expect("folder")).expect("list").count(), 1, "no draft is left");
        assert_ne!(first.token(), Secrets::open(&path).expect("read").token());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("mode");
        let refused = Secrets::open(&path).expect_err("too open");
        assert_eq!((refused.code, refused.guard), (ErrorCode::Forbidden, Some("pepper")));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("mode");
        std::fs::write(&path, "short").expect("write");
        assert!(Secrets::open(&path).is_err());
    }

    #[test]
    fn a_store_that_has_a_pepper_never_gets_a_second_one() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("pepper");
        let missing = Secrets::open_bound(&path).expect("goes on without");
        assert!(missing.is_missing() && !path.exists(), "none is made");
        let first = Secrets::open(&folder.path().join("other")).expect("made");
        let refused = missing.require_fingerprint(first.fingerprint()).expect_err("verifies nothing");
        assert_eq!((refused.code, refused.guard), (ErrorCode::Forbidden, Some("pepper")));
        assert!(refused.message.contains(&path.display().to_string()) && refused.help.contains("0600"), "{refused:?}");
        std::fs::copy(folder.path().join("other"), &path).expect("copied with its mode");
        let copied = Secrets::open_bound(&path).expect("read");
        assert!(!copied.is_missing() && copied.require_fingerprint(first.fingerprint()).is_ok());
    }

    #[test]
    fn what_is_no_pepper_file_is_refused_and_never_waited_for() {
        let folder = tempfile::tempdir().expect("folder");
        let refused = Secrets::open_bound(folder.path()).expect_err("a folder");
        assert!(refused.message.contains("no file"), "{refused:?}");
        let pipe = folder.path().join("pipe");
        let (fifo, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, fifo, mode, 0).expect("a pipe");
        assert!(Secrets::open(&pipe).is_err());
        let large = folder.path().join("large");
        std::fs::write(&large, vec![b'x'; 5_000]).expect("written");
        std::fs::set_permissions(&large, std::fs::Permissions::from_mode(0o600)).expect("mode");
        assert!(Secrets::open(&large).expect_err("too large").message.contains("too large"));
    }

    #[test]
    fn processes_that_start_at_once_share_one_pepper() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("pepper");
        make_pepper(&path, &"a".repeat(64)).expect("made");
        make_pepper(&path, &"b".repeat(64)).expect("left alone");
        assert_eq!(std::fs::read_to_string(&path).expect("read").trim(), "a".repeat(64));
    }

    #[test]
    fn the_file_stands_where_the_environment_says() {
        let path = |set: &'static [(&str, &str)]| {
            pepper_path(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value)))
        };
        assert_eq!(path(&[(PEPPER_FILE, "/p"), ("HOME", "/h")]).expect("path"), PathBuf::from("/p"));
        assert_eq!(path(&[("XDG_CONFIG_HOME", "/c")]).expect("path"), PathBuf::from("/c/servery/pepper"));
        assert_eq!(
            path(&[("XDG_CONFIG_HOME", ""), ("HOME", "/h")]).expect("path"),
            PathBuf::from("/h/.config/servery/pepper")
        );
        assert!(path(&[]).is_err());
    }
}
