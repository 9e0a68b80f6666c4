"""What an operator looks at: the dashboard and the saved queries, as data that `infra/` deploys.

Independent of the product but for the names of its metrics and fields, which tests hold to the code.
"""
