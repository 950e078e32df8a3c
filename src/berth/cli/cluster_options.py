"""How to reach the cluster, for every command that asks it."""

from __future__ import annotations

import click

KUBECONFIG = click.Option(["--kubeconfig"], metavar="FILE", default="", help="How to reach the cluster.")
CONTEXT = click.Option(["--context"], metavar="NAME", default="", help="Another context than the kubeconfig's current.")
