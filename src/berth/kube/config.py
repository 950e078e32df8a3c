"""How to reach the API server.

Looked for in this order: a file given, the files in $KUBECONFIG, the pod's service account, ~/.kube/config.
"""

from __future__ import annotations

import base64
import hashlib
import os
import uuid
from collections.abc import Iterable
from pathlib import Path

import msgspec
from lightkube.config.kubeconfig import DEFAULT_KUBECONFIG, SERVICE_ACCOUNT, KubeConfig, SingleConfig
from lightkube.core.exceptions import ConfigError

from berth.kube.errors import ConfigurationError
from berth.texts.yaml_in import YamlError, read_yaml, what_is_wrong

ClusterConfig = SingleConfig
"""How to reach one API server, as who."""


def load(path: str = "", *, context: str = "") -> SingleConfig:
    """The configuration to build an Api from. ConfigurationError says in one sentence what is missing or broken, and
    where.

    context: another one than the file's current context.
    """
    if path:
        return _select([_read(path)], context, path)
    listed = [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    if listed:
        # Like kubectl, skip listed files that don't exist, unless none does.
        present = [part for part in listed if Path(part).expanduser().exists()] or listed[:1]
        return _select([_read(part) for part in present], context, f"KUBECONFIG={os.environ['KUBECONFIG']}")
    if Path(SERVICE_ACCOUNT, "token").exists() and "KUBERNETES_SERVICE_HOST" in os.environ and not context:
        return _in_cluster()
    if Path(DEFAULT_KUBECONFIG).expanduser().exists():
        return _select([_read(DEFAULT_KUBECONFIG)], context, DEFAULT_KUBECONFIG)
    raise ConfigurationError(
        "no Kubernetes configuration found: this is not a pod with a service account, KUBECONFIG is not set, "
        f"and {DEFAULT_KUBECONFIG} does not exist"
    )


def fingerprint(config: SingleConfig) -> str:
    """A stand-in for the cluster's UID, in a UID's form, where the real one can't be asked for. It is made of the
    authority that signed the API server's certificate, which is the same for every account, or else of the server's
    address.
    """
    cluster = config.cluster
    told = cluster.server.encode()
    if cluster.certificate_auth_data:
        told = base64.b64decode(cluster.certificate_auth_data)
    elif cluster.certificate_auth and (path := config.abs_file(cluster.certificate_auth)):
        told = Path(path).read_bytes()
    return str(uuid.uuid5(uuid.NAMESPACE_URL, hashlib.sha256(b"".join(told.split())).hexdigest()))


def _in_cluster() -> SingleConfig:
    try:
        config = KubeConfig.from_service_account().get()
    except (ConfigError, OSError, KeyError) as error:
        raise ConfigurationError(f"the pod's service account in {SERVICE_ACCOUNT} can't be used: {error}") from error
    assert config is not None
    return config


def _read(path: str) -> KubeConfig:
    file = Path(path).expanduser()
    try:
        return KubeConfig.from_dict(read_yaml(file.read_bytes()), fname=file)
    except FileNotFoundError as error:
        raise ConfigurationError(f"kubeconfig {path} does not exist") from error
    except OSError as error:
        raise ConfigurationError(f"kubeconfig {path} can't be read: {error.strerror}") from error
    except (YamlError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"kubeconfig {path} is not YAML: {what_is_wrong(error)}") from error
    except (KeyError, TypeError, AttributeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"kubeconfig {path} is not a kubeconfig: {_what_is_wrong(error)}") from error


_OTHER_FORM = "it does not hold lists of clusters, contexts and users"


def _what_is_wrong(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing"
    return str(error) if isinstance(error, msgspec.ValidationError) else _OTHER_FORM


def _select(configs: Iterable[KubeConfig], context: str, where: str) -> SingleConfig:
    configs = list(configs)
    wanted = context or next((config.current_context for config in configs if config.current_context), "")
    if not wanted:
        raise ConfigurationError(f"{where}: no current context is set")
    for config in configs:
        if wanted not in config.contexts:
            continue
        try:
            single = config.get(wanted)
        except KeyError as error:
            raise ConfigurationError(
                f"{where}: context {wanted!r} names {error.args[0]!r}, which is not in the same file"
            ) from error
        assert single is not None
        return single
    known = ", ".join(sorted(name for config in configs for name in config.contexts)) or "none"
    raise ConfigurationError(f"{where}: there is no context {wanted!r} (known: {known})")
