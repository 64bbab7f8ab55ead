/* Warps two frames along flows and blends them, pixel by pixel: see decode/frame_warp.py, whose torch code is the
   reference.

   Frames are interleaved bytes. A read of four pixels of a row, twelve bytes, takes two overlapping loads of eight; all
   three channels lie in the lanes of both vectors until the taps are added up. Each pixel's result is independent of the
   other pixels of its row. */

#include <immintrin.h>
#include <string.h>

#include "sampling.h"

enum { MAPS = 8, TAPS = 4, CHANNELS = 3 };

typedef struct {
    int32_t width, height;           /* of the pixels to draw */
    int32_t frame_width, frame_height;
    const uint8_t *frames[2];        /* [frame_height][frame_width][3] */
    const float *column_position, *row_position; /* of each column and row, in pixels of the frames */
    const float *maps;               /* [map rows][map columns][MAPS]: flow x, y to either frame, the first one's share */
    int32_t map_width, padding;
    const int64_t *left, *right, *upper, *lower; /* the maps' pixels beside each column and row, */
    const float *along, *down;       /* and the weights of the second of them */
    uint8_t *out;                    /* [height][width][4], RGBX */
} Warp;

static inline __m256 eight(const uint8_t *from) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)from)));
}

static inline __m128 lanes(__m256 value, int a, int b, int c) {
    return _mm256_castps256_ps128(_mm256_permutevar8x32_ps(value, _mm256_setr_epi32(a, b, c, c, c, c, c, c)));
}

/* The colour at x and y in the first three lanes, levels, not clamped. */
static inline __m128 read(const Warp *warp, int end, float x, float y) {
    int wide = warp->frame_width, high = warp->frame_height;
    Taps place = taps_at(x, y, wide, high);
    int column = place.column, row = place.row;
    v4 across = place.across, down = place.down;
    const uint8_t *frame = warp->frames[end], *taps = frame + ((int64_t)row * wide + column) * CHANNELS;
    int64_t stride = (int64_t)wide * CHANNELS;
    uint8_t border[TAPS * TAPS * CHANNELS];
    if (column < 0 || column + TAPS > wide || row < 0 || row + TAPS > high) {
        for (int k = 0; k < TAPS * TAPS; k++) {
            int64_t at = (int64_t)inside(row + k / TAPS, high) * wide + inside(column + k % TAPS, wide);
            memcpy(border + k * CHANNELS, frame + at * CHANNELS, CHANNELS);
        }
        taps = border;
        stride = TAPS * CHANNELS;
    }
    __m256 first = _mm256_setzero_ps(), second = _mm256_setzero_ps();
    for (int k = 0; k < TAPS; k++, taps += stride) {
        __m256 weight = _mm256_set1_ps(down[k]);
        first = _mm256_fmadd_ps(eight(taps), weight, first);       /* r0 g0 b0 r1 g1 b1 r2 g2 */
        second = _mm256_fmadd_ps(eight(taps + 4), weight, second); /* .. .. .. .. b2 r3 g3 b3 */
    }
    __m256 weights = _mm256_castps128_ps256((__m128)across);
    first = _mm256_mul_ps(first, _mm256_permutevar8x32_ps(weights, _mm256_setr_epi32(0, 0, 0, 1, 1, 1, 2, 2)));
    second = _mm256_mul_ps(second, _mm256_permutevar8x32_ps(weights, _mm256_setr_epi32(2, 2, 2, 2, 2, 3, 3, 3)));
    __m256 third = _mm256_blend_ps(first, second, 1 << 4);
    __m128 left_half = _mm_add_ps(_mm256_castps256_ps128(first), lanes(first, 3, 4, 5));
    return _mm_add_ps(left_half, _mm_add_ps(lanes(third, 6, 7, 4), lanes(second, 5, 6, 7)));
}

/* The nearest levels, the even one of two, and X = 255. */
static inline void store_rgbx(uint8_t *to, __m128 colour) {
    __m128 clamped = _mm_min_ps(_mm_max_ps(colour, _mm_setzero_ps()), _mm_set1_ps(255));
    __m128i words = _mm_packus_epi32(_mm_cvtps_epi32(clamped), _mm_setzero_si128());
    uint32_t rgbx = (uint32_t)_mm_cvtsi128_si32(_mm_packus_epi16(words, words)) | 0xff000000u;
    memcpy(to, &rgbx, sizeof rgbx);
}

static inline __m256 mixed(const float *from, const float *to, float weight) {
    __m256 start = _mm256_loadu_ps(from);
    return _mm256_fmadd_ps(_mm256_set1_ps(weight), _mm256_sub_ps(_mm256_loadu_ps(to), start), start);
}

/* Draws the rows from first to last - 1. line: memory for one row of the maps. */
void videoinr_warp(const Warp *warp, int32_t first, int32_t last, float *line) {
    int64_t begin = warp->left[0], end = warp->right[warp->width - 1];
    for (int32_t row = first; row < last; row++) {
        const float *above = warp->maps + warp->upper[row] * warp->map_width * MAPS;
        const float *below = warp->maps + warp->lower[row] * warp->map_width * MAPS;
        for (int64_t column = begin; column <= end; column++)
            _mm256_storeu_ps(line + column * MAPS, mixed(above + column * MAPS, below + column * MAPS, warp->down[row]));
        uint8_t *out = warp->out + (int64_t)row * warp->width * 4;
        for (int32_t column = 0; column < warp->width; column++) {
            float here[MAPS], x = warp->column_position[column], y = warp->row_position[row];
            _mm256_storeu_ps(here, mixed(line + warp->left[column] * MAPS, line + warp->right[column] * MAPS,
                                         warp->along[column]));
            __m128 one = read(warp, 0, x + here[0], y + here[1]), other = read(warp, 1, x + here[2], y + here[3]);
            store_rgbx(out + 4 * column, _mm_fmadd_ps(_mm_set1_ps(here[4]), _mm_sub_ps(one, other), other));
        }
    }
}

/* Draws the rows from first to last - 1 of the first frame as it is; the maps are not used. */
void videoinr_enlarge(const Warp *warp, int32_t first, int32_t last) {
    for (int32_t row = first; row < last; row++)
        for (int32_t column = 0; column < warp->width; column++)
            store_rgbx(warp->out + ((int64_t)row * warp->width + column) * 4,
                       read(warp, 0, warp->column_position[column], warp->row_position[row]));
}
