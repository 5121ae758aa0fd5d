// Layers of generated networks: values in memory, and the layers that combine no weights with them.
//
// Maps have their channels last, so that any pixel's channels can be loaded four at a time whatever the
// kernel, stride and padding; borders of zeros lie around them, so that no loop asks for the edge.

template <int N> FN void load(const float *from, float *to) {
    if constexpr (N % 4 == 0) {
#pragma unroll
        for (int i = 0; i < N; i += 4) load4(from + i, to + i);
    } else if constexpr (N % 2 == 0) {
#pragma unroll
        for (int i = 0; i < N; i += 2) load2(from + i, to + i);
    } else {
#pragma unroll
        for (int i = 0; i < N; i++) to[i] = from[i];
    }
}

// Where the values of a layer lie. Each pixel has C channels, handled VECTOR at a time (those past the last
// are zero), in PIXEL floats; each row has COLUMNS pixels. The first pixel has TOP rows and columns of
// zeros before it, and STEP - 1 pixels of zeros lie between neighbours.
template <int Channels, int Height, int Width, int Pixel, int Vector, int Rows, int Columns, int Top, int Step>
struct Maps {
    static constexpr int C = Channels, H = Height, W = Width, PIXEL = Pixel, VECTOR = Vector, TOP = Top, STEP = Step;
    static constexpr int ROWS = Rows, COLUMNS = Columns, ROW = COLUMNS * PIXEL, ORIGIN = TOP * (ROW + PIXEL);
    static constexpr int PADDED = (C + VECTOR - 1) / VECTOR * VECTOR, ALL = PADDED * H * W;
    FN int at(int y, int x) { return ORIGIN + STEP * (y * ROW + x * PIXEL); }
    // The place of the t-th value of all, channels first as in a row after flatten.
    FN int place(int t) { return at(t / W % H, t % W) + t / (H * W); }
};

// How values are written: as they are; through ReLU; only where a mask is positive, which is how gradients
// pass ReLU; added to what is there.
enum { PLAIN = 0, RELU = 1, MASKED = 2, ADDS = 4 };

template <int MODE> FN void keep(float value, float *to, const float *mask) {
    if (MODE & RELU) value = value > 0.0f || value != value ? value : 0.0f;
    if (MODE & MASKED) value = *mask > 0.0f ? value : 0.0f;
    *to = MODE & ADDS ? *to + value : value;
}

// The same for N channels of a pixel from c; those past the last become zero.
template <class Out, int N, int MODE> FN void keep_all(const float *values, int c, float *to, const float *mask) {
    constexpr int PART = N % 4 == 0 && Out::VECTOR == 4 ? 4 : 1;
#pragma unroll
    for (int n = 0; n < N; n += PART) {
        if (c + n >= Out::PADDED) continue;
        float now[PART], on[PART];
        if (MODE & ADDS) load<PART>(to + c + n, now);
        if (MODE & MASKED) load<PART>(mask + c + n, on);
#pragma unroll
        for (int i = 0; i < PART; i++)
            keep<MODE>(c + n + i < Out::C ? values[n + i] : 0.0f, &now[i], &on[i]);
        if constexpr (PART == 4) store4(now, to + c + n);
        else to[c + n] = now[0];
    }
}

// Every channel of every pixel of some maps, those past the last included.
#define EACH(M, y, x, c)                                                                           \
    FOR(t, M::ALL)                                                                                 \
    for (int c = t % M::PADDED, x = t / M::PADDED % M::W, y = t / (M::PADDED * M::W), once = 1; once; once = 0)

// Zeros around and between the pixels.
template <class M> FN void frame(float *maps) {
    FOR(t, M::ROWS * M::COLUMNS) {
        int y = t / M::COLUMNS - M::TOP, x = t % M::COLUMNS - M::TOP;
        bool inside = y >= 0 && x >= 0 && y % M::STEP == 0 && x % M::STEP == 0;
        inside = inside && y / M::STEP < M::H && x / M::STEP < M::W;
        if (!inside)
            for (int c = 0; c < M::PADDED; c++) maps[t * M::PIXEL + c] = 0.0f;
    }
}

// Maps from values that lie channels first, as images do and rows after flatten.
template <class Out, class Mask, int MODE> FN void unflatten(const float *row, float *out, const float *mask) {
    EACH(Out, y, x, c) {
        float value = c < Out::C ? row[(c * Out::H + y) * Out::W + x] : 0.0f;
        keep<MODE>(value, out + Out::at(y, x) + c, mask + Mask::at(y, x) + c);
    }
}

template <class In> FN void flatten(const float *in, float *row) {
    FOR(t, In::C * In::H * In::W) row[t] = in[In::place(t)];
}

template <class In, class Out, class Mask, int MODE>
FN void copy(const float *in, float *out, const float *mask) {
    EACH(Out, y, x, c) keep<MODE>(in[In::at(y, x) + c], out + Out::at(y, x) + c, mask + Mask::at(y, x) + c);
}

template <class A, class B, class Out> FN void add(const float *a, const float *b, float *out) {
    EACH(Out, y, x, c) out[Out::at(y, x) + c] = a[A::at(y, x) + c] + b[B::at(y, x) + c];
}

// The normal distribution's density times sqrt(2 pi), and the share below x, to about 1e-7 (Abramowitz and
// Stegun 7.1.26).
FN void normal(float x, float *bell, float *below) {
    *bell = exp_down(-0.5f * x * x);
    float t = 1.0f / (1.0f + 0.3275911f * fabsf(x) * 0.70710678f);
    float series = 1.061405429f * t;
    series = (series - 1.453152027f) * t;
    series = (series + 1.421413741f) * t;
    series = (series - 0.284496736f) * t;
    series = (series + 0.254829592f) * t;
    float tail = 0.5f * series * *bell;
    *below = x > 0.0f ? 1.0f - tail : tail;
}

template <class In, class Out> FN void gelu(const float *in, float *out) {
    EACH(Out, y, x, c) {
        float v = in[In::at(y, x) + c], bell, below;
        normal(v, &bell, &below);
        out[Out::at(y, x) + c] = v * below;
    }
}

// Of the gradient of GELU's output that of its input.
template <class In, class G, class Out, class Mask, int MODE>
FN void gelu_gradient(const float *in, const float *g, float *out, const float *mask) {
    EACH(Out, y, x, c) {
        float v = in[In::at(y, x) + c], bell, below;
        normal(v, &bell, &below);
        float slope = fmaf(v * bell, 0.39894228f, below);
        keep<MODE>(g[G::at(y, x) + c] * slope, out + Out::at(y, x) + c, mask + Mask::at(y, x) + c);
    }
}

// The largest of each window; `winners` has its place in the window, of equal values the first.
template <class In, class Out, int SIZE, int STRIDE, class Place>
FN void max_pool(const float *in, float *out, Place *winners) {
    EACH(Out, y, x, c) {
        const float *from = in + In::at(y * STRIDE, x * STRIDE) + c;
        float best = *from;
        int winner = 0;
#pragma unroll 16
        for (int i = 1; i < SIZE * SIZE; i++) {
            float v = from[i / SIZE * In::ROW + i % SIZE * In::PIXEL];
            if (v > best || v != v) best = v, winner = i;
        }
        out[Out::at(y, x) + c] = best;
        winners[t] = (Place)winner;
    }
}

// The windows of a pooling that a pixel is in, from first to last in each direction.
template <int SIZE, int STRIDE, int N> FN void covering(int at, int *first, int *last) {
    *first = at < SIZE ? 0 : (at - SIZE) / STRIDE + 1;
    *last = at / STRIDE < N - 1 ? at / STRIDE : N - 1;
}

// G is where the gradient of the pooled values lies.
template <class G, class Out, class Mask, int MODE, int SIZE, int STRIDE, class Place>
FN void max_pool_gradient(const float *g, const Place *winners, float *out, const float *mask) {
    if constexpr (SIZE <= STRIDE) {
        // A pixel is in one window at most: a thread takes a window and what follows it until the next.
        constexpr int ROWS = (Out::H + STRIDE - 1) / STRIDE, COLUMNS = (Out::W + STRIDE - 1) / STRIDE;
        FOR(t, ROWS * COLUMNS * Out::PADDED) {
            int c = t % Out::PADDED, u = t / Out::PADDED % COLUMNS, v = t / (Out::PADDED * COLUMNS);
            bool whole = v < G::H && u < G::W;
            int winner = whole ? (int)winners[(v * G::W + u) * G::PADDED + c] : -1;
            float value = whole ? g[G::at(v, u) + c] : 0.0f;
#pragma unroll 16
            for (int i = 0; i < STRIDE * STRIDE; i++) {
                int dy = i / STRIDE, dx = i % STRIDE, y = v * STRIDE + dy, x = u * STRIDE + dx;
                if (y >= Out::H || x >= Out::W) continue;
                bool won = dy < SIZE && dx < SIZE && winner == dy * SIZE + dx;
                keep<MODE>(won ? value : 0.0f, out + Out::at(y, x) + c, mask + Mask::at(y, x) + c);
            }
        }
    } else {
        EACH(Out, y, x, c) {
            int top, bottom, left, right;
            covering<SIZE, STRIDE, G::H>(y, &top, &bottom);
            covering<SIZE, STRIDE, G::W>(x, &left, &right);
            float sum = 0.0f;
            for (int v = top; v <= bottom; v++)
                for (int u = left; u <= right; u++) {
                    int place = (y - v * STRIDE) * SIZE + x - u * STRIDE;
                    if ((int)winners[(v * G::W + u) * G::PADDED + c] == place) sum = sum + g[G::at(v, u) + c];
                }
            keep<MODE>(sum, out + Out::at(y, x) + c, mask + Mask::at(y, x) + c);
        }
    }
}

template <class In, class Out, int SIZE, int STRIDE> FN void avg_pool(const float *in, float *out) {
    EACH(Out, y, x, c) {
        const float *from = in + In::at(y * STRIDE, x * STRIDE) + c;
        float sum = 0.0f;
#pragma unroll 16
        for (int i = 0; i < SIZE * SIZE; i++)
            sum = sum + from[i / SIZE * In::ROW + i % SIZE * In::PIXEL];
        out[Out::at(y, x) + c] = sum * (1.0f / (SIZE * SIZE));
    }
}

template <class G, class Out, class Mask, int MODE, int SIZE, int STRIDE>
FN void avg_pool_gradient(const float *g, float *out, const float *mask) {
    EACH(Out, y, x, c) {
        int top, bottom, left, right;
        covering<SIZE, STRIDE, G::H>(y, &top, &bottom);
        covering<SIZE, STRIDE, G::W>(x, &left, &right);
        float sum = 0.0f;
        for (int v = top; v <= bottom; v++)
            for (int u = left; u <= right; u++) sum = sum + g[G::at(v, u) + c];
        keep<MODE>(sum * (1.0f / (SIZE * SIZE)), out + Out::at(y, x) + c, mask + Mask::at(y, x) + c);
    }
}

template <class In, class Out> FN void global_average(const float *in, float *out) {
    FOR(c, In::C) {
        float sum = 0.0f;
        for (int y = 0; y < In::H; y++)
#pragma unroll 8
            for (int x = 0; x < In::W; x++) sum = sum + in[In::at(y, x) + c];
        out[c] = sum / (float)(In::H * In::W);
    }
}

template <class Out, class Mask, int MODE>
FN void global_average_gradient(const float *g, float *out, const float *mask) {
    EACH(Out, y, x, c) {
        float value = c < Out::C ? g[c] / (float)(Out::H * Out::W) : 0.0f;
        keep<MODE>(value, out + Out::at(y, x) + c, mask + Mask::at(y, x) + c);
    }
}
