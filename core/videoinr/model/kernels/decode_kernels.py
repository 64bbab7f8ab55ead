"""The kernels of decode.py, which describes them; a program takes a block of 32 to 128 pixels.

The registers determine the size of the block: a program keeps [pixels, channels] tiles from the first read to the last
product.
"""

from __future__ import annotations

import os

import triton
import triton.language as tl
from triton.language.extra import libdevice

from videoinr.model.kernels.reading import bicubic, place
from videoinr.model.siren import OMEGA

_OMEGA = tl.constexpr(OMEGA)
# Triton's interpreter has no functions of CUDA's library.
_INTERPRETED = tl.constexpr(os.environ.get("TRITON_INTERPRET") == "1")
# Integers that change with every view. Specialised for their values, the kernels would be compiled anew for each view.
_SIZES = [
    "first_row", "columns", "rows", "grid_x", "grid_y", "grid_width", "grid_height",
    "box_x", "box_y", "box_width", "box_height", "height", "width",
]  # fmt: skip


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _sine(z):  # type: ignore[no-untyped-def]
    """Return sin(z) in float32 by the hardware's instruction: to 4e-5 for |z| <= 314, a sixth of float16's rounding."""
    return tl.sin(z) if _INTERPRETED else libdevice.fast_sinf(z)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _sine_layers(z, weights, biases, wide: tl.constexpr, layers: tl.constexpr):  # type: ignore[no-untyped-def]
    """Apply ``layers`` sine layers to the first layer's pre-activation z [run, wide]; return sines in float16."""
    channel = tl.arange(0, wide)
    a = _sine(z).to(tl.float16)
    for k in tl.static_range(layers):
        weight = tl.load(weights + k * wide * wide + channel[:, None] * wide + channel[None, :])
        a = _sine(tl.dot(a, weight) + tl.load(biases + k * wide + channel)[None, :]).to(tl.float16)
    return a


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _dot(a, weights, rows: tl.constexpr, columns: tl.constexpr):  # type: ignore[no-untyped-def]
    """Return a [run, rows] @ the matrix [rows, columns] at ``weights``, with sums in float32."""
    row, column = tl.arange(0, rows), tl.arange(0, columns)
    return tl.dot(a, tl.load(weights + row[:, None] * columns + column[None, :]))


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _through(  # type: ignore[no-untyped-def]
    a, first, bias, second, rows: tl.constexpr, middle: tl.constexpr, columns: tl.constexpr, chunk: tl.constexpr
):  # fmt: skip
    """Return sin(a @ first + bias) @ second [run, columns], ``chunk`` of the ``middle`` channels at a time."""
    row, some, column = tl.arange(0, rows), tl.arange(0, chunk), tl.arange(0, columns)
    total = tl.zeros([a.shape[0], columns], tl.float32)
    for begin in tl.range(0, middle, chunk):
        weight = tl.load(first + row[:, None] * middle + (begin + some)[None, :])
        sines = _sine(tl.dot(a, weight) + tl.load(bias + begin + some)[None, :]).to(tl.float16)
        total = tl.dot(sines, tl.load(second + (begin + some)[:, None] * columns + column[None, :]), total)
    return total


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _answer(  # type: ignore[no-untyped-def]
    z, hidden, biases, last, wide: tl.constexpr, layers: tl.constexpr,
    broad: tl.constexpr, broad_layers: tl.constexpr, chunk: tl.constexpr, answers: tl.constexpr,
):  # fmt: skip
    """Return a head's output [run, answers], without the last bias, for the first pre-activation z [run, wide]."""
    a = _sine_layers(z, hidden, biases, wide, layers)
    hidden, biases = hidden + layers * wide * wide, biases + layers * wide
    if broad_layers == 2:
        z = _through(a, hidden, biases, hidden + wide * broad, wide, broad, broad, chunk)
        a = _sine(z + tl.load(biases + broad + tl.arange(0, broad))[None, :]).to(tl.float16)
        answer = _dot(a, last, broad, answers)
    elif broad_layers == 1:
        answer = _through(a, hidden, biases, last, wide, broad, answers, chunk)
    else:
        answer = _dot(a, last, wide, answers)
    return answer


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _rows(table, row, pitch: tl.constexpr, wide: tl.constexpr):  # type: ignore[no-untyped-def]
    """Load rows of ``pitch`` channels, zero-padded to ``wide``: [run, wide], of the table's type."""
    channel = tl.arange(0, wide)[None, :]
    at = table + row[:, None] * pitch + channel
    if pitch == wide:
        return tl.load(at)
    return tl.load(at, mask=channel < pitch, other=0.0)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _multiply_add(a, b, c):  # type: ignore[no-untyped-def]
    """Return a * b + c in float16, two channels in one instruction, which the compiler does not do by itself."""
    if _INTERPRETED:
        return a * b + c
    return tl.inline_asm_elementwise(
        "fma.rn.f16x2 $0, $1, $2, $3;", "=r,r,r,r", [a, b, c], dtype=tl.float16, is_pure=True, pack=2
    )


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _bilinear(  # type: ignore[no-untyped-def]
    total, table, corner, right, below, wx, wy, pitch: tl.constexpr, wide: tl.constexpr
):  # fmt: skip
    """Add the bilinear interpolation of four rows (see ``reading.place``) to ``total`` [run, wide], in float16."""
    for k in tl.static_range(4):
        row, weight = corner, 1 - wy
        if k >= 2:
            row, weight = row + below, wy
        if k % 2:
            row, weight = row + right, weight * wx
        else:
            weight *= 1 - wx
        values = _rows(table, row, pitch, wide).to(tl.float16)
        total = _multiply_add(values, weight.to(tl.float16)[:, None], total)
    return total


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _prior(  # type: ignore[no-untyped-def]
    prior, corner, right, below, wx, wy, component: tl.constexpr, channels: tl.constexpr
):  # fmt: skip
    """Interpolate one of the prior's components bilinearly: [run]."""
    at = prior + component
    top = tl.load(at + corner * channels) * (1 - wx) + tl.load(at + (corner + right) * channels) * wx
    bottom = tl.load(at + (corner + below) * channels) * (1 - wx)
    bottom += tl.load(at + (corner + below + right) * channels) * wx
    return top * (1 - wy) + bottom * wy


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _offset(prior, corner, right, below, wx, wy, t, axis: tl.constexpr):  # type: ignore[no-untyped-def]
    """Return what the bend of a prior of eight channels adds to both flows along an axis (time_laws.bend_of): [run]."""
    mean = _prior(prior, corner, right, below, wx, wy, 4 + axis, 8)
    turn = _prior(prior, corner, right, below, wx, wy, 6 + axis, 8)
    return t * (1 - t) / 2 * (mean + (t - 0.5) / 3 * turn)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _component(answer, bias, index: tl.constexpr, wide: tl.constexpr):  # type: ignore[no-untyped-def]
    """Return column ``index`` of a head's output [run, wide], plus its bias: [run]."""
    output = tl.arange(0, wide)[None, :]
    return tl.sum(tl.where(output == index, answer, 0.0), axis=1) + tl.load(bias + index)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _pixels(columns, rows, block_width: tl.constexpr, run: tl.constexpr):  # type: ignore[no-untyped-def]
    """Return the column and row of each pixel of this program, clamped to the picture, and which are inside it."""
    pixel = tl.arange(0, run)
    across = tl.cdiv(columns, block_width)
    column = (tl.program_id(0) % across) * block_width + pixel % block_width
    row = (tl.program_id(0) // across) * (run // block_width) + pixel // block_width
    return tl.minimum(column, columns - 1), tl.minimum(row, rows - 1), (column < columns) & (row < rows)


@triton.jit(do_not_specialize=_SIZES)  # type: ignore[untyped-decorator, unused-ignore]
def field_kernel(  # type: ignore[no-untyped-def]
    latent, xs, ys, entry, entry_bias, hidden, hidden_bias, last, last_bias, out, columns, rows, height, width,
    spatial: tl.constexpr, pitch: tl.constexpr, wide: tl.constexpr, layers: tl.constexpr,
    broad: tl.constexpr, broad_layers: tl.constexpr, chunk: tl.constexpr, answers: tl.constexpr,
    block_width: tl.constexpr, run: tl.constexpr,
):  # fmt: skip
    """Evaluate F_s (eq. 2) at ``rows`` x ``columns`` pixels into ``out`` [rows, columns, spatial], float16."""
    column, row, inside = _pixels(columns, rows, block_width, run)
    x, y = tl.load(xs + column), tl.load(ys + row)
    nearest_x = tl.minimum(tl.maximum(tl.floor(x + 0.5), 0.0), width - 1.0)
    nearest_y = tl.minimum(tl.maximum(tl.floor(y + 0.5), 0.0), height - 1.0)
    dx, dy = 2 * (x - nearest_x), 2 * (y - nearest_y)
    channel, output = tl.arange(0, wide), tl.arange(0, answers)
    z = _rows(latent, nearest_y.to(tl.int32) * width + nearest_x.to(tl.int32), pitch, wide) * _OMEGA
    z += dx[:, None] * tl.load(entry + channel)[None, :] + dy[:, None] * tl.load(entry + wide + channel)[None, :]
    z += tl.load(entry_bias + channel)[None, :]
    answer = _answer(z, hidden, hidden_bias, last, wide, layers, broad, broad_layers, chunk, answers)
    answer += tl.load(last_bias + output)[None, :]
    there = inside[:, None] & (output < spatial)
    tl.store(out + (row * columns + column)[:, None] * spatial + output, answer, mask=there)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _level(value):  # type: ignore[no-untyped-def]
    """Round 0 ... 1 to the nearest of 256 levels, ties to even, as images.rgbx_from_tensor does."""
    scaled = tl.minimum(tl.maximum(value, 0.0), 1.0) * 255.0
    return ((scaled + 12582912.0) - 12582912.0).to(tl.int32)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _pixel(red, green, blue):  # type: ignore[no-untyped-def]
    """Pack RGB, clamped to 0 ... 1, into one 32-bit word RGBX."""
    return _level(red) | (_level(green) << 8) | (_level(blue) << 16) | -16777216


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _within(index, count):  # type: ignore[no-untyped-def]
    """Clamp an index to the field's box; a picture whose flow leaves the box is discarded later."""
    return tl.minimum(tl.maximum(index, 0), count - 1)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _reach(to, pixels):  # type: ignore[no-untyped-def]
    """Return the grid pixel at or before position ``to`` of an axis, the next one, and the next one's weight."""
    to = tl.minimum(tl.maximum(to, 0.0), pixels - 1.0)
    first = tl.floor(to)
    index = first.to(tl.int32)
    return index, tl.minimum(index + 1, pixels - 1), to - first


@triton.jit(do_not_specialize=_SIZES)  # type: ignore[untyped-decorator, unused-ignore]
def motion_kernel(  # type: ignore[no-untyped-def]
    field, temporal, prior, xs, ys, time, entry, bias, of_time, hidden, hidden_bias, last, last_bias, flow, shortfall,
    first_row, columns, rows, grid_x, grid_y, grid_width, grid_height, box_x, box_y, box_width, box_height,
    height, width, grid_per_latent_x, grid_per_latent_y,
    spatial: tl.constexpr, pitch: tl.constexpr, wide: tl.constexpr, layers: tl.constexpr,
    broad: tl.constexpr, broad_layers: tl.constexpr, chunk: tl.constexpr, answers: tl.constexpr,
    prior_channels: tl.constexpr, block_width: tl.constexpr, run: tl.constexpr,
):  # fmt: skip
    """Write M(x, t) (eq. 4) to ``flow`` [rows, columns, 4], and by how much it leaves the box to ``shortfall``.

    ``prior_channels``: 0, 4, or 8 with the bend of the path.
    """
    column, row, inside = _pixels(columns, rows, block_width, run)
    x, y, t = tl.load(xs + column), tl.load(ys + first_row + row), tl.load(time)
    corner, right, below, wx, wy, _, _ = place(x, y, inside, height, width)
    channel = tl.arange(0, wide)
    here = _rows(field, (grid_y + row - box_y) * box_width + grid_x + column - box_x, spatial, spatial)
    latent = _bilinear(tl.zeros([run, wide], tl.float16), temporal, corner, right, below, wx, wy, pitch, wide)
    z = latent.to(tl.float32) * _OMEGA + (tl.load(bias + channel) + t * tl.load(of_time + channel))[None, :]
    z += _dot(here, entry, spatial, wide)
    answer = _answer(z, hidden, hidden_bias, last, wide, layers, broad, broad_layers, chunk, answers)
    at = flow + (row * columns + column) * 4
    nothing = column * 0
    short_left, short_top, short_right, short_bottom = nothing, nothing, nothing, nothing
    if prior_channels == 8:
        offset_x = _offset(prior, corner, right, below, wx, wy, t, 0)
        offset_y = _offset(prior, corner, right, below, wx, wy, t, 1)
    for way in tl.static_range(2):
        growth = 2 * t if way == 0 else 2 - 2 * t
        mx = _component(answer, last_bias, 2 * way, answers)
        my = _component(answer, last_bias, 2 * way + 1, answers)
        if prior_channels:
            mx += growth * _prior(prior, corner, right, below, wx, wy, 2 * way, prior_channels)
            my += growth * _prior(prior, corner, right, below, wx, wy, 2 * way + 1, prior_channels)
        if prior_channels == 8:
            mx += offset_x
            my += offset_y
        tl.store(at + 2 * way, mx, mask=inside)
        tl.store(at + 2 * way + 1, my, mask=inside)
        first, last_one, _ = _reach(grid_x + column + mx * grid_per_latent_x, grid_width)
        short_left = tl.maximum(short_left, box_x - first)
        short_right = tl.maximum(short_right, last_one + 1 - box_x - box_width)
        first, last_one, _ = _reach(grid_y + row + my * grid_per_latent_y, grid_height)
        short_top = tl.maximum(short_top, box_y - first)
        short_bottom = tl.maximum(short_bottom, last_one + 1 - box_y - box_height)
    if tl.max(tl.maximum(tl.maximum(short_left, short_top), tl.maximum(short_right, short_bottom)), axis=0) > 0:
        tl.atomic_max(shortfall, tl.max(short_left, axis=0), sem="relaxed")
        tl.atomic_max(shortfall + 1, tl.max(short_top, axis=0), sem="relaxed")
        tl.atomic_max(shortfall + 2, tl.max(short_right, axis=0), sem="relaxed")
        tl.atomic_max(shortfall + 3, tl.max(short_bottom, axis=0), sem="relaxed")


@triton.jit(do_not_specialize=_SIZES)  # type: ignore[untyped-decorator, unused-ignore]
def colour_kernel(  # type: ignore[no-untyped-def]
    field, colour_first, colour_second, flow, xs, ys, time, entry, bias, of_time, hidden, hidden_bias, last, last_bias,
    answer, rgbx, first_row, columns, rows, grid_x, grid_y, grid_width, grid_height,
    box_x, box_y, box_width, box_height, height, width, grid_per_latent_x, grid_per_latent_y,
    spatial: tl.constexpr, pitch: tl.constexpr, wide: tl.constexpr, layers: tl.constexpr,
    broad: tl.constexpr, broad_layers: tl.constexpr, chunk: tl.constexpr, answers: tl.constexpr,
    blends: tl.constexpr, block_width: tl.constexpr, run: tl.constexpr,
):  # fmt: skip
    """Run the decoder on the samples of both warps (eq. 6, section 3.4).

    If the model ``blends``, write the residual and the logit, without the last bias, to ``answer`` [rows, columns, 4];
    otherwise write the picture to ``rgbx``.
    """
    column, row, inside = _pixels(columns, rows, block_width, run)
    x, y, t = tl.load(xs + column), tl.load(ys + first_row + row), tl.load(time)
    channel, output = tl.arange(0, wide), tl.arange(0, answers)[None, :]
    here = (row * columns + column) * 4
    latent = tl.zeros([run, wide], tl.float16)
    # Both reads of the lattice come first: with the reads of F_s between them, a program needs 20 % more registers.
    for way in tl.static_range(2):
        mx, my = tl.load(flow + here + 2 * way), tl.load(flow + here + 2 * way + 1)
        corner, right, below, wx, wy, _, _ = place(x + mx, y + my, inside, height, width)
        table = colour_first if way == 0 else colour_second
        latent = _bilinear(latent, table, corner, right, below, wx, wy, pitch, wide)
    z = latent.to(tl.float32) * _OMEGA + (tl.load(bias + channel) + t * tl.load(of_time + channel))[None, :]
    for way in tl.static_range(2):
        mx, my = tl.load(flow + here + 2 * way), tl.load(flow + here + 2 * way + 1)
        left, right, wx = _reach(grid_x + column + mx * grid_per_latent_x, grid_width)
        top, bottom, wy = _reach(grid_y + row + my * grid_per_latent_y, grid_height)
        left, right = _within(left - box_x, box_width), _within(right - box_x, box_width)
        top, bottom = _within(top - box_y, box_height), _within(bottom - box_y, box_height)
        warped = _bilinear(
            tl.zeros([run, spatial], tl.float16), field, top * box_width + left, right - left,
            (bottom - top) * box_width, wx, wy, spatial, spatial,
        )  # fmt: skip
        z += _dot(warped, entry + way * spatial * wide, spatial, wide)
    out = _answer(z, hidden, hidden_bias, last, wide, layers, broad, broad_layers, chunk, answers)
    if blends:
        tl.store(answer + here[:, None] + output, out, mask=inside[:, None] & (output < 4))
    else:
        red, green = _component(out, last_bias, 0, answers), _component(out, last_bias, 1, answers)
        colour = _pixel(red, green, _component(out, last_bias, 2, answers))
        tl.store(rgbx + (first_row + row) * columns + column, colour, mask=inside)


@triton.jit(do_not_specialize=_SIZES)  # type: ignore[untyped-decorator, unused-ignore]
def blend_kernel(  # type: ignore[no-untyped-def]
    flow, answer, answer_bias, frames, xs, ys, time, rgbx, first_row, columns, rows, height, width,
    block_width: tl.constexpr, run: tl.constexpr,
):  # fmt: skip
    """Warp both frames bicubically, mix them, add the residual, round, and write each pixel as one word."""
    column, row, inside = _pixels(columns, rows, block_width, run)
    x, y, t = tl.load(xs + column), tl.load(ys + first_row + row), tl.load(time)
    at = flow + (row * columns + column) * 4
    r0, g0, b0, _, _, _, _, _, _ = bicubic(frames, x + tl.load(at), y + tl.load(at + 1), inside, height, width)
    frames += 3 * height * width
    r, g, b, _, _, _, _, _, _ = bicubic(frames, x + tl.load(at + 2), y + tl.load(at + 3), inside, height, width)
    first_share = tl.minimum(tl.maximum(1 - t, 0.02), 0.98)
    at = answer + (row * columns + column) * 4
    share = tl.sigmoid(tl.load(at + 3) + tl.load(answer_bias + 3) + tl.log(first_share / (1 - first_share)))
    red = r + share * (r0 - r) + tl.load(at) + tl.load(answer_bias)
    green = g + share * (g0 - g) + tl.load(at + 1) + tl.load(answer_bias + 1)
    blue = b + share * (b0 - b) + tl.load(at + 2) + tl.load(answer_bias + 2)
    tl.store(rgbx + (first_row + row) * columns + column, _pixel(red, green, blue), mask=inside)
