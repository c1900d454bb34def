from review.models.agreement import Agreement
from review.models.consensus import Build, Consensus, Decision
from review.models.releases import Export, Release
from review.models.stitches import Join, Stitch

__all__ = ["Agreement", "Build", "Consensus", "Decision", "Export", "Join", "Release", "Stitch"]
