use std::fs;

use super::*;

/// What holds for folders on all systems.
macro_rules! on_folders {
    ($name:ident, $folder:ty) => {
        mod $name {
            use super::*;

            type Held = $folder;

            fn place() -> (tempfile::TempDir, Held) {
                let guard = tempfile::tempdir().expect("a temporary folder");
                let folder = Held::open(guard.path()).expect("it is there");
                (guard, folder)
            }

            fn name(text: &str) -> &OsStr {
                OsStr::new(text)
            }

            #[test]
            fn files_are_created_read_listed_and_removed() {
                let (_guard, folder) = place();
                let inner = folder.create_folder(name("inner")).expect("there is room");
                assert!(folder.create_folder(name("inner")).is_err());
                inner.write(name("a")).expect("new").write_all(b"12").expect("there is room");
                inner
                    .write(name("a"))
                    .expect("it is there")
                    .write_all(b"3")
                    .expect("there is room");
                let mut text = String::new();
                let read = inner.read(name("a")).expect("it is there");
                std::io::Read::read_to_string(&mut &read, &mut text).expect("UTF-8");
                assert_eq!(text, "32");
                inner.rename(name("a"), name("b")).expect("it is there");
                inner.sync();
                let entry = |name: &str, kind| Entry { name: name.into(), kind };
                assert_eq!(inner.entries().expect("readable"), [entry("b", Kind::File)]);
                assert_eq!(folder.entries().expect("readable"), [entry("inner", Kind::Folder)]);
                assert!(folder.remove_folder(name("inner")).is_err(), "it is not empty");
                inner.remove(name("b")).expect("it is there");
                assert!(!inner.is_removed());
                folder.remove_folder(name("inner")).expect("it is empty");
                assert!(inner.is_removed());
                assert!(Held::open(&folder.path().join("inner")).is_err());
            }

            #[test]
            fn what_is_no_regular_file_is_not_opened() {
                let (_guard, folder) = place();
                fs::create_dir(folder.path().join("folder")).expect("there is room");
                assert!(
                    folder.read(name("folder")).is_err() && folder.write(name("folder")).is_err()
                );
                assert!(folder.read(name("nothing")).is_err());
                assert!(Held::open(&folder.path().join("nothing")).is_err());
                fs::write(folder.path().join("file"), "").expect("there is room");
                assert!(folder.folder(name("file")).is_err());
            }

            #[cfg(unix)]
            #[test]
            fn links_are_not_followed() {
                let (_guard, folder) = place();
                let (elsewhere, target) = place();
                fs::write(target.path().join("file"), "theirs").expect("there is room");
                let link = |to: &Path, name: &str| {
                    std::os::unix::fs::symlink(to, folder.path().join(name)).expect("linked");
                };
                link(elsewhere.path(), "folder");
                link(&target.path().join("file"), "file");
                assert!(folder.folder(name("folder")).is_err());
                assert!(folder.read(name("file")).is_err() && folder.write(name("file")).is_err());
                assert!(folder.create(name("file"), 0o644).is_err());
                let kinds = folder.entries().expect("readable").into_iter().map(|entry| entry.kind);
                assert_eq!(kinds.collect::<Vec<_>>(), [Kind::Other; 2]);
                folder.remove(name("file")).expect("it is there");
                let theirs = fs::read_to_string(target.path().join("file"));
                assert_eq!(theirs.expect("still there"), "theirs");
            }
        }
    };
}

on_folders!(held, Folder);
#[cfg(unix)]
on_folders!(by_path, portable::Folder);

#[test]
fn names_of_temporary_files_are_told_from_others() {
    assert!(is_temporary(OsStr::new(".mnist-tui-0a1b.tmp")));
    assert!(!is_temporary(OsStr::new(".mnist-tui-0a1b")) && !is_temporary(OsStr::new("a.tmp")));
}

#[test]
fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
    let guard = tempfile::tempdir().expect("a temporary folder");
    let path = guard.path().join("file");
    for content in ["one", "two"] {
        check_target(&path).expect("there is room");
        replace(&path, content.as_bytes()).expect("there is room");
        assert_eq!(fs::read_to_string(&path).expect("written"), content);
    }
    assert!(replace(guard.path(), b"").expect_err("a folder").to_string().contains("a folder"));
    let missing = replace(&guard.path().join("no/file"), b"").expect_err("no folder").to_string();
    assert!(missing.contains("make it first"), "{missing}");
    assert_eq!(fs::read_dir(guard.path()).expect("readable").count(), 1);
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_folder_stays_the_same_one_when_its_path_leads_elsewhere() {
        let guard = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| guard.path().join(name);
        let parent = Folder::open(guard.path()).expect("it is there");
        let folder = parent.create_folder(OsStr::new("run")).expect("there is room");
        fs::rename(at("run"), at("moved")).expect("renamed");
        fs::create_dir(at("theirs")).expect("there is room");
        fs::write(at("theirs/file"), "theirs").expect("there is room");
        symlink(at("theirs"), at("run")).expect("linked");
        folder.replace(OsStr::new("file"), b"ours").expect("there is room");
        assert_eq!(fs::read_to_string(at("theirs/file")).expect("there"), "theirs");
        assert_eq!(fs::read_to_string(at("moved/file")).expect("there"), "ours");
    }

    #[test]
    fn a_planted_link_is_replaced_and_what_it_leads_to_left_alone() {
        let guard = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| guard.path().join(name);
        fs::write(at("theirs"), "theirs").expect("there is room");
        symlink(at("theirs"), at("file")).expect("linked");
        let folder = Folder::open(guard.path()).expect("it is there");
        folder.replace(OsStr::new("file"), b"ours").expect("there is room");
        assert_eq!(fs::read_to_string(at("theirs")).expect("there"), "theirs");
        assert_eq!(fs::read_to_string(at("file")).expect("there"), "ours");
        let mode = fs::symlink_metadata(at("file")).expect("there").permissions().mode();
        assert_eq!(mode & 0o133, 0, "{mode:o}");
    }

    #[test]
    fn a_link_that_the_user_names_is_followed() {
        let guard = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| guard.path().join(name);
        fs::write(at("file"), "old").expect("there is room");
        symlink(at("file"), at("link")).expect("linked");
        replace(&at("link"), b"new").expect("there is room");
        assert_eq!(fs::read_to_string(at("file")).expect("there"), "new");
        assert!(fs::symlink_metadata(at("link")).expect("there").is_symlink());
    }

    #[test]
    fn a_pipe_is_not_waited_for() {
        let guard = tempfile::tempdir().expect("a temporary folder");
        let pipe = guard.path().join("pipe");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0)
            .expect("there is room");
        let folder = Folder::open(guard.path()).expect("it is there");
        assert!(folder.read(OsStr::new("pipe")).is_err());
        assert!(folder.write(OsStr::new("pipe")).is_err());
    }

    #[test]
    fn permissions_that_let_others_write_are_told() {
        let guard = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder::open(guard.path()).expect("it is there");
        let metadata = fs::metadata(guard.path()).expect("it is there");
        let with = |mode| {
            fs::set_permissions(guard.path(), fs::Permissions::from_mode(mode)).expect("ours");
            folder.exposure()
        };
        assert_eq!(with(0o755), None);
        assert_eq!(with(0o777), Some("other users may write to it"));
        // The group of a new folder is the user's own, unless its parent says otherwise.
        let own = metadata.gid() == rustix::process::getegid().as_raw();
        assert_eq!(with(0o775).is_none(), own);
        let root = Folder::open(Path::new("/")).expect("it is there");
        let is_root = rustix::process::geteuid().is_root();
        assert_eq!(root.exposure() == Some("it belongs to another user"), !is_root);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_mount_point_is_told_from_a_folder() {
        let root = Folder::open(Path::new("/")).expect("it is there");
        assert!(root.has_mount_at(OsStr::new("proc")));
        let guard = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder::open(guard.path()).expect("it is there");
        folder.create_folder(OsStr::new("folder")).expect("there is room");
        assert!(!folder.has_mount_at(OsStr::new("folder")));
    }
}
