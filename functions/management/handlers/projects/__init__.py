"""Projects, their members, and the policies that administrators give them."""
