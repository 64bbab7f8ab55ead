"""The programs of convolve_hopper.py, which says what they are for, in Gluon.

A program is two workers of four warps each, and beside each of them one warp that reads and one that writes.
"""

from __future__ import annotations

from triton.experimental import gluon
from triton.experimental.gluon import language as gl
from triton.experimental.gluon.language.nvidia.hopper import (
    fence_async_shared,
    mbarrier,
    tma,
    warpgroup_mma,
    warpgroup_mma_wait,
)

# Whole numbers that change with the clip: compiled for their values, each size would wait for the compiler.
_SIZES = ["channel", "items", "height", "rows", "strips"]


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _place(job, strip: gl.constexpr):  # type: ignore[no-untyped-def]
    """A worker's image, first column, first row, and the row behind its last; behind the last item, no rows."""
    item, items, height, rows, strips = job
    segments = (height + rows - 1) // rows
    first = ((item // strips) % segments) * rows
    last = gl.where(item < items, gl.minimum(first + rows, height), first - 2)
    return item // strips // segments, (item % strips) * strip, first, last


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _read(  # type: ignore[no-untyped-def]
    maps, ring, job,
    chunks: gl.constexpr, parts: gl.constexpr, chunk: gl.constexpr, stages: gl.constexpr, strip: gl.constexpr,
):  # fmt: skip
    """The rows of the strip, the one above and the one below: each three times, a chunk of channels at a time."""
    slots, full, empty = ring
    image, column, first, last = _place(job, strip)
    count = 0
    for row in range(first - 1, last + 1):
        for step in range(3 * chunks):
            slot = count % stages
            mbarrier.wait(empty.index(slot), ((count // stages) & 1) ^ 1)
            mbarrier.expect(full.index(slot), strip * chunk * 2)
            x, channel = column + step // chunks - 1, (step % chunks) * chunk
            each: gl.constexpr = chunks * chunk // parts
            if parts == 1 or channel < each:
                tma.async_copy_global_to_shared(maps[0], [image, row, x, channel], full.index(slot), slots.index(slot))
            else:
                channel -= each
                tma.async_copy_global_to_shared(maps[1], [image, row, x, channel], full.index(slot), slots.index(slot))
            count += 1


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _read_with_weights(  # type: ignore[no-untyped-def]
    matrices, channel, weights, arrived, maps, ring, job,
    chunks: gl.constexpr, parts: gl.constexpr, chunk: gl.constexpr, stages: gl.constexpr, strip: gl.constexpr,
    wide: gl.constexpr, rest: gl.constexpr,
):  # fmt: skip
    """As :func:`_read`, after the weights of all nine taps, which both workers wait for."""
    output = gl.program_id(1) * (wide + rest)
    mbarrier.expect(arrived, 9 * chunks * chunk * (wide + rest) * 2)
    for index in range(9 * chunks):
        tap, row = index // chunks, channel + (index % chunks) * chunk
        tma.async_copy_global_to_shared(matrices[0], [tap, row, output], arrived, weights[0].index(index))
        tma.async_copy_global_to_shared(matrices[1], [tap, row, output + wide], arrived, weights[1].index(index))
    _read(maps, ring, job, chunks, parts, chunk, stages, strip)


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _write(out, add, sheet, job, strip: gl.constexpr, wide: gl.constexpr, rest: gl.constexpr, adds: gl.constexpr):  # type: ignore[no-untyped-def]
    """Each row: lay what is added on the sheet, wait until the worker has done its part, and write the sheet."""
    block, other_block, laid, done = sheet
    image, column, first, last = _place(job, strip)
    output = gl.program_id(1) * (wide + rest)
    for row in range(first, last):
        if adds:
            mbarrier.expect(laid, strip * (wide + rest) * 2)
            tma.async_copy_global_to_shared(add[0], [image, row, column, output], laid, block)
            tma.async_copy_global_to_shared(add[1], [image, row, column, output + wide], laid, other_block)
        else:
            mbarrier.arrive(laid, count=1)
        mbarrier.wait(done, (row - first) & 1)
        tma.async_copy_shared_to_global(out[0], [image, row, column, output], block)
        tma.async_copy_shared_to_global(out[1], [image, row, column, output + wide], other_block)
        tma.store_wait(0)


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _finish(  # type: ignore[no-untyped-def]
    sums, bias, slope, block, strip: gl.constexpr, outputs: gl.constexpr, adds: gl.constexpr, layout: gl.constexpr
):  # fmt: skip
    """Bias, what lies on a block of the sheet, and the activation of it all, in its place."""
    values = sums + gl.load(bias + gl.arange(0, outputs, layout=gl.SliceLayout(0, layout)))[None, :]
    place = block.reshape([strip, outputs])
    if adds:
        values += place.load(layout).to(gl.float32)
    place.store(gl.where(values > 0, values, values * slope).to(block.dtype))


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _added(sums, values, weights, index, chunk: gl.constexpr, outputs: gl.constexpr):  # type: ignore[no-untyped-def]
    """``sums`` and, as soon as it is there, the product of ``values`` and a chunk of the weights of a tap."""
    return warpgroup_mma(values, weights.index(index).reshape([chunk, outputs]), sums, is_async=True)


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _multiply(  # type: ignore[no-untyped-def]
    bias, slope, weights, arrived, ring, sheet, job,
    chunks: gl.constexpr, chunk: gl.constexpr, stages: gl.constexpr, strip: gl.constexpr,
    wide: gl.constexpr, rest: gl.constexpr, adds: gl.constexpr,
):  # fmt: skip
    """A worker: each row by the weights of three rows of taps, for the rows of output above it, here and below it."""
    slots, full, empty = ring
    block, other_block, laid, done = sheet
    layout: gl.constexpr = gl.NVMMADistributedLayout([3, 0], [4, 1], [16, wide, 16])
    other_layout: gl.constexpr = gl.NVMMADistributedLayout([3, 0], [4, 1], [16, rest, 16])
    left: gl.constexpr = gl.DotOperandLayout(0, layout, 2)
    other_left: gl.constexpr = gl.DotOperandLayout(0, other_layout, 2)
    _image, _column, first, last = _place(job, strip)
    bias += gl.program_id(1) * (wide + rest)
    mbarrier.wait(arrived, 0)
    count = 0
    above = gl.zeros([strip, wide], gl.float32, layout)
    here = gl.zeros([strip, wide], gl.float32, layout)
    other_above = gl.zeros([strip, rest], gl.float32, other_layout)
    other_here = gl.zeros([strip, rest], gl.float32, other_layout)
    for row in range(first - 1, last + 1):
        below = gl.zeros([strip, wide], gl.float32, layout)
        other_below = gl.zeros([strip, rest], gl.float32, other_layout)
        # Not unrolled: where sums change places behind a wait, LLVM copied them before it (Triton 3.6).
        for step in range(3 * chunks):
            slot = count % stages
            mbarrier.wait(full.index(slot), (count // stages) & 1)
            values = slots.index(slot).reshape([strip, chunk]).load(left)
            other_values = gl.convert_layout(values, other_left, assert_trivial=True)
            # For the output above, this row is the lower one: it takes the last of the taps.
            above = _added(above, values, weights[0], 6 * chunks + step, chunk, wide)
            here = _added(here, values, weights[0], 3 * chunks + step, chunk, wide)
            below = _added(below, values, weights[0], step, chunk, wide)
            other_above = _added(other_above, other_values, weights[1], 6 * chunks + step, chunk, rest)
            other_here = _added(other_here, other_values, weights[1], 3 * chunks + step, chunk, rest)
            other_below = _added(other_below, other_values, weights[1], step, chunk, rest)
            above, here, below, other_above, other_here, other_below = warpgroup_mma_wait(
                0, (above, here, below, other_above, other_here, other_below)
            )
            fence_async_shared()
            mbarrier.arrive(empty.index(slot), count=1)
            count += 1
        if row > first:
            mbarrier.wait(laid, (row - first - 1) & 1)
            _finish(above, bias, slope, block, strip, wide, adds, layout)
            _finish(other_above, bias + wide, slope, other_block, strip, rest, adds, other_layout)
            fence_async_shared()
            mbarrier.arrive(done, count=1)
        above, here = here, below
        other_above, other_here = other_here, other_below


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _ring(x, stages: gl.constexpr, strip: gl.constexpr, chunk: gl.constexpr):  # type: ignore[no-untyped-def]
    """Room for what is read ahead, and a barrier each for "it is here" and "it is used up"."""
    slots = gl.allocate_shared_memory(x.dtype, [stages, 1, 1, strip, chunk], x.layout)
    full = gl.allocate_shared_memory(gl.int64, [stages, 1], mbarrier.MBarrierLayout())
    empty = gl.allocate_shared_memory(gl.int64, [stages, 1], mbarrier.MBarrierLayout())
    for slot in gl.static_range(stages):
        mbarrier.init(full.index(slot), count=1)
        mbarrier.init(empty.index(slot), count=1)
    return slots, full, empty


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _sheet(out, other_out, strip: gl.constexpr, wide: gl.constexpr, rest: gl.constexpr):  # type: ignore[no-untyped-def]
    """Room for a row of output, and a barrier each for "it is the worker's" and "it is the writer's"."""
    block = gl.allocate_shared_memory(out.dtype, [1, 1, strip, wide], out.layout)
    other_block = gl.allocate_shared_memory(out.dtype, [1, 1, strip, rest], other_out.layout)
    laid = gl.allocate_shared_memory(gl.int64, [1], mbarrier.MBarrierLayout())
    done = gl.allocate_shared_memory(gl.int64, [1], mbarrier.MBarrierLayout())
    mbarrier.init(laid, count=1)
    mbarrier.init(done, count=1)
    return block, other_block, laid, done


@gluon.jit(do_not_specialize=_SIZES)  # type: ignore[untyped-decorator, unused-ignore]
def rolling_kernel(  # type: ignore[no-untyped-def]
    x, other_x, weight, other_weight, channel, out, other_out, add, other_add, bias, slope, items, height, rows, strips,
    chunks: gl.constexpr, parts: gl.constexpr, chunk: gl.constexpr, stages: gl.constexpr, strip: gl.constexpr,
    wide: gl.constexpr, rest: gl.constexpr, adds: gl.constexpr,
):  # fmt: skip
    """leaky(conv(x) + add) into ``out``: ``items`` parts of strips, two of them to a program."""
    weights = (
        gl.allocate_shared_memory(x.dtype, [9 * chunks, 1, chunk, wide], weight.layout),
        gl.allocate_shared_memory(x.dtype, [9 * chunks, 1, chunk, rest], other_weight.layout),
    )
    arrived = gl.allocate_shared_memory(gl.int64, [1], mbarrier.MBarrierLayout())
    mbarrier.init(arrived, count=1)
    ring, other_ring = _ring(x, stages, strip, chunk), _ring(x, stages, strip, chunk)
    sheet, other_sheet = _sheet(out, other_out, strip, wide, rest), _sheet(out, other_out, strip, wide, rest)
    job = (2 * gl.program_id(0), items, height, rows, strips)
    other_job = (2 * gl.program_id(0) + 1, items, height, rows, strips)
    matrices, maps, outs, adding = (weight, other_weight), (x, other_x), (out, other_out), (add, other_add)
    gl.warp_specialize(
        [
            (_multiply, (bias, slope, weights, arrived, ring, sheet, job,
                         chunks, chunk, stages, strip, wide, rest, adds)),
            (_multiply, (bias, slope, weights, arrived, other_ring, other_sheet, other_job,
                         chunks, chunk, stages, strip, wide, rest, adds)),
            (_read_with_weights, (matrices, channel, weights, arrived, maps, ring, job,
                                  chunks, parts, chunk, stages, strip, wide, rest)),
            (_read, (maps, other_ring, other_job, chunks, parts, chunk, stages, strip)),
            (_write, (outs, adding, sheet, job, strip, wide, rest, adds)),
            (_write, (outs, adding, other_sheet, other_job, strip, wide, rest, adds)),
        ],
        [4, 1, 1, 1, 1], [232, 24, 24, 24, 24],
    )  # fmt: skip
