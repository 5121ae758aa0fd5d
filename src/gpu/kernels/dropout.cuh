// Dropout of generated networks: the draws are those of the CPU, ChaCha8 at the address of the step, the
// image's place in the batch and the layer.

// Where the draws of an image are found; in evaluation nothing is dropped.
struct Draws {
    unsigned key[8]; // seed, purpose, epoch and step, two words each
    unsigned position;
    bool drops;
};

// `key` is that of the first step.
FN Draws draws_of(const unsigned *key, unsigned step, unsigned position) {
    Draws draws;
#pragma unroll
    for (int i = 0; i < 8; i++) draws.key[i] = key[i];
    draws.key[6] += step;
    if (draws.key[6] < step) draws.key[7]++;
    draws.position = position;
    draws.drops = true;
    return draws;
}

FN unsigned rotated(unsigned x, int bits) { return x << bits | x >> (32 - bits); }

FN void quarter_round(unsigned &a, unsigned &b, unsigned &c, unsigned &d) {
    a += b, d = rotated(d ^ a, 16);
    c += d, b = rotated(b ^ c, 12);
    a += b, d = rotated(d ^ a, 8);
    c += d, b = rotated(b ^ c, 7);
}

// Sixteen draws of the layer's stream.
FN void chacha8(const Draws &draws, unsigned block, unsigned layer, unsigned words[16]) {
    // The stream is the position shifted by a byte, and the layer.
    unsigned start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, draws.key[0], draws.key[1], draws.key[2],
                          draws.key[3], draws.key[4], draws.key[5], draws.key[6], draws.key[7], block, 0,
                          draws.position << 8 | layer, draws.position >> 24};
#pragma unroll
    for (int i = 0; i < 16; i++) words[i] = start[i];
#pragma unroll 1
    for (int round = 0; round < 4; round++) {
        quarter_round(words[0], words[4], words[8], words[12]);
        quarter_round(words[1], words[5], words[9], words[13]);
        quarter_round(words[2], words[6], words[10], words[14]);
        quarter_round(words[3], words[7], words[11], words[15]);
        quarter_round(words[0], words[5], words[10], words[15]);
        quarter_round(words[1], words[6], words[11], words[12]);
        quarter_round(words[2], words[7], words[8], words[13]);
        quarter_round(words[3], words[4], words[9], words[14]);
    }
#pragma unroll
    for (int i = 0; i < 16; i++) words[i] += start[i];
}

// Values times their factors, or gradients times the same: zero where a draw is below `dropped`.
template <class In, class Out, class Mask, int MODE>
FN void dropout(const Draws &draws, unsigned layer, unsigned dropped, float kept, const float *in, float *out,
                const float *mask) {
    constexpr int N = In::C * In::H * In::W;
    FOR(t, (N + 15) / 16) {
        unsigned words[16];
        if (draws.drops) chacha8(draws, t, layer, words);
#pragma unroll
        for (int i = 0; i < 16; i++) {
            int at = 16 * t + i;
            if (at >= N) continue;
            float factor = !draws.drops ? 1.0f : words[i] < dropped ? 0.0f : kept;
            keep<MODE>(in[In::place(at)] * factor, out + Out::place(at), mask + Mask::place(at));
        }
    }
    if constexpr (Out::PADDED > Out::C && !(MODE & ADDS))
        FOR(t, Out::H * Out::W)
            for (int c = Out::C; c < Out::PADDED; c++) out[Out::at(t / Out::W, t % Out::W) + c] = 0.0f;
}
