"""The ways in: passwords, sessions, access tokens, and what failed attempts cost."""
