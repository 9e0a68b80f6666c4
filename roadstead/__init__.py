"""The registry's vocabulary and rules, which all functions share. Imports neither Chalice nor `functions`."""
