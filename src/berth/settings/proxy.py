"""Which proxy leads to a server, if any: $HTTPS_PROXY (or $HTTP_PROXY) and $NO_PROXY as kubectl reads them."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass


def proxy_for(server: str) -> str | None:
    """The proxy's URL for a server's URL; None: connect directly, as to every address on this machine.

    $NO_PROXY lists names, with the domains below them, addresses, and networks (`10.96.0.0/12`), which the standard
    library does not know: without them a pod would look for the API server behind the proxy.
    """
    url = urlsplit(server)
    proxies = getproxies_environment()
    proxy = proxies.get(url.scheme)
    host = url.hostname or ""
    if not proxy or proxy_bypass(url.netloc.rpartition("@")[2], proxies):
        return None
    address = _address(host)
    if host == "localhost" or (address is not None and (address.is_loopback or _is_listed(address, proxies))):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_listed(address: ipaddress.IPv4Address | ipaddress.IPv6Address, proxies: dict[str, str]) -> bool:
    for entry in proxies.get("no", "").split(","):
        try:
            if address in ipaddress.ip_network(entry.strip(), strict=False):
                return True
        except ValueError:
            continue
    return False


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
