"""What `roadstead/notifications` keeps in AWS."""
