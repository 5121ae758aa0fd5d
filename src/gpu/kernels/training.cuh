// Training and evaluation of the network that the file before this one defines.

// What the host has to know of the network before it launches a kernel.
extern "C" {
GLOBAL unsigned layout[6] = {sizeof(Shared), THREADS, PARAMETERS, CLASSES, IMAGE, SCRATCH};
}

// Bytes of an image that a thread holds: loaded while the image before it is worked on.
enum { HELD = DEVICE ? (IMAGE + THREADS - 1) / THREADS : IMAGE };

// Where a block stands: at an image of a group, in a step.
struct Cursor {
    unsigned step, group, slot;
};

FN unsigned batch_of(const Job &job, unsigned step) {
    unsigned from = step * job.batch;
    return from >= job.total ? 0 : from + job.batch <= job.total ? job.batch : job.total - from;
}

// The block's next image, in this step or a later one.
FN void advance(const Job &job, unsigned block, unsigned blocks, Cursor &at) {
    unsigned n = batch_of(job, at.step);
    at.slot += GROUPS;
    if (at.slot < n) return;
    at.group += blocks;
    while (at.step < job.steps && at.group >= (n < GROUPS ? n : GROUPS)) {
        at.step++;
        at.group = block;
        n = at.step < job.steps ? batch_of(job, at.step) : 0;
    }
    at.slot = at.group;
}

FN unsigned place_of(const Job &job, const Cursor &at) {
    return at.step < job.steps ? job.order[at.step * job.batch + at.slot] : job.order[0];
}

FN void fetch(const unsigned char *images, unsigned place, unsigned char held[HELD]) {
    const unsigned char *image = images + (size_t)IMAGE * place;
    int j = 0;
#if DEVICE
#pragma unroll
    for (; j < HELD; j++) {
        int t = (int)threadIdx.x + j * THREADS;
        held[j] = t < IMAGE ? image[t] : 0;
    }
#else
    FOR(t, IMAGE) held[j++] = image[t];
#endif
}

FN void unpack(Shared &s, const unsigned char held[HELD]) {
    int j = 0;
#if DEVICE
#pragma unroll
    for (; j < HELD; j++) {
        int t = (int)threadIdx.x + j * THREADS;
        if (t < IMAGE) s.image[t] = share_of_255(held[j]);
    }
#else
    FOR(t, IMAGE) s.image[t] = share_of_255(held[j++]);
#endif
}

// Tells the layers of a network that draws random numbers what to draw by; SYNC comes after it.
#ifdef DRAWS
#define DRAW(job, step, slot)                                                                      \
    if (threadIdx.x == 0) s.draws = draws_of(job.order + job.total, step, slot)
#define DRAW_NOTHING()                                                                             \
    if (threadIdx.x == 0) s.draws.drops = false
#else
#define DRAW(job, step, slot)
#define DRAW_NOTHING()
#endif

// The gradient of the cross-entropy of s.logit with a label, times `share`, in s.dlogit; SYNC is its end.
FN void softmax_gradient(Shared &s, int label, float smoothing, float share) {
    FOR(k, CLASSES) {
        float top = s.logit[0];
        for (int j = 1; j < CLASSES; j++) top = larger(top, s.logit[j]);
        s.exps[k] = exp_down(s.logit[k] - top);
        if (k == 0) s.top = top;
    }
    SYNC();
    FOR(k, CLASSES) {
        float sum = 0.0f;
        for (int j = 0; j < CLASSES; j++) sum = sum + s.exps[j];
        float d = s.exps[k] / sum;
        if (k == label) d = d - 1.0f;
        if (smoothing != 0.0f) d = (k == label ? d + smoothing : d) - smoothing / (float)CLASSES;
        s.dlogit[k] = d * share;
    }
    SYNC();
}

// That cross-entropy.
FN float cross_entropy(const Shared &s, int label, float smoothing) {
    float sum = 0.0f;
    for (int j = 0; j < CLASSES; j++) sum = sum + s.exps[j];
    float log_sum = log_up(sum), own = log_sum + (s.top - s.logit[label]);
    if (smoothing == 0.0f) return own;
    float all = 0.0f;
    for (int j = 0; j < CLASSES; j++) all = all + (log_sum + (s.top - s.logit[j]));
    return fmaf(smoothing, all / (float)CLASSES - own, own);
}

// The class with the largest logit that is a number, the first of equal ones, and 255 times its probability.
FN void answer(const Shared &s, unsigned char to[2]) {
    int best = 0;
    float sum = 0.0f;
    for (int j = 1; j < CLASSES; j++)
        if (s.logit[j] > s.logit[best] || s.logit[best] != s.logit[best]) best = j;
    for (int j = 0; j < CLASSES; j++) sum = sum + s.exps[j];
    to[0] = (unsigned char)best;
    to[1] = sum >= 1.0f ? (unsigned char)(255.0f / sum + 0.5f) : 0;
}

// Waits for all blocks of a job, which must all be resident: a cooperative launch sees to that.
FN void job_barrier(unsigned *count, unsigned goal, unsigned blocks) {
    SYNC();
    if (blocks == 1) return;
    if (threadIdx.x == 0) {
#if DEVICE
        asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(count) : "memory");
        unsigned now;
        do {
            asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(now) : "l"(count) : "memory");
        } while (now < goal);
#else
        shim_grid(count, goal);
#endif
    }
    SYNC();
}

// Moments below this become zero, as on the CPU.
FN float flushed(float moment) { return fabsf(moment) < 1e-30f ? 0.0f : moment; }

// Moves the parameter p by its gradient.
FN void update(const Job &job, const float *factors, int p, float g) {
    float w = job.weights[p];
    if (job.decay != 0.0f) g = fmaf(job.decay, w, g);
    if (job.rule == ADAM) {
        float m = job.first[p], v = job.second[p];
        w = w * factors[KEEP];
        m = flushed(fmaf(job.beta1, m, job.take1 * g));
        v = flushed(fmaf(job.beta2, v, job.take2 * (g * g)));
        job.first[p] = m;
        job.second[p] = v;
        w = fmaf(-factors[RATE], m / fmaf(sqrtf(v), factors[INVERSE_ROOT], job.epsilon), w);
    } else {
        float direction = g;
        if (job.rule != SGD) {
            float m = fmaf(job.beta1, job.first[p], g);
            job.first[p] = m;
            direction = job.rule == NESTEROV ? fmaf(job.beta1, m, g) : m;
        }
        w = fmaf(-factors[RATE], direction, w);
    }
    job.weights[p] = w;
    if (job.average) job.average[p] = fmaf(factors[FOLLOW], w - job.average[p], job.average[p]);
}

// Trains all jobs side by side, each on `blocks` blocks.
KERNEL void BOUNDS train(const unsigned char *images, const unsigned *labels, const Job *jobs, unsigned blocks) {
    SHARED(s);
    const Job job = jobs[blockIdx.x / blocks];
    const unsigned block = blockIdx.x % blocks;
    float *scratch = job.scratch + (size_t)SCRATCH * block;
    const int chunk = ((int)(PARAMETERS + blocks - 1) / (int)blocks + 7) / 8 * 8;
    const int low = (int)block * chunk, high = low + chunk < PARAMETERS ? low + chunk : PARAMETERS;
    unsigned passed = 0;
    unsigned char held[HELD];
    Cursor next = {0, block, block};
    if (block >= (batch_of(job, 0) < GROUPS ? batch_of(job, 0) : GROUPS)) {
        next.slot = job.batch; // nothing in the first step
        advance(job, block, blocks, next);
    }
    unsigned place = place_of(job, next);
    fetch(images, place, held);
    advance(job, block, blocks, next);
    unsigned after = place_of(job, next);
    for (unsigned step = 0; step < job.steps; step++) {
        const unsigned n = batch_of(job, step), groups = n < GROUPS ? n : GROUPS;
        const float share = 1.0f / (float)n;
        begin(s, job.weights);
        for (unsigned group = block; group < groups; group += blocks) {
            for (unsigned slot = group; slot < n; slot += GROUPS) {
                int label = (int)labels[place];
                unpack(s, held);
                DRAW(job, step, slot);
                place = after;
                advance(job, block, blocks, next);
                after = place_of(job, next);
                SYNC();
                fetch(images, place, held);
                forward(s, job.weights, scratch);
                size_t image = (size_t)step * job.batch + slot;
                softmax_gradient(s, label, job.smoothing, share);
                // The last threads have the least to do next.
                PART(t, 1, THREADS - 1, THREADS) job.losses[image] = cross_entropy(s, label, job.smoothing);
                PART(t, 1, THREADS - 33, THREADS - 32) answer(s, job.answers + 2 * image);
                PART(k, CLASSES, THREADS - 128, THREADS - 96) job.logits[CLASSES * slot + k] = s.logit[k];
                backward(s, job.weights, scratch, job.partials + (size_t)PARAMETERS * group, slot != group);
            }
        }
        job_barrier(job.barrier, ++passed * blocks, blocks);
        const float *factors = job.factors + FACTORS * step;
        for (int p = low + (int)threadIdx.x; p < high; p += (int)blockDim.x) {
            float g = 0.0f;
#pragma unroll 25
            for (unsigned group = 0; group < groups; group++) g = g + job.partials[(size_t)PARAMETERS * group + p];
            job.gradient[p] = g;
            if (!(g - g == 0.0f)) job.failed[step] = 1;
            update(job, factors, p, g);
        }
        job_barrier(job.barrier, ++passed * blocks, blocks);
    }
}

// The logits of `count` images: those at `order`, or the first where that is null.
KERNEL void BOUNDS evaluate(const unsigned char *images, const unsigned *order, unsigned count,
                            const float *weights, float *scratch, float *logits) {
    SHARED(s);
    unsigned char held[HELD];
    begin(s, weights);
    DRAW_NOTHING();
    unsigned at = blockIdx.x;
    if (at < count) fetch(images, order ? order[at] : at, held);
    for (; at < count; at += gridDim.x) {
        unpack(s, held);
        SYNC();
        unsigned next = at + gridDim.x;
        if (next < count) fetch(images, order ? order[next] : next, held);
        forward(s, weights, scratch + (size_t)SCRATCH * blockIdx.x);
        FOR(k, CLASSES) logits[(size_t)CLASSES * at + k] = s.logit[k];
    }
}
