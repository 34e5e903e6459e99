"""Know which libraries can report themselves, by what means, and which pairs of versions are broken; as data."""
