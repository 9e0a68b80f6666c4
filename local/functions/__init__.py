"""The Lambda emulator: the declared functions, and the execution environments that run them."""
