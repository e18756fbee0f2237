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
        shown = {name: request[name] for name in sorted(request) if name != "id"}
        reply(request, index=0, delta=json.dumps(shown))
    elif question == "for ever":
        while True:
            reply(request, index=0, delta="again ")
            time.sleep(0.05)
    elif question == "half":
        reply(request, index=0, delta="ha")
        os.kill(os.getpid(), signal.SIGKILL)
    elif question.startswith("say "):
        reply(request, index=0, delta=question[4:])
    else:
        for index in range(request["n"]):
            repeat(request, index, question)
        reply(request, done=True, prompt_tokens=3, completion_tokens=2)
        return
    reply(request, index=0, finish_reason="stop", tool_calls=[])
    reply(request, done=True, prompt_tokens=3, completion_tokens=2)


def repeat(request: dict, index: int, question: str) -> None:
    """Give the question back word by word; with tools, call the first one."""
    for word in question.split(" "):
        more = {} if request["top_logprobs"] is None else {"logprobs": [logprob(f"{word} ")]}
        reply(request, index=index, delta=f"{word} ", **more)
    names = [tool["function"]["name"] for tool in request["tools"]]
    calls = [{"name": name, "arguments": "{}"} for name in names]
    reply(request, index=index, finish_reason="tool_calls" if calls else "stop", tool_calls=calls)


def logprob(token: str) -> dict:
    """A token that was certain."""
    return {"token": token, "logprob": 0.0, "bytes": list(token.encode()), "top_logprobs": []}


def reply(request: dict, **content: object) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps({"id": request["id"], **content}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    for line in sys.stdin:
        received = json.loads(line)
        if "warm" not in received:
            answer(received)
