/* Winograd's filtering with tiles of TILE x TILE pixels: _winograd.c includes this once for each size. */

#define SIDE (TILE + 2)
#define POINTS (SIDE * SIDE)
#define NAMED_(name, tile) name##_##tile
#define NAMED(name, tile) NAMED_(name, tile)
#define OF(name) NAMED(name, TILE)
#define STEPS _Pragma("GCC unroll 9") for

/* The pixels that go into tile `t`, channels `c` to `end`, as POINTS numbers each, `plane` apart. */
static inline void OF(transform)(const shape *s, const float *images, const float *zeros, int64_t t, int64_t c,
                                 int64_t end, float *to, int64_t plane) {
    int64_t p = t / (s->down * s->across), y = t / s->across % s->down * TILE, x = t % s->across * TILE;
    const float *at[POINTS];
    square(at, SIDE, images + p * s->height * s->width * s->channels, zeros, y - s->padding, x - s->padding, s->height,
           s->width, s->channels);
    for (int64_t first = c; c < end; c += LANES) {
        lanes half[SIDE][SIDE];
        for (int j = 0; j < SIDE; j++) {
            lanes d[SIDE], o[SIDE];
            STEPS(int i = 0; i < SIDE; i++) d[i] = *(const lanes *)(at[SIDE * i + j] + c);
            OF(forth)(d, o);
            STEPS(int i = 0; i < SIDE; i++) half[i][j] = o[i];
        }
        for (int i = 0; i < SIDE; i++) {
            lanes o[SIDE];
            OF(forth)(half[i], o);
            STEPS(int j = 0; j < SIDE; j++) *(lanes *)(to + (SIDE * i + j) * plane + c - first) = o[j];
        }
    }
}

/* The gradient's pixels of tile `t`, filters `f` to `end`, likewise. */
static inline void OF(transform_gradient)(const shape *s, const float *gradient, const float *zeros, int64_t t,
                                          int64_t f, int64_t end, float *to, int64_t plane) {
    int64_t p = t / (s->down * s->across), y = t / s->across % s->down * TILE, x = t % s->across * TILE;
    const float *at[TILE * TILE];
    square(at, TILE, gradient + p * s->rows * s->columns * s->count, zeros, y, x, s->rows, s->columns, s->count);
    for (int64_t first = f; f < end; f += LANES) {
        lanes half[SIDE][TILE];
        for (int j = 0; j < TILE; j++) {
            lanes d[TILE], o[SIDE];
            STEPS(int i = 0; i < TILE; i++) d[i] = *(const lanes *)(at[TILE * i + j] + f);
            OF(spread)(d, o);
            STEPS(int i = 0; i < SIDE; i++) half[i][j] = o[i];
        }
        for (int i = 0; i < SIDE; i++) {
            lanes o[SIDE];
            OF(spread)(half[i], o);
            STEPS(int j = 0; j < SIDE; j++) *(lanes *)(to + (SIDE * i + j) * plane + f - first) = o[j];
        }
    }
}

/* Tile `t` of the maps, filters `f` on, from POINTS sums each, `plane` apart. */
static inline void OF(write_tile)(const shape *s, const float *sums, int64_t plane, const float *bias, int64_t t,
                                  int64_t f, float *out) {
    int64_t p = t / (s->down * s->across), y = t / s->across % s->down * TILE, x = t % s->across * TILE;
    for (int64_t l = 0; l < PAIR; l += LANES) {
        lanes half[TILE][SIDE], shift = *(const lanes *)(bias + f + l);
        for (int j = 0; j < SIDE; j++) {
            lanes m[SIDE], o[TILE];
            STEPS(int i = 0; i < SIDE; i++) m[i] = *(const lanes *)(sums + (SIDE * i + j) * plane + l);
            OF(back)(m, o);
            STEPS(int i = 0; i < TILE; i++) half[i][j] = o[i];
        }
        for (int i = 0; i < TILE && y + i < s->rows; i++) {
            lanes o[TILE];
            OF(back)(half[i], o);
            float *to = out + ((p * s->rows + y + i) * s->columns + x) * s->count + f + l;
            for (int j = 0; j < TILE && x + j < s->columns; j++) *(lanes *)(to + j * s->count) = o[j] + shift;
        }
    }
}

/* Tiles at a time. Filters are read anew for each lot, from beyond the second cache; so large ones for fewer lots. */
static int64_t OF(at_once)(int64_t channels, int64_t count) {
    return POINTS * channels * count * (int64_t)sizeof(float) < LARGE ? 2 * HELD : 8 * HELD;
}

/* Numbers of a thread's scratch: tiles transformed, their sums over channels, zeros. */
int64_t OF(winograd_scratch)(int64_t channels, int64_t count) {
    return POINTS * (OF(at_once)(channels, count) * (channels + PAIR) + 2 * LINE) + channels;
}

/* `filters` (POINTS, count / PAIR, channels, PAIR), `bias` (count), `out` (n, rows, columns, count); `scratch` for each
   of `threads`. */
void OF(winograd)(const float *restrict images, const float *restrict filters, const float *restrict bias,
                  float *restrict out, float *restrict scratch, int64_t threads, int64_t n, int64_t height,
                  int64_t width, int64_t channels, int64_t count, int64_t padding) {
    shape s = shape_of(height, width, channels, count, padding, TILE);
    int64_t tiles = n * s.down * s.across, step = OF(at_once)(channels, count), size = OF(winograd_scratch)(channels, count);
    int64_t v_plane = step * channels + LINE, s_plane = step * PAIR + LINE;
    _Pragma("omp parallel for schedule(dynamic) num_threads(threads)") for (int64_t first = 0; first < tiles;
                                                                            first += step) {
        float *v = scratch + omp_get_thread_num() * size; /* (POINTS, step, channels) */
        float *sums = v + POINTS * v_plane;               /* (POINTS, step, PAIR) */
        float *zeros = sums + POINTS * s_plane;
        int64_t some = tiles - first < step ? tiles - first : step;
        memset(zeros, 0, channels * sizeof(float));
        for (int64_t t = 0; t < some; t++)
            OF(transform)(&s, images, zeros, first + t, 0, channels, v + t * channels, v_plane);
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
            for (int64_t t = 0; t < some; t++) OF(write_tile)(&s, sums + t * PAIR, s_plane, bias, first + t, f, out);
        }
    }
}

/* `gradient` (n, rows, columns, count); `sums` (POINTS, channels / BLOCK, count / BLOCK, BLOCK, BLOCK), is written;
   `scratch` for `block` tiles, a multiple of NEAR: POINTS * PLANE numbers for each NEAR of them and each BLOCK of channels
   on either side, and as many zeros as the larger side has. */
void OF(winograd_weights)(const float *restrict images, const float *restrict gradient, float *restrict sums,
                          float *restrict scratch, int64_t block, int64_t n, int64_t height, int64_t width,
                          int64_t channels, int64_t count, int64_t padding) {
    shape s = shape_of(height, width, channels, count, padding, TILE);
    int64_t tiles = n * s.down * s.across, parts = channels / BLOCK;
    int64_t v_step = POINTS * PLANE * parts, g_step = POINTS * PLANE * (count / BLOCK);
    float *v = scratch;                   /* (block / NEAR, channels / BLOCK, POINTS, NEAR, BLOCK) */
    float *g = v + block / NEAR * v_step; /* (block / NEAR, count / BLOCK, POINTS, NEAR, BLOCK) */
    float *zeros = g + block / NEAR * g_step;
    memset(zeros, 0, (channels > count ? channels : count) * sizeof(float));
    memset(sums, 0, POINTS * channels * count * sizeof(float));
    _Pragma("omp parallel") for (int64_t first = 0; first < tiles; first += block) {
        int64_t some = tiles - first < block ? tiles - first : block;
        _Pragma("omp for schedule(dynamic, 4)") for (int64_t t = 0; t < some; t++) {
            for (int64_t c = 0; c < channels; c += BLOCK) {
                float *to = v + t / NEAR * v_step + c / BLOCK * POINTS * PLANE + t % NEAR * BLOCK;
                OF(transform)(&s, images, zeros, first + t, c, c + BLOCK, to, PLANE);
            }
            for (int64_t f = 0; f < count; f += BLOCK) {
                float *to = g + t / NEAR * g_step + f / BLOCK * POINTS * PLANE + t % NEAR * BLOCK;
                OF(transform_gradient)(&s, gradient, zeros, first + t, f, f + BLOCK, to, PLANE);
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

#undef SIDE
#undef POINTS
#undef NAMED_
#undef NAMED
#undef OF
#undef STEPS
