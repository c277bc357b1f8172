"""Grafana: every screen as a dashboard, alerts on the pipeline itself, and what brings both to a server."""

import warnings
from importlib import import_module

# The SDK warns when it is imported: its version 1 of the schema, which files need, is not its newest.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    for _module in ("dashboard", "dashboardv2beta1"):
        import_module(f"grafana_foundation_sdk.models.{_module}")
        import_module(f"grafana_foundation_sdk.builders.{_module}")
