"""Tracks against four initialisations every frame, measured on simulated rooms."""
