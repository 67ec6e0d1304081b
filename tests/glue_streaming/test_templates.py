import random

from glue_streaming.templates import MAX_KNOWN, MIN_FILLERS, Templates, gaps_of

CITIES = ["Salem", "New York", "Port Jane", "Port Anna", "Rome", "St. Gallen", "L'Aquila", "Oslo", "Wien", "Bern"]
REGISTERED = [f"user <*> registered from {city}" for city in CITIES]


def test_a_word_that_many_texts_stand_in_for_varies_however_many_words_they_have() -> None:
    known = Templates().learned(REGISTERED)
    assert known.known == ("user <*> registered from <*>",)
    assert known.template("user <*> registered from Buenos Aires") == "user <*> registered from <*>"
    assert known.template("user <*> logged in by password") == "user <*> logged in by password"


def test_two_gaps_of_one_pattern_are_both_found() -> None:
    colours = ["red", "green", "blue", "black", "white", "grey", "pink", "brown"]
    texts = [f"painted {colour} the town of {city}, <*> litres" for colour in colours for city in CITIES]
    assert Templates().learned(texts).known == ("painted <*> the town of <*>, <*> litres",)


def test_few_alternatives_routes_and_keys_stay_apart() -> None:
    few = [f"cache {what} for <*> of the shop" for what in ("hit", "miss", "timeout")]
    routes = [f"GET /{name} answered <*> in time" for name in "abcdefghijkl"]
    errors = [f"{name}Error: no answer from upstream" for name in "ABCDEFGHIJKL"]
    keys = [f"set {name}=on for all users" for name in "abcdefghijkl"]
    texts = {*few, *routes, *errors, *keys}
    assert set(Templates().learned(texts).known) == texts


def test_what_is_learned_does_not_depend_on_the_order_and_grows_over_batches() -> None:
    shuffled = random.Random(1).sample(REGISTERED, len(REGISTERED))
    assert Templates().learned(shuffled) == Templates().learned(REGISTERED)
    first = Templates().learned(REGISTERED[: MIN_FILLERS - 1])
    assert first.gaps == frozenset()
    assert first.learned(REGISTERED[MIN_FILLERS - 1 :]).gaps == {("user <*> registered from ", "")}


def test_what_is_learned_survives_being_written_down() -> None:
    known = Templates().learned([*REGISTERED, "no number at all"])
    assert Templates.from_json(known.to_json()) == known


def test_what_is_remembered_is_bounded() -> None:
    texts = [f"{chr(97 + n % 26)}/{n} one of many" for n in range(MAX_KNOWN + 500)]
    assert len(Templates().learned(texts).known) == MAX_KNOWN
    assert list(gaps_of("word " * 60)) == []
