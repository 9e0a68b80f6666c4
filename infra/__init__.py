"""The CDK app: one construct per concern, put together in `stack.py`, told what to build by `roadstead.toml`.

jsii, under the CDK, starts a node process when `aws_cdk` is first imported and asks for Node 22. The node that comes as
a Python package with everything else is that, whatever the machine has; so it is named here, before any import.
"""

import os

from edge.node import node

os.environ.setdefault("JSII_NODE", node())
