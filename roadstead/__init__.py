"""What the functions share: names and rules of the registry. Imports neither Chalice nor `functions`."""
