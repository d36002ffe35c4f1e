-- Cells alone on their segment with their place, and how far they are from the sides of the volume, one row per nucleus.
--
-- The sides are those of the box around all nuclei, along the cortical sheet; pia and white matter are the end of the
-- cortex, not of the data.
-- grain: nucleus_id
WITH places AS (
    SELECT
        p.*,
        least(
            p.across_um - min(p.across_um) OVER (),
            max(p.across_um) OVER () - p.across_um,
            p.along_um - min(p.along_um) OVER (),
            max(p.along_um) OVER () - p.along_um
        ) AS edge_um -- Distance to the nearest side of the volume [um]
    FROM _population AS p
)

SELECT p.*
FROM places AS p
WHERE p.is_single_soma
