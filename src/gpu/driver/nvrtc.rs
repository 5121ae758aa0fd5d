//! NVRTC, opened at run time: CUDA source to code for a GPU.

use std::{
    ffi::{CString, c_char, c_int, c_void},
    path::Path,
    ptr,
};

use libloading::{Library, Symbol};

use super::super::error::GpuError;

type Program = *mut c_void;
type Answer = c_int;
type Create = unsafe extern "C" fn(
    *mut Program,
    *const c_char,
    *const c_char,
    c_int,
    *const *const c_char,
    *const *const c_char,
) -> Answer;
type Compile = unsafe extern "C" fn(Program, c_int, *const *const c_char) -> Answer;
type Size = unsafe extern "C" fn(Program, *mut usize) -> Answer;
type Text = unsafe extern "C" fn(Program, *mut c_char) -> Answer;
type Destroy = unsafe extern "C" fn(*mut Program) -> Answer;
type Version = unsafe extern "C" fn(*mut c_int, *mut c_int) -> Answer;

/// A copy of NVRTC that is open.
pub(in crate::gpu) struct Compiler {
    handle: Library,
    name: String,
}

impl Compiler {
    /// Opens the library at this path.
    pub(in crate::gpu) fn open(path: &Path) -> Result<Self, GpuError> {
        let name = path.display().to_string();
        // SAFETY: opening the library runs NVIDIA's own initialisers.
        let handle = unsafe { Library::new(path) };
        let handle = handle.map_err(|error| GpuError::Compiler {
            name: name.clone(),
            reason: error.to_string().lines().next().unwrap_or_default().to_owned(),
        })?;
        Ok(Self { handle, name })
    }

    /// Its version.
    pub(in crate::gpu) fn version(&self) -> Result<(i32, i32), GpuError> {
        let (mut major, mut minor) = (0, 0);
        // SAFETY: it has this type in all versions, and writes two integers.
        let answer =
            unsafe { self.function::<Version>("nvrtcVersion")?(&raw mut major, &raw mut minor) };
        self.check(answer, || "it does not say its version".to_owned())?;
        Ok((major, minor))
    }

    /// Compiles kernels to machine code for GPUs of this capability.
    pub(in crate::gpu) fn compile(
        &self,
        source: &str,
        (major, minor): (i32, i32),
    ) -> Result<Vec<u8>, GpuError> {
        let options = [
            format!("--gpu-architecture=sm_{major}{minor}"),
            "--fmad=false".to_owned(),
            "--std=c++17".to_owned(),
        ];
        let c_string = |text: &str| {
            CString::new(text).map_err(|_| self.error("the source has a zero byte".to_owned()))
        };
        let (source, name) = (c_string(source)?, c_string("network.cu")?);
        let options = options.iter().map(|text| c_string(text)).collect::<Result<Vec<_>, _>>()?;
        let options: Vec<*const c_char> = options.iter().map(|text| text.as_ptr()).collect();
        let mut program = ptr::null_mut();
        // SAFETY: all strings end with a zero byte and outlive the call; there are no headers.
        let answer = unsafe {
            let create: Symbol<Create> = self.function("nvrtcCreateProgram")?;
            let none = ptr::null();
            create(&raw mut program, source.as_ptr(), name.as_ptr(), 0, none, none)
        };
        self.check(answer, || "it takes no program".to_owned())?;
        let result = self.translate(program, &options);
        // SAFETY: the program was created above and is not used any more.
        unsafe { self.function::<Destroy>("nvrtcDestroyProgram")?(&raw mut program) };
        result
    }

    fn translate(&self, program: Program, options: &[*const c_char]) -> Result<Vec<u8>, GpuError> {
        let compile: Symbol<Compile> = self.function("nvrtcCompileProgram")?;
        // SAFETY: the program is there, and the caller's options are as many strings.
        let answer = unsafe {
            let count = c_int::try_from(options.len()).unwrap_or(0);
            compile(program, count, options.as_ptr())
        };
        self.check(answer, || {
            let log = self.text(program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog");
            let log = log.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let log = log.unwrap_or_default();
            let error = log.lines().find(|line| line.contains("error")).or(log.lines().next());
            error.unwrap_or("it does not say why").trim_end_matches('\0').trim().to_owned()
        })?;
        self.text(program, "nvrtcGetCUBINSize", "nvrtcGetCUBIN")
    }

    /// What a pair of functions gives: its size, and its bytes.
    fn text(&self, program: Program, size: &str, text: &str) -> Result<Vec<u8>, GpuError> {
        let (size, text) = (self.function::<Size>(size)?, self.function::<Text>(text)?);
        let mut len = 0;
        // SAFETY: the program is there, and the size is written to one integer.
        let answer = unsafe { size(program, &raw mut len) };
        self.check(answer, || "it gives no size".to_owned())?;
        let mut bytes = vec![0_u8; len];
        // SAFETY: as many bytes as it said are there to be written.
        let answer = unsafe { text(program, bytes.as_mut_ptr().cast()) };
        self.check(answer, || "it gives no code".to_owned())?;
        Ok(bytes)
    }

    fn function<T>(&self, name: &str) -> Result<Symbol<'_, T>, GpuError> {
        // SAFETY: the callers give each function the type that NVIDIA documents.
        unsafe { self.handle.get(name.as_bytes()) }
            .map_err(|_| self.error(format!("it has no function {name}, as versions before 11.1")))
    }

    fn check(&self, answer: Answer, reason: impl FnOnce() -> String) -> Result<(), GpuError> {
        if answer == 0 { Ok(()) } else { Err(self.error(reason())) }
    }

    fn error(&self, reason: String) -> GpuError {
        GpuError::Compiler { name: self.name.clone(), reason }
    }
}
