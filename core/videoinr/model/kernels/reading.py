"""Device functions that several kernels share: bilinear corners, bicubic reading of a frame, the sigmoid."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def place(x, y, inside, height, width):  # type: ignore[no-untyped-def]
    """Return the four bilinear neighbours of x, y on a map of ``height`` rows and ``width`` columns, border extended.

    The neighbours are pixels ``corner`` (counted row by row), + ``right``, + ``below`` and + both; the weights of the
    right and of the lower ones follow. ``free_x`` and ``free_y`` are true where the position was not clamped, that is,
    where it has a gradient.
    """
    free_x, free_y = inside & (x > 0) & (x < width - 1), inside & (y > 0) & (y < height - 1)
    x, y = tl.minimum(tl.maximum(x, 0.0), width - 1.0), tl.minimum(tl.maximum(y, 0.0), height - 1.0)
    left, top = tl.floor(x), tl.floor(y)
    corner = top.to(tl.int32) * width + left.to(tl.int32)
    right, below = tl.where(left + 1 < width, 1, 0), tl.where(top + 1 < height, width, 0)
    return corner, right, below, x - left, y - top, free_x, free_y


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def bilinear(table, first, right, below, wx, wy, mask):  # type: ignore[no-untyped-def]
    """Return the bilinear mean of four rows of channels, in float32.

    ``first`` holds where the channels [run, channels] of the upper left neighbour lie, ``right`` and ``below`` [run, 1]
    how far the others are from it, ``wx`` and ``wy`` [run, 1] the weights of the right and of the lower ones.
    """
    upper = tl.load(table + first, mask=mask, other=0.0).to(tl.float32) * (1 - wx)
    upper += tl.load(table + first + right, mask=mask, other=0.0).to(tl.float32) * wx
    lower = tl.load(table + first + below, mask=mask, other=0.0).to(tl.float32) * (1 - wx)
    lower += tl.load(table + first + below + right, mask=mask, other=0.0).to(tl.float32) * wx
    return upper * (1 - wy) + lower * wy


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _tap(d, order: tl.constexpr):  # type: ignore[no-untyped-def]
    """Return tap ``order``'s (0 ... 3) bicubic weight (a = -0.75) and its derivative, ``d`` right of tap 1."""
    if order == 0:
        s = d + 1
        return -0.75 * (((s - 5) * s + 8) * s - 4), -0.75 * ((3 * s - 10) * s + 8)
    if order == 1:
        return (1.25 * d - 2.25) * d * d + 1, (3.75 * d - 4.5) * d
    if order == 2:
        s = 1 - d
        return (1.25 * s - 2.25) * s * s + 1, -(3.75 * s - 4.5) * s
    s = 2 - d
    return -0.75 * (((s - 5) * s + 8) * s - 4), 0.75 * ((3 * s - 10) * s + 8)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def bicubic(frame, x, y, inside, height, width):  # type: ignore[no-untyped-def]
    """Return red, green and blue of the planar ``frame`` at x, y, their derivatives along x, and those along y."""
    left, top = tl.floor(x), tl.floor(y)
    dx, dy = x - left, y - top
    # Clamped before the conversion: a diverged flow may be larger than any int32.
    column = tl.minimum(tl.maximum(left, -4.0), width + 4.0).to(tl.int32)
    row = tl.minimum(tl.maximum(top, -4.0), height + 4.0).to(tl.int32)
    zero = x * 0.0
    r, g, b, rx, gx, bx, ry, gy, by = zero, zero, zero, zero, zero, zero, zero, zero, zero
    for j in tl.static_range(4):
        wy, vy = _tap(dy, j)
        at = tl.minimum(tl.maximum(row + (j - 1), 0), height - 1) * width
        for i in tl.static_range(4):
            wx, vx = _tap(dx, i)
            at_column = frame + at + tl.minimum(tl.maximum(column + (i - 1), 0), width - 1)
            red = tl.load(at_column, mask=inside, other=0.0)
            green = tl.load(at_column + height * width, mask=inside, other=0.0)
            blue = tl.load(at_column + 2 * height * width, mask=inside, other=0.0)
            r, g, b = r + wx * wy * red, g + wx * wy * green, b + wx * wy * blue
            rx, gx, bx = rx + vx * wy * red, gx + vx * wy * green, bx + vx * wy * blue
            ry, gy, by = ry + wx * vy * red, gy + wx * vy * green, by + wx * vy * blue
    return r, g, b, rx, gx, bx, ry, gy, by


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def sigmoid(x):  # type: ignore[no-untyped-def]
    """Return the sigmoid of x (float32); the clamp prevents an overflow of exp for very negative x."""
    return 1 / (1 + tl.exp(-tl.maximum(x, -80.0)))
