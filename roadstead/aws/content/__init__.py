"""What `roadstead/content` keeps in AWS."""
