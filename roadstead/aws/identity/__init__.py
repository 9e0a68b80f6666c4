"""What `roadstead/identity` keeps in AWS."""
