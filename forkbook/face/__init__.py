"""What people see of a thread: one document and one front end, for the live explorer, for files and for pictures."""
