"""/schema, /docs and /redoc, with scripts and styles of our own host; the policy is widened on these pages alone."""

from csp.decorators import csp_update
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

schema = SpectacularJSONAPIView.as_view()

# Both set style attributes from their scripts. Swagger UI draws its arrows as data: images, ReDoc searches in a worker
# that it makes from a blob.
swagger = csp_update({"style-src": ["'unsafe-inline'"]})(SpectacularSwaggerSplitView.as_view(url_name="schema"))
redoc = csp_update({"style-src": ["'unsafe-inline'"], "worker-src": ["blob:"]})(
    SpectacularRedocView.as_view(url_name="schema")
)
