// The kernel of convolve_tiles.py, in CUDA C++. That module describes it, and writes in front of this text what is
// known of a layer: the constants and functions that are used here but not declared.
//
// Words are of 16 bytes: eight channels of a pixel. A step is one product of 16 channels for each of three taps, one
// above the other: the weights of all three are kept, so that each value is read once for the three output rows that
// it contributes to.

typedef unsigned int u32;
typedef unsigned long long u64;

constexpr int ROWS = 4, SHARE_WIDTH = 16;                    // pixels that a warp computes
constexpr int WARPS = SIDE * DOWN * SPLIT, THREADS = 32 * WARPS;
constexpr int TILE_WIDTH = SHARE_WIDTH * SIDE, TILE_HEIGHT = ROWS * DOWN;
constexpr int WIDE = TILE_WIDTH + 2, HIGH = TILE_HEIGHT + 2;  // a tile with the pixels around it
constexpr int COLUMNS = (OUTPUTS + 7) / 8 * 8;
constexpr int MINE = COLUMNS / 8 / SPLIT;                     // words of output for each pixel of a warp
constexpr int STAGED = MINE % 8 ? MINE : MINE + 1;            // words between two pixels of the staging memory
constexpr int SHARE_WORDS = ROWS * SHARE_WIDTH * STAGED;
constexpr int SIZE = OUTPUTS % 8 ? 8 : 16;                    // bytes that a thread writes at a time
constexpr int UNITS = (SPLIT == 1 ? OUTPUTS : MINE * 8) * 2 / SIZE;
constexpr int ADDED_ROUNDS = ADDS ? ROWS * SHARE_WIDTH * UNITS / 32 : 0;

constexpr int piece_blocks(int piece) {
  int sum = 0;
  for (int k = 0; k < PARTS; k++) sum += piece_of(k) == piece ? blocks_of(k) : 0;
  return sum;
}
// Words between two pixels of a piece. An odd number: eight pixels in a row then lie in different banks.
constexpr int pitch(int piece) { return piece_blocks(piece) | 1; }
constexpr int steps(int piece) { return piece_blocks(piece) / 2 * 3 + piece_blocks(piece) % 2 * 2; }
constexpr int first_step(int piece) {
  int sum = 0;
  for (int k = 0; k < piece; k++) sum += steps(k);
  return sum;
}
constexpr int buffer_words() {
  int most = 0;
  for (int k = 0; k < PIECES; k++) most = most > WIDE * HIGH * pitch(k) ? most : WIDE * HIGH * pitch(k);
  return most;
}
constexpr int first_block(int part) {
  int sum = 0;
  for (int k = 0; k < part; k++) sum += piece_of(k) == piece_of(part) ? blocks_of(k) : 0;
  return sum;
}
// Rounds in which a block's threads copy a part, one word each, and those of all parts of a piece.
constexpr int rounds_of(int part) { return (WIDE * HIGH * blocks_of(part) + THREADS - 1) / THREADS; }
constexpr int rounds(int piece) {
  int sum = 0;
  for (int k = 0; k < PARTS; k++) sum += piece_of(k) == piece ? rounds_of(k) : 0;
  return sum;
}
// The part that a round of a piece copies, and the number of that round among those of the part.
constexpr int part_of_round(int piece, int round) {
  int part = 0;
  for (; piece_of(part) != piece || round >= rounds_of(part); part++)
    round -= piece_of(part) == piece ? rounds_of(part) : 0;
  return part;
}
constexpr int number_of_round(int piece, int round) {
  int part = part_of_round(piece, round);
  for (int k = 0; k < part; k++) round -= piece_of(k) == piece ? rounds_of(k) : 0;
  return round;
}

struct Job {
  u64 inputs[INPUTS];
  u64 weight, bias, add, out;
  int images, height, width, across, tiles;
  float slope;
};

// The image of a tile, and the pixel at its upper left.
struct Place {
  int image, row, column;
  __device__ __forceinline__ Place(const Job& job, int tile) {
    int down = (job.height + TILE_HEIGHT - 1) / TILE_HEIGHT, line = tile / job.across;
    image = line / down, row = line % down * TILE_HEIGHT, column = tile % job.across * TILE_WIDTH;
  }
  __device__ __forceinline__ u32 pixel(const Job& job, int y, int x) const {
    return ((u32)image * job.height + y) * job.width + x;
  }
};

// The pixels of a tile, and the words of output, that a warp computes.
struct Share {
  int row, column, first, lane;
  __device__ __forceinline__ Share() {
    int warp = threadIdx.x / 32;
    lane = threadIdx.x % 32;
    column = warp % SIDE * SHARE_WIDTH, row = warp / SIDE % DOWN * ROWS, first = warp / SIDE / DOWN * MINE;
  }
};

typedef float Sums[ROWS][MINE][4];

template <int BYTES>
__device__ __forceinline__ void copy_later(u32 to, u64 from, bool there) {
  if (BYTES == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(there ? 16 : 0));
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], 8, %2;" ::"r"(to), "l"(from), "r"(there ? 8 : 0));
}
__device__ __forceinline__ void end_group() { asm volatile("cp.async.commit_group;"); }

__device__ __forceinline__ void load_four(u32& a, u32& b, u32& c, u32& d, u32 from) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(a), "=r"(b), "=r"(c), "=r"(d) : "r"(from));
}
__device__ __forceinline__ void load_two(u32& a, u32& b, u32 from) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];" : "=r"(a), "=r"(b) : "r"(from));
}
__device__ __forceinline__ void multiply(float (&sums)[4], const u32 (&values)[4], const u32 (&factors)[2]) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." TYPE "." TYPE ".f32 "
               "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
               : "r"(values[0]), "r"(values[1]), "r"(values[2]), "r"(values[3]), "r"(factors[0]), "r"(factors[1]));
}
__device__ __forceinline__ u32 rounded(float first, float second) {
  u32 pair;
  asm("cvt.rn." TYPE "x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
  return pair;
}
__device__ __forceinline__ float value(u32 pair, bool second) {
  unsigned short half = second ? pair >> 16 : pair;
  float found;
  asm("cvt.f32." TYPE " %0, %1;" : "=f"(found) : "h"(half));
  return found;
}

// Start rounds ROUND ... LAST - 1 of copying a piece of a tile's input; beside the map are zeros. Templates that call
// themselves, here and below, are loops of steps that differ; unrolled ones took 12 s to compile where these take 2.
template <int PIECE, int ROUND, int LAST>
__device__ __forceinline__ void copy_piece(const Job& job, const Place& place, u32 buffer) {
  if constexpr (ROUND < LAST && ROUND < rounds(PIECE)) {
    constexpr int PART = part_of_round(PIECE, ROUND), NUMBER = number_of_round(PIECE, ROUND), BLOCKS = blocks_of(PART);
    int at = NUMBER * THREADS + threadIdx.x, pixel = at / BLOCKS, block = at % BLOCKS;
    int y = place.row + pixel / WIDE - 1, x = place.column + pixel % WIDE - 1;
    bool there = (u32)y < (u32)job.height && (u32)x < (u32)job.width;
    u64 source = (u64)(there ? place.pixel(job, y, x) : 0) * width_of(PART) + begin_of(PART) + block;
    if ((NUMBER + 1) * THREADS <= WIDE * HIGH * BLOCKS || at < WIDE * HIGH * BLOCKS)
      copy_later<16>(buffer + (pixel * pitch(PIECE) + first_block(PART) + block) * 16,
                     job.inputs[input_of(PART)] + source * 16, there);
    copy_piece<PIECE, ROUND + 1, LAST>(job, place, buffer);
  }
}

// Start rounds ROUND ... LAST - 1 of copying what is added to a warp's share.
template <int ROUND, int LAST>
__device__ __forceinline__ void copy_added(const Job& job, const Place& place, const Share& share, u32 staged) {
  if constexpr (ROUND < LAST && ROUND < ADDED_ROUNDS) {
    int at = ROUND * 32 + share.lane, pixel = at / UNITS, unit = at % UNITS;
    int y = place.row + share.row + pixel / SHARE_WIDTH, x = place.column + share.column + pixel % SHARE_WIDTH;
    bool there = y < job.height && x < job.width;
    u64 source = (u64)(there ? place.pixel(job, y, x) : 0) * OUTPUTS + share.first * 8;
    copy_later<SIZE>(staged + pixel * STAGED * 16 + unit * SIZE, job.add + source * 2 + unit * SIZE, there);
    copy_added<ROUND + 1, LAST>(job, place, share, staged);
  }
}

// Words from a pixel to the first (half 0) or the other eight channels of a step, in the same row. Where a piece has
// an odd number of blocks, the last block of two taps makes a step; the fourth tap has weights of zero.
template <int PIECE>
__device__ __forceinline__ constexpr int offset_of(int step, int half) {
  constexpr int BLOCKS = piece_blocks(PIECE), PAIRED = BLOCKS / 2 * 3;
  if (step < PAIRED) return step % 3 * pitch(PIECE) + step / 3 * 2 + half;
  int tap = (step - PAIRED) * 2 + half;
  return (tap < 3 ? tap : 2) * pitch(PIECE) + BLOCKS - 1;
}

// What a warp reads in every step: the words of its first pixel and of its first output, and where it copies to.
struct Walk {
  u32 left, right, there, staged;
  bool has_next;
};

// Multiply the steps of a piece, from STEP on, and start to copy what comes next meanwhile: what is added (with the
// last piece), and another piece, of the tile at ``next``.
template <int PIECE, int STEP>
__device__ __forceinline__ void multiply_piece(
    const Job& job, const Share& share, Sums& sums, const Walk& walk, const Place& place, const Place& next) {
  constexpr int NEXT = (PIECE + 1) % PIECES, ADDED = NEXT == 0 ? ADDED_ROUNDS : 0;
  constexpr int EACH = (ADDED + rounds(NEXT) + steps(PIECE) - 1) / steps(PIECE), FIRST = STEP * EACH;
  if constexpr (FIRST < ADDED) {
    copy_added<FIRST, FIRST + EACH>(job, place, share, walk.staged);
    if (FIRST + EACH >= ADDED) end_group();
  }
  constexpr int BEGIN = FIRST > ADDED ? FIRST - ADDED : 0;
  if (walk.has_next) copy_piece<NEXT, BEGIN, FIRST + EACH - ADDED>(job, next, walk.there);
  u32 from = walk.left + (share.lane >= 16 ? offset_of<PIECE>(STEP, 1) : offset_of<PIECE>(STEP, 0)) * 16;
  u32 factors[3][MINE][2];
  #pragma unroll
  for (int tap = 0; tap < 3; tap++)
    #pragma unroll
    for (int block = 0; block < MINE; block += 2) {
      u32 at = walk.right + ((STEP * 3 + tap) * 2 * COLUMNS + block * 8) * 16;
      if (block + 1 < MINE)
        load_four(factors[tap][block][0], factors[tap][block][1],
                  factors[tap][block + 1][0], factors[tap][block + 1][1], at);
      else
        load_two(factors[tap][block][0], factors[tap][block][1], at);
    }
  #pragma unroll
  for (int line = 0; line < ROWS + 2; line++) {
    u32 values[4];
    load_four(values[0], values[1], values[2], values[3], from + line * WIDE * pitch(PIECE) * 16);
    #pragma unroll
    for (int tap = 0; tap < 3; tap++)
      if (line >= tap && line - tap < ROWS)
        #pragma unroll
        for (int block = 0; block < MINE; block++) multiply(sums[line - tap][block], values, factors[tap][block]);
  }
  if constexpr (STEP + 1 < steps(PIECE)) multiply_piece<PIECE, STEP + 1>(job, share, sums, walk, place, next);
}

// Add the bias, activate, add and round in the warp's staging memory, which holds what is to be added; write the rows.
__device__ __forceinline__ void finish(
    const Job& job, const Place& place, const Share& share, Sums& sums, const float* bias, unsigned char* staged) {
  #pragma unroll
  for (int block = 0; block < MINE; block++) {
    int channel = block * 8 + share.lane % 4 * 2;
    float one = bias[share.first * 8 + channel], other = bias[share.first * 8 + channel + 1];
    #pragma unroll
    for (int line = 0; line < ROWS; line++)
      #pragma unroll
      for (int half = 0; half < 2; half++) {
        float first = sums[line][block][half * 2] + one, second = sums[line][block][half * 2 + 1] + other;
        first = first > 0 ? first : first * job.slope, second = second > 0 ? second : second * job.slope;
        int pixel = line * SHARE_WIDTH + half * 8 + share.lane / 4;
        u32* pair = (u32*)(staged + pixel * STAGED * 16 + channel * 2);
        if (ADDS) first += value(*pair, false), second += value(*pair, true);
        *pair = rounded(first, second);
      }
  }
  __syncwarp();
  #pragma unroll
  for (int k = 0; k < ROWS * SHARE_WIDTH * UNITS / 32; k++) {
    int at = k * 32 + share.lane, pixel = at / UNITS, unit = at % UNITS;
    int y = place.row + share.row + pixel / SHARE_WIDTH, x = place.column + share.column + pixel % SHARE_WIDTH;
    if (y >= job.height || x >= job.width) continue;
    u64 to = job.out + ((u64)place.pixel(job, y, x) * OUTPUTS + share.first * 8) * 2 + unit * SIZE;
    const unsigned char* from = staged + pixel * STAGED * 16 + unit * SIZE;
    if (SIZE == 16)
      *(uint4*)to = *(const uint4*)from;
    else
      *(uint2*)to = *(const uint2*)from;
  }
  __syncwarp();
}

// Multiply the pieces of a tile, from PIECE on. ``half`` is the half of the buffer in which the next piece lies.
template <int PIECE>
__device__ __forceinline__ void run(
    const Job& job, const Share& share, const Place& place, const Place& next, bool has_next, Sums& sums, u32 weights,
    u32 buffer, u32 staged, int& half) {
  constexpr bool LAST = PIECE == PIECES - 1;
  asm volatile("cp.async.wait_group 0;");
  __syncthreads();  // All threads' copies have arrived, and no thread reads the other half any more.
  int lane = share.lane, pixel = share.row * WIDE + share.column + lane % 8 + lane / 8 % 2 * 8;
  int word = (first_step(PIECE) * 6 + lane / 8 % 2) * COLUMNS + share.first * 8 + lane / 16 * 8 + lane % 8;
  Walk walk;
  walk.left = buffer + (half * buffer_words() + pixel * pitch(PIECE)) * 16, walk.right = weights + word * 16;
  walk.there = buffer + (1 - half) * buffer_words() * 16, walk.staged = staged, walk.has_next = !LAST || has_next;
  multiply_piece<PIECE, 0>(job, share, sums, walk, place, LAST ? next : place);
  end_group();
  half = 1 - half;
  if constexpr (!LAST) run<PIECE + 1>(job, share, place, next, has_next, sums, weights, buffer, staged, half);
}

extern "C" __global__ void __launch_bounds__(THREADS, RESIDENT) convolve(const __grid_constant__ Job job) {
  extern __shared__ __align__(128) unsigned char memory[];
  __shared__ float bias[COLUMNS];
  constexpr int WEIGHTS = first_step(PIECES) * 6 * COLUMNS;
  u32 weights = (u32)__cvta_generic_to_shared(memory), buffer = weights + WEIGHTS * 16;
  unsigned char* staged = memory + (WEIGHTS + 2 * buffer_words() + threadIdx.x / 32 * SHARE_WORDS) * 16;
  for (int at = threadIdx.x; at < WEIGHTS; at += THREADS) copy_later<16>(weights + at * 16, job.weight + at * 16, true);
  for (int at = threadIdx.x; at < COLUMNS; at += THREADS) bias[at] = ((const float*)job.bias)[at];
  int half = 0;
  Share share;
  Place place(job, blockIdx.x);
  copy_piece<0, 0, rounds(0)>(job, place, buffer);
  end_group();
  for (int tile = blockIdx.x; tile < job.tiles; tile += gridDim.x) {
    Place next(job, tile + gridDim.x);
    Sums sums = {};
    bool has_next = tile + gridDim.x < job.tiles;
    run<0>(job, share, place, next, has_next, sums, weights, buffer, (u32)__cvta_generic_to_shared(staged), half);
    if (ADDS) {
      asm volatile("cp.async.wait_group 1;");  // What is added has arrived; the next piece may be on its way.
      __syncwarp();
    }
    finish(job, place, share, sums, bias, staged);
    place = next;
  }
}
