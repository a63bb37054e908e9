/* 3 x 3 convolutions with fewer multiplications, a quarter over large maps, and their gradients: Winograd's minimal
   filtering F(4 x 4, 3 x 3), as in Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks", arXiv
   1509.09308, section 4.3.

   What comes out is cut into tiles of 4 x 4 pixels. Each is made of 6 x 6 pixels of what went in, transformed (`forth`,
   B in the paper) into 36 numbers; these are multiplied by the 36 that a filter is transformed into and summed over
   channels, 36 small matrix products, and what comes of them is transformed back (`back`, A). The gradient of the
   weights is the same read backwards: the gradient's tiles are transformed (`spread`, A transposed), multiplied by the
   pictures' and summed over tiles; _winograd.py transforms filters, there and back.

   Maps lie as (n, height, width, channels); channels are multiples of BLOCK on either side. */

#include <omp.h>
#include <stdint.h>
#include <string.h>

#include "_lanes.h"

#define POINTS 36
#define PAIR (2 * LANES) /* filters whose sums are in registers together */
#define BLOCK 32         /* channels that lie together */

static inline void forth(const lanes d[6], lanes to[6]) {
    lanes a = d[4] - 4 * d[2], b = d[3] - 4 * d[1], c = d[4] - d[2], e = 2 * (d[3] - d[1]);
    to[0] = 4 * d[0] - 5 * d[2] + d[4];
    to[1] = a + b, to[2] = a - b, to[3] = c + e, to[4] = c - e;
    to[5] = 4 * d[1] - 5 * d[3] + d[5];
}

static inline void back(const lanes m[6], lanes to[4]) {
    lanes a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
    to[0] = m[0] + a + c;
    to[1] = b + 2 * d;
    to[2] = a + 4 * c;
    to[3] = b + 8 * d + m[5];
}

static inline void spread(const lanes y[4], lanes to[6]) {
    lanes a = y[0] + y[2], b = y[1] + y[3], c = y[0] + 4 * y[2], d = 2 * y[1] + 8 * y[3];
    to[0] = y[0];
    to[1] = a + b, to[2] = a - b, to[3] = c + d, to[4] = c - d;
    to[5] = y[3];
}

/* Maps of one size, and how they are cut into tiles. */
typedef struct {
    int64_t height, width, channels; /* of what goes in */
    int64_t rows, columns, count;    /* of what comes out */
    int64_t padding, down, across;   /* tiles of one map */
} shape;

static shape shape_of(int64_t height, int64_t width, int64_t channels, int64_t count, int64_t padding) {
    int64_t rows = height + 2 * padding - 2, columns = width + 2 * padding - 2;
    return (shape){height, width, channels, rows, columns, count, padding, (rows + 3) / 4, (columns + 3) / 4};
}

/* Where the pixels of a square of `side`, from (y, x) on, begin; zeros where that is outside. */
static inline void square(const float **at, int side, const float *map, const float *zeros, int64_t y, int64_t x,
                          int64_t height, int64_t width, int64_t channels) {
    int64_t end = width - x < side ? width - x : side;
    for (int i = 0; i < side; i++) {
        int outside = y + i < 0 || y + i >= height;
        const float *row = map + ((y + i) * width + x) * channels;
        for (int j = 0; j < side; j++) at[side * i + j] = outside | (x + j < 0) | (j >= end) ? zeros : row + j * channels;
    }
}

/* The pixels that go into tile `t`, channels `c` to `end`, as 36 numbers each, `plane` apart. */
static inline void transform(const shape *s, const float *images, const float *zeros, int64_t t, int64_t c, int64_t end,
                             float *to, int64_t plane) {
    int64_t p = t / (s->down * s->across), y = t / s->across % s->down * 4, x = t % s->across * 4;
    const float *at[36];
    square(at, 6, images + p * s->height * s->width * s->channels, zeros, y - s->padding, x - s->padding, s->height,
           s->width, s->channels);
    for (int64_t first = c; c < end; c += LANES) {
        lanes half[6][6];
        for (int j = 0; j < 6; j++) {
            lanes d[6], o[6];
            for (int i = 0; i < 6; i++) d[i] = *(const lanes *)(at[6 * i + j] + c);
            forth(d, o);
            for (int i = 0; i < 6; i++) half[i][j] = o[i];
        }
        for (int i = 0; i < 6; i++) {
            lanes o[6];
            forth(half[i], o);
            for (int j = 0; j < 6; j++) *(lanes *)(to + (6 * i + j) * plane + c - first) = o[j];
        }
    }
}

/* Tile `t` of the maps, filters `f` on, from 36 sums each, `plane` apart. */
static inline void write_tile(const shape *s, const float *sums, int64_t plane, const float *bias, int64_t t, int64_t f,
                              float *out) {
    int64_t p = t / (s->down * s->across), y = t / s->across % s->down * 4, x = t % s->across * 4;
    for (int64_t l = 0; l < PAIR; l += LANES) {
        lanes half[4][6], shift = *(const lanes *)(bias + f + l);
        for (int j = 0; j < 6; j++) {
            lanes m[6], o[4];
            for (int i = 0; i < 6; i++) m[i] = *(const lanes *)(sums + (6 * i + j) * plane + l);
            back(m, o);
            for (int i = 0; i < 4; i++) half[i][j] = o[i];
        }
        for (int i = 0; i < 4 && y + i < s->rows; i++) {
            lanes o[4];
            back(half[i], o);
            float *to = out + ((p * s->rows + y + i) * s->columns + x) * s->count + f + l;
            for (int j = 0; j < 4 && x + j < s->columns; j++) *(lanes *)(to + j * s->count) = o[j] + shift;
        }
    }
}

#define LINE 16  /* floats of a line of the cache: planes a power of two apart would fall on the same few of them */
#define TILES 12 /* at a time: with 128 channels they take half of the second cache */
#define HELD 6   /* tiles or channels whose sums are in registers together: with PAIR 12, and 16 registers there are */

int64_t winograd_pair(void) { return PAIR; }

/* Numbers of a thread's scratch: TILES tiles transformed, their sums over channels, zeros. */
int64_t winograd_scratch(int64_t channels) { return POINTS * (TILES * (channels + PAIR) + 2 * LINE) + channels; }

/* `filters` (36, count / PAIR, channels, PAIR), `bias` (count), `out` (n, rows, columns, count); `scratch` for each of
   `threads`. */
void winograd_float(const float *restrict images, const float *restrict filters, const float *restrict bias,
                    float *restrict out, float *restrict scratch, int64_t threads, int64_t n, int64_t height,
                    int64_t width, int64_t channels, int64_t count, int64_t padding) {
    shape s = shape_of(height, width, channels, count, padding);
    int64_t tiles = n * s.down * s.across, size = winograd_scratch(channels);
    int64_t v_plane = TILES * channels + LINE, s_plane = TILES * PAIR + LINE;
    _Pragma("omp parallel for schedule(dynamic) num_threads(threads)") for (int64_t first = 0; first < tiles;
                                                                            first += TILES) {
        float *v = scratch + omp_get_thread_num() * size; /* (36, TILES, channels) */
        float *sums = v + POINTS * v_plane;               /* (36, TILES, PAIR) */
        float *zeros = sums + POINTS * s_plane;
        int64_t some = tiles - first < TILES ? tiles - first : TILES;
        memset(zeros, 0, channels * sizeof(float));
        for (int64_t t = 0; t < some; t++)
            transform(&s, images, zeros, first + t, 0, channels, v + t * channels, v_plane);
        for (int64_t f = 0; f < count; f += PAIR) {
            for (int point = 0; point < POINTS; point++) {
                const float *filter = filters + (point * count + f) * channels;
                for (int64_t t = 0; t < some; t += HELD) { /* tiles past the last are computed and not written */
                    const float *from = v + point * v_plane + t * channels;
                    float *to = sums + point * s_plane + t * PAIR;
                    lanes held[HELD][2] = {{{0}}};
                    for (int64_t c = 0; c < channels; c++) {
                        lanes one = *(const lanes *)(filter + c * PAIR);
                        lanes two = *(const lanes *)(filter + c * PAIR + LANES);
                        for (int h = 0; h < HELD; h++) {
                            held[h][0] += from[h * channels + c] * one;
                            held[h][1] += from[h * channels + c] * two;
                        }
                    }
                    for (int h = 0; h < HELD; h++) {
                        *(lanes *)(to + h * PAIR) = held[h][0];
                        *(lanes *)(to + h * PAIR + LANES) = held[h][1];
                    }
                }
            }
            for (int64_t t = 0; t < some; t++) write_tile(&s, sums + t * PAIR, s_plane, bias, first + t, f, out);
        }
    }
}

#define NEAR 16                     /* tiles that lie together: planes far apart would each want an entry of the page table */
#define PLANE (NEAR * BLOCK + LINE) /* (NEAR, BLOCK) numbers of one point */
#define AT_ONCE (4 * NEAR)          /* tiles summed before the next channels: what is read stays in the first cache */

/* Adds products of N channels and PAIR filters, summed over tiles, to `sums`, rows of BLOCK. */
#define ADD_PRODUCTS(N)                                                                                                \
    static inline void add_products_##N(const float *restrict v, const float *restrict g, float *restrict sums,        \
                                        int64_t v_step, int64_t g_step, int64_t tiles) {                               \
        lanes held[N][2];                                                                                              \
        for (int c = 0; c < N; c++) {                                                                                  \
            held[c][0] = *(lanes *)(sums + c * BLOCK), held[c][1] = *(lanes *)(sums + c * BLOCK + LANES);              \
        }                                                                                                              \
        for (; tiles > 0; tiles -= NEAR, v += v_step, g += g_step) {                                                   \
            for (int64_t t = 0; t < (tiles < NEAR ? tiles : NEAR); t++) {                                              \
                lanes one = *(const lanes *)(g + t * BLOCK), two = *(const lanes *)(g + t * BLOCK + LANES);            \
                for (int c = 0; c < N; c++) {                                                                          \
                    held[c][0] += v[t * BLOCK + c] * one, held[c][1] += v[t * BLOCK + c] * two;                        \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
        for (int c = 0; c < N; c++) {                                                                                  \
            *(lanes *)(sums + c * BLOCK) = held[c][0], *(lanes *)(sums + c * BLOCK + LANES) = held[c][1];              \
        }                                                                                                              \
    }
ADD_PRODUCTS(6)
ADD_PRODUCTS(4)

/* `gradient` (n, rows, columns, count); `sums` (36, channels / BLOCK, count / BLOCK, BLOCK, BLOCK), is written; `scratch`
   for `block` tiles, a multiple of NEAR: 36 * PLANE numbers for each NEAR of them and each BLOCK of channels on either
   side, and as many zeros as the larger side has. */
void winograd_weights_float(const float *restrict images, const float *restrict gradient, float *restrict sums,
                            float *restrict scratch, int64_t block, int64_t n, int64_t height, int64_t width,
                            int64_t channels, int64_t count, int64_t padding) {
    shape s = shape_of(height, width, channels, count, padding);
    int64_t tiles = n * s.down * s.across, parts = channels / BLOCK;
    int64_t v_step = POINTS * PLANE * parts, g_step = POINTS * PLANE * (count / BLOCK);
    float *v = scratch;                         /* (block / NEAR, channels / BLOCK, 36, NEAR, BLOCK) */
    float *g = v + block / NEAR * v_step;   /* (block / NEAR, count / BLOCK, 36, NEAR, BLOCK) */
    float *zeros = g + block / NEAR * g_step;
    memset(zeros, 0, (channels > count ? channels : count) * sizeof(float));
    memset(sums, 0, POINTS * channels * count * sizeof(float));
    _Pragma("omp parallel") for (int64_t first = 0; first < tiles; first += block) {
        int64_t some = tiles - first < block ? tiles - first : block;
        _Pragma("omp for schedule(dynamic, 4)") for (int64_t t = 0; t < some; t++) {
            for (int64_t c = 0; c < channels; c += BLOCK) {
                float *to = v + t / NEAR * v_step + c / BLOCK * POINTS * PLANE + t % NEAR * BLOCK;
                transform(&s, images, zeros, first + t, c, c + BLOCK, to, PLANE);
            }
            int64_t p = (first + t) / (s.down * s.across), y = (first + t) / s.across % s.down * 4;
            int64_t x = (first + t) % s.across * 4;
            const float *at[16];
            square(at, 4, gradient + p * s.rows * s.columns * count, zeros, y, x, s.rows, s.columns, count);
            for (int64_t f = 0; f < count; f += LANES) {
                float *to = g + t / NEAR * g_step + f / BLOCK * POINTS * PLANE + t % NEAR * BLOCK + f % BLOCK;
                lanes half[6][4];
                for (int j = 0; j < 4; j++) {
                    lanes d[4], o[6];
                    for (int i = 0; i < 4; i++) d[i] = *(const lanes *)(at[4 * i + j] + f);
                    spread(d, o);
                    for (int i = 0; i < 6; i++) half[i][j] = o[i];
                }
                for (int i = 0; i < 6; i++) {
                    lanes o[6];
                    spread(half[i], o);
                    for (int j = 0; j < 6; j++) *(lanes *)(to + (6 * i + j) * PLANE) = o[j];
                }
            }
        }
        /* Each sum is one thread's, in the order of tiles: the same numbers whatever the number of threads. */
        _Pragma("omp for schedule(dynamic) collapse(2)") for (int64_t point = 0; point < POINTS; point++) {
            for (int64_t part = 0; part < parts; part++) {
                for (int64_t t = 0; t < some; t += AT_ONCE) {
                    int64_t those = some - t < AT_ONCE ? some - t : AT_ONCE;
                    const float *from = v + t / NEAR * v_step + (part * POINTS + point) * PLANE;
                    for (int64_t f = 0; f < count; f += PAIR) {
                        const float *coming = g + t / NEAR * g_step + (f / BLOCK * POINTS + point) * PLANE + f % BLOCK;
                        float *to = sums + (point * channels + part * BLOCK) * count + f / BLOCK * BLOCK * BLOCK + f % BLOCK;
                        int64_t c = 0;
                        for (; c < 4 * 6; c += 6) add_products_6(from + c, coming, to + c * BLOCK, v_step, g_step, those);
                        for (; c < BLOCK; c += 4) add_products_4(from + c, coming, to + c * BLOCK, v_step, g_step, those);
                    }
                }
            }
        }
    }
}
