"""One response about the journals from those of the workers: each holds its own."""

import json
from collections.abc import Sequence

from aiohttp import web

from app.admin.journals import ELSEWHERE
from app.admin.problems import problem


def joined(answers: Sequence[web.Response | None], journal: str | None) -> web.Response:
    """Combine the workers' responses; None: a worker that did not respond, which may hold the journal.

    `journal`: the only one whose rows are asked for. The refusal of the one that holds it is the result.
    """
    said = [answer for answer in answers if answer is not None]
    if telling := next((answer for answer in said if not _is_elsewhere(answer) and not _is_list(answer)), None):
        return telling
    lists = [json.loads(answer.text or "") for answer in said if _is_list(answer)]
    journals = [name for each in lists for name in each["journals"]]
    if None in answers and (not lists or journal not in {None, *journals}):
        return problem(503, "not_ready", "A worker did not respond. Try again.")
    if not lists:
        return said[0]
    return web.json_response({"journals": journals, "rows": [row for each in lists for row in each["rows"]]})


def _is_list(answer: web.Response) -> bool:
    return answer.status == 200 and "rows" in json.loads(answer.text or "")


def _is_elsewhere(answer: web.Response) -> bool:
    return answer.status == 404 and json.loads(answer.text or "")["reason"] == ELSEWHERE
