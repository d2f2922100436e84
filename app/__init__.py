"""Composes everything into one program; nothing imports it."""
