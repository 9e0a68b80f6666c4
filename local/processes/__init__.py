"""Child processes and components: started in order, watched, and stopped in reverse."""
