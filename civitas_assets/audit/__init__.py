"""Who did what, on the command line and in the UI: an append-only log whose lines seal the ones before them."""
