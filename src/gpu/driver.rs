//! The NVIDIA driver, opened at run time, and all `unsafe` code of the program.
//!
//! Memory on the device and kernels are owned by values of this module. What a kernel reads and writes lies in
//! one [`Arena`], whose places [`super::job`] hands out.

#![expect(unsafe_code, reason = "kernels are launched by the driver's C interface")]

use std::{ffi::CStr, fmt::Write as _, sync::Arc};

use cudarc::{
    driver::{
        CudaContext, CudaFunction, CudaSlice, CudaStream, DevicePtr, DriverError, LaunchConfig,
        PushKernelArg, result, sys,
    },
    nvrtc::Ptx,
};

use super::error::GpuError;

pub(super) mod nvrtc;

/// Bytes of shared memory that a block has without asking for more.
const PLAIN_SHARED: usize = 48 * 1024;

/// Compute capability that the kernels need.
const OLDEST: (i32, i32) = (7, 5);

/// What a GPU is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// What the driver calls it by: `cuda:N`.
    pub ordinal: usize,
    /// As its maker calls it.
    pub name: String,
    /// Bytes of memory.
    pub memory: u64,
    /// `GPU-…`, which stays the same when cards are added or hidden.
    pub uuid: String,
    /// Compute capability, such as (9, 0).
    pub capability: (i32, i32),
    /// Multiprocessors.
    pub processors: u32,
}

/// A GPU that is open. It belongs to the thread that opened it, as do all values made with it.
#[derive(Debug)]
pub(super) struct Gpu {
    stream: Arc<CudaStream>,
    pub(super) info: DeviceInfo,
}

/// The kernels of one network.
#[derive(Debug)]
pub(super) struct Kernels {
    train: CudaFunction,
    evaluate: CudaFunction,
    pub(super) layout: Layout,
    /// Blocks of `train` that a multiprocessor can work on at a time.
    resident: u32,
}

/// What a driver loads.
pub(super) enum Code {
    /// PTX, which it compiles.
    Text(String),
    /// Code for one kind of GPU.
    Machine(Vec<u8>),
}

/// What kernels say of themselves: `layout` of `training.cuh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Bytes of shared memory of a block.
    pub(super) shared: u32,
    threads: u32,
    pub(super) parameters: usize,
    pub(super) classes: usize,
    /// Pixels.
    pub(super) image: usize,
    /// Floats of global memory that a block needs for itself.
    pub(super) scratch: usize,
}

/// Images on the device, with their labels.
#[derive(Debug)]
pub(super) struct Images {
    pixels: CudaSlice<u8>,
    labels: CudaSlice<u32>,
}

impl Images {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    /// Bytes of all their pixels.
    pub(super) fn pixels(&self) -> usize {
        self.pixels.len()
    }
}

#[cfg(test)]
impl Layout {
    /// That of a network, for blocks of one thread.
    pub(super) const fn of(
        parameters: usize,
        classes: usize,
        image: usize,
        scratch: usize,
    ) -> Self {
        Self { shared: 0, threads: 1, parameters, classes, image, scratch }
    }
}

/// Memory of 4-byte words, grown as needed.
#[derive(Debug, Default)]
pub(super) struct Arena {
    words: Option<CudaSlice<u32>>,
}

/// Newest version of CUDA that the driver knows, such as "13.0".
pub(super) fn driver_version() -> Result<String, GpuError> {
    initialise()?;
    let mut version = 0;
    // SAFETY: the driver is there, and writes one integer.
    let answer = unsafe { sys::cuDriverGetVersion(&raw mut version) };
    answer.result().map_err(driver_error)?;
    Ok(format!("{}.{}", version / 1000, version % 1000 / 10))
}

fn initialise() -> Result<(), GpuError> {
    // SAFETY: opening the library runs NVIDIA's own initialisers, which every program with CUDA does.
    if !unsafe { sys::is_culib_present() } {
        return Err(GpuError::NoDriver);
    }
    match result::init() {
        Err(DriverError(sys::CUresult::CUDA_ERROR_NO_DEVICE)) => Err(GpuError::NoDevice),
        other => other.map_err(driver_error),
    }
}

/// All GPUs that the driver shows to this process.
///
/// # Errors
/// When there is no driver or no GPU.
pub fn devices() -> Result<Vec<DeviceInfo>, GpuError> {
    initialise()?;
    let count = usize::try_from(result::device::get_count().map_err(driver_error)?).unwrap_or(0);
    (0..count).map(describe).collect()
}

fn describe(ordinal: usize) -> Result<DeviceInfo, GpuError> {
    use sys::CUdevice_attribute::{
        CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
        CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT,
    };
    let number = i32::try_from(ordinal).unwrap_or(i32::MAX);
    let device = result::device::get(number).map_err(driver_error)?;
    // SAFETY: `device` is one that the driver has just given.
    let attribute = |what| unsafe { result::device::get_attribute(device, what) };
    // SAFETY: as above.
    let memory = unsafe { result::device::total_mem(device) }.map_err(driver_error)? as u64;
    let mut uuid = sys::CUuuid { bytes: [0; 16] };
    // SAFETY: as above; sixteen bytes are written. Of a part of a GPU this version gives the part's own.
    let answer = unsafe { sys::cuDeviceGetUuid_v2(&raw mut uuid, device) };
    answer.result().map_err(driver_error)?;
    let [major, minor, processors] = [
        CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR,
        CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
        CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT,
    ]
    .map(attribute);
    Ok(DeviceInfo {
        ordinal,
        name: result::device::get_name(device).map_err(driver_error)?,
        memory,
        uuid: uuid_text(uuid.bytes.map(|byte| byte as u8)),
        capability: (major.map_err(driver_error)?, minor.map_err(driver_error)?),
        processors: processors.map_err(driver_error)? as u32,
    })
}

fn uuid_text(bytes: [u8; 16]) -> String {
    let mut text = "GPU".to_owned();
    for (place, byte) in bytes.iter().enumerate() {
        if matches!(place, 0 | 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

impl Gpu {
    /// Opens the GPU of this number.
    pub(super) fn open(ordinal: usize) -> Result<Self, GpuError> {
        initialise()?;
        let count = result::device::get_count().map_err(driver_error)?;
        let count = usize::try_from(count).unwrap_or(0);
        match count {
            0 => return Err(GpuError::NoDevice),
            count if ordinal >= count => return Err(GpuError::NoSuchDevice { ordinal, count }),
            _ => {}
        }
        let info = describe(ordinal)?;
        let (major, minor) = info.capability;
        if info.capability < OLDEST {
            return Err(GpuError::TooOld { name: info.name, major, minor });
        }
        let context = CudaContext::new(ordinal).map_err(driver_error)?;
        Ok(Self { stream: context.default_stream(), info })
    }

    /// Makes kernels ready to be launched.
    pub(super) fn load(&self, code: Code) -> Result<Kernels, GpuError> {
        let context = self.stream.context();
        let code = match code {
            Code::Text(text) => Ptx::from_src(text),
            Code::Machine(code) => Ptx::from_binary(code),
        };
        let module = context.load_module(code).map_err(|error| match error.0 {
            sys::CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION
            | sys::CUresult::CUDA_ERROR_INVALID_PTX
            | sys::CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU
            | sys::CUresult::CUDA_ERROR_INVALID_IMAGE => GpuError::Rejected {
                driver: driver_version().unwrap_or_else(|_| "unknown".to_owned()),
                reason: reason(error),
            },
            _ => driver_error(error),
        })?;
        let function = |name| module.load_function(name).map_err(driver_error);
        let (train, evaluate) = (function("train")?, function("evaluate")?);
        let symbol = module.get_global("layout", &self.stream).map_err(driver_error)?;
        let bytes = self.stream.clone_dtoh(&symbol).map_err(driver_error)?;
        self.stream.synchronize().map_err(driver_error)?;
        let numbers: Vec<u32> = bytes
            .chunks_exact(4)
            .map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            .collect();
        let &[shared, threads, parameters, classes, image, scratch] = numbers.as_slice() else {
            return Err(GpuError::Driver("the kernels have no layout".to_owned()));
        };
        let [parameters, classes, image, scratch] =
            [parameters, classes, image, scratch].map(|number| number as usize);
        let layout = Layout { shared, threads, parameters, classes, image, scratch };
        if shared as usize > PLAIN_SHARED {
            let most = sys::CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            for function in [&train, &evaluate] {
                function.set_attribute(most, shared.cast_signed()).map_err(driver_error)?;
            }
        }
        let resident = train
            .occupancy_max_active_blocks_per_multiprocessor(threads, shared as usize, None)
            .map_err(driver_error)?;
        if resident == 0 {
            return Err(GpuError::Unsupported(format!(
                "a block of the kernels needs {shared} bytes of shared memory, more than this GPU has"
            )));
        }
        Ok(Kernels { train, evaluate, layout, resident })
    }

    /// Copies images to the device.
    pub(super) fn images(&self, pixels: &[u8], labels: &[u32]) -> Result<Images, GpuError> {
        let full = |error| memory_error(error, pixels.len() as u64);
        let pixels = self.stream.clone_htod(pixels).map_err(full)?;
        let labels = self.stream.clone_htod(labels).map_err(full)?;
        self.stream.synchronize().map_err(driver_error)?;
        Ok(Images { pixels, labels })
    }

    /// Makes the arena at least this long, and gives the address of its first word.
    pub(super) fn reserve(&self, arena: &mut Arena, words: usize) -> Result<u64, GpuError> {
        if arena.words.as_ref().is_none_or(|slice| slice.len() < words) {
            arena.words = None;
            let zeros = self.stream.alloc_zeros(words);
            arena.words = Some(zeros.map_err(|error| memory_error(error, 4 * words as u64))?);
        }
        Ok(arena.words.as_ref().map_or(0, |slice| slice.device_ptr(&self.stream).0))
    }

    /// Copies words to the beginning of the arena, which is long enough.
    pub(super) fn write(&self, arena: &mut Arena, words: &[u32]) -> Result<(), GpuError> {
        let Some(slice) = &mut arena.words else { return Ok(()) };
        self.stream.memcpy_htod(words, slice).map_err(driver_error)
    }

    /// Copies words from a place of the arena, once the kernels before have ended.
    pub(super) fn read(&self, arena: &Arena, from: usize, to: &mut [u32]) -> Result<(), GpuError> {
        let Some(slice) = &arena.words else { return Ok(()) };
        let Some(view) = slice.try_slice(from..from + to.len()) else {
            return Err(GpuError::Driver("read beyond the end of the arena".to_owned()));
        };
        self.stream.memcpy_dtoh(&view, to).map_err(driver_error)?;
        self.stream.synchronize().map_err(driver_error)
    }

    /// Trains the jobs at the beginning of the arena: how many there are, and how many blocks each has.
    ///
    /// The jobs' places must lie within the arena and be as long as `training.cuh` says, and the indices of their
    /// images within the set.
    pub(super) fn train(
        &self,
        kernels: &Kernels,
        images: &Images,
        arena: &mut Arena,
        (jobs, blocks): (u32, u32),
    ) -> Result<(), GpuError> {
        let Some(words) = &mut arena.words else { return Ok(()) };
        let mut launch = self.stream.launch_builder(&kernels.train);
        launch.arg(&images.pixels).arg(&images.labels).arg(words).arg(&blocks);
        let config = kernels.launch(jobs * blocks);
        // SAFETY: these are the kernel's four parameters in its order; the caller vouches for what the jobs
        // point to, and blocks that wait for each other are all resident, which a cooperative launch checks.
        let launched = unsafe {
            if blocks == 1 { launch.launch(config) } else { launch.launch_cooperative(config) }
        };
        launched.map(drop).map_err(driver_error)
    }

    /// Computes the logits of images, whose places in the set are at `order`, or of the first ones.
    ///
    /// All places are words of the arena.
    pub(super) fn evaluate(
        &self,
        kernels: &Kernels,
        images: &Images,
        arena: &mut Arena,
        places: Evaluation,
    ) -> Result<(), GpuError> {
        let Evaluation { order, count, weights, scratch, logits, blocks } = places;
        let Some(words) = &arena.words else { return Ok(()) };
        let base = words.device_ptr(&self.stream).0;
        let [weights, scratch, logits] =
            [weights, scratch, logits].map(|place| base + 4 * place as u64);
        let order = order.map_or(0, |place| base + 4 * place as u64);
        let mut launch = self.stream.launch_builder(&kernels.evaluate);
        launch.arg(&images.pixels).arg(&order).arg(&count).arg(&weights).arg(&scratch).arg(&logits);
        // SAFETY: these are the kernel's six parameters in its order; the caller vouches for the places.
        unsafe { launch.launch(kernels.launch(blocks)) }.map(drop).map_err(driver_error)
    }
}

/// Where an evaluation reads and writes in the arena, in words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evaluation {
    pub(super) order: Option<usize>,
    pub(super) count: u32,
    pub(super) weights: usize,
    pub(super) scratch: usize,
    pub(super) logits: usize,
    pub(super) blocks: u32,
}

impl Kernels {
    /// Blocks that a GPU with this number of multiprocessors works on at a time.
    pub(super) fn resident(&self, processors: u32) -> u32 {
        self.resident * processors
    }

    fn launch(&self, blocks: u32) -> LaunchConfig {
        LaunchConfig {
            grid_dim: (blocks, 1, 1),
            block_dim: (self.layout.threads, 1, 1),
            shared_mem_bytes: self.layout.shared,
        }
    }
}

fn memory_error(error: DriverError, bytes: u64) -> GpuError {
    match error.0 {
        sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY => {
            GpuError::OutOfMemory { megabytes: bytes.div_ceil(1_000_000) }
        }
        _ => driver_error(error),
    }
}

fn driver_error(error: DriverError) -> GpuError {
    GpuError::Driver(reason(error))
}

/// The driver's words, without the number that stands for them.
fn reason(error: DriverError) -> String {
    let text = error.error_string().ok().map(CStr::to_string_lossy);
    text.map_or_else(
        || format!("error {:?}", error.0),
        |text| text.trim_end_matches('.').to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_written_as_nvidia_smi_writes_it() {
        let bytes = std::array::from_fn(|place| 16 * place as u8 + 10);
        assert_eq!(uuid_text(bytes), "GPU-0a1a2a3a-4a5a-6a7a-8a9a-aabacadaeafa");
    }
}
