"""The API Gateway emulator: an HTTP API in front of the functions, with the limits of the real one."""
