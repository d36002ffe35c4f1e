-- The versions that are here, one row each.
-- grain: version
-- cite: cave2025
-- questions: Q63
-- example: SELECT version, is_default, synapse_scope FROM versions ORDER BY version
SELECT
    v.version,
    v.time_stamp,
    v.is_default,
    v.n_tables,
    v.n_bytes,
    v.synapse_scope,
    v.is_synthetic
FROM _versions_here AS v
