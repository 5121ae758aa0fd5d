// Layers of generated networks that have weights.

// The weights of a convolution as convolve takes them: TAP floats for each place of the kernel, in which a
// row of LINE floats has all weights of one input channel, zero past the last; the bias after them.
// Turned ones are for the gradient of the input: the kernel's places backwards, the channels swapped.
template <int OUTPUTS, int INPUTS, int AREA, int TAP, int LINE, int LINES, bool TURNED>
FN void stage(const float *weights, const float *bias, float *to) {
    constexpr int N = OUTPUTS * INPUTS * AREA, BATCH = 8;
    // Several loads are under way before the first value is stored.
    for (int from = (int)threadIdx.x; from < N; from += BATCH * (int)blockDim.x) {
        float w[BATCH];
#pragma unroll
        for (int j = 0; j < BATCH; j++) {
            int t = from + j * (int)blockDim.x;
            w[j] = t < N ? weights[t] : 0.0f;
        }
#pragma unroll
        for (int j = 0; j < BATCH; j++) {
            int t = from + j * (int)blockDim.x, tap = t % AREA, i = t / AREA % INPUTS, o = t / (AREA * INPUTS);
            if (t < N) to[TURNED ? (AREA - 1 - tap) * TAP + o * LINE + i : tap * TAP + i * LINE + o] = w[j];
        }
    }
    constexpr int USED = TURNED ? OUTPUTS : INPUTS, WIDTH = TURNED ? INPUTS : OUTPUTS;
    if constexpr (USED < LINES || WIDTH < LINE)
        FOR(t, AREA * LINES * LINE) {
            int i = t / LINE % LINES, o = t % LINE;
            if (i >= USED || o >= WIDTH) to[t / (LINES * LINE) * TAP + i * LINE + o] = 0.0f;
        }
    FOR(o, LINE) to[AREA * TAP + o] = !TURNED && o < OUTPUTS && bias ? bias[o] : 0.0f;
}

// A convolution. A thread computes O channels of DOWN x ACROSS pixels; neighbouring threads see the same
// pixels and other channels. CORNER is where the kernel's first place is for the first pixel.
template <class In, class Out, class Mask, int K, int STRIDE, int CORNER, int DOWN, int ACROSS, int O, int TAP,
          int LINE, int MODE>
FN void convolve(const float *in, const float *weights, float *out, const float *mask) {
    constexpr int V = In::VECTOR, SEEN = (ACROSS - 1) * STRIDE + K, PARTS = (Out::PADDED + O - 1) / O;
    constexpr int COLUMNS = (Out::W + ACROSS - 1) / ACROSS, ROWS = (Out::H + DOWN - 1) / DOWN;
    FOR(t, PARTS * COLUMNS * ROWS) {
        const int c = t % PARTS * O, x = t / PARTS % COLUMNS * ACROSS, y = t / (PARTS * COLUMNS) * DOWN;
        const float *rows[DOWN];
        float a[DOWN][ACROSS][O];
#pragma unroll
        for (int d = 0; d < DOWN; d++) {
            int row = Out::H % DOWN == 0 || y + d < Out::H ? y + d : Out::H - 1;
            rows[d] = in + CORNER + STRIDE * (row * In::ROW + x * In::PIXEL);
#pragma unroll
            for (int s = 0; s < ACROSS; s++) load<O>(weights + K * K * TAP + c, a[d][s]);
        }
#pragma unroll 1
        for (int ky = 0; ky < K; ky++)
#pragma unroll 1
            for (int i = 0; i < In::PADDED; i += V) {
                float seen[DOWN][SEEN][V];
#pragma unroll
                for (int d = 0; d < DOWN; d++)
#pragma unroll
                    for (int s = 0; s < SEEN; s++) load<V>(rows[d] + ky * In::ROW + s * In::PIXEL + i, seen[d][s]);
#pragma unroll
                for (int kx = 0; kx < K; kx++)
#pragma unroll
                    for (int j = 0; j < V; j++) {
                        float w[O];
                        load<O>(weights + (K * ky + kx) * TAP + (i + j) * LINE + c, w);
#pragma unroll
                        for (int d = 0; d < DOWN; d++)
#pragma unroll
                            for (int s = 0; s < ACROSS; s++)
#pragma unroll
                                for (int o = 0; o < O; o++)
                                    a[d][s][o] = fmaf(w[o], seen[d][s * STRIDE + kx][j], a[d][s][o]);
                    }
            }
#pragma unroll
        for (int d = 0; d < DOWN; d++)
#pragma unroll
            for (int s = 0; s < ACROSS; s++)
                if (y + d < Out::H && x + s < Out::W)
                    keep_all<Out, O, MODE>(a[d][s], c, out + Out::at(y + d, x + s), mask + Mask::at(y + d, x + s));
    }
}

// What N pixels of a row add to the gradients of a row of a kernel.
template <class X, class G, int K, int STRIDE, int I, int N>
FN void row_products(const float *x, const float *g, float (&a)[K][I][G::VECTOR]) {
    float seen[(N - 1) * STRIDE + K][I], grads[N][G::VECTOR];
#pragma unroll
    for (int s = 0; s < (N - 1) * STRIDE + K; s++) load<I>(x + s * X::PIXEL, seen[s]);
#pragma unroll
    for (int n = 0; n < N; n++) load<G::VECTOR>(g + n * (G::STEP * G::PIXEL), grads[n]);
#pragma unroll
    for (int n = 0; n < N; n++)
#pragma unroll
        for (int kx = 0; kx < K; kx++)
#pragma unroll
            for (int i = 0; i < I; i++)
#pragma unroll
                for (int o = 0; o < G::VECTOR; o++)
                    a[kx][i][o] = fmaf(grads[n][o], seen[n * STRIDE + kx][i], a[kx][i][o]);
}

// The gradients of a convolution's weights, in the order of the weights. A thread holds a row of the kernels
// between I input channels and a few output channels and goes over one of PARTS groups of rows, N pixels at
// a time. With more than one part `sums` takes one array for each, else `out` takes the gradients.
template <class X, class G, int K, int STRIDE, int CORNER, int I, int N, int PARTS>
FN void weight_gradients(const float *x, const float *g, float *sums, float *out, bool adds) {
    constexpr int O = G::VECTOR, OS = G::PADDED / O, IS = X::PADDED / I, REST = G::W % N;
    FOR(t, OS * IS * K * PARTS) {
        const int o = t % OS * O, i = t / OS % IS * I, ky = t / (OS * IS) % K, part = t / (OS * IS * K);
        float a[K][I][O] = {};
#pragma unroll 1
        for (int y = part * G::H / PARTS; y < (part + 1) * G::H / PARTS; y++) {
            const float *from = x + CORNER + (y * STRIDE + ky) * X::ROW + i, *grads = g + G::at(y, 0) + o;
#pragma unroll 1
            for (int n = 0; n < G::W / N; n++)
                row_products<X, G, K, STRIDE, I, N>(from + n * (N * STRIDE * X::PIXEL),
                                                    grads + n * (N * G::STEP * G::PIXEL), a);
            if constexpr (REST != 0)
                row_products<X, G, K, STRIDE, I, REST>(from + (G::W - REST) * (STRIDE * X::PIXEL),
                                                       grads + (G::W - REST) * (G::STEP * G::PIXEL), a);
        }
#pragma unroll
        for (int n = 0; n < O; n++)
#pragma unroll
            for (int j = 0; j < I; j++) {
                if (o + n >= G::C || i + j >= X::C) continue;
                int to = (((o + n) * X::C + i + j) * K + ky) * K;
#pragma unroll
                for (int kx = 0; kx < K; kx++)
                    if constexpr (PARTS == 1) put(&out[to + kx], a[kx][j][n], adds);
                    else sums[part * (G::C * X::C * K * K) + to + kx] = a[kx][j][n];
            }
    }
}

// The gradients of a convolution's biases, by row.
template <class G> FN void bias_gradients(const float *g, float *rows) {
    FOR(t, G::C * G::H) {
        const float *from = g + G::at(t / G::C, 0) + t % G::C;
        float sum = 0.0f;
#pragma unroll 8
        for (int x = 0; x < G::W; x++) sum = sum + from[x * (G::STEP * G::PIXEL)];
        rows[t] = sum;
    }
}

// Gradients from PARTS arrays of N sums.
template <int N, int PARTS> FN void put_sums(const float *sums, float *out, bool adds) {
    FOR(t, N) {
        float sum = sums[t];
#pragma unroll 8
        for (int part = 1; part < PARTS; part++) sum = sum + sums[part * N + t];
        put(&out[t], sum, adds);
    }
}

// Each of PARTS neighbouring threads takes every PARTS-th input of an output.
template <int INPUTS, int OUTPUTS, int PARTS> FN void linear(const float *x, const float *weights, float *sums) {
    FOR(t, OUTPUTS * PARTS) {
        const float *row = weights + t / PARTS * INPUTS;
        float sum = 0.0f;
#pragma unroll 8
        for (int i = t % PARTS; i < INPUTS; i += PARTS) sum = fmaf(row[i], x[i], sum);
        sums[t] = sum;
    }
}

template <int OUTPUTS, int PARTS, int MODE> FN void linear_sums(const float *sums, const float *bias, float *y) {
    FOR(o, OUTPUTS) {
        float sum = bias ? bias[o] : 0.0f;
#pragma unroll 8
        for (int part = 0; part < PARTS; part++) sum = sum + sums[o * PARTS + part];
        keep<MODE>(sum, &y[o], nullptr);
    }
}

template <int INPUTS, int OUTPUTS>
FN void linear_weight_gradients(const float *x, const float *g, float *out, bool adds) {
    FOR(t, INPUTS * OUTPUTS) put(&out[t], g[t / INPUTS] * x[t % INPUTS], adds);
}

// The gradient of a linear layer's input, from PARTS groups of outputs.
template <int INPUTS, int OUTPUTS, int PARTS>
FN void linear_input_gradients(const float *g, const float *weights, float *sums) {
    FOR(t, INPUTS * PARTS) {
        int part = t / INPUTS, i = t % INPUTS;
        float sum = 0.0f;
#pragma unroll 8
        for (int o = part * OUTPUTS / PARTS; o < (part + 1) * OUTPUTS / PARTS; o++)
            sum = fmaf(g[o], weights[o * INPUTS + i], sum);
        sums[t] = sum;
    }
}

template <int N, int PARTS, int MODE> FN void keep_sums(const float *sums, float *out, const float *mask) {
    FOR(t, N) {
        float sum = sums[t];
#pragma unroll 8
        for (int part = 1; part < PARTS; part++) sum = sum + sums[part * N + t];
        keep<MODE>(sum, out + t, mask + t);
    }
}

template <int N> FN void put_all(const float *from, float *out, bool adds) {
    FOR(t, N) put(&out[t], from[t], adds);
}
