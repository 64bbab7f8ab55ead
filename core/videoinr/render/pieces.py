"""Draws a picture in pieces, each from a part of an encoded pair, where the whole pair would exceed the memory budget.

Pieces are cut between tiles of the decoder, so the picture is the same to the bit. Each piece encodes the pixels that
it needs (visible_part.py) from the search that all of them share; what neighbours both need is encoded twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from videoinr.cancel import CancelToken
from videoinr.decode.backends import Decoder
from videoinr.decode.tiled_decoder import TiledDecoder
from videoinr.geometry import Grid, Rect
from videoinr.model.latent import LatentPair
from videoinr.model.projected_regions import OutsidePartError
from videoinr.render.encoded_pairs import EncodedPairs
from videoinr.render.footing import Footing
from videoinr.render.visible_part import TILE_PX, around, around_tiles, reached, widened
from videoinr.types import RegionQuery

Draw = Callable[[RegionQuery, Rect], Tensor]
"""Draws the pixels of a query from the given pixels of the clip; raises OutsidePartError if it needs more of them."""


def drawn(query: RegionQuery, clip: Grid, draw: Draw, most_px: int | None) -> Tensor:
    """Draw ``query``, in pieces where needed.

    Args:
        query: the grid and the rectangle.
        clip: the size of the clip's frames.
        draw: draws one piece.
        most_px: the most pixels of the clip that may be encoded at a time; a piece of one tile takes what it needs.
            None: any number.

    Returns:
        The picture [rect.height, rect.width, 4], as ``draw`` returns them.
    """
    todo, picture = [query], None
    while todo:
        piece = todo.pop()
        pixels = _piece(piece, clip, draw, most_px)
        if pixels is None:
            todo += _halves(piece, clip)
        elif piece == query:
            return pixels
        else:
            if picture is None:
                picture = pixels.new_empty((query.rect.height, query.rect.width, *pixels.shape[2:]))
            picture[piece.rect.relative_to(query.rect).slices] = pixels
    assert picture is not None
    return picture


def decoded(
    pairs: EncodedPairs, decoder: Decoder, footing: Footing, query: RegionQuery, token: CancelToken, *, to_cpu: bool,
    deep: bool,
) -> Tensor:  # fmt: skip
    """Decode ``query`` from the frames of ``footing``, encoding of them what it needs, in pieces where needed.

    Args:
        pairs: keeps the encoded frames.
        decoder: decodes them; it gives the meaning of ``token``, ``to_cpu`` and ``deep``.
        footing: the frames.
        query: the grid, the rectangle, and the phase between the frames.
        token, to_cpu, deep: as for :meth:`~videoinr.decode.backends.Decoder.decode`, which gives the result, too.
    """
    size = pairs.size(query.grid)
    key = pairs.key(footing, size)

    def draw(piece: RegionQuery, needed: Rect) -> Tensor:
        features = pairs.features(footing, size, token, needed)
        if isinstance(features, LatentPair) and isinstance(decoder, TiledDecoder):
            features.regions.expect(features, reached(features, piece))
        return decoder.decode(key, features, piece, token, to_cpu=to_cpu, deep=deep)

    return drawn(query, size, draw, pairs.most_px(size))


def _piece(piece: RegionQuery, clip: Grid, draw: Draw, most_px: int | None) -> Tensor | None:
    """Draw a piece; None if it must be halved first."""
    needed = around(piece, clip) if most_px is None else around_tiles(piece, clip)
    while most_px is None or needed.area <= most_px or len(_halves(piece, clip)) == 1:
        try:
            return draw(piece, needed)
        except OutsidePartError as error:
            needed = needed.union(widened(error.rect, clip))
    return None


def _halves(query: RegionQuery, clip: Grid) -> list[RegionQuery]:
    """Cut ``query`` between two tiles across the side that is longer on the clip; a single tile stays as it is."""
    rect, grid = query.rect, query.grid
    columns = rect.x // TILE_PX, -(-rect.right // TILE_PX)
    rows = rect.y // TILE_PX, -(-rect.bottom // TILE_PX)
    is_wide = rect.width * clip.width * grid.height >= rect.height * clip.height * grid.width
    if columns[1] - columns[0] > 1 and (is_wide or rows[1] - rows[0] == 1):
        at = (columns[0] + columns[1]) // 2 * TILE_PX
        halves = [
            Rect.from_edges(rect.x, rect.y, at, rect.bottom), Rect.from_edges(at, rect.y, rect.right, rect.bottom)
        ]  # fmt: skip
    elif rows[1] - rows[0] > 1:
        at = (rows[0] + rows[1]) // 2 * TILE_PX
        halves = [
            Rect.from_edges(rect.x, rect.y, rect.right, at), Rect.from_edges(rect.x, at, rect.right, rect.bottom)
        ]  # fmt: skip
    else:
        return [query]
    return [replace(query, rect=half) for half in halves]
