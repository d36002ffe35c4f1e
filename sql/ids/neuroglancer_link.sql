-- A link that shows cells in Spelunker, the Neuroglancer of CAVE, made without a connection.
--
-- Takes root ids or nucleus ids: a number, a text, a list, or `(SELECT list(...) FROM ...)`; one link shows them all.
-- The link holds the whole state of the viewer: the electron microscopy, the segments, and the place of the first nucleus
-- among them.
--
-- Segments are drawn from a flat copy of the segmentation, which needs no account, where there is one of this version.
-- Such copies exist of few versions only (117, 343, 943 and 1300 of minnie65): from another version each cell is carried
-- through its nucleus to the nearest copied version that is here, and the name of the layer says so, because the cell may
-- have been edited in between. Where that cannot be done (the version is not here, or an id has no nucleus of its own) the
-- segments come from CAVE's live segmentation as it was at this version's time, which asks for a CAVE account.
-- `source` 'flat' or 'live' insists on one of the two.
--
-- Some chats and mail programs cut long links: above `max_length` characters (8000 is some 250 cells) it refuses.
-- requires: nucleus_detection_v0
-- macro: neuroglancer_link(ids, source := 'auto', max_length := 8000)
-- example: SELECT left(neuroglancer_link([287566, 424569]), 90) AS begins
-- warning: a flat copy of another version shows the cell as it was there, under that version's root id
-- cite: microns2025, cave2025
-- questions: Q29
SELECT
    (
        WITH cells AS (
            SELECT
                c.id,
                CASE WHEN c.problem IS NULL THEN c.root ELSE error(c.problem) END AS root,
                CASE WHEN c.n_nuclei = 1 OR c.id = c.nucleus_id THEN c.nucleus_id END AS nucleus_id
            FROM _checked(ids) AS c
        ),

        viewer AS (
            SELECT
                coalesce(
                    v.site, error('it is not known where ' || v.datastack || ' can be looked at; its entry in DATASTACKS has no viewer')
                ) AS site,
                v.image_source,
                v.live_source,
                v.datastack,
                _one_of(source, 'source', ['auto', 'flat', 'live']) AS wanted
            FROM _viewer AS v
        ),

        places AS (
            SELECT
                c.id,
                c.root,
                _version() AS version
            FROM cells AS c
            UNION ALL
            SELECT
                c.id,
                m.pt_root_id,
                m.version
            FROM cells AS c
            JOIN id_map AS m ON m.nucleus_id = c.nucleus_id
            WHERE m.version <> _version() AND m.pt_root_id NOT IN (0, 1)
        ),

        flat AS (
            SELECT
                f.version,
                any_value(f.source) AS source,
                list(DISTINCT p.root::VARCHAR ORDER BY p.root::VARCHAR) AS segments
            FROM _flat_segmentations AS f
            JOIN places AS p ON p.version = f.version
            GROUP BY f.version
            HAVING count(DISTINCT p.id) = (SELECT count(*) FROM cells)
            ORDER BY abs(f.version - _version()) ASC, f.version DESC
            LIMIT 1
        ),

        layer AS (
            SELECT
                CASE
                    WHEN f.version IS NOT NULL AND v.wanted <> 'live'
                        THEN to_json(struct_pack(
                            "type" := 'segmentation',
                            source := f.source,
                            segments := f.segments,
                            "name" := v.datastack || ' v' || f.version
                            || CASE WHEN f.version = _version() THEN '' ELSE ' (for v' || _version() || ')' END
                        ))
                    WHEN v.live_source IS NOT NULL AND v.wanted <> 'flat'
                        THEN to_json(struct_pack(
                            "type" := 'segmentation',
                            source := v.live_source,
                            segments := (SELECT list(DISTINCT c.root::VARCHAR ORDER BY c.root::VARCHAR) FROM cells AS c),
                            "timestamp" := epoch_ms(_version_time()),
                            "name" := v.datastack || ' v' || _version()
                        ))
                    ELSE
                        error(
                            'there is no flat segmentation of v' || _version() || ', and not every cell can be carried to a copied '
                            || 'version that is here' || coalesce(
                                ' (copied: ' || (SELECT string_agg('v' || f.version, ', ' ORDER BY f.version) FROM _flat_segmentations AS f)
                                || ')', ''
                            ) || CASE WHEN v.live_source IS NULL THEN '' ELSE '; use source := ''live'', which needs a CAVE account' END
                        )::JSON
                END AS segmentation
            FROM viewer AS v
            LEFT JOIN flat AS f ON TRUE
        ),

        place AS (
            SELECT
                struct_pack(
                    "position" := any_value([n.pt_position_x, n.pt_position_y, n.pt_position_z])
                ) AS first_nucleus
            FROM _nuclei AS n
            WHERE n.nucleus_id = (SELECT min(c.nucleus_id) FROM cells AS c)
        ),

        link AS (
            SELECT
                v.site || '#!' || url_encode(
                    json_merge_patch(
                        to_json(struct_pack(
                            dimensions := struct_pack(
                                x := [(_voxel_x_nm('nucleus_detection_v0') / 1e9)::JSON, '"m"'::JSON],
                                y := [(_voxel_y_nm('nucleus_detection_v0') / 1e9)::JSON, '"m"'::JSON],
                                z := [(_voxel_z_nm('nucleus_detection_v0') / 1e9)::JSON, '"m"'::JSON]
                            ),
                            layers := [
                                to_json(struct_pack("type" := 'image', source := v.image_source, "name" := 'em')),
                                l.segmentation
                            ],
                            "showSlices" := FALSE,
                            "layout" := 'xy-3d'
                        )),
                        to_json(p.first_nucleus)
                    )::VARCHAR
                ) AS url
            FROM viewer AS v
            CROSS JOIN layer AS l
            CROSS JOIN place AS p
        )

        SELECT
            CASE
                WHEN length(k.url) <= _given(max_length, 'max_length') THEN k.url
                ELSE error(
                    'the link has ' || length(k.url) || ' characters, more than max_length := ' || max_length
                    || '; ask for fewer cells, or allow more, which the viewer can take but chats and mail may cut'
                )
            END
        FROM link AS k
    ) AS neuroglancer_link -- Address to open in a browser
