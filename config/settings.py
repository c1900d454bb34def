"""Django's settings, derived from the environment alone: docs/settings.md lists what can be set."""

from __future__ import annotations

import hashlib
import hmac
import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config import environment

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT = environment.read(os.environ)
# Only web processes pool connections: a pool does not survive forks.
IS_WEB = os.environ.get("TRACKWEAVE_PROCESS") == "web"

DEBUG = ENVIRONMENT.debug
DATA_DIR = environment.folder("DATA_DIR", ENVIRONMENT.data_dir)
SECRET_KEY = ENVIRONMENT.secret_key or environment.kept_secret(DATA_DIR / "secret_key")
# Whoever holds the queue's key runs code in the job workers, so it is not the key that signs sessions and links.
QUEUE_KEY = hmac.new(SECRET_KEY.encode(), b"trackweave job queue", hashlib.sha256).hexdigest()
OPEN_REGISTRATION = ENVIRONMENT.open_registration
WEBHOOK_NETWORKS = ENVIRONMENT.webhook_networks
PUBLIC_URL = ENVIRONMENT.public_url
ALLOWED_HOSTS = list(ENVIRONMENT.allowed_hosts)

INSTALLED_APPS = [
    "config.apps.ConfigApp",
    "annotation",
    "crowd",
    "review",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "django_q",
]
MIDDLEWARE = [
    "config.middleware.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.middleware.WithSlash",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def _database(database: environment.Database) -> dict:
    if database.engine == "sqlite":
        # WAL lets readers go on beside the one writer; IMMEDIATE takes the write lock at once instead of failing
        # half-way; FULL because what was acknowledged survives a power cut.
        synchronous = dict(database.options).get("synchronous", "FULL")
        pragmas = f"PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}; PRAGMA temp_store=MEMORY"
        options = {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": pragmas}
        environment.folder("DATABASE_URL", Path(database.name).parent)
        return {"ENGINE": "config.sqlite", "NAME": database.name, "OPTIONS": options}
    options: dict[str, Any] = dict(database.options)
    # Only what goes through annotation.planning is ever prepared.
    after = options.get("prepare_threshold", "2")
    options["prepare_threshold"] = None if after == "none" else int(after)
    pool = {"pool": {"min_size": 1, "max_size": 10, "timeout": 20}} if IS_WEB else {}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database.name,
        "USER": database.user,
        "PASSWORD": database.password,
        "HOST": database.host,
        "PORT": database.port or "",
        "CONN_MAX_AGE": 0 if IS_WEB else None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**options, **pool},
    }


DATABASES = {"default": _database(ENVIRONMENT.database)}


def _queue_redis(url: str) -> str:
    """A Redis that hangs must not hang a request: what cannot be told at once is found by the workers."""
    return f"{url}{'&' if '?' in url else '?'}socket_connect_timeout=2&socket_timeout=5"


# A job's truth is its own row (annotation.queue). django-q2 only wakes workers: it keeps no results, retries nothing.
Q_CLUSTER = {
    "name": "trackweave",
    "workers": 2,
    "timeout": 6 * 3600,
    "retry": 6 * 3600 + 600,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,
    "queue_limit": 4,
    "bulk": 1,
    "poll": 0.2,
    "recycle": 200,
    "catch_up": False,
    "log_level": "WARNING",
    **({"redis": _queue_redis(ENVIRONMENT.redis_url)} if ENVIRONMENT.redis_url else {"orm": "default"}),
}
if Q_CLUSTER["timeout"] >= Q_CLUSTER["retry"]:  # else a job runs again while it still runs
    raise ValueError("Q_CLUSTER: timeout has to be shorter than retry")

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [ENVIRONMENT.redis_url]},
    }
    if ENVIRONMENT.redis_url
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}

AUTH_USER_MODEL = "annotation.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"

STATIC_URL = "/static/"
# Nothing is collected: WhiteNoise serves what the finders find, the packages' scripts included.
STATIC_ROOT = None
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = ENVIRONMENT.storage_dir
STORAGE_CACHE_BYTES = ENVIRONMENT.storage_cache_bytes


def _storage(bucket: environment.Bucket | None) -> dict:
    if bucket is None:
        location = {"location": str(MEDIA_ROOT)}
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": location}
    options = {
        "bucket_name": bucket.name,
        "location": bucket.prefix,
        "endpoint_url": bucket.endpoint,
        "region_name": bucket.region,
        "links": bucket.links,
    }
    if bucket.access_key:
        options |= {"access_key": bucket.access_key, "secret_key": bucket.secret_key}
    return {"BACKEND": "annotation.bucket.Bucket", "OPTIONS": options}


STORAGES = {
    "default": _storage(ENVIRONMENT.bucket),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
# Beside the storage, so that a large upload is moved there and not copied; annotation.jobs sweeps what a crash left.
FILE_UPLOAD_TEMP_DIR = environment.folder("DATA_DIR", DATA_DIR / "scratch")
FILE_UPLOAD_PERMISSIONS = 0o640
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 2**20

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "annotation.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["annotation.json_parser.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "annotation.api_base.Pages",
    "PAGE_SIZE": 100,
    "DEFAULT_SCHEMA_CLASS": "annotation.api_schema.Schema",
    "EXCEPTION_HANDLER": "config.errors.answer",
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "COERCE_DECIMAL_TO_STRING": False,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Trackweave",
    "VERSION": "1",
    "DESCRIPTION": "Turns a video into labelled tracks with the help of a crowd.",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.api_docs.tell_what_holds_everywhere",
    ],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "RoleEnum": "annotation.lifecycle.Role",
        "MemberRoleEnum": ["client", "manager", "reviewer", "worker"],
        "ConsensusStatusEnum": ["pending", "accepted", "rejected", "stale"],
        "WorkStatusEnum": ["building", "ready", "failed"],
        "QualificationStatusEnum": ["training", "waiting", "passed", "failed"],
        "LedgerKindEnum": ["accrual", "reversal", "bonus", "payout", "carry"],
        "DisputeStatusEnum": ["open", "upheld", "declined"],
        "PayoutStatusEnum": ["draft", "locked", "sending", "paid", "failed", "unknown"],
        "EarningStateEnum": ["due", "under_way", "paid"],
        "FormatEnum": "annotation.formats.registry.FORMATS",
        "ReadableFormatEnum": "annotation.importing.READABLE",
    },
}

CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
SESSION_ENGINE = "config.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
if ENVIRONMENT.https:
    # TLS ends at a proxy, which has to set this header itself, whatever a client sent.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health/"]
    SECURE_SSL_HOST = urlsplit(PUBLIC_URL).netloc
    SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds())
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "django-q": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
    },
}
