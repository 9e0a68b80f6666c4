"""Lambda web functions on one machine: an HTTP server in environments that requests start, with the limits of AWS's."""
