"""Screens: one definition of every panel, and the renderers that show it."""
