//! A recording layer beneath SQLite: the system's own file system, with writes, syncs, truncations and deletions written
//! down. It lies below SQLCipher, whose pages it sees encrypted.
//!
//! SQLite's interface for this is C, so this is the one place with `unsafe`. A crate that wraps it would bring bindgen
//! and a C library to parse with; all that is needed is to stand in for four functions of the system's own tables.

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use rusqlite::ffi;

use super::Step;

type Methods = ffi::sqlite3_io_methods;
type Open = unsafe extern "C" fn(
    *mut ffi::sqlite3_vfs,
    ffi::sqlite3_filename,
    *mut ffi::sqlite3_file,
    c_int,
    *mut c_int,
) -> c_int;
type Delete = unsafe extern "C" fn(*mut ffi::sqlite3_vfs, *const c_char, c_int) -> c_int;

/// What the layer knows, behind one lock.
#[derive(Default)]
struct Known {
    /// Folders that are recorded.
    tapes: HashMap<PathBuf, Vec<Step>>,
    /// Open files by address: their name, and the system's functions for them.
    files: HashMap<usize, (PathBuf, &'static Methods)>,
    /// Our tables by the address of the system's table that they stand in for.
    tables: HashMap<usize, &'static Methods>,
    /// The system's own.
    open: Option<Open>,
    delete: Option<Delete>,
}

static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

fn with<T>(act: impl FnOnce(&mut Known) -> T) -> T {
    let mut known: MutexGuard<'_, Option<Known>> = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    act(known.get_or_insert_default())
}

fn record(file: &Path, step: impl FnOnce(PathBuf) -> Step) {
    with(|known| {
        let tape = file.parent().and_then(|folder| known.tapes.get_mut(folder));
        if let Some(tape) = tape {
            tape.push(step(file.to_owned()));
        }
    });
}

/// Records what happens to the files of one folder.
pub(crate) struct Recorder {
    folder: PathBuf,
}

impl Recorder {
    /// From now on.
    pub(crate) fn start(folder: &Path) -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(install);
        let folder = folder.to_owned();
        with(|known| known.tapes.insert(folder.clone(), Vec::new()));
        Self { folder }
    }

    /// Notes something of the test's own.
    pub(crate) fn note(&self, step: Step) {
        with(|known| known.tapes.entry(self.folder.clone()).or_default().push(step));
    }

    /// Ends it, and gives what happened.
    pub(crate) fn stop(self) -> Vec<Step> {
        with(|known| known.tapes.remove(&self.folder)).unwrap_or_default()
    }
}

/// Makes a file system like the system's the default one, with our opening and deleting.
fn install() {
    // SAFETY: SQLite's default file system lives as long as the process and is never changed; ours is a copy of it under
    // another name, leaked so that it lives as long, and has the same size of file since it is the system's file.
    unsafe {
        let real = ffi::sqlite3_vfs_find(std::ptr::null()).as_ref().unwrap();
        with(|known| (known.open, known.delete) = (real.xOpen, real.xDelete));
        let mut ours = *real;
        ours.pNext = std::ptr::null_mut();
        ours.zName = c"recording".as_ptr();
        ours.xOpen = Some(open);
        ours.xDelete = Some(delete);
        let ours = Box::leak(Box::new(ours));
        assert_eq!(ffi::sqlite3_vfs_register(ours, 1), ffi::SQLITE_OK);
    }
}

fn name(path: *const c_char) -> Option<PathBuf> {
    if path.is_null() {
        return None;
    }
    // SAFETY: SQLite gives a string that ends with a zero and lives during the call.
    let path = unsafe { CStr::from_ptr(path) };
    Some(PathBuf::from(path.to_str().ok()?))
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    path: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: called by SQLite as the function that it stands in for, with the same arguments; `file` has the system's
    // size, and its table is the system's once it is open.
    unsafe {
        let code = with(|known| known.open).unwrap()(vfs, path, file, flags, out);
        if let (ffi::SQLITE_OK, Some(path), Some(theirs)) = (code, name(path), (*file).pMethods.as_ref()) {
            let table = with(|known| {
                known.files.insert(file as usize, (path, theirs));
                *known
                    .tables
                    .entry(std::ptr::from_ref(theirs) as usize)
                    .or_insert_with(|| {
                        let mut table = *theirs;
                        table.xWrite = Some(write);
                        table.xTruncate = Some(truncate);
                        table.xSync = Some(sync);
                        table.xClose = Some(close);
                        // No mapped pages: what is written passes through here.
                        table.iVersion = table.iVersion.min(2);
                        Box::leak(Box::new(table))
                    })
            });
            (*file).pMethods = table;
        }
        code
    }
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, path: *const c_char, sync: c_int) -> c_int {
    // SAFETY: as the function that it stands in for.
    let code = unsafe { with(|known| known.delete).unwrap()(vfs, path, sync) };
    if let (ffi::SQLITE_OK, Some(path)) = (code, name(path)) {
        record(&path, |file| Step::Delete { file });
    }
    code
}

fn opened(file: *mut ffi::sqlite3_file) -> (PathBuf, &'static Methods) {
    with(|known| known.files[&(file as usize)].clone())
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, bytes: *const c_void, count: c_int, at: i64) -> c_int {
    let (path, theirs) = opened(file);
    // SAFETY: as the function that it stands in for; SQLite gives `count` bytes that live during the call.
    let (code, bytes) = unsafe {
        let code = theirs.xWrite.unwrap()(file, bytes, count, at);
        (code, std::slice::from_raw_parts(bytes.cast::<u8>(), count as usize))
    };
    if code == ffi::SQLITE_OK {
        record(&path, |file| Step::Write {
            file,
            at: at as u64,
            bytes: bytes.to_vec(),
        });
    }
    code
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, bytes: i64) -> c_int {
    let (path, theirs) = opened(file);
    // SAFETY: as the function that it stands in for.
    let code = unsafe { theirs.xTruncate.unwrap()(file, bytes) };
    if code == ffi::SQLITE_OK {
        record(&path, |file| Step::Truncate {
            file,
            bytes: bytes as u64,
        });
    }
    code
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    let (path, theirs) = opened(file);
    // SAFETY: as the function that it stands in for.
    let code = unsafe { theirs.xSync.unwrap()(file, flags) };
    if code == ffi::SQLITE_OK {
        record(&path, |file| Step::Sync { file });
    }
    code
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let (_, theirs) = opened(file);
    with(|known| known.files.remove(&(file as usize)));
    // SAFETY: as the function that it stands in for; the file has the system's table again, as it was opened.
    unsafe {
        (*file).pMethods = theirs;
        theirs.xClose.unwrap()(file)
    }
}
