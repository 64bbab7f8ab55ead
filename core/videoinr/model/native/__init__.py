"""The heads on a CPU in C: compiled once, where there is a C compiler and an x86-64 processor with AVX2.

| file | purpose |
|---|---|
| `tile.c` | the layers and the colours of a tile in one pass over its pixels |
| `build` | compiles, caches and loads it, or says that it cannot be used |
| `heads` | packs weights and passes tensors by the formulae of `siren` and `video_inr`, the reference |

`ops.py` chooses between this and plain torch, once for a process: pictures of one process never mix the two.
"""
