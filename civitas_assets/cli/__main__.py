"""`python -m civitas_assets.cli` is the command too."""

from civitas_assets.cli import main

main()
