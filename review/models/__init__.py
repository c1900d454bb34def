from review.models.agreement import Agreement
from review.models.consensus import Build, Consensus, Decision
from review.models.imports import Import
from review.models.releases import Export, Release
from review.models.stitches import Join, Stitch

__all__ = ["Agreement", "Build", "Consensus", "Decision", "Export", "Import", "Join", "Release", "Stitch"]
