"""Turn other people's spans into our names: tables as data, and one compiler to the collector's statements."""
