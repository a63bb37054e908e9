/* Loops of training on a processor, compiled by _kernels.py, which says what calls them.

   First ReLU and 2 x 2 max-pooling with stride 2 over dense maps, and their gradients: PyTorch's numbers, bit for bit.

   Maps lie as (N, H, W, C) ("channels last"), so that the innermost loop runs along channels and becomes vector
   instructions. Which of the four pixels won is kept in one byte, where PyTorch keeps eight. NaN goes through, as in
   PyTorch: comparisons with it are false, hence `wins`. ReLU makes 0 of -0, where PyTorch leaves it. */

#include <stdint.h>
#include <string.h>

#include "_lanes.h"

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
                if (height % 2 && i == height / 2 - 1)                                                                 \
                    memset(row + 2 * width * channels, 0, width * channels * sizeof(T));                               \
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

/* The first layers of many a classic in one go: 3 x 3 convolution of one channel, unpadded, ReLU and 2 x 2 pooling. The
   maps in between, eight times the size of what comes out, are never written. As many filters at a time as a register
   holds: of longer vectors gcc takes comparisons apart, number by number. */

typedef int32_t integers __attribute__((vector_size(4 * LANES), aligned(4)));

static inline lanes choose(integers mask, lanes yes, lanes no) { /* mask: all bits or none */
    return (lanes)(((integers)yes & mask) | ((integers)no & ~mask));
}

typedef uint32_t unsigneds __attribute__((vector_size(4 * LANES), aligned(4)));
typedef uint16_t lanes16 __attribute__((vector_size(2 * LANES), aligned(2)));
typedef uint8_t lanes8 __attribute__((vector_size(LANES), aligned(1)));

static inline lanes rounded_float(lanes value) { return value; }

static inline lanes rounded_bfloat16(lanes value) { /* to the nearest, ties to even */
    unsigneds bits = (unsigneds)value, odd = (bits >> 16) & 1;
    integers nan = (integers){0} + 0x7fc00000;
    return choose(value != value, (lanes)nan, (lanes)((bits + 0x7fff + odd) & 0xffff0000u));
}

static inline void store_float(float *to, lanes value) { *(lanes *)to = value; }

static inline void store_bfloat16(uint16_t *to, lanes value) {
    *(lanes16 *)to = __builtin_convertvector((unsigneds)value >> 16, lanes16);
}

static inline lanes load_float(const float *from) { return *(const lanes *)from; }

static inline lanes load_bfloat16(const uint16_t *from) {
    return (lanes)(__builtin_convertvector(*(const lanes16 *)from, unsigneds) << 16);
}

/* What the filters at `f` see of the four pixels that are pooled into one, rounded as T would be. */
#define SEEN(T, seen)                                                                                                  \
    lanes seen[4];                                                                                                     \
    for (int p = 0; p < 4; p++) seen[p] = *(const lanes *)(bias + f);                                                  \
    for (int u = 0; u < 3; u++) {                                                                                      \
        for (int v = 0; v < 3; v++) {                                                                                  \
            lanes filter = *(const lanes *)(filters + (3 * u + v) * count + f);                                        \
            for (int p = 0; p < 4; p++) seen[p] += filter * from[(u + p / 2) * width + v + p % 2];                     \
        }                                                                                                              \
    }                                                                                                                  \
    for (int p = 0; p < 4; p++) seen[p] = rounded_##T(seen[p]);

#define STEM(T)                                                                                                        \
    void stem_##T(const float *restrict images, const float *restrict filters, const float *restrict bias,             \
                  T *restrict out, uint8_t *restrict winner, int64_t n, int64_t height, int64_t width,                 \
                  int64_t count) {                                                                                     \
        int64_t rows = (height - 2) / 2, columns = (width - 2) / 2;                                                    \
        _Pragma("omp parallel for schedule(static)") for (int64_t row = 0; row < n * rows; row++) {                    \
            const float *start = images + (row / rows * height + 2 * (row % rows)) * width;                            \
            for (int64_t j = 0; j < columns; j++) {                                                                    \
                const float *from = start + 2 * j;                                                                     \
                for (int64_t f = 0; f < count; f += LANES) {                                                           \
                    SEEN(T, seen)                                                                                      \
                    lanes most = {0};                                                                                  \
                    integers which = (integers){0} + NOTHING;                                                          \
                    for (int p = 0; p < 4; p++) {                                                                      \
                        integers more = (seen[p] > most) | (seen[p] != seen[p]);                                       \
                        most = choose(more, seen[p], most);                                                            \
                        which = (which & ~more) | (p & more);                                                          \
                    }                                                                                                  \
                    int64_t at = (row * columns + j) * count + f;                                                      \
                    store_##T(out + at, most);                                                                         \
                    *(lanes8 *)(winner + at) = __builtin_convertvector(which, lanes8);                                 \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    /* `sums` (parts, 10, count): of each part of the rows, the gradients of the nine weights and, last, the bias. */  \
    void stem_gradient_##T(const T *restrict gradient, const uint8_t *restrict winner, const float *restrict images,   \
                           float *restrict sums, int64_t parts, int64_t n, int64_t height, int64_t width,              \
                           int64_t count) {                                                                            \
        int64_t rows = (height - 2) / 2, columns = (width - 2) / 2, all = n * rows;                                    \
        _Pragma("omp parallel for schedule(static)") for (int64_t part = 0; part < parts; part++) {                    \
            for (int64_t f = 0; f < count; f += LANES) {                                                               \
                lanes sum[10] = {{0}};                                                                                 \
                for (int64_t row = all * part / parts; row < all * (part + 1) / parts; row++) {                        \
                    const float *start = images + (row / rows * height + 2 * (row % rows)) * width;                    \
                    for (int64_t j = 0; j < columns; j++) {                                                            \
                        const float *from = start + 2 * j;                                                             \
                        int64_t at = (row * columns + j) * count + f;                                                  \
                        lanes coming = load_##T(gradient + at);                                                        \
                        integers which = __builtin_convertvector(*(const lanes8 *)(winner + at), integers);            \
                        for (int p = 0; p < 4; p++) {                                                                  \
                            lanes here = (lanes)((integers)coming & (which == p));                                     \
                            for (int u = 0; u < 3; u++)                                                                \
                                for (int v = 0; v < 3; v++)                                                            \
                                    sum[3 * u + v] += here * from[(u + p / 2) * width + v + p % 2];                    \
                            sum[9] += here;                                                                            \
                        }                                                                                              \
                    }                                                                                                  \
                }                                                                                                      \
                for (int t = 0; t < 10; t++) *(lanes *)(sums + (part * 10 + t) * count + f) = sum[t];                  \
            }                                                                                                          \
        }                                                                                                              \
    }

STEM(float)
STEM(bfloat16)

/* Batch norm with ReLU after it. `rows` are the pixels of all maps, each of `channels` numbers. What is summed over
   rows is summed in `parts`, so that the sums do not depend on the number of threads. */

static inline float to_float(float value) { return value; }

static inline uint16_t to_bfloat16(float value) { /* to the nearest, ties to even */
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return value != value ? 0x7fc0 : (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

#define CHUNK 32 /* rows that stay in the first cache between being summed and being squared */

#define NORM(T, value)                                                                                                 \
    /* Mean and variance of each channel, by chunks put together as in Chan et al. 1979: a large mean takes nothing    \
       from the variance. `scratch` is (parts, 3, channels). */                                                        \
    void norm_moments_##T(const T *restrict maps, float *restrict scratch, float *restrict mean,                       \
                          float *restrict variance, int64_t parts, int64_t rows, int64_t channels) {                   \
        _Pragma("omp parallel for schedule(static)") for (int64_t part = 0; part < parts; part++) {                    \
            float *centre = scratch + part * 3 * channels, *squares = centre + channels, *chunk = squares + channels;  \
            int64_t start = rows * part / parts, end = rows * (part + 1) / parts;                                      \
            memset(centre, 0, 2 * channels * sizeof(float));                                                           \
            for (int64_t row = start; row < end; row += CHUNK) {                                                       \
                int64_t n = end - row < CHUNK ? end - row : CHUNK;                                                     \
                float before = row - start, share = n / (before + n);                                                  \
                memset(chunk, 0, channels * sizeof(float));                                                            \
                for (int64_t i = row; i < row + n; i++) {                                                              \
                    const T *from = maps + i * channels;                                                               \
                    _Pragma("omp simd") for (int64_t k = 0; k < channels; k++) chunk[k] += value(from[k]);             \
                }                                                                                                      \
                _Pragma("omp simd") for (int64_t k = 0; k < channels; k++) {                                           \
                    chunk[k] /= n;                                                                                     \
                    float off = chunk[k] - centre[k];                                                                  \
                    centre[k] += off * share;                                                                          \
                    squares[k] += off * off * before * share;                                                          \
                }                                                                                                      \
                for (int64_t i = row; i < row + n; i++) {                                                              \
                    const T *from = maps + i * channels;                                                               \
                    _Pragma("omp simd") for (int64_t k = 0; k < channels; k++) {                                       \
                        float off = value(from[k]) - chunk[k];                                                         \
                        squares[k] += off * off;                                                                       \
                    }                                                                                                  \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
        for (int64_t k = 0; k < channels; k++) {                                                                       \
            double middle = 0, sum = 0;                                                                                \
            for (int64_t part = 0; part < parts; part++) {                                                             \
                const float *centre = scratch + part * 3 * channels;                                                   \
                double before = rows * part / parts, after = rows * (part + 1) / parts, n = after - before;            \
                if (n == 0) continue;                                                                                  \
                double off = centre[k] - middle;                                                                       \
                middle += off * n / after;                                                                             \
                sum += centre[channels + k] + off * off * before * n / after;                                          \
            }                                                                                                          \
            mean[k] = middle, variance[k] = sum / rows;                                                                \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    void norm_relu_##T(const T *restrict maps, const float *restrict scale, const float *restrict shift,               \
                       T *restrict out, int64_t rows, int64_t channels) {                                              \
        _Pragma("omp parallel for schedule(static)") for (int64_t row = 0; row < rows; row++) {                        \
            const T *from = maps + row * channels;                                                                     \
            T *to = out + row * channels;                                                                              \
            _Pragma("omp simd") for (int64_t k = 0; k < channels; k++) {                                               \
                float normed = value(from[k]) * scale[k] + shift[k];                                                   \
                to[k] = to_##T(normed <= 0 ? 0 : normed); /* NaN goes through */                                       \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    /* `sums` (parts, 2, channels): of what comes through ReLU, and of that times the input less its mean. */          \
    void norm_sums_##T(const T *restrict gradient, const T *restrict maps, const float *restrict scale,                \
                       const float *restrict shift, const float *restrict mean, float *restrict sums, int64_t parts,   \
                       int64_t rows, int64_t channels) {                                                               \
        _Pragma("omp parallel for schedule(static)") for (int64_t part = 0; part < parts; part++) {                    \
            float *sum = sums + part * 2 * channels, *product = sum + channels;                                        \
            memset(sum, 0, 2 * channels * sizeof(float));                                                              \
            for (int64_t row = rows * part / parts; row < rows * (part + 1) / parts; row++) {                          \
                const T *coming = gradient + row * channels, *from = maps + row * channels;                            \
                _Pragma("omp simd") for (int64_t k = 0; k < channels; k++) {                                           \
                    float one = value(from[k]);                                                                        \
                    float through = one * scale[k] + shift[k] <= 0 ? 0 : value(coming[k]);                             \
                    sum[k] += through;                                                                                 \
                    product[k] += through * (one - mean[k]);                                                           \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    /* What comes through ReLU times `scale`, plus `slope` times the input, plus `offset`. */                          \
    void norm_gradient_##T(const T *restrict gradient, const T *restrict maps, const float *restrict scale,            \
                           const float *restrict shift, const float *restrict slope, const float *restrict offset,     \
                           T *restrict to, int64_t rows, int64_t channels) {                                           \
        _Pragma("omp parallel for schedule(static)") for (int64_t row = 0; row < rows; row++) {                        \
            const T *coming = gradient + row * channels, *from = maps + row * channels;                                \
            T *at = to + row * channels;                                                                               \
            _Pragma("omp simd") for (int64_t k = 0; k < channels; k++) {                                               \
                float one = value(from[k]);                                                                            \
                float through = one * scale[k] + shift[k] <= 0 ? 0 : value(coming[k]);                                 \
                at[k] = to_##T(through * scale[k] + one * slope[k] + offset[k]);                                       \
            }                                                                                                          \
        }                                                                                                              \
    }

NORM(float, of_float)
NORM(bfloat16, of_bfloat16)

/* Gradients of an unpadded 3 x 3 convolution with ReLU after it, and perhaps 2 x 2 pooling. Only what came through is multiplied: of
   four pixels at most one, where a plain convolution multiplies the zeros too. `winner` says which, as above; `pool` is
   2, or 1 where there is no pooling and it is 0 or NOTHING.

   The three pixels that a row of a filter sees lie one after the other, and so do its weights: 3 * channels numbers at
   a time, RUN of them in registers. `lists` is scratch for each part: what came through, in the order it is needed. */

#define RUN (LANES >= 8 ? 96 : 48) /* channels are a multiple of 32 */
#define HELD (RUN / LANES)

typedef struct {
    int32_t at; /* a filter's number, or where in the picture its pixels begin */
    float value;
} entry;

#define ADD_LISTED(to, from, list, size)                                                                               \
    lanes held[HELD];                                                                                                  \
    for (int l = 0; l < HELD; l++) held[l] = *(const lanes *)((to) + l * LANES);                                       \
    for (int32_t e = 0; e < (size); e++) {                                                                             \
        const float *start = (from) + (int64_t)(list)[e].at * step;                                                    \
        for (int l = 0; l < HELD; l++) held[l] += (list)[e].value * *(const lanes *)(start + l * LANES);               \
    }                                                                                                                  \
    for (int l = 0; l < HELD; l++) *(lanes *)((to) + l * LANES) = held[l];

/* `filters` (3, count, 3, channels): of each row of all filters the weights; `to` (n, height, width, channels). */
void sparse_images_float(const float *restrict gradient, const uint8_t *restrict winner, const float *restrict filters,
                         float *restrict to, entry *restrict lists, int64_t parts, int64_t n, int64_t height,
                         int64_t width, int64_t channels, int64_t count, int64_t pool) {
    int64_t run = 3 * channels, step = run, rows = (height - 2) / pool, columns = (width - 2) / pool;
    _Pragma("omp parallel for schedule(static)") for (int64_t part = 0; part < parts; part++) {
        entry *list = lists + part * 4 * columns * count; /* (columns, 4, count) */
        int32_t sizes[columns][4];
        for (int64_t p = n * part / parts; p < n * (part + 1) / parts; p++) {
            float *picture = to + p * height * width * channels;
            memset(picture, 0, height * width * channels * sizeof(float));
            for (int64_t i = 0; i < rows; i++) {
                memset(sizes, 0, sizeof sizes);
                for (int64_t j = 0; j < columns; j++) {
                    int64_t from = ((p * rows + i) * columns + j) * count;
                    for (int64_t k = 0; k < count; k++) {
                        int won = winner[from + k];
                        if (won == NOTHING) continue;
                        list[(4 * j + won) * count + sizes[j][won]++] = (entry){k, gradient[from + k]};
                    }
                }
                for (int u = 0; u < 3; u++) { /* outside: a third of the weights stays in the first cache */
                    for (int64_t j = 0; j < columns; j++) {
                        for (int won = 0; won < pool * pool; won++) {
                            const entry *those = list + (4 * j + won) * count;
                            float *at = picture + ((pool * i + won / 2 + u) * width + pool * j + won % 2) * channels;
                            for (int64_t r = 0; r < run; r += RUN) {
                                ADD_LISTED(at + r, filters + u * count * run + r, those, sizes[j][won])
                            }
                        }
                    }
                }
            }
        }
    }
}

/* `sums` (parts, count, 3, 3, channels) and `bias` (parts, count): of each part of the pictures. */
void sparse_weights_float(const float *restrict gradient, const uint8_t *restrict winner, const float *restrict images,
                          float *restrict sums, float *restrict bias, entry *restrict lists, int64_t parts, int64_t n,
                          int64_t height, int64_t width, int64_t channels, int64_t count, int64_t pool) {
    int64_t run = 3 * channels, step = 1, rows = (height - 2) / pool, columns = (width - 2) / pool;
    _Pragma("omp parallel for schedule(static)") for (int64_t part = 0; part < parts; part++) {
        entry *list = lists + part * count * rows * columns; /* (count, rows * columns) */
        float *sum = sums + part * count * 3 * run, *total = bias + part * count;
        int32_t sizes[count];
        memset(sum, 0, count * 3 * run * sizeof(float));
        memset(total, 0, count * sizeof(float));
        for (int64_t p = n * part / parts; p < n * (part + 1) / parts; p++) {
            const float *picture = images + p * height * width * channels;
            memset(sizes, 0, sizeof sizes);
            for (int64_t i = 0; i < rows; i++) {
                for (int64_t j = 0; j < columns; j++) {
                    int64_t from = ((p * rows + i) * columns + j) * count;
                    int32_t a = (pool * i * width + pool * j) * channels, c = a + width * channels;
                    int32_t starts[5] = {a, a + channels, c, c + channels, 0};
                    for (int64_t k = 0; k < count; k++) { /* written always, kept if it came through: no branches */
                        list[k * rows * columns + sizes[k]] = (entry){starts[winner[from + k]], gradient[from + k]};
                        sizes[k] += winner[from + k] != NOTHING;
                    }
                }
            }
            for (int64_t k = 0; k < count; k++) {
                const entry *those = list + k * rows * columns;
                for (int32_t e = 0; e < sizes[k]; e++) total[k] += those[e].value;
                for (int u = 0; u < 3; u++) {
                    for (int64_t r = 0; r < run; r += RUN) {
                        ADD_LISTED(sum + (3 * k + u) * run + r, picture + u * width * channels + r, those, sizes[k])
                    }
                }
            }
        }
    }
}
