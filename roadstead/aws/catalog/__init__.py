"""What `roadstead/catalog` keeps in AWS."""
