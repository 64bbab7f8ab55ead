"""The latent pixels that a view of large frames needs: what is not seen is not encoded.

The decoder computes whole tiles and reads F_s and the latent feature where the flow leads. How far that is, is known
only after encoding. So a generous guess is encoded first, and if the decoder needs more, that too; the numbers are the
same whatever was guessed. Coordinates are (x, y) in clip pixels, which are latent pixels.
"""

from __future__ import annotations

from videoinr.geometry import Grid, Rect, rect_on_grid
from videoinr.model.latent import LatentPair
from videoinr.model.time_laws import reach_of_prior
from videoinr.types import RegionQuery

TILE_PX = 128
"""Side of the decoder's tiles, grid pixels; a tile that a view cuts is evaluated whole."""
MARGIN_PX = 32
"""Latent pixels by which the first guess exceeds the visible tiles, and a later one what the decoder asked for."""


def around(query: RegionQuery, clip: Grid) -> Rect:
    """Return the pixels of ``clip`` to encode for ``query``."""
    return widened(_tiles(query, clip), clip)


def around_tiles(query: RegionQuery, clip: Grid) -> Rect:
    """Return the pixels of ``clip`` for ``query`` and the tiles next to its own: flows lead there, if not farther.

    Few queries then need more. That is worth a larger guess where what is encoded is not kept for the next query.
    """
    rect, grid = query.rect, query.grid
    left, top = max(0, rect.x // TILE_PX - 1) * TILE_PX, max(0, rect.y // TILE_PX - 1) * TILE_PX
    right, bottom = (-(-edge // TILE_PX) * TILE_PX + TILE_PX for edge in (rect.right, rect.bottom))
    tiles = Rect.from_edges(left, top, min(grid.width, right), min(grid.height, bottom))
    there = rect_on_grid(tiles, grid, clip)
    left, top = max(0, there.x - 2), max(0, there.y - 2)
    return Rect.from_edges(left, top, min(clip.width, there.right + 2), min(clip.height, there.bottom + 2))


def widened(rect: Rect, clip: Grid) -> Rect:
    """Return ``rect`` with MARGIN_PX around it, within ``clip``."""
    left, top = max(0, rect.x - MARGIN_PX), max(0, rect.y - MARGIN_PX)
    right, bottom = min(clip.width, rect.right + MARGIN_PX), min(clip.height, rect.bottom + MARGIN_PX)
    return Rect.from_edges(left, top, right, bottom)


def reached(pair: LatentPair, query: RegionQuery) -> Rect:
    """Return the pixels of the frame that decoding ``query`` probably reads: its tiles, and where the prior leads."""
    tiles = _tiles(query, pair.grid)
    there = tiles.intersection(pair.part.rect)
    if there is None or not pair.part.prior.shape[-1]:
        return tiles
    rows, columns = there.relative_to(pair.part.rect).slices
    low, high = reach_of_prior(pair.part.prior[0, rows, columns].nan_to_num())
    left, top = tiles.x + int(min(low[0], low[2])) - 2, tiles.y + int(min(low[1], low[3])) - 2
    right = tiles.right + int(max(high[0], high[2])) + 3
    bottom = tiles.bottom + int(max(high[1], high[3])) + 3
    grid = pair.grid
    return Rect.from_edges(max(0, left), max(0, top), min(grid.width, right), min(grid.height, bottom))


def _tiles(query: RegionQuery, clip: Grid) -> Rect:
    rect, grid = query.rect, query.grid
    left, top = rect.x // TILE_PX * TILE_PX, rect.y // TILE_PX * TILE_PX
    right, bottom = (-(-edge // TILE_PX) * TILE_PX for edge in (rect.right, rect.bottom))
    whole = Rect.from_edges(left, top, min(grid.width, right), min(grid.height, bottom))
    return rect_on_grid(whole, grid, clip)
