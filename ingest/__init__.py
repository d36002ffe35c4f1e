"""Write side: the jobs that snapshot CAVE tables into Parquet."""
