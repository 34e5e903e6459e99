"""Know what models and resources cost, since when, and who said so."""
