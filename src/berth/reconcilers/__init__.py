"""One decision loop per file: provision, reclaim, expand, purge. The only place that knows both Kubernetes and volumes; objects translates between them."""
