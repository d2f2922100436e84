"""Settings from the environment: good ones are taken, bad ones named by their variable, and no secret is ever shown."""

import os
import re
from base64 import b64encode
from pathlib import Path

import pytest

from app.settings.load import (
    Settings,
    client_variables,
    config_file,
    findable,
    load,
    shown,
    tokens_of_environment,
    without_secrets,
)
from app.settings.names import SettingsError, places, variable_of
from schemas.normalize import provider_time

SECRET = "hunter2-hunter2-hunter2"
SHOP = {"SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme", "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": SECRET}
POLLED = {"SMSBUS_ACCOUNTS__POOL__PROVIDER": "grizzlysms", "SMSBUS_ACCOUNTS__POOL__API_KEY": SECRET}
IN_FILE = f"[accounts.shop]\nprovider = 'pingme'\ncallback_tokens = '{SECRET}'\n"
PACKAGES = ("app", "bus", "receiver", "sandbox", "schemas")


def refused(environment, variables):
    environment(variables)
    with pytest.raises(SettingsError) as error:
        load()
    return error.value.lines


def test_nothing_set_is_a_local_installation_without_accounts(environment):
    environment({})

    settings = load()

    assert settings.kafka.bootstrap_servers == "localhost:9092"
    assert (settings.admin.host, settings.admin.port, settings.receiver.port) == ("127.0.0.1", 8081, 8080)
    assert settings.accounts == {}


@pytest.mark.parametrize("typo", ["provider = pingme", "colour = 1", "[accounts.shop", "provider = 'pngme'"])
def test_a_service_is_found_by_settings_that_are_wrong_elsewhere(environment, tmp_path, typo):
    file = tmp_path / "smsbus.toml"
    file.write_text(f"data_dir = '{tmp_path}'\n[admin]\nport = 9\n[log]\nlevel = 'info'\n[accounts.shop]\n{typo}\n")
    environment({"SMSBUS_CONFIG": str(file)})
    with pytest.raises(SettingsError):
        load()

    found = findable()

    assert found is not None
    assert (found.data_dir, found.admin_url(), found.accounts) == (tmp_path, "http://127.0.0.1:9", {})


@pytest.mark.parametrize("more", [{"SMSBUS_ADMIN__PORT": "many"}, {"SMSBUS_ADMIN__TOKEN_FILE": "/nowhere"}])
def test_it_is_not_found_by_what_is_wrong_itself(environment, more):
    environment(more)

    assert findable() is None


def test_an_accounts_name_is_lower_case_and_may_have_underscores(environment):
    environment({name.replace("SHOP", "MY_SHOP_2"): value for name, value in SHOP.items()})

    assert [account.name for account in load().pingme_accounts()] == ["my_shop_2"]


def test_callback_tokens_are_a_comma_list(environment):
    environment(SHOP | {"SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": f"{SECRET}-new, {SECRET}-old"})

    [account] = load().pingme_accounts()

    assert [token.get_secret_value() for token in account.tokens] == [f"{SECRET}-new", f"{SECRET}-old"]


@pytest.mark.parametrize("provider", ["smsverified", "grizzlysms", "smsman"])
def test_an_account_that_is_polled_needs_a_key_and_no_callback_token(environment, provider):
    environment(POLLED | {"SMSBUS_ACCOUNTS__POOL__PROVIDER": provider})

    settings = load()

    account = settings.accounts["pool"]
    assert (account.provider, account.status_action, account.zone) == (provider, None, "UTC")
    assert settings.pingme_accounts() == []


@pytest.mark.parametrize(
    ("zone", "hour"),
    [("UTC", 12), ("Europe/Moscow", 9), ("+03:00", 9), ("+3", 9), ("-0500", 17), ("+00:00", 12), ("+14:00", 22)],
)
def test_the_zone_says_what_noon_was_at_a_provider(environment, zone, hour):
    environment(POLLED | {"SMSBUS_ACCOUNTS__POOL__ZONE": zone})

    noon = provider_time("2026-02-26 12:00:00", now_ms=1_780_000_000_000, zone=load().accounts["pool"].zone)

    assert noon.time is not None
    assert noon.time[11:13] == f"{hour:02d}"


def test_lists_of_other_sections_are_comma_lists_too(environment):
    environment({"SMSBUS_RECEIVER__TRUSTED_PROXIES": "10.0.0.0/8, 127.0.0.1"})

    assert list(map(str, load().receiver.trusted_proxies)) == ["10.0.0.0/8", "127.0.0.1/32"]


def test_the_journal_lies_under_the_data_directory(environment):
    environment({"SMSBUS_DATA_DIR": "/srv/smsbus"})

    assert load().bus.journal_dir == Path("/srv/smsbus/journal")


@pytest.mark.parametrize("name", ["SMSBUS_DATA_DIR", "SMSBUS_BUS__JOURNAL_DIR"])
def test_a_tilde_is_the_home_directory_also_where_no_shell_reads_it(environment, monkeypatch, name):
    monkeypatch.setenv("HOME", "/home/ann")
    environment({name: "~/sms"})

    settings = load()

    assert str(settings.bus.journal_dir).removesuffix("/journal") == "/home/ann/sms"
    assert name != "SMSBUS_DATA_DIR" or settings.data_dir == Path("/home/ann/sms")


def test_a_journal_directory_of_its_own_wins_over_the_data_directory(environment):
    environment({"SMSBUS_DATA_DIR": "/srv/smsbus", "SMSBUS_BUS__JOURNAL_DIR": "/fast/journal"})

    assert load().bus.journal_dir == Path("/fast/journal")


def test_the_admin_listener_may_leave_loopback_with_a_token(environment):
    environment({"SMSBUS_ADMIN__HOST": "0.0.0.0", "SMSBUS_ADMIN__TOKEN": SECRET})

    assert load().admin.host == "0.0.0.0"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_on_loopback_the_admin_listener_needs_no_token(environment, host):
    environment({"SMSBUS_ADMIN__HOST": host})

    assert load().admin.token is None


def test_settings_of_another_version_are_refused_in_one_line_whatever_else_is_in_them(environment, tmp_path):
    environment({})
    file = tmp_path / "smsbus.toml"
    file.write_text("settings_version = 2\n[of]\ntomorrow = true\n")

    with pytest.raises(SettingsError) as error:
        load(file)

    (line,) = error.value.lines
    assert line.startswith(f"{file}: settings_version is not 1, so it is for another version of smsbus")


def test_settings_of_this_version_may_say_so(environment, tmp_path):
    environment({})
    file = tmp_path / "smsbus.toml"
    file.write_text(f"settings_version = 1\n{IN_FILE}")

    assert [account.name for account in load(file).pingme_accounts()] == ["shop"]


@pytest.mark.parametrize(
    ("variables", "variable", "word"),
    [
        ({"SMSBUS_KAFKA__BOOTSTRAP_SERVERS": SECRET}, "SMSBUS_KAFKA__BOOTSTRAP_SERVERS", "host:port"),
        ({"SMSBUS_KAFKA__BOOTSTRAP_SERVERS": "kafka:99999"}, "SMSBUS_KAFKA__BOOTSTRAP_SERVERS", "host:port"),
        ({"SMSBUS_KAFKA__SECURITY_PROTOCOL": SECRET}, "SMSBUS_KAFKA__SECURITY_PROTOCOL", "SASL_SSL"),
        ({"SMSBUS_KAFKA__TOPIC_PREFIX": f"a/{SECRET}"}, "SMSBUS_KAFKA__TOPIC_PREFIX", "match"),
        ({"SMSBUS_KAFKA__SECURITY_PROTOCOL": "SASL_SSL"}, "SMSBUS_KAFKA__SASL_PLAIN_USERNAME", "needed"),
        (
            {"SMSBUS_KAFKA__SECURITY_PROTOCOL": "SASL_PLAINTEXT", "SMSBUS_KAFKA__SASL_PLAIN_USERNAME": SECRET},
            "SMSBUS_KAFKA__SASL_PLAIN_PASSWORD",
            "needed",
        ),
        ({"SMSBUS_KAFKA__SSL_CAFILE": SECRET}, "SMSBUS_KAFKA__SSL_CAFILE", "file"),
        ({"SMSBUS_RECEIVER__PORT": SECRET}, "SMSBUS_RECEIVER__PORT", "integer"),
        ({"SMSBUS_ADMIN__PORT": "70000"}, "SMSBUS_ADMIN__PORT", "65535"),
        ({"SMSBUS_ADMIN__HOST": "0.0.0.0"}, "SMSBUS_ADMIN__TOKEN", "needed"),
        ({"SMSBUS_ADMIN__TOKEN": SECRET[:21]}, "SMSBUS_ADMIN__TOKEN", "fewer than 22 characters can be guessed"),
        (
            SHOP | {"SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": f"{SECRET},{SECRET[:21]}"},
            "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS",
            "token_urlsafe(24)",
        ),
        ({"SMSBUS_ADMIN__HOST": "10.1.2.3"}, "SMSBUS_ADMIN__TOKEN", "needed"),
        ({"SMSBUS_LOG__FORMAT": SECRET}, "SMSBUS_LOG__FORMAT", "json"),
        ({"SMSBUS_BUS__ACCEPT_DEADLINE": "0"}, "SMSBUS_BUS__ACCEPT_DEADLINE", "greater than 0"),
        ({"SMSBUS_ACCOUNTS__SHOP__API_KEY": SECRET}, "SMSBUS_ACCOUNTS__SHOP__PROVIDER", "missing"),
        ({"SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme"}, "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS", "at least one"),
        ({"SMSBUS_ACCOUNTS__SHOP__PROVIDER": "smsman"}, "SMSBUS_ACCOUNTS__SHOP__API_KEY", "needed"),
        (POLLED | {"SMSBUS_ACCOUNTS__POOL__API_KEY": " "}, "SMSBUS_ACCOUNTS__POOL__API_KEY", "needed"),
        (POLLED | {"SMSBUS_ACCOUNTS__POOL__ZONE": SECRET}, "SMSBUS_ACCOUNTS__POOL__ZONE", "Europe/Moscow"),
        (POLLED | {"SMSBUS_ACCOUNTS__POOL__ZONE": "+05:30"}, "SMSBUS_ACCOUNTS__POOL__ZONE", "whole hours"),
        (POLLED | {"SMSBUS_ACCOUNTS__POOL__ZONE": "../zone"}, "SMSBUS_ACCOUNTS__POOL__ZONE", "Europe/Moscow"),
        (
            POLLED | {"SMSBUS_ACCOUNTS__POOL__STATUS_ACTION": SECRET},
            "SMSBUS_ACCOUNTS__POOL__STATUS_ACTION",
            "getStatusV2",
        ),
        (
            POLLED | {"SMSBUS_ACCOUNTS__POOL__MAX_REQUESTS_PER_SECOND": "0"},
            "SMSBUS_ACCOUNTS__POOL__MAX_REQUESTS_PER_SECOND",
            "greater than 0",
        ),
        (SHOP | {"SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pongme"}, "SMSBUS_ACCOUNTS__SHOP__PROVIDER", "supports pingme"),
        (
            SHOP | {"SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": f"{SECRET}/{SECRET}"},
            "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS",
            "characters",
        ),
        (
            SHOP | {"SMSBUS_ACCOUNTS__SHOP__BASE_URL": f"ftp://{SECRET}"},
            "SMSBUS_ACCOUNTS__SHOP__BASE_URL",
            "match",
        ),
        (
            SHOP | {"SMSBUS_ACCOUNTS__SHOP__BASE_URL": f"http://[::1/{SECRET}"},
            "SMSBUS_ACCOUNTS__SHOP__BASE_URL",
            "an address like",
        ),
        (
            SHOP | {"SMSBUS_ACCOUNTS__SHOP__BASE_URL": f"http://{SECRET}:port/"},
            "SMSBUS_ACCOUNTS__SHOP__BASE_URL",
            "an address like",
        ),
        (
            SHOP | {name.replace("SHOP", "BAR"): value for name, value in SHOP.items()},
            "SMSBUS_ACCOUNTS",
            "is given twice",
        ),
        ({"SMSBUS_ACCOUNTS__2SHOP__PROVIDER": "pingme"}, "SMSBUS_ACCOUNTS__2SHOP", "lower-case"),
        (SHOP | {"SMSBUS_ACCOUNTS__SHOP__USER_ID": ""}, "SMSBUS_ACCOUNTS__SHOP__USER_ID", "it must not be empty"),
        (SHOP | {"SMSBUS_ACCOUNTS__SHOP__USER_ID": " "}, "SMSBUS_ACCOUNTS__SHOP__USER_ID", "it must not be empty"),
        ({"SMSBUS_ADMIN__TOKEN_FILE": ""}, "SMSBUS_ADMIN__TOKEN_FILE", "it must name a file"),
        ({"SMSBUS_RECEIVER__BODY_DEADLINE": "1e-9"}, "SMSBUS_RECEIVER__BODY_DEADLINE", "greater than or equal to 0.1"),
        ({"SMSBUS_RECEIVER__HOST": " "}, "SMSBUS_RECEIVER__HOST", "it must not be empty"),
        ({"SMSBUS_ADMIN__HOST": ""}, "SMSBUS_ADMIN__HOST", "it must not be empty"),
        ({"SMSBUS_BUS__JOURNAL_MAX_BYTES": "1"}, "SMSBUS_BUS__JOURNAL_MAX_BYTES", "greater than or equal to 16384"),
        ({"SMSBUS_ADMIN__PORT": "8080"}, "SMSBUS_ADMIN", "its port is receiver.port, too"),
        ({"SMSBUS_DATA_DIR": ""}, "SMSBUS_DATA_DIR", "the path of a directory is needed"),
        ({"SMSBUS_DATA_DIR": " "}, "SMSBUS_DATA_DIR", "the path of a directory is needed"),
        ({"SMSBUS_BUS__JOURNAL_DIR": ""}, "SMSBUS_BUS__JOURNAL_DIR", "the path of a directory is needed"),
        ({"SMSBUS_BUS__ACCEPT_DEADLINE": "inf"}, "SMSBUS_BUS__ACCEPT_DEADLINE", "a finite number"),
        ({"SMSBUS_ACCOUNTS__SHOP__QUIET_AFTER": "inf"}, "SMSBUS_ACCOUNTS__SHOP__QUIET_AFTER", "a finite number"),
        *(
            ({"SMSBUS_KAFKA__BOOTSTRAP_SERVERS": address}, "SMSBUS_KAFKA__BOOTSTRAP_SERVERS", "host:port")
            for address in ("localhost:٩٠٩٢", "::1:9092", "a:b:9092", "a b:9092", "[::1:9092")
        ),
    ],
)
def test_a_bad_value_is_named_by_its_variable_and_never_shown(environment, variables, variable, word):
    lines = refused(environment, variables)

    assert any(line.startswith(variable) and word in line for line in lines), lines
    assert SECRET not in "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("receiver = 5", "receiver in {file}): it is a section of settings"),
        ("accounts = 5", "accounts in {file}): it is a section of settings"),
        ("[accounts]\nshop = 5", "accounts.shop in {file}): it is a section of settings"),
        ("[receiver]\nport = 'x'", "receiver.port in {file}): a whole number (an integer) is needed"),
        ("[receiver]\nmax_body = 1.5", "receiver.max_body in {file}): a whole number (an integer) is needed"),
        ("[receiver]\nfast_lane = 'x'", "receiver.fast_lane in {file}): true or false is needed"),
        ("[bus]\nspill_after = 'x'", "bus.spill_after in {file}): a number is needed"),
        ("[admin]\nport = 99999", "admin.port in {file}): it must be less than or equal to 65535"),
        ("[log]\nlevel = 'x'", "log.level in {file}): it must be 'debug', 'info', 'warning' or 'error'"),
        ("[kafka]\ntopic_prefix = 5", "kafka.topic_prefix in {file}): a text is needed, in quotes"),
        (
            "[kafka]\ntopic_prefix = 'a b'",
            "kafka.topic_prefix in {file}): each character must match A-Z, a-z, 0-9 or . _ -",
        ),
        ("data_dir = 5", "data_dir in {file}): a path is needed, in quotes"),
        ('data_dir = "a\\u0000b"', "data_dir in {file}): the path of a directory is needed"),
        ("data_dir = ['x']", "data_dir in {file}): a path is needed, in quotes"),
        ("data_dir = '~nobody-of-that-name/x'", "data_dir in {file}): what stands behind ~ is no user"),
        ("[receiver]\npublic_url = 'sms.example.org'", "receiver.public_url in {file}): an address like https://sms."),
        ("[receiver]\npublic_url = 'https://a.b/?c'", "receiver.public_url in {file}): an address like https://sms."),
        ("[receiver]\npublic_url = 'https://u:p@a.b'", "receiver.public_url in {file}): an address like https://sms."),
        ("[receiver]\ntrusted_proxies = [5]", 'trusted_proxies in {file}): a network like "10.0.0.0/8" is needed'),
        ("[receiver]\npublic_url = 'https://a..b'", "receiver.public_url in {file}): an address like https://sms."),
        (
            f"{IN_FILE}base_url = 'ftp://x'",
            "accounts.shop.base_url in {file}): it must match https://HOST/… or http://",
        ),
    ],
)
def test_a_value_of_the_wrong_form_is_explained_in_words_of_ours(environment, tmp_path, text, problem):
    file = tmp_path / "smsbus.toml"
    file.write_text(text)

    [line] = refused(environment, {"SMSBUS_CONFIG": str(file)})

    assert problem.format(file=file) in line
    assert not re.search("Input|String|instance|parse", line)


def test_two_accounts_with_one_token_are_both_named(environment):
    both = SHOP | {name.replace("SHOP", "BAR"): value for name, value in SHOP.items()}

    [line] = refused(environment, both)

    assert "a callback token is given twice, in bar and shop: each selects one account" in line


def test_every_problem_has_its_own_line(environment):
    lines = refused(environment, {"SMSBUS_ADMIN__PORT": "x", "SMSBUS_RECEIVER__PORT": "y", "SMSBUS_LOG__LEVEL": "z"})

    assert sorted(line.split(":")[0] for line in lines) == [
        "SMSBUS_ADMIN__PORT",
        "SMSBUS_LOG__LEVEL",
        "SMSBUS_RECEIVER__PORT",
    ]


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("SMSBUS_KAFKA__BOOTSTRAP_SERVER", "SMSBUS_KAFKA__BOOTSTRAP_SERVERS"),
        ("SMSBUS_KAFKA_BOOTSTRAP_SERVERS", "SMSBUS_KAFKA__BOOTSTRAP_SERVERS"),
        ("SMSBUS_RECEIVER_PORT", "SMSBUS_RECEIVER__PORT"),
        ("SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKEN", "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS"),
        ("SMSBUS_ADMIN__TOKEN_FIEL", "SMSBUS_ADMIN__TOKEN_FILE"),
        ("SMSBUS_CONFG", "SMSBUS_CONFIG"),
        ("smsbus_log__levl", "SMSBUS_LOG__LEVEL"),
        ("SMSBUS_BUS__ADOPT_EVERY", "SMSBUS_BUS__ORPHAN_SCAN_INTERVAL"),
        ("SMSBUS_BUS__REPEATS_REMEMBERED", "SMSBUS_BUS__DEDUP_CACHE_SIZE"),
        ("SMSBUS_POLLERS__WORKERS", "SMSBUS_POLLERS__MAX_CONCURRENT_POLLS"),
        ("SMSBUS_POLLER__WORKERS", "SMSBUS_POLLERS__MAX_CONCURRENT_POLLS"),
        ("SMSBUS_RECIEVR__PORT", "SMSBUS_RECEIVER__PORT"),
    ],
)
def test_an_unknown_variable_stops_the_start_and_the_meant_one_is_guessed(environment, variable, meant):
    [line] = refused(environment, {variable: SECRET})

    assert line == f"{variable} is not a setting: did you mean {meant}?"


@pytest.mark.parametrize(
    ("text", "key", "meant"),
    [
        ("[reciever]\nport = 1", "reciever", "receiver"),
        ("[Receiver]\nport = 1", "Receiver", "receiver"),
        ("[receiver]\nport = 1\n[RECEIVER]\nport = 2", "RECEIVER", "receiver"),
        ("data_dri = '/x'", "data_dri", "data_dir"),
        ("[account.shop]\nprovider = 'pingme'", "account", "accounts"),
        ("[receiver]\nprot = 1", "receiver.prot", "receiver.port"),
        ("[receiver]\nPort = 1", "receiver.Port", "receiver.port"),
        ("[bus]\nadopt_every = 1", "bus.adopt_every", "bus.orphan_scan_interval"),
        ("[bus]\nrepeats_remembered = 1", "bus.repeats_remembered", "bus.dedup_cache_size"),
        ("[pollers]\nworkers = 1", "pollers.workers", "pollers.max_concurrent_polls"),
        ("[pollers]\nWorkers = 1", "pollers.Workers", "pollers.max_concurrent_polls"),
        (f"{IN_FILE}Api_Key = 'k'", "accounts.shop.Api_Key", "accounts.shop.api_key"),
        (f"{IN_FILE}user = 'k'", "accounts.shop.user", "accounts.shop.user_id"),
    ],
)
def test_an_unknown_key_of_the_file_stops_the_start_and_the_meant_one_is_guessed(
    environment, tmp_path, text, key, meant
):
    file = tmp_path / "smsbus.toml"
    file.write_text(text)

    assert refused(environment, {"SMSBUS_CONFIG": str(file)}) == [
        f"{key} in {file} is not a setting: did you mean {meant}?"
    ]


def test_a_misspelt_key_is_named_before_what_follows_from_it(environment, tmp_path):
    file = tmp_path / "smsbus.toml"
    file.write_text(IN_FILE.replace("provider", "provder"))

    first, *others = refused(environment, {"SMSBUS_CONFIG": str(file)})

    assert first == f"accounts.shop.provder in {file} is not a setting: did you mean accounts.shop.provider?"
    assert "is missing" in str(others)


@pytest.mark.parametrize("make", [None, Path.mkdir], ids=["missing", "a directory"])
@pytest.mark.parametrize("name", ["SSL_CAFILE", "SSL_CERTFILE", "SSL_KEYFILE"])
def test_a_file_that_is_none_is_named_with_its_path(environment, tmp_path, name, make):
    path = tmp_path / "client.pem"
    if make:
        make(path)

    [line] = refused(environment, {f"SMSBUS_KAFKA__{name}": str(path)})

    assert line == f"SMSBUS_KAFKA__{name}: {path} {'is not a file' if make else 'does not exist'}"


@pytest.mark.parametrize("variable", ["SMSBUS_KAFKA__SSL_KEYFILE", "SMSBUS_ADMIN__TOKEN_FILE"])
@pytest.mark.parametrize("secret", [SECRET, "-----BEGIN PRIVATE KEY-----\n/hunter2"], ids=["a token", "a key"])
def test_a_secret_in_place_of_its_file_is_not_repeated(environment, variable, secret):
    [line] = refused(environment, {variable: secret})

    assert line.startswith(variable)
    assert "that file" in line
    assert "hunter2" not in line


def test_a_key_of_the_file_like_no_other_is_unknown_without_a_guess(environment, tmp_path):
    file = tmp_path / "smsbus.toml"
    file.write_text("[xqzwy]\n[bus]\nxqzwy = 1")

    assert refused(environment, {"SMSBUS_CONFIG": str(file)}) == [
        f"{key} in {file} is not a setting; `smsbus check --print` lists all settings" for key in ("xqzwy", "bus.xqzwy")
    ]


def test_a_variable_like_no_other_is_unknown_without_a_guess(environment):
    [line] = refused(environment, {"SMSBUS_XQZWY": SECRET})

    assert line.startswith("SMSBUS_XQZWY is not a setting")
    assert "did you mean" not in line
    assert SECRET not in line


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SMSBUS_PORT", "tcp://10.0.0.1:8080"),
        ("SMSBUS_SERVICE_HOST", "10.0.0.1"),
        ("SMSBUS_SERVICE_PORT", "8080"),
        ("SMSBUS_SERVICE_PORT_HTTP", "8080"),
        ("SMSBUS_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ("SMSBUS_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("SMSBUS_PORT_8080_TCP_PROTO", "tcp"),
        ("SMSBUS_RECEIVER_SERVICE_PORT", "8080"),
        ("SMSBUS_RECEIVER_PORT", "udp://10.0.0.1:8080"),
    ],
)
def test_what_kubernetes_injects_is_no_typo(environment, variable, value):
    environment({variable: value})

    assert load().receiver.port == 8080


def test_a_setting_with_a_url_in_it_is_still_checked(environment):
    [line] = refused(environment, {"SMSBUS_KAFKA__BOOTSTRAP_SERVER": "tcp://10.0.0.1:8080"})

    assert "did you mean SMSBUS_KAFKA__BOOTSTRAP_SERVERS?" in line


def as_it_must_look(place: tuple[str, ...], text: str) -> str:
    if place[-1] == "url":
        return f"https://example.com/{text}"
    return f"whsec_{b64encode(f'{text}-more'.encode()).decode()}" if place == ("forwards", "*", "secret") else text


def every_secret() -> dict[str, str]:
    """A value for each variable of a secret, another one for each."""
    known = [place for place, secret in places(Settings) if secret]
    return {
        variable_of(place).replace("*", "SHOP"): as_it_must_look(place, f"{SECRET}-{number}")
        for number, place in enumerate(known)
    }


def test_what_is_shown_has_stars_for_every_secret(environment):
    every = every_secret()
    environment(SHOP | every)

    text = "\n".join(f"{key} = {value}" for key, value in shown(load()))

    assert every
    assert SECRET not in text
    assert not any(value in text for value in every.values())
    assert text.count("**********") == len(every)


def test_these_settings_are_secrets():
    assert {".".join(place) for place, secret in places(Settings) if secret} == {
        "kafka.sasl_plain_password",
        "kafka.ssl_password",
        "admin.token",
        "admin.read_token",
        "notify.url",
        "heartbeat.url",
        "accounts.*.callback_tokens",
        "accounts.*.app_key",
        "accounts.*.api_key",
        "accounts.*.proxy_url",
        "forwards.*.url",
        "forwards.*.secret",
    }


def test_every_secret_is_known_to_redaction(environment):
    environment(SHOP | (every := every_secret()))

    assert sorted(load().secrets()) == sorted(every.values())


def test_settings_do_not_print_their_secrets(environment):
    environment(SHOP)

    assert SECRET not in repr(load()) + str(load())


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({}, "http://localhost:8080/v1/pingme/TOKEN"),
        ({"SMSBUS_RECEIVER__HOST": "127.0.0.1", "SMSBUS_RECEIVER__PORT": "9"}, "http://127.0.0.1:9/v1/pingme/TOKEN"),
        ({"SMSBUS_RECEIVER__HOST": "::1"}, "http://[::1]:8080/v1/pingme/TOKEN"),
        ({"SMSBUS_RECEIVER__PUBLIC_URL": "https://sms.example/"}, "https://sms.example/v1/pingme/TOKEN"),
        ({"SMSBUS_RECEIVER__PUBLIC_URL": "https://sms.example/in"}, "https://sms.example/in/v1/pingme/TOKEN"),
    ],
)
def test_a_callback_url_is_what_pingme_sees(environment, variables, url):
    environment(variables)

    assert load().callback_url("TOKEN") == url


def test_a_file_that_was_named_must_be_there(environment):
    environment({"SMSBUS_CONFIG": "/nowhere/smsbus.toml"})

    with pytest.raises(SettingsError, match=r"/nowhere/smsbus\.toml is not there: it was named by SMSBUS_CONFIG"):
        config_file()
    with pytest.raises(SettingsError, match="it was named by --config"):
        config_file(Path("/nowhere/else.toml"))


@pytest.mark.parametrize("named", [True, False], ids=["named", "found"])
@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (Path.mkdir, "is a directory"),
        (os.mkfifo, "is no regular file"),
        (lambda path: path.symlink_to("/dev/null"), "is no regular file"),
        (lambda path: path.symlink_to("nowhere"), "is not there"),
    ],
    ids=["directory", "pipe", "device", "link to nothing"],
)
def test_what_is_no_file_stops_the_start(environment, tmp_path, monkeypatch, make, problem, named):
    make(tmp_path / "smsbus.toml")
    monkeypatch.chdir(tmp_path)

    [line] = refused(environment, {"SMSBUS_CONFIG": str(tmp_path / "smsbus.toml")} if named else {})

    assert f"smsbus.toml {problem}: " in line


@pytest.mark.parametrize("behind", ["\n", "\r\n", " ", "\t"])
def test_what_stands_behind_a_variable_is_no_part_of_it(environment, behind):
    secrets = {"SMSBUS_ADMIN__TOKEN": SECRET, "SMSBUS_KAFKA__SASL_PLAIN_PASSWORD": SECRET, "SMSBUS_TOKEN": SECRET}
    given = {**POLLED, **SHOP, **secrets, "SMSBUS_ACCOUNTS__SHOP__USER_ID": "7", "SMSBUS_ACCOUNTS__SHOP__APP_KEY": "k"}
    environment({name: value + behind for name, value in given.items()})

    settings = load()

    assert {*settings.secrets()} == {SECRET, "k"}
    assert settings.accounts["shop"].user_id == "7"
    assert client_variables()[1] == tokens_of_environment().token.get_secret_value() == SECRET


def test_the_environment_is_read_in_one_file_only():
    root = Path(__file__).parents[4]
    reading = re.compile(r"\bos\.environb?\b|\bgetenvb?\b|from os import .*\benvironb?\b")
    sources = [path for package in PACKAGES for path in (root / package).rglob("*.py")]

    readers = {str(path.relative_to(root)) for path in sources if reading.search(path.read_text())}

    assert len(sources) > 30
    assert readers == {"app/settings/load.py"}


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("https://example.org/stubs/handler_api.php", "https://example.org/stubs/handler_api.php"),
        ("https://me:pass@example.org/a@b", "https://***@example.org/a@b"),
        ("http://key@example.org:80", "http://***@example.org:80"),
        ("https://example.org/a?api_key=k&x=@", "https://example.org/a?***"),
        ("https://me:p@example.org?k=v", "https://***@example.org?***"),
        ("127.0.0.1:9092", "127.0.0.1:9092"),
    ],
)
def test_an_address_is_shown_without_what_may_be_secret_in_it(address, seen):
    assert without_secrets(address) == seen


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8081"),
        ("0.0.0.0", "http://127.0.0.1:8081"),
        ("::", "http://[::1]:8081"),
        ("::1", "http://[::1]:8081"),
        ("10.0.0.7", "http://10.0.0.7:8081"),
    ],
)
def test_the_admin_listener_is_found_on_this_machine_wherever_it_listens(environment, host, url):
    environment({"SMSBUS_ADMIN__HOST": host, "SMSBUS_ADMIN__TOKEN": "x" * 24})

    assert load().admin_url() == url


@pytest.mark.parametrize("spill_after", ["2", "5"])
def test_a_spill_that_comes_after_the_503_is_refused_in_one_line(environment, spill_after):
    variables = {"SMSBUS_BUS__SPILL_AFTER": spill_after, "SMSBUS_BUS__ACCEPT_DEADLINE": "2"}

    [line] = refused(environment, variables)

    assert "bus.spill_after must be below bus.accept_deadline" in line
