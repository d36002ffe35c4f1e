"""The skeleton service: skeletons that it keeps ready, many in one answer."""

from __future__ import annotations

import binascii
import gzip
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from warehouse.serve.handlers import Answer, Call
from warehouse.serve.refused import Refused
from warehouse.storage.skeleton import Skeleton

SKELETON_SERVER_VERSION = "0.23.11"
_VERSIONS = [-1, 0, 1, 2, 3, 4]
_MOST = 500
_CHUNK = np.array([512, 512, 512]) * (4, 4, 40)

Skeletons = Callable[[int], Skeleton | None]


def versions(_: Call) -> Answer:
    """The formats of skeletons that it knows; -1 stands for the latest."""
    return _VERSIONS


def cached(call: Call) -> Answer:
    """The skeletons that are ready, by segment; the others are left out, and made when that is asked for."""
    asked = json.loads(call.content)
    roots = [int(root) for root in asked["root_ids"]]
    if len(roots) > _MOST:
        raise Refused(400, {"Error": f"Too many root IDs requested: {len(roots)}. Maximum allowed is {_MOST}."})
    shelf = call.datastack.skeletons
    found = {root: skeleton for root in roots if (skeleton := shelf.ready(root)) is not None}
    if asked.get("generate_missing"):
        shelf.make(root for root in roots if root not in found)
    return {str(root): _packed(_flat(skeleton, call.datastack.name)) for root, skeleton in found.items()}


def _packed(content: dict[str, Any]) -> str:
    return binascii.hexlify(gzip.compress(json.dumps(content, separators=(",", ":")).encode(), 6)).decode()


def _flat(skeleton: Skeleton, datastack: str) -> dict[str, Any]:
    """A skeleton in the format `flatdict`, version 4."""
    soma = skeleton.vertices_nm[skeleton.root].tolist()
    count = len(skeleton.vertices_nm)
    return {
        "meta": {
            "root_id": skeleton.pt_root_id,
            **{f"soma_pt_{axis}": place for axis, place in zip("xyz", soma, strict=True)},
            "soma_radius": 7500,
            "collapse_soma": True,
            "collapse_function": "sphere",
            "skeleton_type": "pcg_skel",
            "meta": {"datastack": datastack, "space": "l2cache"},
            "skeleton_version": 4,
        },
        "edges": skeleton.edges.tolist(),
        "mesh_to_skel_map": list(range(count)),
        "root": skeleton.root,
        "vertices": skeleton.vertices_nm.tolist(),
        "radius": skeleton.radius_nm.tolist(),
        "compartment": skeleton.compartment.tolist(),
        "lvl2_ids": _pieces(skeleton),
    }


def _pieces(skeleton: Skeleton) -> list[int]:
    """The pieces of segment that the vertices stand for: layer 2, the chunk's x, y and z, a number."""
    x, y, z = (skeleton.vertices_nm // _CHUNK).astype(np.int64).T
    pieces: list[int] = ((2 << 56) + (x << 46) + (y << 36) + (z << 26) + np.arange(len(x))).tolist()
    return pieces
