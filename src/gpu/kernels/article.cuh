// The article's network: conv 1->6 (5x5), ReLU, pool 2, conv 6->16 (5x5), ReLU, pool 2, linear 256->10.
#ifndef THREADS
#define THREADS 512
#endif
enum { W1 = 0, B1 = 150, W2 = 156, B2 = 2556, W3 = 2572, B3 = 5132 };
enum { PARAMETERS = 5142, CLASSES = 10, IMAGE = 784, SCRATCH = 0 };
enum { OFF = 4 };     // a pooling window whose maximum is not positive
enum { KERNEL_5 = 28 }; // floats of a 5x5 kernel: 25, and three so that four can be loaded at once
enum { MAP = 146 };   // floats of a map of the first pooling: 144, and two against bank conflicts

struct Shared {
    // Those that are loaded four or two at a time come first: each is a multiple of 16 bytes long.
    float w1[6 * KERNEL_5], w2[96 * KERNEL_5], w3[2560];
    float image[IMAGE];
    float p1[6 * MAP];
    float p2[256], g2[256];
    // In turn: sums of half of the input channels; gradients of p1 from a quarter of the output channels;
    // sums of the first convolution's gradients by row.
    float sums[4 * 864];
    float g1[864];
    unsigned char k1[864], k2[256];
    float part[160], rows[72];
    float b1[8], b2[16], b3[CLASSES];
    float logit[CLASSES], dlogit[CLASSES], exps[CLASSES], top;
};

// Takes the weights into the block's memory; SYNC comes after it. All loads are under way before the first store.
FN void begin(Shared &s, const float *weights) {
    enum { MOST = DEVICE ? (B2 - W2 + THREADS - 1) / THREADS : 1 };
    float w2[MOST], w3[4 * MOST];
    for (int from = (int)threadIdx.x; from < B2 - W2; from += MOST * (int)blockDim.x) {
        const int stride = (int)blockDim.x;
#pragma unroll
        for (int j = 0; j < MOST; j++)
            if (from + j * stride < B2 - W2) w2[j] = weights[W2 + from + j * stride];
#pragma unroll
        for (int j = 0; j < MOST; j++)
            if (4 * (from + j * stride) < B3 - W3) load4(&weights[W3 + 4 * (from + j * stride)], &w3[4 * j]);
#pragma unroll
        for (int j = 0; j < MOST; j++) {
            int t = from + j * stride;
            if (t < B2 - W2) s.w2[t / 25 * KERNEL_5 + t % 25] = w2[j];
        }
#pragma unroll
        for (int j = 0; j < MOST; j++) {
            int t = 4 * (from + j * stride);
            if (t < B3 - W3) store4(&w3[4 * j], &s.w3[t]);
        }
    }
    PART(t, B1, 0, 160) s.w1[t / 25 * KERNEL_5 + t % 25] = weights[W1 + t];
    PART(t, W2 - B1, 160, 192) s.b1[t] = weights[B1 + t];
    PART(t, W3 - B2, 192, 224) s.b2[t] = weights[B2 + t];
    PART(t, CLASSES, 224, 256) s.b3[t] = weights[B3 + t];
}

// Convolution of a 6x6 patch with a 5x5 kernel, added to the four outputs of a pooling window.
FN void window(const float *from, int stride, const float *kernel, float a[4]) {
    float patch[36], w[KERNEL_5];
#pragma unroll
    for (int y = 0; y < 6; y++)
#pragma unroll
        for (int x = 0; x < 6; x += 2) load2(from + y * stride + x, patch + 6 * y + x);
#pragma unroll
    for (int i = 0; i < KERNEL_5; i += 4) load4(kernel + i, w + i);
#pragma unroll
    for (int ky = 0; ky < 5; ky++)
#pragma unroll
        for (int kx = 0; kx < 5; kx++) {
            float v = w[5 * ky + kx];
            a[0] = fmaf(v, patch[6 * ky + kx], a[0]);
            a[1] = fmaf(v, patch[6 * ky + kx + 1], a[1]);
            a[2] = fmaf(v, patch[6 * ky + kx + 6], a[2]);
            a[3] = fmaf(v, patch[6 * ky + kx + 7], a[3]);
        }
}

// ReLU and maximum; of equal values the first has the gradient, none where the maximum is not positive.
FN void pool(const float a[4], float *value, unsigned char *code) {
    float best = a[0];
    int k = 0;
#pragma unroll
    for (int i = 1; i < 4; i++)
        if (a[i] > best || a[i] != a[i]) best = a[i], k = i;
    bool on = best > 0.0f || best != best;
    *value = on ? best : 0.0f;
    *code = (unsigned char)(on ? k : OFF);
}

// From s.image to s.logit; SYNC comes before it and is its end.
FN void forward(Shared &s, const float *, float *) {
    FOR(t, 432) { // two channels of a cell of the first pooling
        int cell = t % 144, y = cell / 12, x = cell % 12, c0 = t / 144 * 2;
#pragma unroll
        for (int i = 0; i < 2; i++) {
            int c = c0 + i;
            float b = s.b1[c], a[4] = {b, b, b, b};
            window(&s.image[2 * y * 28 + 2 * x], 28, &s.w1[KERNEL_5 * c], a);
            pool(a, &s.p1[c * MAP + cell], &s.k1[c * 144 + cell]);
        }
    }
    SYNC();
    FOR(t, 512) { // a cell of the second pooling, from half of the input channels
        int u = t % 256, half = t / 256, o = u / 16, y = u % 16 / 4, x = u % 4;
        float b = half ? 0.0f : s.b2[o], a[4] = {b, b, b, b};
        for (int i = 3 * half; i < 3 * half + 3; i++)
            window(&s.p1[i * MAP + 2 * y * 12 + 2 * x], 12, &s.w2[(6 * o + i) * KERNEL_5], a);
#pragma unroll
        for (int j = 0; j < 4; j++) s.sums[1024 * half + 256 * j + u] = a[j];
    }
    SYNC();
    FOR(t, 256) {
        float a[4];
#pragma unroll
        for (int j = 0; j < 4; j++) a[j] = s.sums[256 * j + t] + s.sums[1024 + 256 * j + t];
        pool(a, &s.p2[t], &s.k2[t]);
    }
    SYNC();
    FOR(t, 160) {
        int k = t / 16, j = t % 16;
        float sum = 0.0f;
#pragma unroll
        for (int i = 0; i < 16; i++) sum = fmaf(s.w3[256 * k + 16 * i + j], s.p2[16 * i + j], sum);
        s.part[t] = sum;
    }
    SYNC();
    FOR(k, CLASSES) {
        float sum = s.b3[k];
#pragma unroll
        for (int j = 0; j < 16; j++) sum = sum + s.part[16 * k + j];
        s.logit[k] = sum;
    }
    SYNC();
}

// The gradient of a row of places in map i, from four output channels. Two rows of a kernel can reach a row of
// windows; a window has its gradient at one of four places, so that the same code serves all.
FN void row_gradient(Shared &s, int quarter, int y, int i) {
    float a[12] = {0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
    for (int o = 4 * quarter; o < 4 * quarter + 4; o++) {
        const float *kernel = &s.w2[(6 * o + i) * KERNEL_5];
        for (int cy = 0; cy < 4; cy++) {
            int dy = y - 2 * cy;
            if (dy < 0 || dy > 5) continue;
            float g[4], upper[5], lower[5]; // for gradients in the upper and the lower row of windows
            unsigned codes = load_codes(&s.k2[16 * o + 4 * cy]);
            load4(&s.g2[16 * o + 4 * cy], g);
            const float *row = kernel + 5 * dy;
#pragma unroll
            for (int kx = 0; kx < 5; kx++) {
                upper[kx] = dy <= 4 ? row[kx] : 0.0f;
                lower[kx] = dy >= 1 ? row[kx - 5] : 0.0f;
            }
#pragma unroll
            for (int cx = 0; cx < 4; cx++) {
                int k = (int)(codes >> 8 * cx) & 3;
                bool right = k & 1;
                float w[7];
                w[0] = w[6] = 0.0f;
#pragma unroll
                for (int kx = 0; kx < 5; kx++) w[kx + 1] = k & 2 ? lower[kx] : upper[kx];
#pragma unroll
                for (int x = 0; x < 6; x++) a[2 * cx + x] = fmaf(g[cx], right ? w[x] : w[x + 1], a[2 * cx + x]);
            }
        }
    }
#pragma unroll
    for (int x = 0; x < 12; x += 4) store4(&a[x], &s.sums[864 * quarter + 144 * i + 12 * y + x]);
}

// From s.dlogit to the gradients of one image, put into out[PARAMETERS]; SYNC comes before it. After its last
// SYNC it does not look at what the next image changes before its first one: s.image.
FN void backward(Shared &s, const float *, float *, float *out, bool adds) {
    PART(t, 256, 0, 256) {
        float sum = 0.0f;
#pragma unroll
        for (int k = 0; k < CLASSES; k++) sum = fmaf(s.dlogit[k], s.w3[256 * k + t], sum);
        s.g2[t] = s.k2[t] == OFF ? 0.0f : sum;
    }
    PART(t, 2560, 256, 512) put(&out[W3 + t], s.dlogit[t / 256] * s.p2[t % 256], adds);
    FOR(k, CLASSES) put(&out[B3 + k], s.dlogit[k], adds);
    SYNC();
    // Warps of 32 threads see the same windows and mostly the same rows.
    PART(t, 256, 0, 256) row_gradient(s, t / 64, t % 64 / 6, t % 64 % 6);
    PART(t, 32, 256, 288) row_gradient(s, t / 8, (64 + t % 8) / 6, (64 + t % 8) % 6);
    PART(t, 480, 288, 512) { // a row of five weights of the second convolution
        int o = t / 30, i = t / 5 % 6, ky = t % 5;
        float a[5] = {0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
#pragma unroll 2
        for (int cy = 0; cy < 4; cy++) {
            float g[4];
            unsigned codes = load_codes(&s.k2[16 * o + 4 * cy]);
            load4(&s.g2[16 * o + 4 * cy], g);
#pragma unroll
            for (int cx = 0; cx < 4; cx++) {
                int k = (int)(codes >> 8 * cx) & 3;
                const float *row = &s.p1[i * MAP + (2 * cy + k / 2 + ky) * 12 + 2 * cx + k % 2];
#pragma unroll
                for (int kx = 0; kx < 5; kx++) a[kx] = fmaf(g[cx], row[kx], a[kx]);
            }
        }
#pragma unroll
        for (int kx = 0; kx < 5; kx++) put(&out[W2 + 150 * o + 25 * i + 5 * ky + kx], a[kx], adds);
    }
    PART(o, 16, 496, 512) {
        float sum = 0.0f;
        for (int cell = 0; cell < 16; cell++) sum = sum + s.g2[16 * o + cell];
        put(&out[B2 + o], sum, adds);
    }
    SYNC();
    FOR(t, 864) {
        float sum = s.sums[t] + s.sums[864 + t] + s.sums[1728 + t] + s.sums[2592 + t];
        s.g1[t] = s.k1[t] == OFF ? 0.0f : sum;
    }
    SYNC();
    FOR(t, 360) { // what a row of windows adds to a row of five weights of the first convolution
        int c = t / 60, y = t / 5 % 12, ky = t % 5;
        float a[5] = {0.0f, 0.0f, 0.0f, 0.0f, 0.0f}, sum = 0.0f;
#pragma unroll
        for (int x0 = 0; x0 < 12; x0 += 4) {
            float g[4];
            unsigned codes = load_codes(&s.k1[c * 144 + y * 12 + x0]);
            load4(&s.g1[c * 144 + y * 12 + x0], g);
#pragma unroll
            for (int x = 0; x < 4; x++) {
                int k = (int)(codes >> 8 * x) & 3;
                const float *row = &s.image[(2 * y + k / 2 + ky) * 28 + 2 * (x0 + x) + k % 2];
#pragma unroll
                for (int kx = 0; kx < 5; kx++) a[kx] = fmaf(g[x], row[kx], a[kx]);
                sum = sum + g[x];
            }
        }
#pragma unroll
        for (int kx = 0; kx < 5; kx++) s.sums[(c * 12 + y) * 25 + 5 * ky + kx] = a[kx];
        if (ky == 0) s.rows[c * 12 + y] = sum;
    }
    SYNC();
    PART(t, 150, 0, 160) {
        float sum = 0.0f;
#pragma unroll
        for (int y = 0; y < 12; y++) sum = sum + s.sums[(t / 25 * 12 + y) * 25 + t % 25];
        put(&out[W1 + t], sum, adds);
    }
    PART(c, 6, 160, 192) {
        float sum = 0.0f;
#pragma unroll
        for (int y = 0; y < 12; y++) sum = sum + s.rows[c * 12 + y];
        put(&out[B1 + c], sum, adds);
    }
}
