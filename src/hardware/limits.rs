//! How many processors and how much memory this program may use, by affinity and control groups.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::proc::{kilobytes, read};

/// Limits of this program on Linux; elsewhere none is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Limits {
    /// Processors that it may run on, as the kernel lists them: `0-3,8`.
    pub affinity: Option<String>,
    /// How many those are.
    pub allowed: Option<usize>,
    /// Processors' time that its control groups grant, in processors.
    pub quota: Option<f64>,
    /// Memory that its control groups grant, in bytes.
    pub memory: Option<u64>,
    /// Version of the control groups that limit it.
    pub cgroup: Option<u8>,
}

/// More memory than any machine has: how the first version says that there is no limit.
const UNLIMITED: u64 = 1 << 60;

impl Limits {
    /// Those of this program.
    pub fn of_program() -> Self {
        Self::in_root(Path::new("/"))
    }

    fn in_root(root: &Path) -> Self {
        let status = read(&root.join("proc/self/status")).unwrap_or_default();
        let affinity = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let affinity = affinity.map(|list| list.trim().to_owned());
        let allowed = affinity.as_deref().and_then(count);
        let groups = read(&root.join("proc/self/cgroup")).unwrap_or_default();
        let mut limits = Self { affinity, allowed, ..Self::default() };
        for line in groups.lines() {
            let mut fields = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
            limits.apply(root, controllers, path);
        }
        limits
    }

    /// Takes the limits of a group and of those it lies in.
    fn apply(&mut self, root: &Path, controllers: &str, path: &str) {
        let mounts = root.join("sys/fs/cgroup");
        let is = |name| controllers.split(',').any(|controller| controller == name);
        if controllers.is_empty() {
            // Where both versions are mounted, the second lies beside the controllers of the first.
            for mount in [mounts.clone(), mounts.join("unified")] {
                for folder in ancestors(&mount, path) {
                    self.limit_quota(2, read(&folder.join("cpu.max")).as_deref().and_then(ratio));
                    self.limit_memory(2, number(&folder.join("memory.max")));
                }
            }
        } else if is("cpu") {
            for mount in [mounts.join("cpu"), mounts.join(controllers)] {
                for folder in ancestors(&mount, path) {
                    let quota = number(&folder.join("cpu.cfs_quota_us"));
                    let period = number(&folder.join("cpu.cfs_period_us"));
                    let share = quota.zip(period).filter(|&(_, period)| period > 0);
                    self.limit_quota(1, share.map(|(quota, period)| quota as f64 / period as f64));
                }
            }
        } else if is("memory") {
            for folder in ancestors(&mounts.join("memory"), path) {
                let limit = number(&folder.join("memory.limit_in_bytes"));
                self.limit_memory(1, limit.filter(|&bytes| bytes < UNLIMITED));
            }
        }
    }

    fn limit_quota(&mut self, version: u8, quota: Option<f64>) {
        if let Some(quota) = quota.filter(|quota| *quota > 0.0) {
            self.quota = Some(self.quota.map_or(quota, |other| other.min(quota)));
            self.cgroup = Some(version);
        }
    }

    fn limit_memory(&mut self, version: u8, bytes: Option<u64>) {
        if let Some(bytes) = bytes {
            self.memory = Some(self.memory.map_or(bytes, |other| other.min(bytes)));
            self.cgroup = Some(version);
        }
    }
}

/// Memory that can be used without swapping, in bytes.
pub fn available_memory() -> Option<u64> {
    kilobytes(&read(Path::new("/proc/meminfo"))?, "MemAvailable:")
}

/// A group's folder and those it lies in, up to the mount. In a container the path is often that of the
/// host, of which only the mount is there.
fn ancestors(mount: &Path, path: &str) -> Vec<PathBuf> {
    let folder = mount.join(path.trim_start_matches('/'));
    folder.ancestors().take_while(|folder| folder.starts_with(mount)).map(Into::into).collect()
}

/// The first number of a file; none where it says `max` or -1.
fn number(path: &Path) -> Option<u64> {
    read(path)?.split_ascii_whitespace().next()?.parse().ok()
}

/// `200000 100000`: microseconds in a period.
fn ratio(text: &str) -> Option<f64> {
    let mut numbers = text.split_ascii_whitespace().map(|number| number.parse::<u64>().ok());
    let (quota, period) = (numbers.next()??, numbers.next()??);
    (period > 0).then(|| quota as f64 / period as f64)
}

/// Numbers in a list such as `0-3,8`.
fn count(list: &str) -> Option<usize> {
    list.split(',').try_fold(0_usize, |sum, range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        sum.checked_add(last.checked_sub(first)?.checked_add(1)?)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn limits(files: &[(&str, &str)]) -> Limits {
        let root = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
            fs::write(path, text).expect("it can be written");
        }
        Limits::in_root(root.path())
    }

    #[test]
    fn the_tightest_group_on_the_way_up_counts() {
        let limits = limits(&[
            ("proc/self/status", "Name:\tx\nCpus_allowed_list:\t0-3,8\n"),
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/b/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/a/cpu.max", "150000 100000\n"),
            ("sys/fs/cgroup/a/b/memory.max", "2000000\n"),
            ("sys/fs/cgroup/a/memory.max", "1000000\n"),
        ]);
        assert_eq!((limits.allowed, limits.affinity.as_deref()), (Some(5), Some("0-3,8")));
        assert_eq!(limits.quota, Some(1.5));
        assert_eq!((limits.memory, limits.cgroup), (Some(1_000_000), Some(2)));
    }

    #[test]
    fn the_first_version_is_read_also_where_a_container_sees_only_the_mount() {
        let limits = limits(&[
            ("proc/self/cgroup", "4:memory:/docker/1\n1:cpu,cpuacct:/docker/1\n0::/\nbroken\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "400000\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ]);
        assert_eq!((limits.quota, limits.memory, limits.cgroup), (Some(4.0), None, Some(1)));
    }

    #[test]
    fn no_limit_is_no_number() {
        let unlimited = limits(&[
            ("proc/self/cgroup", "1:cpu:/\n0::/\n"),
            ("sys/fs/cgroup/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/memory.max", "max\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "0\n"),
        ]);
        assert_eq!(unlimited, Limits::default());
        assert_eq!(limits(&[]), Limits::default());
        for list in ["", "x", "3-1", "0-", "0-18446744073709551615", "1-18446744073709551615,5"] {
            assert_eq!(count(list), None, "{list}");
        }
    }
}
