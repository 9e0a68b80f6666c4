"""What goes, and when: the collector frees what nothing needs any more."""
