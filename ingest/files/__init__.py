"""Bytes over HTTP or from a folder: downloads that continue, buckets, and when to try again."""
