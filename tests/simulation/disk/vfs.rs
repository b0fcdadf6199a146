//! SQLite's way to the disk, with us in between: a virtual file system that
//! passes every call on to the system's own and tells the disk of each change.
//!
//! It becomes the default of this process, so that the journal is opened as it
//! is in a program. Nothing is really synced: what a cut leaves is made from what
//! the disk was told.

#![expect(unsafe_code, reason = "the interface is C's")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::null_mut;
use std::sync::OnceLock;

use rusqlite::ffi::{
    SQLITE_IOERR, SQLITE_IOERR_FSYNC, SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE, SQLITE_OK,
    SQLITE_OPEN_MAIN_DB, SQLITE_OPEN_WAL, sqlite3_file, sqlite3_filename, sqlite3_io_methods,
    sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};

use super::{Change, disk};

/// The system's own file system. SQLite never frees it.
struct System(*mut sqlite3_vfs);
// SAFETY: it is constant after SQLite's start, and made for any thread.
unsafe impl Send for System {}
// SAFETY: as above.
unsafe impl Sync for System {}

static SYSTEM: OnceLock<System> = OnceLock::new();

/// Makes it the default, once.
pub(crate) fn install() {
    SYSTEM.get_or_init(|| {
        // SAFETY: the default file system is there once SQLite is initialised,
        // which `find` does. Ours is a copy of it with two functions replaced and
        // more room for a file, and is never freed.
        unsafe {
            let system = sqlite3_vfs_find(std::ptr::null());
            assert!(!system.is_null(), "SQLite has a file system");
            let ours = sqlite3_vfs {
                szOsFile: (*system).szOsFile + c_int::try_from(size_of::<Ours>()).unwrap(),
                zName: c"dvsync-power".as_ptr(),
                pNext: null_mut(),
                xOpen: Some(open),
                xDelete: Some(delete),
                ..*system
            };
            let registered = sqlite3_vfs_register(Box::into_raw(Box::new(ours)), 1);
            assert_eq!(registered, SQLITE_OK);
            System(system)
        }
    });
}

/// What SQLite takes for the file; the system's own lies behind it.
#[repr(C)]
struct Ours {
    methods: *const sqlite3_io_methods,
    /// Of a database or its log; null else.
    path: *mut String,
}

/// # Safety
/// `file` was opened by [`open`].
unsafe fn theirs(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: `szOsFile` has room for both.
    unsafe { file.cast::<Ours>().add(1).cast() }
}

/// # Safety
/// `file` was opened by [`open`], and is not closed meanwhile.
unsafe fn path<'a>(file: *mut sqlite3_file) -> Option<&'a str> {
    // SAFETY: the path is freed by `xClose` alone.
    unsafe { (*file.cast::<Ours>()).path.as_ref().map(String::as_str) }
}

unsafe extern "C" fn open(
    _vfs: *mut sqlite3_vfs,
    name: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    let Some(System(system)) = SYSTEM.get() else { return SQLITE_IOERR };
    // SAFETY: SQLite gives a file of `szOsFile` bytes, and a name that ends with
    // a zero or none.
    unsafe {
        let ours = file.cast::<Ours>();
        (*ours).methods = std::ptr::null();
        (*ours).path = null_mut();
        let Some(call) = (**system).xOpen else { return SQLITE_IOERR };
        let theirs = theirs(file);
        let opened = call(*system, name, theirs, flags, flags_out);
        if (*theirs).pMethods.is_null() {
            return opened;
        }
        (*ours).methods = &METHODS;
        if !name.is_null()
            && flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL) != 0
            && let Ok(text) = CStr::from_ptr(name).to_str()
        {
            disk().open(text, || std::fs::read(text).unwrap_or_default());
            (*ours).path = Box::into_raw(Box::new(text.to_owned()));
        }
        opened
    }
}

unsafe extern "C" fn delete(
    _vfs: *mut sqlite3_vfs,
    name: *const c_char,
    sync_folder: c_int,
) -> c_int {
    let Some(System(system)) = SYSTEM.get() else { return SQLITE_IOERR };
    // SAFETY: the name ends with a zero.
    unsafe {
        if let Ok(text) = CStr::from_ptr(name).to_str()
            && !disk().remove(text)
        {
            return SQLITE_IOERR;
        }
        (**system).xDelete.map_or(SQLITE_IOERR, |call| call(*system, name, sync_folder))
    }
}

#[expect(non_snake_case, reason = "named as SQLite names it")]
unsafe extern "C" fn xClose(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file once.
    unsafe {
        let ours = file.cast::<Ours>();
        if !(*ours).path.is_null() {
            drop(Box::from_raw((*ours).path));
            (*ours).path = null_mut();
        }
        let theirs = theirs(file);
        (*(*theirs).pMethods).xClose.map_or(SQLITE_IOERR, |call| call(theirs))
    }
}

#[expect(non_snake_case, reason = "named as SQLite names it")]
unsafe extern "C" fn xWrite(
    file: *mut sqlite3_file,
    bytes: *const c_void,
    count: c_int,
    at: i64,
) -> c_int {
    // SAFETY: SQLite gives so many bytes.
    unsafe {
        if let Some(path) = path(file)
            && let (Ok(count), Ok(at)) = (usize::try_from(count), usize::try_from(at))
        {
            let written = std::slice::from_raw_parts(bytes.cast::<u8>(), count);
            if !disk().change(path, Change::Write(at, written.to_vec())) {
                return SQLITE_IOERR_WRITE;
            }
        }
        let theirs = theirs(file);
        (*(*theirs).pMethods).xWrite.map_or(SQLITE_IOERR, |call| call(theirs, bytes, count, at))
    }
}

#[expect(non_snake_case, reason = "named as SQLite names it")]
unsafe extern "C" fn xTruncate(file: *mut sqlite3_file, length: i64) -> c_int {
    // SAFETY: the file is open.
    unsafe {
        if let Some(path) = path(file)
            && let Ok(length) = usize::try_from(length)
            && !disk().change(path, Change::Truncate(length))
        {
            return SQLITE_IOERR_TRUNCATE;
        }
        let theirs = theirs(file);
        (*(*theirs).pMethods).xTruncate.map_or(SQLITE_IOERR, |call| call(theirs, length))
    }
}

#[expect(non_snake_case, reason = "named as SQLite names it")]
unsafe extern "C" fn xSync(file: *mut sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: the file is open.
    match unsafe { path(file) } {
        Some(path) if !disk().sync(path) => SQLITE_IOERR_FSYNC,
        _ => SQLITE_OK,
    }
}

#[expect(non_snake_case, reason = "named as SQLite names it")]
unsafe extern "C" fn xShmBarrier(file: *mut sqlite3_file) {
    // SAFETY: the file is open.
    unsafe {
        let theirs = theirs(file);
        if let Some(call) = (*(*theirs).pMethods).xShmBarrier {
            call(theirs);
        }
    }
}

/// Functions that only pass the call on.
macro_rules! passed_on {
    ($($name:ident($($argument:ident: $kind:ty),*);)*) => {$(
        #[expect(non_snake_case, reason = "named as SQLite names it")]
        unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $argument: $kind)*) -> c_int {
            // SAFETY: the file is open, and the arguments are SQLite's.
            unsafe {
                let theirs = theirs(file);
                (*(*theirs).pMethods)
                    .$name
                    .map_or(SQLITE_IOERR, |call| call(theirs $(, $argument)*))
            }
        }
    )*};
}

passed_on! {
    xRead(bytes: *mut c_void, count: c_int, at: i64);
    xFileSize(size: *mut i64);
    xLock(level: c_int);
    xUnlock(level: c_int);
    xCheckReservedLock(out: *mut c_int);
    xFileControl(what: c_int, argument: *mut c_void);
    xSectorSize();
    xDeviceCharacteristics();
    xShmMap(page: c_int, size: c_int, extend: c_int, out: *mut *mut c_void);
    xShmLock(offset: c_int, count: c_int, flags: c_int);
    xShmUnmap(delete: c_int);
}

/// Version 2: with shared memory, which is no part of what a cut leaves, and
/// without mapped reads.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(xClose),
    xRead: Some(xRead),
    xWrite: Some(xWrite),
    xTruncate: Some(xTruncate),
    xSync: Some(xSync),
    xFileSize: Some(xFileSize),
    xLock: Some(xLock),
    xUnlock: Some(xUnlock),
    xCheckReservedLock: Some(xCheckReservedLock),
    xFileControl: Some(xFileControl),
    xSectorSize: Some(xSectorSize),
    xDeviceCharacteristics: Some(xDeviceCharacteristics),
    xShmMap: Some(xShmMap),
    xShmLock: Some(xShmLock),
    xShmBarrier: Some(xShmBarrier),
    xShmUnmap: Some(xShmUnmap),
    xFetch: None,
    xUnfetch: None,
};
