"""The wiring as an app: what has to happen once all models are there."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ConfigApp(AppConfig):
    name = "config"

    def ready(self) -> None:
        # Each app's receivers connect themselves when imported. (Its jobs are found by annotation.queue.)
        autodiscover_modules("receivers")
