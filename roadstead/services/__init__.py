"""The rules: what may be pushed, pulled, deleted and granted. They know store Protocols, no implementation."""
