/* Gradients of a depthwise convolution: one filter per map, any size, any stride, maps padded by zeros:
   `before` of them above and to the left.

   Maps lie as (N, H, W, C), weights and their gradient as (taps, C); C is a multiple of 16. Every number is summed by
   one thread in one order, so that the number of threads changes nothing. Taps that meet padding alone are left out. */

#include <stdint.h>

#include "_lanes.h"

#define BLOCK 16                      /* channels at a time */
#define VECTORS (BLOCK / LANES)       /* registers they fill */
#define MOST 121                      /* taps: an 11 x 11 filter */

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* sums[tap][c] = sum over pictures and pixels of gradient * the pixel the tap met there. */
void depthwise_weights_float(const float *restrict maps, const float *restrict gradient, float *restrict sums,
                             int64_t count, int64_t height, int64_t width, int64_t channels, int64_t rows,
                             int64_t columns, int64_t side, int64_t stride, int64_t before) {
    _Pragma("omp parallel for schedule(static)") for (int64_t at = 0; at < channels; at += BLOCK) {
        lanes sum[MOST][VECTORS];
        for (int64_t tap = 0; tap < side * side; tap++)
            for (int64_t v = 0; v < VECTORS; v++) sum[tap][v] = (lanes){0};
        for (int64_t n = 0; n < count; n++) {
            for (int64_t p = 0; p < rows; p++) {
                const float *given = gradient + (n * rows + p) * columns * channels + at;
                for (int64_t i = 0; i < side; i++) {
                    int64_t y = p * stride + i - before;
                    if (y < 0 || y >= height) continue;
                    for (int64_t j = 0; j < side; j++) {
                        int64_t shift = j - before; /* from stride * q to the pixel */
                        int64_t first = shift < 0 ? (-shift + stride - 1) / stride : 0;
                        int64_t end = least(columns, shift >= width ? 0 : (width - 1 - shift) / stride + 1);
                        const float *met = maps + ((n * height + y) * width + shift) * channels + at;
                        lanes total[VECTORS];
                        for (int64_t v = 0; v < VECTORS; v++) total[v] = sum[i * side + j][v];
                        for (int64_t q = first; q < end; q++)
                            for (int64_t v = 0; v < VECTORS; v++)
                                total[v] += *(const lanes *)(met + q * stride * channels + v * LANES) *
                                            *(const lanes *)(given + q * channels + v * LANES);
                        for (int64_t v = 0; v < VECTORS; v++) sum[i * side + j][v] = total[v];
                    }
                }
            }
        }
        for (int64_t tap = 0; tap < side * side; tap++)
            for (int64_t v = 0; v < VECTORS; v++) *(lanes *)(sums + tap * channels + at + v * LANES) = sum[tap][v];
    }
}

/* to[pixel] = sum over the taps that met it of gradient * weight. */
void depthwise_images_float(const float *restrict gradient, const float *restrict weights, float *restrict to,
                            int64_t count, int64_t height, int64_t width, int64_t channels, int64_t rows,
                            int64_t columns, int64_t side, int64_t stride, int64_t before) {
    _Pragma("omp parallel for schedule(static)") for (int64_t n = 0; n < count; n++) {
        for (int64_t y = 0; y < height; y++) {
            for (int64_t x = 0; x < width; x++) {
                const float *given[MOST], *weight[MOST];
                int64_t met = 0;
                for (int64_t i = 0; i < side; i++) {
                    int64_t down = y + before - i;
                    if (down < 0 || down % stride || down / stride >= rows) continue;
                    for (int64_t j = 0; j < side; j++) {
                        int64_t across = x + before - j;
                        if (across < 0 || across % stride || across / stride >= columns) continue;
                        given[met] = gradient + ((n * rows + down / stride) * columns + across / stride) * channels;
                        weight[met++] = weights + (i * side + j) * channels;
                    }
                }
                float *out = to + ((n * height + y) * width + x) * channels;
                for (int64_t at = 0; at < channels; at += BLOCK) {
                    lanes total[VECTORS];
                    for (int64_t v = 0; v < VECTORS; v++) total[v] = (lanes){0};
                    for (int64_t k = 0; k < met; k++)
                        for (int64_t v = 0; v < VECTORS; v++)
                            total[v] += *(const lanes *)(given[k] + at + v * LANES) *
                                        *(const lanes *)(weight[k] + at + v * LANES);
                    for (int64_t v = 0; v < VECTORS; v++) *(lanes *)(out + at + v * LANES) = total[v];
                }
            }
        }
    }
}
