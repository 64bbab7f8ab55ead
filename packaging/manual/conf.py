"""How Sphinx builds the manual: `make manual` runs it. The pages of this folder are Markdown, read by MyST."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "VideoINR Viewer"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "generated_pages"]
source_suffix = {".md": "markdown"}
root_doc = "index"

# Everything lies in the folder that is built: the manual is read offline, from the disk.
html_theme = "alabaster"
html_title = "VideoINR Viewer: the manual"
html_theme_options = {
    "page_width": "1080px",
    "sidebar_width": "230px",
    "description": "Look between the frames and inside the pixels of a clip",
    "show_powered_by": "false",
    "fixed_sidebar": "true",
}
html_static_path = ["style"]
html_css_files = ["manual.css"]
html_copy_source = False
html_show_copyright = False
html_show_sourcelink = False
html_show_sphinx = False
html_sidebars = {"**": ["about.html", "searchfield.html", "navigation.html"]}

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
