"""The command over the management API: for everybody with a sign-in. It needs no AWS credentials, and decides nothing.

`commands` has the commands as data, a module for each kind of resource, of the `shapes` beside it; `table` puts them
together. `client` is the one HTTP layer, `logins` the stored sign-in, `command` the command line.
"""
