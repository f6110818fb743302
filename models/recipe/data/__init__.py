"""Procedurally drawn pictures and conversations about them."""
