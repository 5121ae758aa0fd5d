// The dialect that all kernels are written in: one source for nvcc, NVRTC and a host C++20 compiler.
//
// Every stored value is computed by one thread in an order that only the code decides, every fused
// multiply-add is written out (compile with -fmad=false or -ffp-contract=off), and so are exp and log.
// Results therefore depend neither on the number of threads or blocks nor on the processor: the host
// build is a model of the GPU's that is exact to the bit.
//
// Three files make a program, joined in this order: the dialect, a network (which defines THREADS, PARAMETERS,
// CLASSES, IMAGE, SCRATCH, Shared, begin, forward and backward), and training.cuh.
#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
#define DEVICE 1
#define FN static __device__ __forceinline__
#define KERNEL extern "C" __global__
#define GLOBAL __device__
#define SYNC() __syncthreads()
#define AS_INT(x) __float_as_int(x)
#define AS_FLOAT(x) __int_as_float(x)
#ifndef RESIDENT
#define RESIDENT 1
#endif
#define BOUNDS __launch_bounds__(THREADS, RESIDENT)
#define SHARED(s)                                                                                  \
    extern __shared__ float4 shared_memory[];                                                      \
    Shared &s = *reinterpret_cast<Shared *>(shared_memory)
#else
#include "shim.h"
#define DEVICE 0
#define FN static inline
#define KERNEL extern "C"
#define GLOBAL
#define SYNC() shim_sync()
#define AS_INT(x) shim_as_int(x)
#define AS_FLOAT(x) shim_as_float(x)
#define BOUNDS
#define SHARED(s) Shared &s = *shim_shared<Shared>()
#endif

// Shares n items among the threads of a block.
#define FOR(t, n) for (int t = (int)threadIdx.x; t < (n); t += (int)blockDim.x)
// The same for the threads [from, to) of a block of THREADS, so that two loops run side by side; in blocks
// of another size all threads share them.
#define PART(t, n, from, to)                                                                       \
    for (int t = blockDim.x != THREADS ? (int)threadIdx.x                                          \
                 : (int)threadIdx.x >= (from) && (int)threadIdx.x < (to)                           \
                     ? (int)threadIdx.x - (from)                                                   \
                     : (n);                                                                        \
         t < (n); t += blockDim.x != THREADS ? (int)blockDim.x : (to) - (from))

// One run's arrays on the device.
struct Job {
    const unsigned *order;  // places of images, the batches one after the other; then the key of the first
                            // step's draws, for networks that draw
    const float *factors;   // FACTORS for each step
    float *weights;         // [PARAMETERS], and so the next four
    float *first, *second;  // the optimiser's
    float *average;         // averaged weights, or null
    float *gradient;        // of the last step
    float *partials;        // [GROUPS][PARAMETERS]
    float *scratch;         // [blocks][SCRATCH]
    float *losses;          // of each image in `order`
    float *logits;          // [batch][CLASSES], of the last step
    unsigned char *answers; // of each image in `order` the class with the largest logit, and 255 times its probability
    unsigned *failed;       // for each step whether its gradient has a value that is not finite
    unsigned *barrier;      // zero at the start
    unsigned steps, batch, total, rule; // `total` images in `order`, a RULE
    float beta1, take1, beta2, take2;   // of the optimiser; `take` is 1 - beta
    float epsilon, decay, smoothing, unused;
};
enum { RATE = 0, INVERSE_ROOT = 1, KEEP = 2, FOLLOW = 3, FACTORS = 4 };
enum { ADAM = 0, SGD = 1, MOMENTUM = 2, NESTEROV = 3 };

// Images of a batch whose gradients are summed first, one image in GROUPS. Fixed, since the order of sums
// may not depend on the device.
constexpr unsigned GROUPS = 128;

// Two or four floats at once, from or to a multiple of as many.
#if DEVICE
FN void load2(const float *from, float *to) {
    float2 v = *reinterpret_cast<const float2 *>(from);
    to[0] = v.x, to[1] = v.y;
}
FN void load4(const float *from, float *to) {
    float4 v = *reinterpret_cast<const float4 *>(from);
    to[0] = v.x, to[1] = v.y, to[2] = v.z, to[3] = v.w;
}
FN void store4(const float *from, float *to) {
    *reinterpret_cast<float4 *>(to) = make_float4(from[0], from[1], from[2], from[3]);
}
// Four bytes, the first the lowest.
FN unsigned load_codes(const unsigned char *from) { return *reinterpret_cast<const unsigned *>(from); }
#else
FN void load2(const float *from, float *to) {
    shim_aligned(from, 8);
    to[0] = from[0], to[1] = from[1];
}
FN void load4(const float *from, float *to) {
    shim_aligned(from, 16);
    for (int i = 0; i < 4; i++) to[i] = from[i];
}
FN void store4(const float *from, float *to) {
    shim_aligned(to, 16);
    for (int i = 0; i < 4; i++) to[i] = from[i];
}
FN unsigned load_codes(const unsigned char *from) {
    shim_aligned(from, 4);
    return from[0] | from[1] << 8 | from[2] << 16 | (unsigned)from[3] << 24;
}
#endif

// byte / 255 to the last bit: the quotient by a reciprocal, and one step towards it.
FN float share_of_255(unsigned char byte) {
    const float x = (float)byte, q = x * (1.0f / 255.0f);
    return fmaf(fmaf(-255.0f, q, x), 1.0f / 255.0f, q);
}

// Writes a value of a group's gradient, or adds it to the group's earlier images'.
FN void put(float *to, float value, bool adds) { *to = adds ? *to + value : value; }

// exp of x <= 0, to about 1e-7
FN float exp_down(float x) {
    if (!(x > -87.0f)) return x == x ? 0.0f : x;
    float n = rintf(x * 1.44269504f);
    float r = fmaf(n, -0.693359375f, x);
    r = fmaf(n, 2.12194440e-4f, r);
    float p = 1.9875691500e-4f;
    p = fmaf(p, r, 1.3981999507e-3f);
    p = fmaf(p, r, 8.3334519073e-3f);
    p = fmaf(p, r, 4.1665795894e-2f);
    p = fmaf(p, r, 1.6666665459e-1f);
    p = fmaf(p, r, 5.0000001201e-1f);
    p = fmaf(p, r * r, r) + 1.0f;
    return p * AS_FLOAT(((int)n + 127) << 23);
}

// log of a finite x >= 1
FN float log_up(float x) {
    if (!(x >= 1.0f && x < 1e30f)) return x - x + x;
    int bits = AS_INT(x), e = (bits >> 23) - 127;
    float m = AS_FLOAT((bits & 0x7fffff) | 0x3f800000);
    if (m > 1.41421356f) m = m * 0.5f, e = e + 1;
    float s = (m - 1.0f) / (m + 1.0f), q = s * s;
    float p = fmaf(q, 0.1111111111f, 0.1428571429f);
    p = fmaf(p, q, 0.2f);
    p = fmaf(p, q, 0.3333333333f);
    float r = fmaf(p * q, s, s);
    return fmaf((float)e, 0.693147181f, r + r);
}

FN float larger(float a, float b) { return b > a || b != b ? b : a; }
