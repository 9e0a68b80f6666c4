"""The dashboard and the saved queries, as data that `infra/` deploys.

They depend on the product only by the names of its metrics and fields, which tests compare with the code.
"""
