"""DuckDB in this process: a month's extracts, from files to totals."""

import os
import warnings
from importlib import import_module

# On AMD's Zen 4, numpy sorts five times slower with AVX-512 than with AVX2. It reads this variable when it is imported
# first, and warns where the processor has no AVX-512 anyway.
os.environ.setdefault("NPY_DISABLE_CPU_FEATURES", "X86_V4")
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ImportWarning)
    import_module("numpy")
