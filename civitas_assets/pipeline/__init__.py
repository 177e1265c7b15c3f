"""One tenant's turn, step by step: fetch, read, harmonise, publish, share and report; Dagster is not needed for it.

Steps say what they have made and checked as plain values. Dagster's assets, runs from the shell and batches take the
same steps, and each shows what was said in its own way.
"""
