"""Asks a chat completion the way any program would, and judges whether the answer is whole."""

import http.client
import json
import threading
import time
import urllib.parse
from dataclasses import dataclass, field


@dataclass
class Answer:
    """What came of one request."""

    request_id: str
    stream: bool
    status: int = 0
    node: str = ""
    text: str = ""
    finish_reason: str = ""
    done: bool = False  # streams: [DONE] was seen; plain: the body was whole JSON
    problem: str = ""  # empty: none
    first_token: float = 0.0  # seconds from sending; plain: the whole answer
    total: float = 0.0
    fields: dict = field(default_factory=dict)  # the answer's header fields, names in lower case

    def whole(self):
        return not self.problem and self.status == 200 and self.done and bool(self.finish_reason) and bool(self.text)


@dataclass
class Question:
    """One request to be sent."""

    request_id: str
    prompt: str
    stream: bool = False
    model: str = "tiny"
    max_tokens: int = 16

    def body(self):
        return json.dumps({"model": self.model, "messages": [{"role": "user", "content": self.prompt}],
                           "max_tokens": self.max_tokens, "temperature": 0, "stream": self.stream})


def ask(url, question, answer=None, seconds=60):
    """Sends the question and reads the answer to its end. Never raises over what the server did.

    A given `answer` is filled in as it comes, for whoever watches it.
    """
    answer = answer or Answer(question.request_id, question.stream)
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=seconds)
    began = time.monotonic()
    try:
        connection.request("POST", "/v1/chat/completions", question.body(),
                           {"Content-Type": "application/json", "X-Request-ID": question.request_id})
        response = connection.getresponse()
        answer.status = response.status
        answer.fields = {name.lower(): value for name, value in response.getheaders()}
        answer.node = answer.fields.get("x-routed-node", "")
        if question.stream and response.status == 200:
            _read_stream(response, answer, began)
        else:
            _read_plain(response, answer)
    except (OSError, http.client.HTTPException, ValueError, LookupError) as error:
        answer.problem = f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    answer.total = time.monotonic() - began
    answer.first_token = answer.first_token or answer.total
    return answer


def _read_plain(response, answer):
    body = json.loads(response.read())
    if "error" in body or answer.status != 200:
        answer.problem = f"{answer.status}: {body.get('error', body)}"
        return
    choice = body["choices"][0]
    answer.text = choice["message"]["content"]
    answer.finish_reason = choice["finish_reason"]
    answer.done = True


def _read_stream(response, answer, began):
    while line := response.readline():
        if not line.startswith(b"data: "):
            continue
        data = line[len(b"data: "):].strip()
        if data == b"[DONE]":
            answer.done = True
            continue
        event = json.loads(data)
        if "error" in event:
            answer.problem = f"error in the stream: {event['error']}"
            continue
        for choice in event["choices"]:
            if text := choice["delta"].get("content"):
                answer.first_token = answer.first_token or time.monotonic() - began
                answer.text += text
            answer.finish_reason = choice["finish_reason"] or answer.finish_reason


class Wave:
    """Questions asked at the same time, each on a thread and a connection of its own."""

    def __init__(self, url, questions):
        self.answers = [Answer(question.request_id, question.stream) for question in questions]  # also unfinished ones
        self._threads = [threading.Thread(target=ask, args=(url, *one), daemon=True) for one in zip(questions, self.answers)]
        for thread in self._threads:
            thread.start()

    def finished(self):
        """How many have come to their end."""
        return sum(not thread.is_alive() for thread in self._threads)

    def wait(self):
        """All answers, once the last has come."""
        for thread in self._threads:
            thread.join()
        return self.answers
