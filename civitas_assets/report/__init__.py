"""The morning page: what became of the night and what is there, for each tenant and for the operator.

Figures come aggregated from the published tables, outcomes from the stores; nothing here runs or repairs anything.
"""
