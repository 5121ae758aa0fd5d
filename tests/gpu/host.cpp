// Trains the article's network by the kernels' host build: host BLOCKS THREADS STEPS BATCH CHUNK. Prints every
// loss, and sums of the bits of weights, moments, gradient and logits. Images and weights are made up.
#include <cstdio>
#include <cstdlib>

#include "dialect.cuh"
#include "article.cuh"
#include "training.cuh"

namespace {
unsigned state = 1;
float uniform() { return (float)((state = state * 1664525u + 1013904223u) >> 8) / (float)(1 << 24) - 0.5f; }

unsigned long long bits(const std::vector<float> &values) {
    unsigned long long sum = 0;
    for (float value : values) sum = sum * 1099511628211ull + (unsigned)shim_as_int(value);
    return sum;
}
} // namespace

int main(int, char **arguments) {
    unsigned number[6] = {};
    for (int i = 1; i < 6; i++) number[i] = (unsigned)std::atoi(arguments[i]);
    unsigned blocks = number[1], threads = number[2], steps = number[3], batch = number[4], chunk = number[5];
    const unsigned count = 40;
    std::vector<unsigned char> images(count * IMAGE), answers(2 * steps * batch);
    std::vector<unsigned> labels(count), order(steps * batch), failed(steps);
    for (auto &pixel : images) pixel = (unsigned char)(255.0f * (uniform() + 0.5f));
    for (unsigned i = 0; i < count; i++) labels[i] = i % CLASSES;
    for (auto &place : order) place = (unsigned)((uniform() + 0.5f) * count) % count;
    std::vector<float> weights(PARAMETERS), first(PARAMETERS), second(PARAMETERS), average, gradient(PARAMETERS);
    for (auto &weight : weights) weight = 0.2f * uniform();
    average = weights;
    std::vector<float> partials((size_t)PARAMETERS * GROUPS), losses(steps * batch), logits(CLASSES * batch);
    std::vector<float> factors(FACTORS * steps, 1.0f);
    for (unsigned i = 0; i < steps; i++) factors[FACTORS * i + RATE] = 0.01f, factors[FACTORS * i + FOLLOW] = 0.1f;
    for (unsigned at = 0; at < steps; at += chunk) {
        unsigned now = steps - at < chunk ? steps - at : chunk, barrier = 0;
        // The last batch is short.
        unsigned total = now * batch - (at + now == steps && batch > 1 ? 1 : 0);
        Job job = {};
        job.order = &order[at * batch], job.factors = &factors[FACTORS * at];
        job.weights = weights.data(), job.first = first.data(), job.second = second.data();
        job.average = average.data(), job.gradient = gradient.data(), job.partials = partials.data();
        job.losses = &losses[at * batch], job.logits = logits.data(), job.answers = &answers[2 * at * batch];
        job.failed = &failed[at], job.barrier = &barrier;
        job.steps = now, job.batch = batch, job.total = total, job.rule = ADAM;
        job.beta1 = 0.9f, job.take1 = 0.1f, job.beta2 = 0.999f, job.take2 = 0.001f, job.epsilon = 1e-8f;
        job.smoothing = 0.1f;
        shim_launch(blocks, threads, sizeof(Shared), [&] { train(images.data(), labels.data(), &job, blocks); });
    }
    std::vector<float> evaluated(CLASSES * count);
    shim_launch(blocks, threads, sizeof(Shared), [&] {
        evaluate(images.data(), nullptr, count, weights.data(), nullptr, evaluated.data());
    });
    for (float loss : losses) std::printf("%.9g\n", loss);
    for (const auto &values : {weights, first, second, average, gradient, logits, evaluated})
        std::printf("%016llx\n", bits(values));
    for (unsigned char answer : answers) std::printf("%u ", answer);
    std::printf("\n");
}
