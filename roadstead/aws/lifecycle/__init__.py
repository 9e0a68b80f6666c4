"""What `roadstead/lifecycle` keeps in AWS."""
