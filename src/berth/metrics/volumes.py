"""What becomes of claims and volumes, and how shares answer: the figures an administrator watches first.

Provisioning and deletion are named as sig-storage-lib-external-provisioner does, so that dashboards keep working.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from berth.metrics.series import Counters, Gauges, Histograms


class VolumeMetrics:
    """Counters of provisioning, deletion, purge and the shares. Labels are classes, shares, and Berth's own words."""

    def __init__(self, registry: CollectorRegistry) -> None:
        claim, volume = "controller_persistentvolumeclaim", "controller_persistentvolume"
        self._provisioned = Counters(
            f"{claim}_provision_total", "Claims that got their volume.", ["class", "source"], registry=registry
        )
        self._provision_failed = Counters(
            f"{claim}_provision_failed_total",
            "Attempts to serve a claim that failed or were refused.",
            ["class", "source"],
            registry=registry,
        )
        self._provision_seconds = Histograms(
            f"{claim}_provision_duration_seconds",
            "How long a successful attempt took.",
            ["class", "source"],
            registry=registry,
        )
        self._refused = Counters(
            "berth_claims_refused_total",
            "Refused attempts, by the offending field.",
            ["class", "field"],
            registry=registry,
        )
        self._deleted = Counters(f"{volume}_delete_total", "PVs brought to their end.", ["class"], registry=registry)
        self._delete_failed = Counters(
            f"{volume}_delete_failed_total",
            "Attempts to end a PV that failed or were refused.",
            ["class"],
            registry=registry,
        )
        self._delete_seconds = Histograms(
            f"{volume}_delete_duration_seconds", "How long a successful attempt took.", ["class"], registry=registry
        )
        self._purged = Counter(
            "berth_purged_entries_total", "Files and directories purged from the trash.", registry=registry
        )
        self._left = Gauges(
            "berth_orphaned_volumes",
            "Directories with data whose claim and PV are gone, as the last sweep saw them.",
            ["share"],
            registry=registry,
        )
        self._contested = Gauges(
            "berth_share_contested",
            "1 while another controller under this cluster's UID was seen on the share.",
            ["share"],
            registry=registry,
        )
        self._share_seconds = Histograms(
            "berth_share_operation_duration_seconds",
            "How long shares took to answer.",
            ["share", "operation"],
            bounds=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self._share_errors = Counters(
            "berth_share_errors_total",
            "Operations that a share could not do, by the stage that failed.",
            ["share", "operation", "stage"],
            registry=registry,
        )

    def provisioned(self, class_name: str, seconds: float) -> None:
        """A claim got its volume."""
        self._provisioned(class_name, "").inc()
        self._provision_seconds(class_name, "").observe(seconds)

    def provision_failed(self, class_name: str) -> None:
        """An attempt failed for a reason outside the claim."""
        self._provision_failed(class_name, "").inc()

    def provision_refused(self, class_name: str, field: str) -> None:
        """An attempt was refused because of field."""
        self._provision_failed(class_name, "").inc()
        self._refused(class_name, field).inc()

    def class_gone(self, class_name: str) -> None:
        """A class was deleted: nothing more is told of its claims."""
        for series in (self._provisioned, self._provision_failed, self._provision_seconds, self._refused):
            series.forget(**{"class": class_name})

    def deleted(self, class_name: str, seconds: float) -> None:
        """A PV was brought to its end."""
        self._deleted(class_name).inc()
        self._delete_seconds(class_name).observe(seconds)

    def delete_failed(self, class_name: str) -> None:
        """An attempt to end a PV failed or was refused."""
        self._delete_failed(class_name).inc()

    def purged(self, entries: int) -> None:
        """So many entries of the trash are gone for good."""
        self._purged.inc(entries)

    def left(self, share: str, count: int) -> None:
        """A sweep of share found so many directories that nobody owns."""
        self._left(share).set(count)

    def contested(self, share: str, is_contested: bool) -> None:
        """Whether somebody else in this cluster's name was seen on the share."""
        self._contested(share).set(is_contested)

    def share_answered(self, share: str, operation: str, seconds: float, error: str | None) -> None:
        """A share finished an operation; error: the stage that failed, None if none did."""
        self._share_seconds(share, operation).observe(seconds)
        if error is not None:
            self._share_errors(share, operation, error).inc()
