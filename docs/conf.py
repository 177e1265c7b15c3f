"""How the documentation becomes a site: Markdown by MyST, diagrams drawn while building, nothing fetched by readers.

`make docs` writes it to dist/docs.
"""

from __future__ import annotations

import re
from typing import Any

import mmdr
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

project = "civitas_assets"
author = "civitas_assets"
language = "en"
extensions = ["myst_parser"]
exclude_patterns = ["dependencies/sbom.cdx.json"]
source_suffix = {".md": "markdown"}
suppress_warnings = ["myst.header"]  # pages of models begin below a comment
myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]
myst_enable_extensions = ["colon_fence"]
html_theme = "furo"
html_title = "civitas_assets"
html_static_path = ["_static"]
html_css_files = ["diagrams.css"]
html_copy_source = False
html_show_sphinx = False
pygments_style = "default"
pygments_dark_style = "github-dark"


class Mermaid(SphinxDirective):
    """A diagram as an SVG in the page: readers need neither a script nor another server."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        source = "\n".join(self.content)
        self.env.mermaid_count = getattr(self.env, "mermaid_count", 0) + 1  # type: ignore[attr-defined]
        name = f"diagram-{self.env.mermaid_count}"  # type: ignore[attr-defined]
        drawn = mmdr.render(source).svg().replace("merman", name)
        label = {"erDiagram": "The tables and how they refer to each other"}.get(
            source.split(None, 1)[0], "A diagram of what the text around it says"
        )
        drawn = re.sub(r"<svg ", f'<svg aria-label="{label}" ', drawn, count=1)
        return [nodes.raw("", f'<div class="diagram">{drawn}</div>', format="html")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the directive known."""
    app.add_directive("mermaid", Mermaid)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
