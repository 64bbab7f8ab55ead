/* What the files of this folder share: vectors, and where and how a bicubic read of a frame takes its pixels. */

#include <math.h>
#include <stdint.h>

typedef float v8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t i8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef float v4 __attribute__((vector_size(16), aligned(4), may_alias));

static inline int inside(int place, int size) { return place < 0 ? 0 : place < size ? place : size - 1; }

/* The weights of four taps of the cubic of a = -0.75 around a position that lies part of the way after the second: a
   polynomial of part for each tap. */
static inline v4 cubic(float part) {
    const float a = -0.75f;
    const v4 third = {a, a + 2, -(a + 2), -a}, second = {-2 * a, -(a + 3), 2 * a + 3, a}, first = {a, 0, -a, 0};
    v4 at = part - (v4){0};
    return ((third * at + second) * at + first) * at + (v4){0, 1, 0, 0};
}

/* A place beyond the border by more than the cubic's reach reads what the border has. NaN reads the middle. */
static inline float in_reach(float position, int size) {
    if (!(position == position)) return 0.5f * (float)(size - 1);
    position = position > -4 ? position : -4;
    return position < (float)size + 3 ? position : (float)size + 3;
}

/* The four by four pixels of a bicubic read: the first of them, which may lie outside, and the weights along both axes. */
typedef struct {
    int column, row;
    v4 across, down;
} Taps;

static inline Taps taps_at(float x, float y, int wide, int high) {
    x = in_reach(x, wide);
    y = in_reach(y, high);
    float left = floorf(x), top = floorf(y);
    return (Taps){(int)left - 1, (int)top - 1, cubic(x - left), cubic(y - top)};
}
