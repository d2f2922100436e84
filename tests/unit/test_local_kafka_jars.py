"""The pinned jars: what the lock says, and that nothing else is taken."""

import hashlib
import re

import pytest

from app.local_kafka.errors import LocalKafkaError
from app.local_kafka.jars import KAFKA_VERSION, LOCK, Jar, check, read_lock


def test_a_line_of_the_lock_is_a_hash_and_a_coordinate() -> None:
    lock = "ab12  org.apache.kafka:kafka_2.13:4.1.1\ncd34  org.slf4j:slf4j-api:1.7.36\n"

    jars = read_lock(lock)

    assert jars == [
        Jar("ab12", "org.apache.kafka", "kafka_2.13", "4.1.1"),
        Jar("cd34", "org.slf4j", "slf4j-api", "1.7.36"),
    ]
    assert jars[0].file_name == "kafka_2.13-4.1.1.jar"


def test_every_jar_is_pinned_by_a_sha256_and_has_a_file_name_of_its_own() -> None:
    jars = read_lock(LOCK.read_text())

    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in jars)
    assert len({jar.file_name for jar in jars}) == len(jars)
    assert f"kafka_2.13-{KAFKA_VERSION}.jar" in {jar.file_name for jar in jars}


def test_the_pinned_content_is_taken() -> None:
    check(Jar(hashlib.sha256(b"right").hexdigest(), "g", "a", "1"), b"right")


def test_any_other_content_ends_with_one_line_that_names_the_jar_and_both_hashes() -> None:
    jar = Jar(hashlib.sha256(b"right").hexdigest(), "g", "a", "1")

    with pytest.raises(LocalKafkaError) as refusal:
        check(jar, b"wrong")

    said = str(refusal.value)
    assert "a-1.jar" in said
    assert jar.sha256 in said
    assert hashlib.sha256(b"wrong").hexdigest() in said
    assert "\n" not in said
