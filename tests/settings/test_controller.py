"""The settings of `berth run` as a whole: the reference's Deployment works unchanged, and mistakes are named."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from berth.settings.controller import SETTINGS, ControllerSettings, load_controller_settings
from berth.settings.errors import SettingError


def load(environ: dict[str, str] | None = None, **flags: str) -> ControllerSettings:
    return load_controller_settings(environ or {}, {name.replace("_", "-"): value for name, value in flags.items()})


def test_nothing_has_to_be_set() -> None:
    settings = load()
    assert settings.provisioners == ("nfs.berth.io",)
    assert (settings.server, settings.export) == ("", "")
    assert settings.leader_election
    assert settings.listen is None
    assert settings.identity


def test_the_articles_deployment_is_understood() -> None:
    settings = load(
        {"PROVISIONER_NAME": "nfs/provisioner-229", "NFS_SERVER": "139.198.168.114", "NFS_PATH": "/mount/ksha3.2"}
    )
    assert settings.provisioners == ("nfs/provisioner-229",)
    assert (settings.server, settings.export) == ("139.198.168.114", "/mount/ksha3.2")


def test_the_charts_deployment_is_understood() -> None:
    settings = load(
        {
            "PROVISIONER_NAME": "cluster.local/nfs-client-nfs-client-provisioner",
            "NFS_SERVER": "nfs.example.com",
            "NFS_PATH": "/ifs/kubernetes/",
            "ENABLE_LEADER_ELECTION": "false",
            "POD_NAMESPACE": "storage",
            "KUBECONFIG": "",
        }
    )
    assert not settings.leader_election
    assert settings.namespace == "storage"
    assert settings.export == "/ifs/kubernetes"


def test_several_provisioner_names_keep_their_order_and_lose_their_blanks() -> None:
    settings = load(provisioner_name="nfs.berth.io, cluster.local/nfs-client ,fuseim.pri/ifs,")
    assert settings.provisioners == ("nfs.berth.io", "cluster.local/nfs-client", "fuseim.pri/ifs")


@pytest.mark.parametrize(
    ("written", "understood"),
    [("/srv//nfs", "/srv/nfs"), ("/srv/nfs/", "/srv/nfs"), ("/srv/./nfs", "/srv/nfs"), ("/", "/"), ("//", "/")],
)
def test_an_export_is_put_in_normal_form(written: str, understood: str) -> None:
    assert load(nfs_server="nfs.example.com", nfs_path=written).export == understood


@pytest.mark.parametrize(
    ("environ", "named", "advice"),
    [
        pytest.param({"PROVISIONER_NAME": " , "}, "PROVISIONER_NAME", "at least one", id="no provisioner in the list"),
        pytest.param({"PROVISIONER_NAME": "a,b,a"}, "PROVISIONER_NAME", "twice", id="a provisioner named twice"),
        pytest.param({"PROVISIONER_NAME": "nfs storage"}, "PROVISIONER_NAME", "'nfs storage'", id="a blank inside"),
        pytest.param({"PROVISIONER_NAME": "a/b/c"}, "PROVISIONER_NAME", "'a/b/c'", id="two slashes"),
        pytest.param({"NFS_SERVER": "nfs.example.com"}, "NFS_PATH", "NFS_SERVER", id="a server without a path"),
        pytest.param({"NFS_PATH": "/srv"}, "NFS_SERVER", "NFS_PATH", id="a path without a server"),
        pytest.param({"NFS_SERVER": "nfs/srv", "NFS_PATH": "/srv"}, "NFS_SERVER", "'nfs/srv'", id="server with slash"),
        pytest.param({"NFS_SERVER": "a", "NFS_PATH": "srv"}, "NFS_PATH", "absolute path", id="a relative path"),
        pytest.param({"NFS_SERVER": "a", "NFS_PATH": "/srv/../etc"}, "NFS_PATH", "absolute path", id="a path with .."),
        pytest.param({"ENABLE_LEADER_ELECTION": "off"}, "ENABLE_LEADER_ELECTION", '"false"', id="no Go boolean"),
        pytest.param({"POD_NAMESPACE": "Storage"}, "POD_NAMESPACE", "'Storage'", id="namespace with a capital"),
        pytest.param({"BERTH_LISTEN": "8080"}, "BERTH_LISTEN", "127.0.0.1:8080", id="listen without a host"),
        pytest.param({"BERTH_CLAIM_WORKERS": "0"}, "BERTH_CLAIM_WORKERS", "from 1 to 256", id="no workers"),
        pytest.param({"BERTH_SHARE_TIMEOUT": "soon"}, "BERTH_SHARE_TIMEOUT", "such as 15s", id="no duration"),
        pytest.param({"BERTH_LOG_LEVEL": "trace"}, "BERTH_LOG_LEVEL", "debug, info", id="an unknown level"),
        pytest.param({"BERTH_LEASE_DURATION": "5s"}, "--lease-duration", "longer than", id="lease below renewal"),
        pytest.param({"BERTH_RETRY_PERIOD": "10s"}, "--lease-duration", "10s, 10s", id="retries as long as renewal"),
        pytest.param(
            {"BERTH_SHARE_TIMEOUT": "60s"}, "--share-timeout", "shorter than --lease-duration", id="share over lease"
        ),
        pytest.param(
            {"BERTH_SHARE_TIMEOUT": "15s"}, "--share-timeout", "got 15s, 15s", id="share timeout as long as the lease"
        ),
    ],
)
def test_a_mistake_is_named_with_what_would_work(environ: dict[str, str], named: str, advice: str) -> None:
    with pytest.raises(SettingError) as caught:
        load(environ)
    assert caught.value.setting == named
    assert advice in caught.value.why
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"BERTH_SHARE_TIMEOUT": "14s"}, id="below the lease"),
        pytest.param({"BERTH_SHARE_TIMEOUT": "60s", "ENABLE_LEADER_ELECTION": "false"}, id="without a lease"),
        pytest.param({"BERTH_SHARE_TIMEOUT": "60s", "BERTH_LEASE_DURATION": "2m"}, id="with a longer lease"),
    ],
)
def test_a_share_may_be_waited_for_as_long_as_no_lease_runs_out_meanwhile(environ: dict[str, str]) -> None:
    load(environ)


def test_every_setting_can_be_given_as_a_flag_and_as_a_variable() -> None:
    assert len(SETTINGS) == len(fields(ControllerSettings))
    flags, variables = [setting.flag for setting in SETTINGS], [setting.variable for setting in SETTINGS]
    assert len(set(flags)) == len(set(variables)) == len(SETTINGS)
    assert all(re.fullmatch("[a-z]+(-[a-z]+)*", flag) for flag in flags)
    assert all(re.fullmatch("[A-Z]+(_[A-Z]+)*", variable) for variable in variables)


def test_help_is_one_sentence_for_each() -> None:
    for setting in SETTINGS:
        assert setting.help.endswith("."), setting.flag
        assert setting.help[0].isupper(), setting.flag


def test_every_default_is_what_its_own_parser_makes_of_the_text_that_help_shows() -> None:
    for setting in SETTINGS:
        spoken = setting.default_text
        if spoken and setting.flag not in ("kubeconfig", "namespace", "identity"):  # these are told in words
            assert setting.parse(spoken) == setting.default, setting.flag
