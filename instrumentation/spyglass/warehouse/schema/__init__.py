"""Read the statements of migrations: write them for a cluster, and say what they cost before they run."""
