import pytest

from schemas.timestamps import to_epoch_ms, to_text


@pytest.mark.parametrize(
    ("epoch_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1616642226050, "2021-03-25T03:17:06.050Z"),
        (1616642226999, "2021-03-25T03:17:06.999Z"),
        (951782399001, "2000-02-28T23:59:59.001Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (-62135596800000, "0001-01-01T00:00:00.000Z"),
        (253402300799999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_moment_and_its_text_name_each_other(epoch_ms, text):
    assert to_text(epoch_ms) == text
    assert to_epoch_ms(text) == epoch_ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2021-03-25T03:17:06Z",
        "2021-03-25T03:17:06.05Z",
        "2021-03-25T03:17:06.050+00:00",
        "2021-03-25 03:17:06.050Z",
        "2021-03-25T03:17:06.050Z\n",
        "2021-02-30T03:17:06.050Z",
        "2021-03-25T25:17:06.050Z",
        "٢٠٢١-03-25T03:17:06.050Z",
    ],
)
def test_any_other_spelling_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - datetime's own words differ by Python version
        to_epoch_ms(text)
