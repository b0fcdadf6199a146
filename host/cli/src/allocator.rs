//! How the system's allocator is set for a program that streams.
//!
//! A run allocates and frees columns of some hundred kilobytes on every thread.
//! As glibc comes, each thread has an arena that keeps what was freed, and what
//! is mapped at first is kept in them later: peak memory is twice what is used.
//! Few arenas, and mapping what is large, cost no time that could be measured
//! (DECISIONS.md). Elsewhere nothing is set.

/// Most arenas; threads that allocate at the same time share them.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ARENAS_MAX: usize = 8;
/// Blocks of this many bytes and more are mapped, and given back when freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAPPED_BYTES_MIN: libc::c_int = 256 << 10;
/// Free bytes at the end of an arena that are kept.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_BYTES_MAX: libc::c_int = 4 << 20;

/// Sets the allocator; before threads start.
pub fn set() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let arenas = libc::c_int::try_from(cores.clamp(1, ARENAS_MAX)).unwrap_or(1);
        // SAFETY: `mallopt` takes numbers, and no other thread runs yet. A
        // setting that is refused leaves the allocator as it was.
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, arenas);
            libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_BYTES_MIN);
            libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES_MAX);
        }
    }
}
