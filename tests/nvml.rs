//! The driver's library as a small one in C plays it: one H100, and one divided into a MIG device.

#![cfg(target_os = "linux")]

use std::{
    ffi::OsStr,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use mnist_tui::hardware::{
    GpuReading, Throttle,
    nvml::{Driver, DriverError, GpuMeter},
};

const FAKE: &str = r#"
#include <stdio.h>
#include <string.h>
typedef unsigned u; typedef unsigned long long U; typedef struct card *D;
struct card { const char *uuid; int mig, counts; } cards[] = {
    {"GPU-11111111-aaaa", 0, 1}, {"GPU-22222222-bbbb", 0, 0}, {"MIG-33333333-cccc", 1, 0}};
enum { OK = 0, INVALID = 2, UNSUPPORTED = 3, MISSING = 6 };
#define WHOLE(d) if ((d)->mig) return UNSUPPORTED
int nvmlInit_v2(void) { return INIT; }
int nvmlShutdown(void) { return OK; }
int nvmlSystemGetDriverVersion(char *s, u n) { snprintf(s, n, "550.54.15"); return OK; }
int nvmlSystemGetCudaDriverVersion_v2(int *v) { *v = 12040; return OK; }
int nvmlDeviceGetCount_v2(u *n) { *n = 3; return OK; }
int nvmlDeviceGetHandleByIndex_v2(u i, D *d) { if (i > 1) return 4; *d = cards + i; return OK; }
int nvmlDeviceGetHandleByUUID(const char *s, D *d) {
    for (int i = 0; i < 3; i++) if (!strcmp(s, cards[i].uuid)) { *d = cards + i; return OK; }
    return MISSING; }
int nvmlDeviceGetMaxMigDeviceCount(D d, u *n) { *n = d == cards + 1 ? 7 : 0; return OK; }
int nvmlDeviceGetMigDeviceHandleByIndex(D d, u i, D *p) {
    if (d != cards + 1 || i != 2) return MISSING; *p = cards + 2; return OK; }
int nvmlDeviceGetUUID(D d, char *s, u n) { snprintf(s, n, "%s", d->uuid); return OK; }
int nvmlDeviceGetName(D d, char *s, u n) { snprintf(s, n, "NVIDIA H100"); return OK; }
int nvmlDeviceGetCudaComputeCapability(D d, int *a, int *b) { *a = 9; *b = 0; return OK; }
int nvmlDeviceGetMemoryInfo_v2(D d, struct { u v; U total, reserved, free, used; } *m) {
    m->total = (d->mig ? 10ull : 80ull) << 30; m->reserved = 0; m->used = 3 << 20; m->free = 1; return OK; }
int nvmlDeviceGetUtilizationRates(D d, u r[2]) { WHOLE(d); r[0] = 41; r[1] = 7; return OK; }
int nvmlDeviceGetTemperature(D d, int sensor, u *t) { WHOLE(d); *t = 63; return OK; }
int nvmlDeviceGetPowerUsage(D d, u *p) { WHOLE(d); *p = 231460; return OK; }
int nvmlDeviceGetEnforcedPowerLimit(D d, u *p) { WHOLE(d); *p = 700000; return OK; }
int nvmlDeviceGetClockInfo(D d, int c, u *f) { WHOLE(d); *f = c == 1 ? 1755 : 0; return OK; }
int nvmlDeviceGetMaxClockInfo(D d, int c, u *f) { WHOLE(d); *f = c == 1 ? 1980 : 0; return OK; }
int nvmlDeviceGetCurrentClocksThrottleReasons(D d, U *r) { WHOLE(d); *r = 1 | 4 | 0x20 | 1ull << 40; return OK; }
int nvmlDeviceGetTotalEnergyConsumption(D d, U *e) {
    if (!d->counts) return UNSUPPORTED; static U now = 5000000; *e = now += 1500; return OK; }
"#;

/// Compiles the library, whose initialisation gives this status.
fn library(folder: &Path, status: u32) -> Driver {
    open(folder, status).expect("it opens")
}

fn open(folder: &Path, status: u32) -> Result<Driver, DriverError> {
    let library = folder.join(format!("libfake{status}.so"));
    if !library.exists() {
        let source = folder.join("fake.c");
        std::fs::write(&source, FAKE).expect("it can be written");
        let mut compiler = Command::new("cc");
        compiler.args(["-w", "-shared", "-fPIC", &format!("-DINIT={status}"), "-o"]);
        let compiled = compiler.args([&library, &source]).status();
        assert!(compiled.expect("the linker that Rust uses").success());
    }
    Driver::open_at(library.as_os_str())
}

#[test]
fn gpus_are_listed_with_their_mig_devices() {
    let folder = tempfile::tempdir().expect("a folder");
    let driver = library(folder.path(), 0);
    assert_eq!(driver.version().as_deref(), Some("550.54.15"));
    assert_eq!(driver.cuda_version().as_deref(), Some("12.4"));
    let gpus = driver.gpus().expect("they are listed");
    let listed: Vec<_> = gpus.iter().map(|gpu| (gpu.uuid.as_str(), gpu.is_divided)).collect();
    let expected =
        [("GPU-11111111-aaaa", false), ("GPU-22222222-bbbb", true), ("MIG-33333333-cccc", false)];
    assert_eq!(listed, expected);
    assert_eq!(gpus[0].name.as_deref(), Some("NVIDIA H100"));
    assert_eq!((gpus[0].memory, gpus[2].memory), (Some(80 << 30), Some(10 << 30)));
    assert_eq!(gpus[0].compute_capability.as_deref(), Some("9.0"));
}

#[test]
fn a_gpu_is_read_by_its_uuid_and_what_it_does_not_give_is_absent() {
    let folder = tempfile::tempdir().expect("a folder");
    let driver = library(folder.path(), 0);
    let whole = driver.read("GPU-11111111-aaaa").expect("it is there");
    let expected = GpuReading {
        utilization: Some(41),
        memory_used: Some(3 << 20),
        memory_total: Some(80 << 30),
        temperature: Some(63),
        power: Some(231.5),
        power_limit: Some(700.0),
        clock: Some(1_755),
        clock_limit: Some(1_980),
        throttled: vec![Throttle::Power, Throttle::Temperature],
        processes: None,
        energy: Some(5_001.5),
    };
    assert_eq!(whole, expected);
    let memory = GpuReading {
        memory_used: Some(3 << 20),
        memory_total: Some(10 << 30),
        ..Default::default()
    };
    assert_eq!(driver.read("MIG-33333333-cccc").expect("it is there"), memory);
    assert_eq!(driver.read("GPU-33333333-cccc").expect("CUDA's name of it"), memory);
    let error = driver.read("GPU-0").expect_err("no such GPU").to_string();
    assert!(error.starts_with("the NVIDIA driver's library reports: "), "{error}");
}

#[test]
fn energy_is_counted_from_the_first_reading_by_the_gpu_or_else_from_its_power() {
    let folder = tempfile::tempdir().expect("a folder");
    let (start, second) = (Instant::now(), Duration::from_secs(1));
    for (uuid, energies) in
        [("GPU-11111111-aaaa", [0.0, 1.5, 3.0]), ("GPU-22222222-bbbb", [0.0, 231.5, 463.0])]
    {
        let mut meter = GpuMeter::new(library(folder.path(), 0), uuid);
        let times = [start, start + second, start + 2 * second];
        let read = times.map(|time| meter.read(time).and_then(|reading| reading.energy));
        assert_eq!(read, energies.map(Some), "{uuid}");
    }
    let mut none = GpuMeter::new(library(folder.path(), 0), "MIG-33333333-cccc");
    assert_eq!(none.read(start).and_then(|reading| reading.energy), None);
}

#[test]
fn what_is_missing_is_said_in_one_sentence_with_a_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let none = Driver::open_at(OsStr::new("/nonexistent/libnvidia-ml.so.1")).map(|_| ());
    assert!(matches!(none, Err(DriverError::NoLibrary)));
    for (status, expected) in [
        (9, "is not loaded"),
        (18, "restart the machine"),
        (4, "permissions"),
        (15, "fell off the bus"),
    ] {
        let error = open(folder.path(), status).expect_err("no driver").to_string();
        assert!(error.contains(expected), "{status}: {error}");
        assert!(!error.contains('\n') && error.starts_with("the NVIDIA driver"), "{error}");
    }
}
