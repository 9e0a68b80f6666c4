"""Who signs in without a password of ours: people of a directory or an OpenID provider, and CI."""
