"""The heads and the warping of frames in C, for a CPU: compiled once, where there is a C compiler and AVX2 (x86-64).

| file | purpose |
|---|---|
| `tile.c` | the layers and the colours of a tile in one pass over its pixels |
| `warp.c` | warps two frames along flows and blends them |
| `sampling.h` | the bicubic reads of both |
| `build` | compiles, caches and loads them, or says that they cannot be used |
| `heads` | packs weights and passes tensors by the formulae of `siren` and `video_inr`, the reference |
| `warp` | passes frames and flows by the formulae of `decode/frame_warp`, the reference |

`ops.py` chooses between this and plain torch, once for a process: pictures of one process never mix the two.
"""
