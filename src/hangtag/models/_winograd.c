/* 3 x 3 convolutions with fewer multiplications, a fifth over large maps, and their gradients: Winograd's minimal
   filtering F(m x m, 3 x 3), as in Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks", arXiv
   1509.09308, section 4.

   What comes out is cut into tiles of m x m pixels. Each is made of (m + 2) x (m + 2) pixels of what went in,
   transformed (`forth`, B in the paper) into as many numbers, one for each pair of points; these are multiplied by those
   that a filter is transformed into and summed over channels, as many small matrix products, and what comes of them is
   transformed back (`back`, A). The gradient of the weights is the same read backwards: the gradient's tiles are
   transformed (`spread`, A transposed), multiplied by the pictures' and summed over tiles; _winograd.py transforms
   filters, there and back, and chooses m: 7, 4 or 3.

   Along one side the m + 2 numbers are what polynomials are worth at m + 1 points and at infinity. Points near one and
   far from each other round least; those of 7 were sought (docs/log.md).

   Maps lie as (n, height, width, channels); channels are multiples of BLOCK on either side. */

#include <omp.h>
#include <stdint.h>
#include <string.h>

#include "_lanes.h"

#define PAIR (2 * LANES) /* filters whose sums are in registers together */
#define BLOCK 32         /* channels that lie together */
#define LINE 16          /* floats of a line of the cache: planes a power of two apart would fall on the same few of them */
#define HELD 6           /* tiles or channels whose sums are in registers together: with PAIR 12, and 16 registers there are */
#define NEAR 16          /* tiles that lie together: planes far apart would each want an entry of the page table */
#define PLANE (NEAR * BLOCK + LINE) /* (NEAR, BLOCK) numbers of one point */
#define AT_ONCE (4 * NEAR)          /* tiles summed before the next channels: what is read stays in the first cache */
#define LARGE 8000000               /* bytes of filters */

/* 0, 1, -1, 1/2 */
static inline void forth_3(const lanes d[5], lanes to[5]) {
    lanes u[4];
    for (int k = 0; k < 4; k++) u[k] = d[k + 1] - 0.5f * d[k];
    to[0] = u[2] - u[0];
    to[1] = u[2] + u[1], to[2] = u[2] - u[1];
    to[3] = d[3] - d[1];
    to[4] = u[3] - u[1];
}

static inline void back_3(const lanes m[5], lanes to[3]) {
    lanes a = m[1] + m[2];
    to[0] = m[0] + a + m[3];
    to[1] = m[1] - m[2] + 0.5f * m[3];
    to[2] = a + 0.25f * m[3] + m[4];
}

static inline void spread_3(const lanes y[3], lanes to[5]) {
    lanes a = y[0] + y[2];
    to[0] = y[0];
    to[1] = a + y[1], to[2] = a - y[1];
    to[3] = y[0] + 0.5f * y[1] + 0.25f * y[2];
    to[4] = y[2];
}

/* 0, 1, -1, 2, -2 */
static inline void forth_4(const lanes d[6], lanes to[6]) {
    lanes a = d[4] - 4 * d[2], b = d[3] - 4 * d[1], c = d[4] - d[2], e = 2 * (d[3] - d[1]);
    to[0] = 4 * d[0] - 5 * d[2] + d[4];
    to[1] = a + b, to[2] = a - b, to[3] = c + e, to[4] = c - e;
    to[5] = 4 * d[1] - 5 * d[3] + d[5];
}

static inline void back_4(const lanes m[6], lanes to[4]) {
    lanes a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
    to[0] = m[0] + a + c;
    to[1] = b + 2 * d;
    to[2] = a + 4 * c;
    to[3] = b + 8 * d + m[5];
}

static inline void spread_4(const lanes y[4], lanes to[6]) {
    lanes a = y[0] + y[2], b = y[1] + y[3], c = y[0] + 4 * y[2], d = 2 * y[1] + 8 * y[3];
    to[0] = y[0];
    to[1] = a + b, to[2] = a - b, to[3] = c + d, to[4] = c - d;
    to[5] = y[3];
}

/* 0, 1/2, -1/2, 1, -1, 3/2, -3/2, 4 */
static inline void forth_7(const lanes d[9], lanes to[9]) {
    lanes u[8]; /* without the point 4 */
    for (int k = 0; k < 8; k++) u[k] = d[k + 1] - 4 * d[k];
    to[0] = u[6] - 3.5f * u[4] + 3.0625f * u[2] - 0.5625f * u[0];
    lanes e = u[6] - 3.25f * u[4] + 2.25f * u[2], o = 0.5f * (u[5] - 3.25f * u[3] + 2.25f * u[1]);
    to[1] = e + o, to[2] = e - o;
    e = u[6] - 2.5f * u[4] + 0.5625f * u[2], o = u[5] - 2.5f * u[3] + 0.5625f * u[1];
    to[3] = e + o, to[4] = e - o;
    e = u[6] - 1.25f * u[4] + 0.25f * u[2], o = 1.5f * (u[5] - 1.25f * u[3] + 0.25f * u[1]);
    to[5] = e + o, to[6] = e - o;
    to[7] = d[7] - 3.5f * d[5] + 3.0625f * d[3] - 0.5625f * d[1];
    to[8] = u[7] - 3.5f * u[5] + 3.0625f * u[3] - 0.5625f * u[1];
}

static inline void back_7(const lanes m[9], lanes to[7]) {
    lanes a = m[1] + m[2], b = m[3] + m[4], c = m[5] + m[6], p = m[7];
    to[0] = m[0] + a + b + c + p;
    to[2] = 0.25f * a + b + 2.25f * c + 16 * p;
    to[4] = 0.0625f * a + b + 5.0625f * c + 256 * p;
    to[6] = 0.015625f * a + b + 11.390625f * c + 4096 * p + m[8];
    a = m[1] - m[2], b = m[3] - m[4], c = m[5] - m[6];
    to[1] = 0.5f * a + b + 1.5f * c + 4 * p;
    to[3] = 0.125f * a + b + 3.375f * c + 64 * p;
    to[5] = 0.03125f * a + b + 7.59375f * c + 1024 * p;
}

static inline void spread_7(const lanes y[7], lanes to[9]) {
    lanes e = y[0] + 0.25f * y[2] + 0.0625f * y[4] + 0.015625f * y[6];
    lanes o = 0.5f * y[1] + 0.125f * y[3] + 0.03125f * y[5];
    to[0] = y[0];
    to[1] = e + o, to[2] = e - o;
    e = y[0] + y[2] + y[4] + y[6], o = y[1] + y[3] + y[5];
    to[3] = e + o, to[4] = e - o;
    e = y[0] + 2.25f * y[2] + 5.0625f * y[4] + 11.390625f * y[6], o = 1.5f * y[1] + 3.375f * y[3] + 7.59375f * y[5];
    to[5] = e + o, to[6] = e - o;
    to[7] = y[0] + 4 * y[1] + 16 * y[2] + 64 * y[3] + 256 * y[4] + 1024 * y[5] + 4096 * y[6];
    to[8] = y[6];
}

/* Maps of one size, and how they are cut into tiles of `side` pixels. */
typedef struct {
    int64_t height, width, channels;     /* of what goes in */
    int64_t rows, columns, count;        /* of what comes out */
    int64_t padding, side, down, across; /* tiles of one map */
} shape;

static shape shape_of(int64_t height, int64_t width, int64_t channels, int64_t count, int64_t padding, int64_t side) {
    int64_t rows = height + 2 * padding - 2, columns = width + 2 * padding - 2;
    int64_t down = (rows + side - 1) / side, across = (columns + side - 1) / side;
    return (shape){height, width, channels, rows, columns, count, padding, side, down, across};
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

int64_t winograd_pair(void) { return PAIR; }

#define TILE 3
#include "_winograd_tile.h"
#undef TILE
#define TILE 4
#include "_winograd_tile.h"
#undef TILE
#define TILE 7
#include "_winograd_tile.h"
