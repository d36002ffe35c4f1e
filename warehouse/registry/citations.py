"""The papers behind the tables: what to cite when a table was used."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Citation:
    """A paper.

    Attributes:
        key: how the table registry refers to it.
        authors, title, journal, year, doi: of the paper.
        journal: with volume and pages.
    """

    key: str
    authors: str
    title: str
    journal: str
    year: int
    doi: str

    def __str__(self) -> str:
        return f"{self.authors} ({self.year}). {self.title}. {self.journal}. https://doi.org/{self.doi}"


_PAPERS = (
    Citation(
        "microns2025",
        "The MICrONS Consortium",
        "Functional connectomics spanning multiple areas of mouse visual cortex",
        "Nature 640, 435-447",
        2025,
        "10.1038/s41586-025-08790-w",
    ),
    Citation(
        "cave2025",
        "Dorkenwald, S. et al.",
        "CAVE: Connectome Annotation Versioning Engine",
        "Nature Methods 22, 1112-1120",
        2025,
        "10.1038/s41592-024-02426-z",
    ),
    Citation(
        "elabbady2025",
        "Elabbady, L. et al.",
        "Perisomatic ultrastructure efficiently classifies cells in mouse cortex",
        "Nature 640, 478-486",
        2025,
        "10.1038/s41586-024-07765-7",
    ),
    Citation(
        "schneidermizell2025",
        "Schneider-Mizell, C. M. et al.",
        "Inhibitory specificity from a connectomic census of mouse visual cortex",
        "Nature 640, 448-458",
        2025,
        "10.1038/s41586-024-07780-8",
    ),
    Citation(
        "celii2025",
        "Celii, B. et al.",
        "NEURD offers automated proofreading and feature extraction for connectomics",
        "Nature 640, 487-496",
        2025,
        "10.1038/s41586-025-08660-5",
    ),
    Citation(
        "ding2025",
        "Ding, Z. et al.",
        "Functional connectomics reveals general wiring rule in mouse visual cortex",
        "Nature 640, 459-469",
        2025,
        "10.1038/s41586-025-08840-3",
    ),
    Citation(
        "wang2025",
        "Wang, E. Y. et al.",
        "Foundation model of neural activity predicts response to new stimulus types",
        "Nature 640, 470-477",
        2025,
        "10.1038/s41586-025-08829-y",
    ),
    Citation(
        "turner2022",
        "Turner, N. L. et al.",
        "Reconstruction of neocortex: organelles, compartments, cells, circuits, and activity",
        "Cell 185, 1082-1100",
        2022,
        "10.1016/j.cell.2022.01.023",
    ),
)

CITATIONS: dict[str, Citation] = {paper.key: paper for paper in _PAPERS}
"""Every paper by its key."""
