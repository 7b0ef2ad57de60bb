"""A transparency log in plain files: what was published once cannot be shown differently to somebody else."""
