use std::os::unix::fs::symlink;

use super::*;
use crate::{
    protocol::EvalSet,
    sweep::{plan::tests::plan_of, row::State},
};

fn plan() -> Plan {
    plan_of(&[("lr", "0.1,0.2,0.3")], 2)
}

fn row(plan: &Plan, index: usize) -> Row {
    Row {
        seed: plan.place(index).expect("it is planned").1,
        epochs: 1,
        steps: 10,
        correct: Some(90),
        total: Some(100),
        accuracy: Some(0.9),
        loss: Some(0.25),
        train_seconds: 1.5,
        run: plan.name(index),
        set: EvalSet::Test,
        state: State::Done,
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("it is there")
}

#[test]
fn a_folder_takes_a_sweep_once_and_the_same_one_again() {
    let guard = tempfile::tempdir().expect("a temporary folder");
    let path = guard.path().join("a").join("b");
    let created = SweepFolder::create(&path, &plan()).expect("there is room");
    assert_eq!(SweepFolder::create(&path, &plan()).expect("it is the same"), created);
    assert_eq!(SweepFolder::open(&path).expect("it is there"), created);
    let other = SweepFolder::create(&path, &plan_of(&[("lr", "0.1,0.2")], 2)).expect_err("another");
    assert!(other.to_string().contains("holds a sweep with other settings"), "{other}");
    let none = SweepFolder::open(guard.path()).expect_err("no sweep");
    assert!(none.to_string().contains("holds no sweep"), "{none}");
    let used = SweepFolder::create(guard.path(), &plan()).expect_err("a folder lies there");
    assert!(used.to_string().contains("is not empty"), "{used}");
    fs::write(path.join(PLAN), "{}").expect("written");
    assert!(SweepFolder::open(&path).expect_err("damaged").to_string().contains("is damaged"));
}

#[test]
fn results_that_were_cut_off_at_any_byte_are_repaired() {
    let guard = tempfile::tempdir().expect("a temporary folder");
    let folder = SweepFolder::create(guard.path(), &plan()).expect("there is room");
    let mut results = folder.results(None).expect("it opens");
    for index in [2, 0] {
        results.add(index, row(&folder.plan, index)).expect("there is room");
    }
    drop(results);
    let [json, csv] = ["results.jsonl", "results.csv"].map(|name| guard.path().join(name));
    let (whole, table) = (fs::read(&json).expect("it is there"), text(&csv));
    let first = whole.iter().position(|&byte| byte == b'\n').expect("a line") + 1;
    for len in 0..=whole.len() {
        fs::write(&json, &whole[..len]).expect("written");
        // The table is written from the other file.
        fs::write(&csv, &table[..len.min(table.len())]).expect("written");
        let mut results = folder.results(None).expect("it is repaired");
        let kept = if len == whole.len() { 2 } else { usize::from(len >= first) };
        assert_eq!(results.rows.len(), kept, "cut off at {len}");
        assert_eq!(text(&csv).lines().count(), 1 + kept);
        results.add(5, row(&folder.plan, 5)).expect("there is room");
        assert_eq!(text(&json).lines().count(), 1 + kept, "cut off at {len}");
        assert_eq!(text(&csv).lines().count(), 2 + kept);
    }
}

#[test]
fn finished_results_are_in_the_order_of_the_plan() {
    let guard = tempfile::tempdir().expect("a temporary folder");
    let folder = SweepFolder::create(guard.path(), &plan()).expect("there is room");
    let shards = ["1/2", "2/2"].map(|shard| shard.parse::<Shard>().expect("a shard"));
    for shard in shards {
        let mut results = folder.results(Some(shard)).expect("it opens");
        for index in (0..6).rev().filter(|&index| shard.has(index)) {
            results.add(index, row(&folder.plan, index)).expect("there is room");
        }
    }
    assert!(guard.path().join("results-2-of-2.csv").exists());
    let rows = folder.collected().expect("they read").rows;
    assert_eq!(rows.len(), 6);
    let results = folder.results(None).expect("it opens");
    results.finish(rows).expect("there is room");
    let table = text(&guard.path().join("results.csv"));
    let runs = table.lines().skip(1).map(|line| line.split(',').nth(9).expect("a run"));
    assert!(runs.eq(["0001", "0002", "0003", "0004", "0005", "0006"]), "{table}");
}

#[test]
fn results_are_written_by_one_program_at_a_time() {
    let guard = tempfile::tempdir().expect("a temporary folder");
    let folder = SweepFolder::create(guard.path(), &plan()).expect("there is room");
    let held = folder.results(None).expect("it opens");
    let error = folder.results(None).expect_err("it is open").to_string();
    assert!(error.contains("is being written by another mnist-tui process"), "{error}");
    assert!(folder.results("1/2".parse().ok()).is_ok());
    drop(held);
    assert!(folder.results(None).is_ok());
}

#[test]
fn a_damaged_line_is_named_and_left_out() {
    let guard = tempfile::tempdir().expect("a temporary folder");
    let folder = SweepFolder::create(guard.path(), &plan()).expect("there is room");
    let json = guard.path().join("results-1-of-2.jsonl");
    let stranger = Row { run: "0099".to_owned(), ..row(&folder.plan, 0) };
    let good = row(&folder.plan, 2).json(&[], &[]);
    let shard: Option<Shard> = "1/2".parse().ok();
    for (bytes, expected) in [
        (b"{}\n".to_vec(), "line 2, is damaged and left out: missing field"),
        (b"\xff\n".to_vec(), "line 2, is damaged and left out: invalid utf-8"),
        (stranger.json(&[], &[]), "line 2, is damaged and left out: its run is not planned"),
    ] {
        fs::write(&json, [&good[..], &bytes, &good].concat()).expect("written");
        let Stored { rows, damaged, .. } = folder.collected().expect("the rest is whole");
        assert!(rows.keys().eq([&2]), "{rows:?}");
        assert!(damaged[0].contains(expected) && damaged.len() == 1, "{damaged:?}");
        let mut results = folder.results(shard).expect("the rest is whole");
        assert_eq!(results.damaged, damaged);
        results.add(0, row(&folder.plan, 0)).expect("there is room");
        assert!(results.finish(BTreeMap::new()).expect("there is room").keys().eq([&0, &2]));
        assert!(folder.collected().expect("it is whole").damaged.is_empty());
    }
    fs::remove_file(&json).expect("it is there");
    symlink("/nowhere/x", &json).expect("links are supported");
    assert!(folder.results(shard).is_err());
}

#[test]
fn a_line_that_does_not_fit_on_the_disk_leaves_the_file_as_it_was() {
    let guard = tempfile::tempdir().expect("a temporary folder");
    let path = guard.path().join("lines");
    fs::write(&path, "one\n").expect("written");
    let mut file = File::options().append(true).open(&path).expect("it is there");
    let written = or_undo(&mut file, |file| {
        file.write_all(b"tw")?;
        Err(io::ErrorKind::StorageFull.into())
    });
    assert!(written.is_err());
    append(&mut file, b"three\n").expect("there is room");
    assert_eq!(text(&path), "one\nthree\n");
}
