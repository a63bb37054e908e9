/* ReLU and 2 x 2 max-pooling with stride 2 over dense maps, and their gradients: PyTorch's numbers, bit for bit.

   Maps lie as (N, H, W, C) ("channels last"), so that the innermost loop runs along channels and becomes vector
   instructions. Which of the four pixels won is kept in one byte, where PyTorch keeps eight. NaN goes through, as in
   PyTorch: comparisons with it are false, hence `wins`. Compiled by _kernels.py, which says what calls it. */

#include <stdint.h>
#include <string.h>

static inline float of_float(float bits) { return bits; }

static inline float of_bfloat16(uint16_t bits) { /* the upper half of a float */
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

static inline int wins(float value, float most) { return (value > most) | (value != value); }

#define NOTHING 4 /* what won where ReLU leaves nothing */

/* One row of pooled maps; `relu` is a constant where this is called, so that each way has a loop of its own. */
#define POOL_ROW(T, value, relu)                                                                                       \
    for (int64_t j = 0; j < width / 2; j++) {                                                                          \
        const T *a = in + ((n * height + 2 * i) * width + 2 * j) * channels, *b = a + channels;                        \
        const T *c = a + width * channels, *d = c + channels;                                                          \
        int64_t at = ((n * (height / 2) + i) * (width / 2) + j) * channels;                                            \
        T *to = out + at;                                                                                              \
        uint8_t *won = winner + at;                                                                                    \
        _Pragma("omp simd") for (int64_t k = 0; k < channels; k++) {                                                   \
            T best = relu ? 0 : a[k];                                                                                  \
            float most = value(best);                                                                                  \
            uint8_t which = relu ? NOTHING : 0;                                                                        \
            if (relu && wins(value(a[k]), most)) best = a[k], most = value(best), which = 0;                           \
            if (wins(value(b[k]), most)) best = b[k], most = value(best), which = 1;                                   \
            if (wins(value(c[k]), most)) best = c[k], most = value(best), which = 2;                                   \
            if (wins(value(d[k]), most)) best = d[k], most = value(best), which = 3;                                   \
            to[k] = best, won[k] = which;                                                                              \
        }                                                                                                              \
    }

#define KERNELS(T, value)                                                                                              \
    void pool_##T(const T *restrict in, T *restrict out, uint8_t *restrict winner, int64_t count, int64_t height,      \
                  int64_t width, int64_t channels, int64_t relu) {                                                     \
        _Pragma("omp parallel for collapse(2) schedule(static)") for (int64_t n = 0; n < count; n++) {                 \
            for (int64_t i = 0; i < height / 2; i++) {                                                                 \
                if (relu) {                                                                                            \
                    POOL_ROW(T, value, 1)                                                                              \
                } else {                                                                                               \
                    POOL_ROW(T, value, 0)                                                                              \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    /* Writes every number of `to`, also where an odd row or column was left out. */                                   \
    void pool_gradient_##T(const T *restrict gradient, const uint8_t *restrict winner, T *restrict to, int64_t count,  \
                           int64_t height, int64_t width, int64_t channels) {                                          \
        _Pragma("omp parallel for collapse(2) schedule(static)") for (int64_t n = 0; n < count; n++) {                 \
            for (int64_t i = 0; i < height / 2; i++) {                                                                 \
                T *row = to + (n * height + 2 * i) * width * channels;                                                 \
                for (int64_t j = 0; j < width / 2; j++) {                                                              \
                    T *a = row + 2 * j * channels, *b = a + channels, *c = a + width * channels, *d = c + channels;    \
                    int64_t at = ((n * (height / 2) + i) * (width / 2) + j) * channels;                                \
                    const T *from = gradient + at;                                                                     \
                    const uint8_t *won = winner + at;                                                                  \
                    _Pragma("omp simd") for (int64_t k = 0; k < channels; k++) {                                       \
                        T one = from[k];                                                                               \
                        uint8_t which = won[k];                                                                        \
                        a[k] = which == 0 ? one : 0;                                                                   \
                        b[k] = which == 1 ? one : 0;                                                                   \
                        c[k] = which == 2 ? one : 0;                                                                   \
                        d[k] = which == 3 ? one : 0;                                                                   \
                    }                                                                                                  \
                }                                                                                                      \
                if (width % 2) {                                                                                       \
                    memset(row + (width - 1) * channels, 0, channels * sizeof(T));                                     \
                    memset(row + (2 * width - 1) * channels, 0, channels * sizeof(T));                                 \
                }                                                                                                      \
                if (height % 2 && i == height / 2 - 1) memset(row + 2 * width * channels, 0, width * channels * sizeof(T)); \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    void relu_##T(T *numbers, int64_t count) { /* in place */                                                          \
        _Pragma("omp parallel for simd schedule(static)") for (int64_t k = 0; k < count; k++)                          \
            numbers[k] = wins(value(numbers[k]), 0) ? numbers[k] : 0;                                                  \
    }                                                                                                                  \
                                                                                                                       \
    void relu_gradient_##T(const T *restrict gradient, const T *restrict out, T *restrict to, int64_t count) {         \
        _Pragma("omp parallel for simd schedule(static)") for (int64_t k = 0; k < count; k++)                          \
            to[k] = wins(value(out[k]), 0) ? gradient[k] : 0;                                                          \
    }

typedef uint16_t bfloat16;
KERNELS(float, of_float)
KERNELS(bfloat16, of_bfloat16)
