"""A learned amp as a thing: its card, its file, the shelf it stands on."""
