"""Message patterns against drain3: whose groups are the templates that the messages were made from, and at what cost.

The producer's templates are the truth. A message counts as grouped right if its group holds all messages of its
template and no other (grouping accuracy, as the log-parsing literature measures it). drain3 pins old libraries, so it
lives in an environment of its own, whose interpreter `DRAIN3_PYTHON` names; it learns from every message, then tells
each one's group.
"""

import json
import os
import random
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence

import pyarrow as pa

from glue_streaming import arrow_lines, patterns
from glue_streaming.templates import PLACEHOLDER, Templates
from producer.services import JOURNEYS, Call
from producer.vocabulary import Vocabulary

MOST = 3000
SEED = 5
_VARYING = re.compile(patterns.VARYING, re.ASCII)
_DRAIN3 = r"""
import json, sys, time
from drain3 import TemplateMiner
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig
messages, config = json.load(sys.stdin), TemplateMinerConfig()
bounds = "((?<=[^A-Za-z0-9])|^)(%s)((?=[^A-Za-z0-9])|$)"
masked = {"IP": r"\d{1,3}(?:\.\d{1,3}){3}", "HEX": "0x[a-f0-9A-F]+|[a-f0-9]{8,}", "NUM": r"[\-\+]?\d+"}
config.masking_instructions = [MaskingInstruction(bounds % form, name) for name, form in masked.items()]
miner = TemplateMiner(config=config)
began = time.process_time()
for message in messages:
    miner.add_log_message(message)
found = [miner.match(message) for message in messages]
print(json.dumps([[str(each and each.cluster_id) for each in found], time.process_time() - began]))
"""


def labelled() -> list[tuple[str, str]]:
    """Return messages, each with its template, some templates far commoner than others."""
    templates: set[str] = set()

    def walk(call: Call) -> None:
        route = call.route
        templates.update((route.message, route.debug, *(failure.message for failure in route.failures)))
        for each in call.calls:
            walk(each)

    for journey in JOURNEYS:
        walk(journey.edge)
    draw, vocabulary = random.Random(SEED), Vocabulary(SEED)
    counts = {template: min(MOST, int(draw.paretovariate(0.7) * 100)) for template in sorted(templates)}
    found = [(vocabulary.fill(template), template) for template, count in counts.items() for _ in range(count)]
    draw.shuffle(found)
    return found


def ours(messages: Sequence[str]) -> list[str]:
    """Return each message's template, as a batch of the job finds it."""
    masked = arrow_lines.pattern(pa.chunked_array([pa.array(messages, pa.string())])).to_pylist()
    pairs = zip(masked, messages, strict=True)
    texts = [_VARYING.sub(PLACEHOLDER, message) if text is None else text for text, message in pairs]
    learned = Templates().learned(set(texts))
    of_text = {text: learned.template(text) for text in set(texts)}
    return [of_text[text] for text in texts]


def accuracy(groups: Sequence[str], templates: Sequence[str]) -> float:
    """Return the share of messages whose group is exactly their template's."""
    by_group, by_template = defaultdict(set), defaultdict(set)
    for place, (group, template) in enumerate(zip(groups, templates, strict=True)):
        by_group[group].add(place)
        by_template[template].add(place)
    right = (places for places in by_template.values() if by_group[groups[min(places)]] == places)
    return sum(map(len, right)) / len(templates)


def main() -> int:
    """Measure, print, and return 1 when drain3 groups better or faster."""
    interpreter = os.environ.get("DRAIN3_PYTHON")
    if not interpreter:
        print(
            "DRAIN3_PYTHON must name a Python with drain3; python -m venv X && X/bin/pip install drain3",
            file=sys.stderr,
        )
        return 2
    messages, templates = zip(*labelled(), strict=True)
    began = time.process_time()
    own = ours(messages)
    seconds = {"loglake": time.process_time() - began}
    words = [interpreter, "-c", _DRAIN3]
    done = subprocess.run(words, input=json.dumps(messages), stdout=subprocess.PIPE, text=True, check=True)
    theirs, seconds["drain3"] = json.loads(done.stdout.splitlines()[-1])
    found = {"loglake": accuracy(own, templates), "drain3": accuracy(theirs, templates)}
    for name, share in found.items():
        cost = seconds[name] / len(messages) * 1e6
        print(f"{name:<10}{share:>7.1%} of {len(messages):,} messages grouped right {cost:>8.1f} us each")
    met = found["loglake"] >= found["drain3"] and seconds["loglake"] <= seconds["drain3"]
    print(json.dumps({"benchmark": "patterns", "peer": "drain3", "accuracy": found, "seconds": seconds, "met": met}))
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
