//! What can be wrong with a GPU, a sentence each.

/// Why a GPU cannot be used, or no longer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GpuError {
    /// There is no driver.
    #[error(
        "the NVIDIA driver's libcuda.so.1 was not found: install the driver, or give the container its capability \
         `compute`"
    )]
    NoDriver,
    /// There is a driver, and no GPU that it can use.
    #[error(
        "the NVIDIA driver finds no GPU: `nvidia-smi` should list one, and CUDA_VISIBLE_DEVICES not hide it"
    )]
    NoDevice,
    /// Another one was asked for.
    #[error("there is no GPU {ordinal}: the driver finds {count}, counted from 0")]
    NoSuchDevice {
        /// The one asked for.
        ordinal: usize,
        /// How many there are.
        count: usize,
    },
    /// The GPU is older than the kernels.
    #[error("{name} has compute capability {major}.{minor}, and the kernels need 7.5 or more")]
    TooOld {
        /// Its name.
        name: String,
        /// Its capability.
        major: i32,
        /// ... after the point.
        minor: i32,
    },
    /// The driver does not take the kernels.
    #[error(
        "the NVIDIA driver (CUDA {driver}) does not take this program's kernels ({reason}): update the driver"
    )]
    Rejected {
        /// Newest version of CUDA that the driver knows.
        driver: String,
        /// The driver's words.
        reason: String,
    },
    /// The network is none of those whose kernels the program brings, and there is no compiler.
    #[error(
        "kernels for this network have to be compiled by NVRTC, which was not found: install it with `pip install \
         nvidia-cuda-nvrtc-cu12`, or give its folder in LD_LIBRARY_PATH"
    )]
    NoCompiler,
    /// The compiler does not do its work.
    #[error("the CUDA compiler {name} fails: {reason}")]
    Compiler {
        /// Its file.
        name: String,
        /// Its first words about it.
        reason: String,
    },
    /// The memory is full.
    #[error(
        "the GPU has too little free memory for {megabytes} MB: end other programs on it, or train smaller batches"
    )]
    OutOfMemory {
        /// What was asked for.
        megabytes: u64,
    },
    /// The network or an option is none that there are kernels for.
    #[error("{0}")]
    Unsupported(String),
    /// The thread that shares it among runs is not there.
    #[error("the thread that shares the GPU among runs {0}")]
    Thread(String),
    /// Any other error of the driver.
    #[error("the NVIDIA driver reports: {0}")]
    Driver(String),
}
