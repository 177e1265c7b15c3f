"""The sections of a tenant's page, each made of what was gathered, in one language."""
