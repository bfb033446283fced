"""Settings of all processes. Every knob is an environment variable with a default that works."""

import sys
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

from ecommerce.agents import AGENTS, COORDINATOR_PORT, implemented_packages
from platform_site.common.secrets import kept_secret
from platform_site.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()
environ.Env.read_env(BASE_DIR / ".env")

# Where it runs ---------------------------------------------------------------------------------
PORT = env.int("PORT", 8000)
HOST = env.str("HOST", "127.0.0.1")
AGENT_PORTS = env.bool("AGENT_PORTS", True)
DATA = Path(env.str("FLEETDESK_DATA", str(BASE_DIR / "var"))).resolve()
DEMO = env.bool("DEMO", False)
OPEN_API = env.bool("OPEN_API", False)
DEBUG = env.bool("DEBUG", False)
SESSION_PORTS: list[str] = []  # further ports on which a session counts; the tests add theirs

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])
ALLOWED_ORIGINS = env.list("ALLOWED_ORIGINS", default=[])
_LOCAL_NAMES = {"localhost", "127.0.0.1", "[::1]", "testserver"}
EXPOSED = (
    HOST not in ("127.0.0.1", "localhost", "::1")
    or bool(TRUSTED_PROXIES)
    or not set(ALLOWED_HOSTS) <= _LOCAL_NAMES
)
PUBLIC_DOCS = env.bool("PUBLIC_DOCS", not EXPOSED)
ALLOW_HTTP = env.bool("ALLOW_HTTP", not EXPOSED)

# Secrets ---------------------------------------------------------------------------------------
SECRET_KEY_GIVEN = bool(env.str("SECRET_KEY", ""))
SECRET_KEY = env.str("SECRET_KEY", "") or kept_secret(DATA, "secret_key")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
JWT_SECRET = env.str("JWT_SECRET", "") or kept_secret(DATA, "jwt_secret")
JWT_MAX_ROLE = env.str("JWT_MAX_ROLE", "operator")
JWT_UNKNOWN_SUB = env.str("JWT_UNKNOWN_SUB", "api_user")
JWT_MAX_AGE_H = env.int("JWT_MAX_AGE_H", 25)
FLEETDESK_ADMIN_PASSWORD = env.str("FLEETDESK_ADMIN_PASSWORD", "")
FLEETDESK_API_KEY = env.str("FLEETDESK_API_KEY", "")

# Applications ----------------------------------------------------------------------------------
INSTALLED_APPS = [
    # Daphne and what it imports cost every other process 13 MB and a quarter of a second.
    *(["daphne"] if "runserver" in sys.argv else []),
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "csp",
    "platform_site.common",
    "messaging",
    "registry",
    "tasks",
    *implemented_packages(),
    "platform_site",
]

MIDDLEWARE = [
    "platform_site.middleware.tracing",
    "platform_site.middleware.security_headers",
    "platform_site.content_policy.ContentPolicy",
    "platform_site.middleware.clean_input",
    "platform_site.middleware.https_when_exposed",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "platform_site.middleware.port_routes",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "platform_site.urls"
ASGI_APPLICATION = "platform_site.asgi.application"
WSGI_APPLICATION = "platform_site.wsgi.application"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"

TEMPLATES: list[dict[str, Any]] = [
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

# Database and bell -----------------------------------------------------------------------------
WEB_PROCESSES = env.int("WEB_PROCESSES", 1)
DATABASE_URL = env.str("DATABASE_URL", f"sqlite:///{DATA / 'fleetdesk.sqlite3'}")
REDIS_URL = env.str("REDIS_URL", "")
_database: dict[str, Any] = dict(env.db_url_config(DATABASE_URL))
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # otherwise a writer fails when it upgrades its lock
        "timeout": 60,
        # FULL: an acknowledged order survives a power cut.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    _database["CONN_MAX_AGE"] = 0
    _database["OPTIONS"] = {
        "pool": {"min_size": 1, "max_size": env.int("DATABASE_POOL", 16), "timeout": 3},
        "connect_timeout": 3,
        "options": "-c lock_timeout=3000 -c idle_in_transaction_session_timeout=15000",
    }
DATABASES = {"default": _database}

CHANNEL_LAYERS: dict[str, Any] = (
    {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL]},
        }
    }
    if REDIS_URL
    else {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
)

# People ----------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "CommonPasswordValidator")
] + [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    }
]
LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/admin/"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = EXPOSED and not ALLOW_HTTP
SESSION_COOKIE_NAME = "__Host-sessionid" if SESSION_COOKIE_SECURE else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if CSRF_COOKIE_SECURE else "csrftoken"
CSRF_TRUSTED_ORIGINS = [origin for origin in ALLOWED_ORIGINS if origin != "*"]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "platform_site.common.addresses.client_address"
AXES_ENABLE_ADMIN = False

# Answers ---------------------------------------------------------------------------------------
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["platform_site.common.gate.CredentialAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["platform_site.common.gate.MayCall"],
    "DEFAULT_PARSER_CLASSES": ["platform_site.common.formats.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "platform_site.common.formats.JSONRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_METADATA_CLASS": "platform_site.common.formats.Metadata",
    "DEFAULT_SCHEMA_CLASS": "platform_site.schema.Schema",
    "EXCEPTION_HANDLER": "platform_site.common.api.errors.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "COERCE_DECIMAL_TO_STRING": True,
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%f+00:00",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Fleetdesk",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "PREPROCESSING_HOOKS": ["platform_site.schema.without_slash_and_aliases"],
}
# How long an answer waits for the task that it started (payments, labels).
ANSWER_WAIT_S = env.float("ANSWER_WAIT_S", 5.0)
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024

# Console ---------------------------------------------------------------------------------------
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Fleetdesk",
    "SITE_HEADER": "Fleetdesk",
    "SITE_SYMBOL": "hub",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "platform_site.console.frame.favicon"}
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "platform_site.console.frame.environment",
    "STYLES": ["platform_site.console.frame.styles"],
    "GLOBAL_CALLBACK": "platform_site.console.frame.every_page",
    "DASHBOARD_CALLBACK": "platform_site.console.control_room.fill",
    "SIDEBAR": {"command_search": True, "navigation": "platform_site.console.navigation.sidebar"},
    # Searching every table for a word would be slow: only what people look up by number.
    "COMMAND": {
        "search_models": [
            "orders.order",
            "products.variant",
            "customers.customer",
            "registry.agent",
            "tasks.task",
        ]
    },
    "COLORS": {
        "primary": {
            "50": "#f0fdfa",
            "100": "#ccfbf1",
            "200": "#99f6e4",
            "300": "#5eead4",
            "400": "#2dd4bf",
            "500": "#14b8a6",
            "600": "#0d7c72",
            "700": "#0f766e",
            "800": "#115e59",
            "900": "#134e4a",
            "950": "#042f2e",
        }
    },
}

# Files -----------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
DOCUMENTS = DATA / "documents"
MAIL = DATA / "mail"

# Security headers ------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 0 if ALLOW_HTTP else 31_536_000
SILENCED_SYSTEM_CHECKS = [
    "security.W008",  # https_when_exposed redirects pages and refuses API calls
    "security.W005",  # whose subdomains these are, and whether browsers should preload the rule,
    "security.W021",  # is for the operator of the domain to decide
    "drf_spectacular.W001",
    "drf_spectacular.W002",
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
CONTENT_POLICY_BY_PATH: dict[str, dict[str, list[str]]] = {
    # Without these two Unfold's dialogs stay open over the page and nobody can log in.
    "/admin/": {"script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]},
}
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None

LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
LOGGING = logging_config(DATA / "logs", LOG_LEVEL, [spec.agent_id for spec in AGENTS])
AGENT_PORT_NUMBERS = {spec.port for spec in AGENTS} | {COORDINATOR_PORT}
PORT_PACKAGES = {spec.port: spec.package for spec in AGENTS if spec.port != PORT}
AGENT_IDS = {spec.package: spec.agent_id for spec in AGENTS if spec.is_implemented}
AGENT_CAPABILITIES = {spec.agent_id: set(spec.capabilities) for spec in AGENTS}
BUILTIN_AGENT_IDS = frozenset(spec.agent_id for spec in AGENTS)  # nobody outside acts as these
