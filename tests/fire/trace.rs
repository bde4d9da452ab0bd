//! A trace of everything that was done to the files of a folder, and the disks that a power cut at any
//! point of it may leave behind.
//!
//! What a disk keeps: the bytes of a file that a finished fsync of that file covers, and the names of a
//! folder that a finished fsync of the folder covers. Everything after that is kept, dropped, or torn at
//! the boundaries of sectors, each write for itself and in any order; a file that grew may keep its
//! length without its bytes.

use crate::house::Dice;
use crate::load::Said;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A disk writes a sector whole or not at all.
const SECTOR: usize = 512;

/// One change, as the shim noted it.
enum Change {
    Write { file: u64, offset: usize, data: Vec<u8> },
    Truncate { file: u64, length: usize },
    SyncBegun { file: u64, number: u64 },
    SyncDone { file: u64, number: u64 },
    Create { file: u64, path: PathBuf },
    Unlink { path: PathBuf },
    Rename { from: PathBuf, to: PathBuf },
    Acknowledged(Said),
}

/// Everything that happened to a folder, from a state that was wholly on the disk.
pub struct Trace {
    folder: PathBuf,
    changes: Vec<Change>,
    start: Disk,
}

/// What may be pending on a file.
#[derive(Clone)]
enum Pending {
    Write { offset: usize, data: Vec<u8> },
    Truncate { length: usize },
}

/// A file's bytes that are on the disk, and what was done since.
#[derive(Clone, Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<Pending>,
    /// The syncs under way, and how much of `pending` each covers.
    syncs: HashMap<u64, usize>,
}

/// Which name stands for which file.
type Names = BTreeMap<PathBuf, usize>;

/// What happened to the names since the folder was last synced.
#[derive(Clone)]
enum Naming {
    Create(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf),
}

/// A folder as a disk holds it.
#[derive(Clone, Default)]
struct Disk {
    files: Vec<File>,
    /// The file that an inode stands for now: inodes are used again.
    inodes: HashMap<u64, usize>,
    names: Names,
    naming: Vec<Naming>,
    naming_syncs: HashMap<u64, usize>,
    folder_inode: u64,
}

fn read_number(bytes: &mut &[u8]) -> u64 {
    let (number, rest) = bytes.split_at(8);
    *bytes = rest;
    u64::from_ne_bytes(number.try_into().expect("8 bytes"))
}

fn size(number: u64) -> usize {
    usize::try_from(number).expect("it fits into memory")
}

fn take<'a>(bytes: &mut &'a [u8], length: u64) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(size(length));
    *bytes = rest;
    taken
}

fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(std::str::from_utf8(bytes).expect("a path"))
}

impl Trace {
    /// Takes the files of a folder as the beginning: they are on the disk. Nobody may be writing.
    pub fn begin(folder: &Path) -> Self {
        let folder = folder.canonicalize().expect("the folder");
        let mut start = Disk { folder_inode: fs::metadata(&folder).expect("the folder").ino(), ..Disk::default() };
        for entry in fs::read_dir(&folder).expect("the folder") {
            let path = entry.expect("an entry").path();
            let inode = fs::metadata(&path).expect("a file").ino();
            start.inodes.insert(inode, start.files.len());
            start.names.insert(path.clone(), start.files.len());
            start.files.push(File { durable: fs::read(&path).expect("a file"), ..File::default() });
        }
        Self { folder, changes: Vec::new(), start }
    }

    /// Reads what the shim wrote. A record that the death of its process cut off is the end.
    pub fn read(&mut self, path: &Path) {
        const HEAD: usize = 5 * 8;
        let bytes = fs::read(path).expect("the trace");
        let mut rest = bytes.as_slice();
        while rest.len() >= HEAD {
            let mut head = &rest[..HEAD];
            let [kind, file, offset, path, data] = std::array::from_fn(|_| read_number(&mut head));
            if rest.len() - HEAD < size(path) + size(data) {
                break;
            }
            rest = &rest[HEAD..];
            let path = path_of(take(&mut rest, path));
            let data = take(&mut rest, data);
            self.changes.push(match kind {
                1 => Change::Write { file, offset: size(offset), data: data.to_vec() },
                2 => Change::Truncate { file, length: size(offset) },
                3 => Change::SyncBegun { file, number: offset },
                4 => Change::SyncDone { file, number: offset },
                5 => Change::Create { file, path },
                6 => Change::Unlink { path },
                7 => Change::Rename { from: path, to: path_of(data) },
                8 => Change::Acknowledged(serde_json::from_slice(data).expect("an acknowledgement")),
                other => panic!("the trace has a record of kind {other}"),
            });
        }
    }

    /// The same on a disk that says of every fsync that it is done and does nothing.
    pub fn on_a_disk_that_lies(mut self) -> Self {
        self.changes.retain(|change| !matches!(change, Change::SyncBegun { .. } | Change::SyncDone { .. }));
        self
    }

    /// The places right after an acknowledgement, where a loss would hurt most.
    pub fn after_acknowledgements(&self) -> Vec<usize> {
        let places = self.changes.iter().enumerate();
        places.filter(|(_, change)| matches!(change, Change::Acknowledged(_))).map(|(place, _)| place + 1).collect()
    }

    /// How many changes there are.
    pub fn length(&self) -> usize {
        self.changes.len()
    }

    /// How many writes, syncs and acknowledgements there are.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |wanted: fn(&Change) -> bool| self.changes.iter().filter(|change| wanted(change)).count();
        (
            count(|change| matches!(change, Change::Write { .. })),
            count(|change| matches!(change, Change::SyncDone { .. })),
            count(|change| matches!(change, Change::Acknowledged(_))),
        )
    }

    /// Cuts the power before each of these changes, in rising order, and hands out the disk and what had
    /// been acknowledged by then.
    pub fn cut(&self, points: &[usize], mut each: impl FnMut(usize, Cut<'_>)) {
        let mut disk = self.start.clone();
        let (mut at, mut acknowledged) = (0, Vec::new());
        for point in points {
            for change in &self.changes[at..*point] {
                match change {
                    Change::Acknowledged(said) => acknowledged.push(said.clone()),
                    other => disk.apply(other),
                }
            }
            at = *point;
            each(*point, Cut { disk: &disk, folder: &self.folder, acknowledged: &acknowledged });
        }
    }
}

/// The moment of a power cut.
pub struct Cut<'a> {
    disk: &'a Disk,
    folder: &'a Path,
    pub acknowledged: &'a [Said],
}

/// What the cut did to what was not on the disk yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Damage {
    pub kept: usize,
    pub dropped: usize,
    pub torn: usize,
}

impl Cut<'_> {
    /// Writes one of the disks that the cut may leave into an empty folder.
    pub fn leave(&self, to: &Path, dice: &mut Dice) -> Damage {
        let mut damage = Damage::default();
        // Some disks keep nearly all of it, some nearly nothing.
        let keeps = dice.pick(0..101);
        let mut names = self.disk.names.clone();
        for naming in &self.disk.naming {
            if dice.percent(keeps) {
                naming.apply(&mut names);
            }
        }
        for (path, file) in names {
            let name = path.strip_prefix(self.folder).expect("a file of the folder");
            let bytes = self.disk.files[file].left(keeps, dice, &mut damage);
            fs::write(to.join(name), bytes).expect("the image");
        }
        damage
    }
}

impl Disk {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Write { file, offset, data } => {
                self.file(*file).pending.push(Pending::Write { offset: *offset, data: data.clone() });
            }
            Change::Truncate { file, length } => self.file(*file).pending.push(Pending::Truncate { length: *length }),
            Change::SyncBegun { file, number } if *file == self.folder_inode => {
                self.naming_syncs.insert(*number, self.naming.len());
            }
            Change::SyncDone { file, number } if *file == self.folder_inode => {
                let covered = self.naming_syncs.remove(number).expect("a sync that began");
                for naming in self.naming.drain(..covered) {
                    naming.apply(&mut self.names);
                }
                for begun in self.naming_syncs.values_mut() {
                    *begun = begun.saturating_sub(covered);
                }
            }
            Change::SyncBegun { file, number } => {
                let file = self.file(*file);
                file.syncs.insert(*number, file.pending.len());
            }
            Change::SyncDone { file, number } => self.file(*file).synced(*number),
            Change::Create { file, path } => {
                self.inodes.insert(*file, self.files.len());
                self.naming.push(Naming::Create(path.clone(), self.files.len()));
                self.files.push(File::default());
            }
            Change::Unlink { path } => self.naming.push(Naming::Unlink(path.clone())),
            Change::Rename { from, to } => self.naming.push(Naming::Rename(from.clone(), to.clone())),
            Change::Acknowledged(_) => {}
        }
    }

    fn file(&mut self, inode: u64) -> &mut File {
        let place = self.inodes.get(&inode).expect("a file that was there or was made");
        &mut self.files[*place]
    }
}

impl Naming {
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Create(path, file) => drop(names.insert(path.clone(), *file)),
            Self::Unlink(path) => drop(names.remove(path)),
            Self::Rename(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
        }
    }
}

impl File {
    /// What a sync covered is on the disk from now on.
    fn synced(&mut self, number: u64) {
        // A later sync may have ended first and covered this one's share already.
        let covered = self.syncs.remove(&number).expect("a sync that began");
        for pending in self.pending.drain(..covered) {
            pending.apply(&mut self.durable);
        }
        for begun in self.syncs.values_mut() {
            *begun = begun.saturating_sub(covered);
        }
    }

    /// The bytes that a power cut leaves.
    fn left(&self, keeps: u64, dice: &mut Dice, damage: &mut Damage) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for pending in &self.pending {
            if dice.percent(keeps) {
                pending.apply(&mut bytes);
                damage.kept += 1;
            } else if let Pending::Write { offset, data } = pending
                && dice.percent(50)
            {
                tear(&mut bytes, *offset, data, dice);
                damage.torn += 1;
            } else {
                damage.dropped += 1;
            }
        }
        bytes
    }
}

impl Pending {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write { offset, data } => put(bytes, *offset, data),
            Self::Truncate { length } => bytes.resize(*length, 0),
        }
    }
}

/// Writes bytes at an offset; what lies between the old end and the offset is zeros.
fn put(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    if bytes.len() < offset + data.len() {
        bytes.resize(offset + data.len(), 0);
    }
    bytes[offset..offset + data.len()].copy_from_slice(data);
}

/// Writes only some of the sectors of a write; the length may be kept where the bytes are not.
fn tear(bytes: &mut Vec<u8>, offset: usize, data: &[u8], dice: &mut Dice) {
    let end = offset + data.len();
    if dice.percent(50) && bytes.len() < end {
        bytes.resize(end, 0);
    }
    let mut at = offset;
    while at < end {
        let next = ((at / SECTOR + 1) * SECTOR).min(end);
        if dice.percent(50) {
            put(bytes, at, &data[at - offset..next - offset]);
        }
        at = next;
    }
}

#[test]
fn a_disk_keeps_what_was_synced_and_any_part_of_the_rest() {
    let mut disk = Disk { folder_inode: 1, ..Disk::default() };
    let path = PathBuf::from("/fire/a");
    disk.apply(&Change::Create { file: 7, path: path.clone() });
    disk.apply(&Change::Write { file: 7, offset: 0, data: vec![1; 2 * SECTOR] });
    disk.apply(&Change::SyncBegun { file: 7, number: 1 });
    // Written while the sync is under way: not covered by it.
    disk.apply(&Change::Write { file: 7, offset: 0, data: vec![2; 2 * SECTOR] });
    disk.apply(&Change::SyncDone { file: 7, number: 1 });
    let mut dice = Dice::of(1);
    let (mut seen, mut nameless) = (std::collections::BTreeSet::new(), 0);
    for round in 0..200 {
        if round == 100 {
            disk.apply(&Change::SyncBegun { file: 1, number: 1 });
            disk.apply(&Change::SyncDone { file: 1, number: 1 });
        }
        let folder = tempfile::tempdir().expect("a folder");
        Cut { disk: &disk, folder: Path::new("/fire"), acknowledged: &[] }.leave(folder.path(), &mut dice);
        match fs::read(folder.path().join("a")) {
            Ok(bytes) => {
                assert_eq!(bytes.len(), 2 * SECTOR);
                seen.insert((bytes[0], bytes[SECTOR]));
            }
            Err(_) => nameless += 1,
        }
        assert!(round < 100 || folder.path().join("a").exists(), "its name was synced");
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [(1, 1), (1, 2), (2, 1), (2, 2)]);
    assert!(nameless > 0, "a name that was not synced may be lost");
}
