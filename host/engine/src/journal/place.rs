//! Where a journal may lie, and who may read it.

use std::fs::{DirBuilder, OpenOptions};
use std::path::{Path, PathBuf};

use super::JournalError;

/// Makes sure that there is a file at `path`, on a local disk; gives its one
/// true path, so that two names of a file mean one lock.
pub(super) fn prepare(path: &Path) -> Result<PathBuf, JournalError> {
    let failed = |source| JournalError::io("create", path, source);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(failed)?;
    refuse_network(path, folder)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    owner_only(&mut options);
    options.open(path).map_err(failed)?;
    path.canonicalize().map_err(failed)
}

/// A file made with these options is the owner's only. On Windows it has the
/// rights of its folder.
pub(super) fn owner_only(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

/// Takes rights that others have on a journal that was made by other means.
/// Before it is opened: SQLite gives its side files the same rights. Leaves
/// alone what is neither empty nor a journal.
pub(super) fn tighten(path: &Path) -> Result<(), JournalError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let failed = |source| JournalError::io("restrict", path, source);
        let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 && is_ours(path).map_err(failed)? {
            let owners = std::fs::Permissions::from_mode(mode & 0o700);
            std::fs::set_permissions(path, owners).map_err(failed)?;
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Empty, or an SQLite database with our application id (Database File Format,
/// 1.3: 4 bytes at offset 68).
#[cfg(unix)]
fn is_ours(path: &Path) -> std::io::Result<bool> {
    use std::io::Read;
    let mut head = Vec::new();
    std::fs::File::open(path)?.take(72).read_to_end(&mut head)?;
    Ok(head.is_empty() || head.get(68..72) == Some(&super::schema::APPLICATION.to_be_bytes()))
}

#[cfg(not(target_os = "linux"))]
fn refuse_network(_path: &Path, _folder: &Path) -> Result<(), JournalError> {
    Ok(())
}

#[cfg(target_os = "linux")]
fn refuse_network(path: &Path, folder: &Path) -> Result<(), JournalError> {
    let failed = |source| JournalError::io("create", path, source);
    let found = rustix::fs::statfs(folder).map_err(|error| failed(error.into()))?;
    let magic = u64::try_from(found.f_type).unwrap_or_default() & 0xFFFF_FFFF;
    let fuse = || {
        use std::os::unix::fs::MetadataExt;
        let device = std::fs::metadata(folder).ok()?.dev();
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
        let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
        mounted_type(&mounts, &format!("{major}:{minor}"))
    };
    match network_kind(magic, fuse) {
        Some(kind) => Err(JournalError::NetworkFileSystem { path: path.to_owned(), kind }),
        None => Ok(()),
    }
}

/// The network file system that has this magic number (statfs(2)); `fuse` tells
/// the type of a FUSE mount, which may be local (`fuseblk`) or not.
#[cfg(target_os = "linux")]
fn network_kind(magic: u64, fuse: impl FnOnce() -> Option<String>) -> Option<String> {
    let kind = match magic {
        0x6969 => "nfs",
        0x517B => "smb",
        0xFF53_4D42 => "cifs",
        0xFE53_4D42 => "smb2",
        0x5346_414F => "afs",
        0x7375_7245 => "coda",
        0x00C3_6400 => "ceph",
        0x564C => "ncp",
        0x0BD0_0BD0 => "lustre",
        0x1983_0326 => "beegfs",
        0x6573_5546 => {
            const REMOTE: [&str; 12] = [
                "sshfs",
                "rclone",
                "s3fs",
                "gcsfuse",
                "blobfuse",
                "blobfuse2",
                "goofys",
                "glusterfs",
                "ceph-fuse",
                "davfs",
                "curlftpfs",
                "smbnetfs",
            ];
            return fuse().filter(|found| {
                found.strip_prefix("fuse.").is_some_and(|name| REMOTE.contains(&name))
            });
        }
        _ => return None,
    };
    Some(kind.to_owned())
}

/// The type of the mount with this device number (proc_pid_mountinfo(5)).
#[cfg(target_os = "linux")]
fn mounted_type(mounts: &str, device: &str) -> Option<String> {
    mounts.lines().find_map(|line| {
        if line.split(' ').nth(2)? != device {
            return None;
        }
        let (_, rest) = line.split_once(" - ")?;
        rest.split(' ').next().map(str::to_owned)
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_told_from_local_ones() {
        let named = |name: &'static str| move || Some(name.to_owned());
        assert_eq!(network_kind(0x6969, named("")), Some("nfs".into()));
        assert_eq!(network_kind(0xFF53_4D42, named("")), Some("cifs".into()));
        assert_eq!(network_kind(0x6573_5546, named("fuse.sshfs")), Some("fuse.sshfs".into()));
        assert_eq!(network_kind(0x6573_5546, named("fuseblk")), None);
        assert_eq!(network_kind(0x6573_5546, || None), None);
        assert_eq!(network_kind(0xEF53, named("")), None);
    }

    #[test]
    fn a_mount_is_found_by_its_device() {
        let mounts = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
                      40 22 0:52 / /mnt/x\\040y rw,nosuid shared:9 master:2 - fuse.sshfs a@b:/ rw\n";
        assert_eq!(mounted_type(mounts, "0:52"), Some("fuse.sshfs".into()));
        assert_eq!(mounted_type(mounts, "8:1"), Some("ext4".into()));
        assert_eq!(mounted_type(mounts, "0:5"), None);
    }
}
