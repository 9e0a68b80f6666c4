"""The whole cloud on one machine: `python -m local up`, which is what `make up` runs.

An API Gateway emulator in front of the real Lambda handlers, each in a process of its own as in an execution
environment, and AWS itself embedded (`cloud`). Modules, from the outside in: `__main__` (commands), `stack` (what
runs, in which order), `supervisor` (starting and stopping), `gateway` and `events` (the HTTP API), `environments` and
`runtime` (Lambda), `cloud` (AWS), `admin` (the first user), `state` (the directory).
"""
