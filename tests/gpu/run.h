// Runs kernels' host build for the pretended driver. One thread works on all, since results depend neither on
// threads nor on blocks.
template <class T> static T fake_argument(void **arguments, int place) { return *static_cast<T *>(arguments[place]); }

extern "C" int fake_run(int evaluates, unsigned grid, void **arguments) {
    if (evaluates) {
        shim_launch(1, 1, sizeof(Shared), [&] {
            evaluate(fake_argument<const unsigned char *>(arguments, 0), fake_argument<const unsigned *>(arguments, 1),
                     fake_argument<unsigned>(arguments, 2), fake_argument<const float *>(arguments, 3),
                     fake_argument<float *>(arguments, 4), fake_argument<float *>(arguments, 5));
        });
        return 0;
    }
    unsigned jobs = grid / fake_argument<unsigned>(arguments, 3);
    for (unsigned job = 0; job < jobs; job++)
        shim_launch(1, 1, sizeof(Shared), [&] {
            train(fake_argument<const unsigned char *>(arguments, 0), fake_argument<const unsigned *>(arguments, 1),
                  fake_argument<const Job *>(arguments, 2) + job, 1);
        });
    return 0;
}
