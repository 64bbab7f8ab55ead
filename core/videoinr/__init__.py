"""The engine of VideoINR Viewer: clips, the space-time representation, region decode and export. No Qt."""

import os

__version__ = "0.1.0"

# Must be set before torch loads its OpenMP. By default an idle OpenMP thread spins for milliseconds waiting for work;
# with a viewer and an export side by side (or any other busy program) that made a picture 20 to 160 times slower.
# Spinning only briefly costs a lone process less than a factor of two.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
