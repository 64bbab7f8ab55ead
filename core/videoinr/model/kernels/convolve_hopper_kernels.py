"""The kernel of convolve_hopper.py, which describes it, in Gluon.

A program has two workers of four warps each, and for each of them one warp that reads and one that writes.
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

# Integers that change with the clip. Specialised for their values, the kernel would be compiled anew for each size.
_SIZES = ["channel", "items", "height", "rows", "strips"]


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _place(job, strip: gl.constexpr):  # type: ignore[no-untyped-def]
    """Return a worker's image, first column, first row and end row; a worker without an item has no rows."""
    item, items, height, rows, strips = job
    segments = (height + rows - 1) // rows
    first = ((item // strips) % segments) * rows
    last = gl.where(item < items, gl.minimum(first + rows, height), first - 2)
    return item // strips // segments, (item % strips) * strip, first, last


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _read(  # type: ignore[no-untyped-def]
    maps, ring, job,
    chunks: gl.constexpr, inputs: gl.constexpr, chunk: gl.constexpr, stages: gl.constexpr, strip: gl.constexpr,
):  # fmt: skip
    """Read the rows of the strip, the one above and the one below, each three times, by chunks of channels."""
    slots, full, empty = ring
    image, column, first, last = _place(job, strip)
    count = 0
    for row in range(first - 1, last + 1):
        for step in range(3 * chunks):
            slot = count % stages
            mbarrier.wait(empty.index(slot), ((count // stages) & 1) ^ 1)
            mbarrier.expect(full.index(slot), strip * chunk * 2)
            x, channel = column + step // chunks - 1, (step % chunks) * chunk
            each: gl.constexpr = chunks * chunk // inputs
            if inputs == 1 or channel < each:
                tma.async_copy_global_to_shared(maps[0], [image, row, x, channel], full.index(slot), slots.index(slot))
            else:
                channel -= each
                tma.async_copy_global_to_shared(maps[1], [image, row, x, channel], full.index(slot), slots.index(slot))
            count += 1


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _read_with_weights(  # type: ignore[no-untyped-def]
    matrices, channel, weights, arrived, maps, ring, job,
    chunks: gl.constexpr, inputs: gl.constexpr, chunk: gl.constexpr, stages: gl.constexpr, strip: gl.constexpr,
    wide: gl.constexpr, rest: gl.constexpr,
):  # fmt: skip
    """Read the weights of all nine taps, which both workers wait for, and then what :func:`_read` reads."""
    output = gl.program_id(1) * (wide + rest)
    mbarrier.expect(arrived, 9 * chunks * chunk * (wide + rest) * 2)
    for index in range(9 * chunks):
        tap, row = index // chunks, channel + (index % chunks) * chunk
        tma.async_copy_global_to_shared(matrices[0], [tap, row, output], arrived, weights[0].index(index))
        tma.async_copy_global_to_shared(matrices[1], [tap, row, output + wide], arrived, weights[1].index(index))
    _read(maps, ring, job, chunks, inputs, chunk, stages, strip)


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _write(  # type: ignore[no-untyped-def]
    out, add, buffer, job, strip: gl.constexpr, wide: gl.constexpr, rest: gl.constexpr, adds: gl.constexpr
):
    """For each row, load the values to add into the output buffer, wait for the worker's result, and write it."""
    block, other_block, writable, written = buffer
    image, column, first, last = _place(job, strip)
    output = gl.program_id(1) * (wide + rest)
    for row in range(first, last):
        if adds:
            mbarrier.expect(writable, strip * (wide + rest) * 2)
            tma.async_copy_global_to_shared(add[0], [image, row, column, output], writable, block)
            tma.async_copy_global_to_shared(add[1], [image, row, column, output + wide], writable, other_block)
        else:
            mbarrier.arrive(writable, count=1)
        mbarrier.wait(written, (row - first) & 1)
        tma.async_copy_shared_to_global(out[0], [image, row, column, output], block)
        tma.async_copy_shared_to_global(out[1], [image, row, column, output + wide], other_block)
        tma.store_wait(0)


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _finish(  # type: ignore[no-untyped-def]
    sums, bias, slope, block, strip: gl.constexpr, outputs: gl.constexpr, adds: gl.constexpr, layout: gl.constexpr
):  # fmt: skip
    """Add the bias and the values in a block of the output buffer, apply the activation, and store the result there."""
    values = sums + gl.load(bias + gl.arange(0, outputs, layout=gl.SliceLayout(0, layout)))[None, :]
    place = block.reshape([strip, outputs])
    if adds == 1:
        values += place.load(layout).to(gl.float32)
    values = gl.where(values > 0, values, values * slope)
    if adds == 2:
        values += place.load(layout).to(gl.float32)
    place.store(values.to(block.dtype))


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _added(sums, values, weights, index, chunk: gl.constexpr, outputs: gl.constexpr):  # type: ignore[no-untyped-def]
    """Start to add the product of ``values`` and a chunk of a tap's weights to ``sums``; asynchronous."""
    return warpgroup_mma(values, weights.index(index).reshape([chunk, outputs]), sums, is_async=True)


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _multiply(  # type: ignore[no-untyped-def]
    bias, slope, weights, arrived, ring, buffer, job,
    chunks: gl.constexpr, chunk: gl.constexpr, stages: gl.constexpr, strip: gl.constexpr,
    wide: gl.constexpr, rest: gl.constexpr, adds: gl.constexpr,
):  # fmt: skip
    """Run a worker: multiply each input row by three rows of taps, for the output rows above, at and below it."""
    slots, full, empty = ring
    block, other_block, writable, written = buffer
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
        # Not unrolled: LLVM copied the sums, which change places after the wait, before it (Triton 3.6).
        for step in range(3 * chunks):
            slot = count % stages
            mbarrier.wait(full.index(slot), (count // stages) & 1)
            values = slots.index(slot).reshape([strip, chunk]).load(left)
            other_values = gl.convert_layout(values, other_left, assert_trivial=True)
            # For the output row above, this input row is the lower neighbour, so it takes the last row of taps.
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
            mbarrier.wait(writable, (row - first - 1) & 1)
            _finish(above, bias, slope, block, strip, wide, adds, layout)
            _finish(other_above, bias + wide, slope, other_block, strip, rest, adds, other_layout)
            fence_async_shared()
            mbarrier.arrive(written, count=1)
        above, here = here, below
        other_above, other_here = other_here, other_below


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _ring(x, stages: gl.constexpr, strip: gl.constexpr, chunk: gl.constexpr):  # type: ignore[no-untyped-def]
    """Allocate the ring of chunks read ahead, and two barriers for each: it has been read, it has been used."""
    slots = gl.allocate_shared_memory(x.dtype, [stages, 1, 1, strip, chunk], x.layout)
    full = gl.allocate_shared_memory(gl.int64, [stages, 1], mbarrier.MBarrierLayout())
    empty = gl.allocate_shared_memory(gl.int64, [stages, 1], mbarrier.MBarrierLayout())
    for slot in gl.static_range(stages):
        mbarrier.init(full.index(slot), count=1)
        mbarrier.init(empty.index(slot), count=1)
    return slots, full, empty


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _buffer(out, other_out, strip: gl.constexpr, wide: gl.constexpr, rest: gl.constexpr):  # type: ignore[no-untyped-def]
    """Allocate the buffer for a row of output, and two barriers: the worker may write, the worker has written."""
    block = gl.allocate_shared_memory(out.dtype, [1, 1, strip, wide], out.layout)
    other_block = gl.allocate_shared_memory(out.dtype, [1, 1, strip, rest], other_out.layout)
    writable = gl.allocate_shared_memory(gl.int64, [1], mbarrier.MBarrierLayout())
    written = gl.allocate_shared_memory(gl.int64, [1], mbarrier.MBarrierLayout())
    mbarrier.init(writable, count=1)
    mbarrier.init(written, count=1)
    return block, other_block, writable, written


@gluon.jit(do_not_specialize=_SIZES)  # type: ignore[untyped-decorator, unused-ignore]
def rolling_kernel(  # type: ignore[no-untyped-def]
    x, other_x, weight, other_weight, channel, out, other_out, add, other_add, bias, slope, items, height, rows, strips,
    chunks: gl.constexpr, inputs: gl.constexpr, chunk: gl.constexpr, stages: gl.constexpr, strip: gl.constexpr,
    wide: gl.constexpr, rest: gl.constexpr, adds: gl.constexpr,
):  # fmt: skip
    """Compute activation(conv(x)) into ``out``; there are ``items`` segments of strips, two for each program.

    ``adds``: 0, or 1 to add ``add`` before the activation, or 2 to add it after.
    """
    weights = (
        gl.allocate_shared_memory(x.dtype, [9 * chunks, 1, chunk, wide], weight.layout),
        gl.allocate_shared_memory(x.dtype, [9 * chunks, 1, chunk, rest], other_weight.layout),
    )
    arrived = gl.allocate_shared_memory(gl.int64, [1], mbarrier.MBarrierLayout())
    mbarrier.init(arrived, count=1)
    ring, other_ring = _ring(x, stages, strip, chunk), _ring(x, stages, strip, chunk)
    buffer, other_buffer = _buffer(out, other_out, strip, wide, rest), _buffer(out, other_out, strip, wide, rest)
    job = (2 * gl.program_id(0), items, height, rows, strips)
    other_job = (2 * gl.program_id(0) + 1, items, height, rows, strips)
    matrices, maps, outs, adding = (weight, other_weight), (x, other_x), (out, other_out), (add, other_add)
    gl.warp_specialize(
        [
            (_multiply, (bias, slope, weights, arrived, ring, buffer, job,
                         chunks, chunk, stages, strip, wide, rest, adds)),
            (_multiply, (bias, slope, weights, arrived, other_ring, other_buffer, other_job,
                         chunks, chunk, stages, strip, wide, rest, adds)),
            (_read_with_weights, (matrices, channel, weights, arrived, maps, ring, job,
                                  chunks, inputs, chunk, stages, strip, wide, rest)),
            (_read, (maps, other_ring, other_job, chunks, inputs, chunk, stages, strip)),
            (_write, (outs, adding, buffer, job, strip, wide, rest, adds)),
            (_write, (outs, adding, other_buffer, other_job, strip, wide, rest, adds)),
        ],
        [4, 1, 1, 1, 1], [232, 24, 24, 24, 24],
    )  # fmt: skip
