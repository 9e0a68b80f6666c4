"""The command over the management API: for everybody with a sign-in. It needs no AWS credentials, and decides nothing.

`table` has the commands as data, `client` the one HTTP layer, `logins` the stored sign-in; `command` puts them
together.
"""
