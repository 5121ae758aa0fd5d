// A pretended NVIDIA driver: main memory for the device's, and the kernels' host build for the GPU's. It is
// what libcuda.so.1 is for the program under test. FAKE_GPU says what goes wrong: no-device, old-driver,
// full=N (nothing larger than N bytes is allocated), lost=N (after N launches). FAKE_GPU_LOG names a file that gets
// a line for each launch of training: how many runs it trains.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "dialect.cuh"
#include "article.cuh"
#include "training.cuh"
#include "run.h"

namespace {
using Pointer = unsigned long long;
enum { OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NO_DEVICE = 100, INVALID_DEVICE = 101, OLD_PTX = 222, LOST = 719 };

// The host build of some kernels: the article's, which are in this library, or those that the pretended
// compiler made another library of.
struct Module {
    int (*run)(int evaluates, unsigned grid, void **arguments);
    unsigned *layout;
    int resident; // blocks on a multiprocessor
};
struct Function {
    const Module *module;
    int evaluates;
};

std::string mode() {
    const char *mode = std::getenv("FAKE_GPU");
    return mode ? mode : "";
}

bool lost() {
    static int launches = 0;
    std::string now = mode();
    return now.rfind("lost=", 0) == 0 && ++launches > std::atoi(now.c_str() + 5);
}

} // namespace

extern "C" {
int cuInit(unsigned) { return mode() == "no-device" ? NO_DEVICE : OK; }
int cuDriverGetVersion(int *version) { return *version = mode() == "old-driver" ? 10010 : 13000, OK; }
int cuDeviceGetCount(int *count) { return *count = 1, OK; }
int cuDeviceGet(int *device, int ordinal) { return *device = ordinal, ordinal == 0 ? OK : INVALID_DEVICE; }
int cuDeviceGetName(char *name, int size, int) { return std::snprintf(name, size, "Pretended GPU"), OK; }
int cuDeviceGetUuid(unsigned char *uuid, int) {
    for (int i = 0; i < 16; i++) uuid[i] = (unsigned char)i;
    return OK;
}
int cuDeviceGetUuid_v2(unsigned char *uuid, int device) { return cuDeviceGetUuid(uuid, device); }
int cuDeviceTotalMem_v2(size_t *bytes, int) { return *bytes = 8ull << 30, OK; }
int cuDeviceGetAttribute(int *value, int attribute, int) {
    *value = attribute == 16 ? 4 : attribute == 75 ? 9 : 0;
    return OK;
}
int cuDevicePrimaryCtxRetain(void **context, int) { return *context = reinterpret_cast<void *>(8), OK; }
int cuDevicePrimaryCtxRelease_v2(int) { return OK; }
int cuCtxSetCurrent(void *) { return OK; }
int cuCtxGetCurrent(void **context) { return *context = reinterpret_cast<void *>(8), OK; }
int cuCtxSynchronize() { return OK; }
int cuStreamSynchronize(void *) { return OK; }
int cuStreamWaitEvent(void *, void *, unsigned) { return OK; }
int cuEventCreate(void **event, unsigned) { return *event = reinterpret_cast<void *>(8), OK; }
int cuEventRecord(void *, void *) { return OK; }
int cuEventSynchronize(void *) { return OK; }
int cuEventDestroy_v2(void *) { return OK; }
int cuMemAlloc_v2(Pointer *pointer, size_t bytes) {
    std::string now = mode();
    if (now.rfind("full=", 0) == 0 && bytes > std::strtoull(now.c_str() + 5, nullptr, 10)) return OUT_OF_MEMORY;
    // What is not written is not zero on a GPU either.
    void *memory = std::malloc(bytes ? bytes : 1);
    std::memset(memory, 0xff, bytes);
    return *pointer = reinterpret_cast<Pointer>(memory), OK;
}
int cuMemFree_v2(Pointer pointer) { return std::free(reinterpret_cast<void *>(pointer)), OK; }
int cuMemcpyHtoDAsync_v2(Pointer to, const void *from, size_t bytes, void *) {
    return std::memcpy(reinterpret_cast<void *>(to), from, bytes), OK;
}
int cuMemcpyDtoHAsync_v2(void *to, Pointer from, size_t bytes, void *) {
    return std::memcpy(to, reinterpret_cast<const void *>(from), bytes), OK;
}
int cuMemsetD8Async(Pointer to, unsigned char value, size_t bytes, void *) {
    return std::memset(reinterpret_cast<void *>(to), value, bytes), OK;
}
int cuModuleLoadData(void **to, const void *image) {
    if (mode() == "old-driver") return OLD_PTX;
    auto *module = new Module{fake_run, layout, 1};
    const char *text = static_cast<const char *>(image);
    if (text[0] == '/' && text[1] != '/') { // what the pretended compiler gives: the path of a library
        void *library = dlopen(text, RTLD_NOW | RTLD_LOCAL);
        if (!library) return std::fprintf(stderr, "%s\n", dlerror()), INVALID_VALUE;
        module->run = reinterpret_cast<decltype(module->run)>(dlsym(library, "fake_run"));
        module->layout = reinterpret_cast<unsigned *>(dlsym(library, "layout"));
    } else if (!std::strstr(text, ".entry train(")) {
        return INVALID_VALUE;
    } else if (std::strstr(text, ".minnctapersm 2")) {
        module->resident = 2;
    }
    return *to = module, OK;
}
int cuModuleUnload(void *) { return OK; }
int cuModuleGetFunction(void **function, void *module, const char *name) {
    *function = new Function{static_cast<Module *>(module), std::strcmp(name, "train") != 0};
    return OK;
}
int cuModuleGetGlobal_v2(Pointer *pointer, size_t *bytes, void *module, const char *) {
    *pointer = reinterpret_cast<Pointer>(static_cast<Module *>(module)->layout);
    return *bytes = sizeof layout, OK;
}
int cuFuncSetAttribute(void *, int, int) { return OK; }
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, void *function, int, size_t) {
    return *blocks = static_cast<Function *>(function)->module->resident, OK;
}
int cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, void *function, int threads, size_t shared, unsigned) {
    return cuOccupancyMaxActiveBlocksPerMultiprocessor(blocks, function, threads, shared);
}
static int launch(void *function, unsigned grid, void **arguments) {
    auto *it = static_cast<Function *>(function);
    const char *log = std::getenv("FAKE_GPU_LOG");
    if (std::FILE *file = log && !it->evaluates ? std::fopen(log, "a") : nullptr) {
        std::fprintf(file, "%u\n", grid / *static_cast<unsigned *>(arguments[3]));
        std::fclose(file);
    }
    return lost() ? LOST : it->module->run(it->evaluates, grid, arguments);
}
int cuLaunchKernel(void *function, unsigned grid, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *,
                   void **arguments, void **) {
    return launch(function, grid, arguments);
}
int cuLaunchCooperativeKernel(void *function, unsigned grid, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                              void *, void **arguments) {
    return launch(function, grid, arguments);
}
int cuGetErrorName(int, const char **name) { return *name = "CUDA_ERROR", OK; }
int cuGetErrorString(int error, const char **text) {
    switch (error) {
    case OUT_OF_MEMORY: *text = "out of memory"; break;
    case NO_DEVICE: *text = "no CUDA-capable device is detected"; break;
    case OLD_PTX: *text = "the provided PTX was compiled with an unsupported toolchain."; break;
    case LOST: *text = "unspecified launch failure"; break;
    default: *text = "invalid argument";
    }
    return OK;
}
}
