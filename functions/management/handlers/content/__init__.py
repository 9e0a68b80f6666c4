"""What is stored: repositories, artifacts, tags, labels, the trash."""
