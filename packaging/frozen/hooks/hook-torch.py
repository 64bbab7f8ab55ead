"""What PyInstaller takes of torch: its libraries, and the modules that imports lead to.

The hook that comes with PyInstaller collects every module of torch by importing it: tests, profilers, exporters too.
The program needs none of them.
"""

from pathlib import Path

from PyInstaller.utils.hooks import collect_dynamic_libs, get_package_paths

# torch does not start without its manager of shared memory.
_MANAGER = Path(get_package_paths("torch")[1], "bin", "torch_shm_manager")
binaries = [*collect_dynamic_libs("torch"), (str(_MANAGER), "torch/bin")]
# torch reads the source of some of its functions while it is imported.
module_collection_mode = "pyz+py"
# torch looks for its libraries beside each other: no links to them elsewhere.
bindepend_symlink_suppression = ["**/torch/lib/*.so*"]
