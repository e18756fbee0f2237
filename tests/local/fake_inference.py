"""An inference process that repeats the question, or does what the question says."""

import json
import os
import signal
import sys
import time


def answer(request: dict) -> None:
    """Reply to one request."""
    question = request["messages"][-1]["content"]
    if question == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if question == "too long":
        message = "This model's maximum context length is 8 tokens."
        reply(request, error={"code": "context_length_exceeded", "message": message})
        return
    if question == "show":
        reply(request, delta=json.dumps({name: request[name] for name in sorted(request) if name != "id"}))
    elif question == "for ever":
        while True:
            reply(request, delta="again ")
            time.sleep(0.05)
    elif question == "half":
        reply(request, delta="ha")
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        for word in question.split(" "):
            reply(request, delta=f"{word} ")
    reply(request, done=True, finish_reason="stop", prompt_tokens=3, completion_tokens=2)


def reply(request: dict, **content: object) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps({"id": request["id"], **content}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    for line in sys.stdin:
        received = json.loads(line)
        if "warm" not in received:
            answer(received)
