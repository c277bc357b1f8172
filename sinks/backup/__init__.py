"""Back-up and restore of the store: one Parquet file for each table that cannot be made from the others."""
