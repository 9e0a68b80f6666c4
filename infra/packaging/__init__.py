"""The zips that Lambda runs: source, wheels, bytecode, the relay's interpreter, the console's files."""
