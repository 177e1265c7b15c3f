"""What is measured against what, and how: `make bench` prints throughput, processor time and memory of the hot paths.

Every scenario runs in a process of its own on synthetic data, and floors are measured in the same run, because
machines differ.
"""

import os

from civitas_assets.settings import LOOPBACK

os.environ.setdefault("CIVITAS_REACHABLE", LOOPBACK)  # of the servers that are asked here
