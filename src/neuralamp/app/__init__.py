"""What people type: thin commands over the rooms below."""
