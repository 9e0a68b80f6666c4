"""Retention: rules that say what is kept, and the work that carries them out."""
