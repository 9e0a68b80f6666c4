"""What `roadstead/trail` keeps in AWS."""
