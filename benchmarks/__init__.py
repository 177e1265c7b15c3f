"""What is measured against what, and how: `make bench` prints throughput, processor time and memory of the hot paths.

Every scenario runs in a process of its own on synthetic data, and floors are measured in the same run, because
machines differ.
"""
