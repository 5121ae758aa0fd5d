//! The processor's name and vector instructions.

use std::path::Path;

use super::proc::read;

/// The name of the processor, as its maker gives it; `None` where the system does not say.
pub fn name() -> Option<String> {
    name_in(&read(Path::new("/proc/cpuinfo"))?)
}

fn name_in(cpuinfo: &str) -> Option<String> {
    // ARM's processors have numbers instead of a name; some boards say what they are.
    ["model name", "Model", "Hardware", "cpu model"].iter().find_map(|field| {
        let value = cpuinfo.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim_end() == *field).then(|| value.trim())
        });
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    })
}

/// Vector instructions that this processor and its operating system offer, narrowest first.
pub fn vector_units() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    {
        let units = [
            ("SSE2", is_x86_feature_detected!("sse2")),
            ("AVX", is_x86_feature_detected!("avx")),
            ("AVX2", is_x86_feature_detected!("avx2")),
            ("FMA", is_x86_feature_detected!("fma")),
            ("AVX-512", is_x86_feature_detected!("avx512f")),
        ];
        units.into_iter().filter_map(|(name, there)| there.then_some(name)).collect()
    }
    #[cfg(target_arch = "aarch64")]
    {
        let sve = std::arch::is_aarch64_feature_detected!("sve");
        if sve { vec!["NEON", "SVE"] } else { vec!["NEON"] }
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_that_of_the_first_processor() {
        let text = "processor\t: 0\nmodel name\t: AMD EPYC 7B13\nmodel name\t: another\n";
        assert_eq!(name_in(text).as_deref(), Some("AMD EPYC 7B13"));
        let board = "processor\t: 0\nCPU part\t: 0xd0c\nModel\t\t: Raspberry Pi 5\n";
        assert_eq!(name_in(board).as_deref(), Some("Raspberry Pi 5"));
        assert_eq!(name_in("processor\t: 0\nmodel name\t: \n"), None);
    }

    #[test]
    fn every_processor_of_this_architecture_has_its_baseline() {
        let first = vector_units().first().copied();
        if cfg!(target_arch = "x86_64") {
            assert_eq!(first, Some("SSE2"));
        }
        if cfg!(target_arch = "aarch64") {
            assert_eq!(first, Some("NEON"));
        }
    }
}
