//! Cards that are plugged in, whether or not they have a driver.

use std::{fs, path::Path};

use super::proc::read;

/// How many NVIDIA GPUs the kernel sees; `None` where it does not list its cards.
pub fn nvidia_gpus() -> Option<usize> {
    count(Path::new("/sys/bus/pci/devices"))
}

fn count(devices: &Path) -> Option<usize> {
    let is_gpu = |folder: &Path| {
        let says = |file: &str, start: &str| {
            read(&folder.join(file)).is_some_and(|text| text.starts_with(start))
        };
        // Classes that begin with 03 are display and 3D controllers; a card's sound device is another.
        says("vendor", "0x10de") && says("class", "0x03")
    };
    let entries = fs::read_dir(devices).ok()?.flatten();
    Some(entries.filter(|entry| is_gpu(&entry.path())).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_and_3d_controllers_of_nvidia_count() {
        let root = tempfile::tempdir().expect("a folder");
        for (name, vendor, class) in [
            ("0000:01:00.0", "0x10de\n", "0x030200\n"),
            ("0000:01:00.1", "0x10de\n", "0x040300\n"),
            ("0000:02:00.0", "0x1002\n", "0x030000\n"),
            ("0000:03:00.0", "0x10de\n", "0x030000\n"),
        ] {
            let folder = root.path().join(name);
            fs::create_dir(&folder).expect("made");
            fs::write(folder.join("vendor"), vendor).expect("written");
            fs::write(folder.join("class"), class).expect("written");
        }
        assert_eq!(count(root.path()), Some(2));
        assert_eq!(count(&root.path().join("none")), None);
    }
}
