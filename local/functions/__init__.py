"""The Lambda emulator: which functions there are, and the execution environments that run them."""
