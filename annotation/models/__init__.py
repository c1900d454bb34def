from annotation.models.files import KeptFile
from annotation.models.jobs import Job
from annotation.models.people import ApiToken, Departure, FailedLogin, IdempotencyKey, Invite, Member, User
from annotation.models.projects import Ontology, Project
from annotation.models.tracksets import TrackSet
from annotation.models.uploads import Upload, UploadPart
from annotation.models.videos import Clip, Cut, FrameMapRow, Segment, Video
from annotation.models.webhooks import Delivery, Webhook

__all__ = [
    "ApiToken",
    "Clip",
    "Cut",
    "Delivery",
    "Departure",
    "FailedLogin",
    "FrameMapRow",
    "IdempotencyKey",
    "Invite",
    "Job",
    "KeptFile",
    "Member",
    "Ontology",
    "Project",
    "Segment",
    "TrackSet",
    "Upload",
    "UploadPart",
    "User",
    "Video",
    "Webhook",
]
