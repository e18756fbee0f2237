"""Hints that close a message."""

from runner.hints import SHOWN_NAMES, command, did_you_mean, listed, nearest


def test_a_near_word_is_suggested_and_a_far_one_lists_the_known() -> None:
    assert "Did you mean 'model'?" == did_you_mean("modle", ["model", "seed"])
    assert "Known here: model, seed." == did_you_mean("zzz", ["seed", "model"])
    assert "" == did_you_mean("zzz", [])


def test_a_suggestion_cannot_drive_the_terminal() -> None:
    assert "Did you mean 'a\\x1b[31mbc'?" == nearest("a\x1b[31mbd", ["a\x1b[31mbc"])


def test_many_names_are_counted() -> None:
    names = [f"n{number}" for number in range(SHOWN_NAMES + 3)]

    assert listed(names).endswith("'n11' and 3 more")
    assert "nothing" == listed([])


def test_a_command_is_what_has_to_be_typed() -> None:
    assert "`finetune watch`" == command("watch")
    assert "`finetune run 'my recipes/a.yaml' --retry --profile big`" == command(
        "run", "my recipes/a.yaml", "--retry", profile="big"
    )
    assert "`finetune cancel ftjob-1 --provider fake`" == command("cancel", "ftjob-1", provider="fake")
