-- The synapses whose centre lies in a box, one row per cleft.
--
-- Two opposite corners, in nm by default, else `unit := 'um'` or `unit := 'voxel'` (CAVE's own unit). The lower bound
-- of each axis belongs to the box, the upper does not, so that neighbouring boxes share no synapse.
--
-- The positions of all synapses are read: seconds, where all are here.
-- grain: id
-- requires: synapses_pni_2
-- scope: all
-- macro: synapses_in_box(x0, y0, z0, x1, y1, z1, unit := 'nm')
-- example: FROM synapses_in_box(180000, 140000, 20000, 181000, 141000, 20100, unit := 'voxel') ORDER BY id
-- warning: positions are in nm here and in voxels in CAVE; a box in the wrong unit is empty or elsewhere
-- cite: microns2025, turner2022
-- questions: Q28
WITH scale AS (
    SELECT
        CASE _one_of(unit, 'unit', ['nm', 'um', 'voxel'])
            WHEN 'nm' THEN 1
            WHEN 'um' THEN 1000
            ELSE 0
        END AS nm
),

box AS (
    SELECT
        if(c.nm = 0, 1, c.nm / _voxel_x_nm()) AS x,
        if(c.nm = 0, 1, c.nm / _voxel_y_nm()) AS y,
        if(c.nm = 0, 1, c.nm / _voxel_z_nm()) AS z
    FROM scale AS c
)

SELECT s.*
FROM synapses AS s
JOIN box AS k
    ON
        s.ctr_pt_position_x >= ceil(least(x0, x1) * k.x)::INTEGER AND s.ctr_pt_position_x < ceil(greatest(x0, x1) * k.x)::INTEGER
        AND s.ctr_pt_position_y >= ceil(least(y0, y1) * k.y)::INTEGER AND s.ctr_pt_position_y < ceil(greatest(y0, y1) * k.y)::INTEGER
        AND s.ctr_pt_position_z >= ceil(least(z0, z1) * k.z)::INTEGER AND s.ctr_pt_position_z < ceil(greatest(z0, z1) * k.z)::INTEGER
