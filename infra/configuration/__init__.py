"""What an operator decides: `roadstead.toml`, read and checked, the names and environments that follow."""
