/* The heads of VideoINR and the colours of a tile, in one pass over its pixels: see heads.py for the formulae.

   A block of pixels goes through all layers while it lies in the first-level cache. Vectors hold eight channels of one
   pixel. Each pixel's result is independent of the other pixels of its block. */

#include <string.h>

#include "sampling.h"


#ifdef __AVX512VL__
enum { GROUP = 8 }; /* twice as many registers */
#else
enum { GROUP = 6 };
#endif
enum { BLOCK = 48, WIDEST = 72, DEEPEST = 6 }; /* widths up to 64; rows of 64 would share cache sets */

typedef struct {
    int32_t layers;                  /* sine layers after the first sum, and then the last layer: layers + 1 products */
    int32_t widths[DEEPEST + 2];     /* of the first sum, of each layer's result; multiples of 8 */
    const float *weights[DEEPEST + 1]; /* [inputs][outputs], times omega but for the last layer */
    const float *biases[DEEPEST + 1];
    const float *first_bias;         /* [lines][widths[0]], times omega */
    int32_t lines, line_px;          /* pixel p belongs to line p / line_px % lines */
    float omega;
} Head;

typedef struct {
    int32_t width, height;           /* of the tile, pixels */
    int32_t latent_width, latent_height, grid_width, grid_height;
    int32_t map_x, map_y, map_width, map_height; /* the latent pixels that the maps hold: all, or a part of the frame */
    int32_t side_bits, pages_wide;   /* a tile of F_s has 1 << side_bits rows and columns */
    int32_t field_channels;          /* multiple of 8 */
    float pixels_per_latent_x, pixels_per_latent_y;
    const float *share_logit;        /* of each line */
    const int64_t *column_index, *row_index;
    const float *column_position, *row_position;
    const float *flow;               /* [height][width][4] */
    const float *table;              /* [slots][side * side][field_channels] */
    const int64_t *page;
    const float *latent[2];          /* [map_height][map_width][first width of the decoder] */
    const float *project[2];         /* [field_channels][first width] */
    const float *frames[2];          /* [3][latent_height][latent_width] */
    float *out;                      /* [height][width][3] */
} Tile;

static inline v8 load(const float *from) { return *(const v8 *)from; }
static inline void store(float *to, v8 value) { *(v8 *)to = value; }
static inline v8 filled(float value) { return value - (v8){0}; }

/* sin(x), off by at most 1e-7 + 6e-8 |x| / pi for |x| < 1e6: x less the nearest multiple of pi, then a polynomial. */
static inline v8 sine(v8 x) {
    const v8 shifter = filled(12582912.0f);
    v8 shifted = x * 0.318309886f + shifter;
    v8 turns = shifted - shifter;
    v8 r = x - turns * 3.14159274101257324f;
    r = r + turns * 8.74227765734758577e-8f;
    v8 u = r * r;
    v8 p = u * 2.59990338e-6f + -1.98065478e-4f;
    p = p * u + 8.33301619e-3f;
    p = p * u + -0.166666567f;
    p = r + r * u * p;
    return (v8)((i8)p ^ ((i8)shifted << 31));
}

/* out[p][o] = bias[o] (or out[p][o] itself) + sum over i of in[p][i] * weights[i][o], for GROUP pixels. */
#define PRODUCT(VECTORS)                                                                                             \
    static inline void product##VECTORS(const float *in, int inputs, const float *weights, int outputs,              \
                                        const float *bias, float *out, int sines) {                                  \
        v8 sum[GROUP][VECTORS];                                                                                      \
        for (int p = 0; p < GROUP; p++)                                                                              \
            for (int v = 0; v < VECTORS; v++) sum[p][v] = load(bias ? bias + 8 * v : out + p * WIDEST + 8 * v);      \
        for (int i = 0; i < inputs; i++)                                                                             \
            for (int v = 0; v < VECTORS; v++) {                                                                      \
                v8 weight = load(weights + (long)i * outputs + 8 * v);                                               \
                for (int p = 0; p < GROUP; p++) sum[p][v] += in[p * WIDEST + i] * weight;                            \
            }                                                                                                        \
        for (int p = 0; p < GROUP; p++)                                                                              \
            for (int v = 0; v < VECTORS; v++) {                                                                      \
                v8 result = sum[p][v];                                                                               \
                if (sines) result = sine(result);                                                                    \
                store(out + p * WIDEST + 8 * v, result);                                                             \
            }                                                                                                        \
    }
PRODUCT(1)
PRODUCT(2)

static void layer(const float *in, int inputs, const float *weights, const float *bias, float *out, int outputs,
                  int pixels, int sines) {
    for (int p = 0; p < pixels; p += GROUP) {
        const float *from = in + p * WIDEST;
        float *to = out + p * WIDEST;
        int o = 0;
        for (; o + 16 <= outputs; o += 16)
            product2(from, inputs, weights + o, outputs, bias ? bias + o : 0, to + o, sines);
        for (; o < outputs; o += 8)
            product1(from, inputs, weights + o, outputs, bias ? bias + o : 0, to + o, sines);
    }
}

/* Division takes long, and all pixels mostly have one time. */
static inline int64_t line_of(const Head *head, int64_t pixel) {
    return head->lines == 1 ? 0 : pixel / head->line_px % head->lines;
}

/* Runs the head on the first sums in a, of pixels from start on; returns the buffer (a or b) that holds the result,
   [pixels][WIDEST]. */
static float *run(const Head *head, float *a, float *b, int pixels, int64_t start) {
    v8 omega = filled(head->omega);
    for (int p = 0; p < pixels; p++) {
        const float *bias = head->first_bias + line_of(head, start + p) * head->widths[0];
        for (int c = 0; c < head->widths[0]; c += 8) {
            float *at = a + p * WIDEST + c;
            store(at, sine(load(at) * omega + load(bias + c)));
        }
    }
    for (int k = 0; k <= head->layers; k++) {
        layer(a, head->widths[k], head->weights[k], head->biases[k], b, head->widths[k + 1], pixels, k < head->layers);
        float *other = a;
        a = b;
        b = other;
    }
    return a;
}

static inline int whole_groups(int count) { return (count + GROUP - 1) / GROUP * GROUP; }

void videoinr_head(const Head *head, const float *first_sum, int64_t count, float *out, int32_t outputs) {
    float a[BLOCK * WIDEST], b[BLOCK * WIDEST];
    int width = head->widths[0];
    memset(a, 0, sizeof a);
    memset(b, 0, sizeof b);
    for (int64_t start = 0; start < count; start += BLOCK) {
        int pixels = count - start < BLOCK ? (int)(count - start) : BLOCK;
        for (int p = 0; p < pixels; p++) memcpy(a + p * WIDEST, first_sum + (start + p) * width, 4 * width);
        const float *result = run(head, a, b, whole_groups(pixels), start);
        for (int p = 0; p < pixels; p++) memcpy(out + (start + p) * outputs, result + p * WIDEST, 4 * outputs);
    }
}

/* The neighbours of a position on an axis of size pixels, borders extended, and the weight of the second. */
static inline float neighbours(float position, int size, int *lower, int *upper) {
    float last = (float)(size - 1);
    position = position > 0 ? position : 0; /* also if it is not a number */
    position = position < last ? position : last;
    int whole = (int)position;
    *lower = whole;
    *upper = whole + 1 < size ? whole + 1 : size - 1;
    return position - (float)whole;
}

/* out[c] (+)= the weighted sum of four rows. */
static inline void gather(const float *const row[4], const float weight[4], int channels, float *out, int add) {
    v8 w0 = filled(weight[0]), w1 = filled(weight[1]), w2 = filled(weight[2]), w3 = filled(weight[3]);
    for (int c = 0; c < channels; c += 8) {
        v8 sum = load(row[0] + c) * w0 + load(row[1] + c) * w1 + load(row[2] + c) * w2 + load(row[3] + c) * w3;
        if (add) sum += load(out + c);
        store(out + c, sum);
    }
}

static inline void bilinear_weights(float right, float lower, float weight[4]) {
    weight[0] = (1 - lower) * (1 - right);
    weight[1] = (1 - lower) * right;
    weight[2] = lower * (1 - right);
    weight[3] = lower * right;
}

static inline const float *field_row(const Tile *tile, int column, int row) {
    int bits = tile->side_bits, inner = (1 << bits) - 1;
    int64_t slot = tile->page[(int64_t)(row >> bits) * tile->pages_wide + (column >> bits)];
    if (slot < 0) slot = 0; /* a position that is not a number reads any tile, but no other memory */
    int64_t place = (slot << (2 * bits)) + ((int64_t)(row & inner) << bits) + (column & inner);
    return tile->table + place * tile->field_channels;
}

static inline void sample_field(const Tile *tile, float x, float y, float *out) {
    int left, right, top, bottom;
    float weight[4], across = neighbours(x, tile->grid_width, &left, &right);
    bilinear_weights(across, neighbours(y, tile->grid_height, &top, &bottom), weight);
    const float *row[4] = {field_row(tile, left, top), field_row(tile, right, top), field_row(tile, left, bottom),
                           field_row(tile, right, bottom)};
    gather(row, weight, tile->field_channels, out, 0);
}

static inline const float *map_row(const Tile *tile, int end, int column, int row, int channels) {
    column = inside(column - tile->map_x, tile->map_width);
    row = inside(row - tile->map_y, tile->map_height);
    return tile->latent[end] + ((int64_t)row * tile->map_width + column) * channels;
}

static inline void sample_latent(const Tile *tile, int end, float x, float y, int channels, float *out) {
    int left, right, top, bottom;
    float weight[4], across = neighbours(x, tile->latent_width, &left, &right);
    bilinear_weights(across, neighbours(y, tile->latent_height, &top, &bottom), weight);
    const float *row[4] = {map_row(tile, end, left, top, channels), map_row(tile, end, right, top, channels),
                           map_row(tile, end, left, bottom, channels), map_row(tile, end, right, bottom, channels)};
    gather(row, weight, channels, out, end);
}

static void sample_frame(const Tile *tile, int end, float x, float y, float rgb[3]) {
    int wide = tile->latent_width, high = tile->latent_height;
    Taps at = taps_at(x, y, wide, high);
    int column = at.column, row = at.row;
    v4 across = at.across, down = at.down;
    int within = column >= 0 && column + 4 <= wide;
    for (int channel = 0; channel < 3; channel++) {
        const float *plane = tile->frames[end] + (int64_t)channel * wide * high;
        v4 sum = {0};
        for (int k = 0; k < 4; k++) {
            const float *line = plane + (int64_t)inside(row + k, high) * wide;
            v4 taps = within ? *(const v4 *)(line + column)
                             : (v4){line[inside(column, wide)], line[inside(column + 1, wide)],
                                    line[inside(column + 2, wide)], line[inside(column + 3, wide)]};
            sum += down[k] * taps;
        }
        sum *= across;
        rgb[channel] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
}

void videoinr_colour(const Head *head, const Tile *tile) {
    float a[BLOCK * WIDEST], b[BLOCK * WIDEST], field[2][BLOCK * WIDEST];
    float x[2][BLOCK], y[2][BLOCK];
    int64_t count = (int64_t)tile->width * tile->height;
    int channels = head->widths[0];
    memset(a, 0, sizeof a);
    memset(b, 0, sizeof b);
    memset(field, 0, sizeof field);
    for (int64_t start = 0; start < count; start += BLOCK) {
        int pixels = count - start < BLOCK ? (int)(count - start) : BLOCK;
        for (int p = 0; p < pixels; p++) {
            int row = (int)((start + p) / tile->width), column = (int)((start + p) % tile->width);
            for (int end = 0; end < 2; end++) {
                const float *flow = tile->flow + 4 * (start + p) + 2 * end;
                x[end][p] = tile->column_position[column] + flow[0];
                y[end][p] = tile->row_position[row] + flow[1];
                sample_field(tile, (float)tile->column_index[column] + flow[0] * tile->pixels_per_latent_x,
                             (float)tile->row_index[row] + flow[1] * tile->pixels_per_latent_y,
                             field[end] + p * WIDEST);
                sample_latent(tile, end, x[end][p], y[end][p], channels, a + p * WIDEST);
            }
        }
        for (int end = 0; end < 2; end++)
            layer(field[end], tile->field_channels, tile->project[end], 0, a, channels, whole_groups(pixels), 0);
        const float *result = run(head, a, b, whole_groups(pixels), start);
        for (int p = 0; p < pixels; p++) {
            const float *residual = result + p * WIDEST, logit = tile->share_logit[line_of(head, start + p)];
            float first[3], second[3], share = 1 / (1 + expf(-(residual[3] + logit)));
            sample_frame(tile, 0, x[0][p], y[0][p], first);
            sample_frame(tile, 1, x[1][p], y[1][p], second);
            for (int c = 0; c < 3; c++)
                tile->out[3 * (start + p) + c] = second[c] + share * (first[c] - second[c]) + residual[c];
        }
    }
}
