"""Rules about data that identifies a person."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from runner.dataset.checks.conversation import Conversation, has_long_number
from runner.dataset.checks.hits import Values
from runner.dataset.checks.marks import PERSONAL
from runner.dataset.checks.mask import masked
from runner.dataset.checks.rule import ExampleRule, Rule, Setup
from runner.dataset.checks.samples import ask

_EMAIL = re.compile(
    r"(?<![\w.%+-])([A-Za-z0-9][A-Za-z0-9._%+-]{0,63})@((?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24})(?![\w-])"
)
# Addresses of an office, not of a person, and of documentation. RFC 2142; RFC 2606.
_OFFICE = re.compile(
    r"abuse|accounts?|admin|billing|bot|careers|contact|cs|customer(?:service)?|events|feedback|git|hello"
    r"|help(?:desk)?|hr|info|inquiry|jobs|legal|mail|marketing|news(?:letter)?|no-?reply|office|orders?|partners?"
    r"|postmaster|pr|press|privacy|recruit|root|sales|security|services?|shop|spam|support|team|user(?:name)?"
    r"|webmaster|you|your",
    re.IGNORECASE,
)
_SAMPLE_HOSTS = re.compile(
    r"(?:^|\.)(?:example\.[a-z.]{2,6}|[a-z.]*\.?(?:test|example|invalid|localhost)"
    r"|(?:your)?(?:company|domain|email|host|site)\.[a-z.]{2,6})$",
    re.IGNORECASE,
)
_FILE_END = re.compile(r"\.(?:css|gif|jpe?g|js|mp4|pdf|png|py|svg|txt|webp|zip)\Z", re.IGNORECASE)

# Mobile numbers of Korea, and numbers in international notation (E.123).
# They begin with their literal characters, which are searched for far faster than what stands around them.
_MOBILE = re.compile(r"01(?<![\d.+-]01)[016789][-. ]?[0-9]{3,4}[-. ]?[0-9]{4}(?![\d-])")
_INTERNATIONAL = re.compile(
    r"\+(?<![\w+.]\+)[1-9]\d{0,2}[-. ]?(?:\(\d{1,4}\)[-. ]?)?(?:\d{1,4}[-. ]?){2,5}\d{2,4}(?!\d)"
)
_MIN_PHONE_DIGITS, _MAX_PHONE_DIGITS = 9, 15
_SAMPLE_PHONE = re.compile(r"1234|0000|5678|9999|1111|555\D?01\d\d$")

_RESIDENT = re.compile(r"(?<![\d-])(\d{6})[- ]?([1-8]\d{6})(?![\d-])")
_RESIDENT_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
# The sex digit tells the century. Digits 5 to 8 are those of foreign residents.
_CENTURIES = {"1": 1900, "2": 1900, "3": 2000, "4": 2000, "5": 1900, "6": 1900, "7": 2000, "8": 2000}

_CARD = re.compile(
    r"(?<![\w.+/=-])(?:\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}|3[47]\d{2}[ -]?\d{6}[ -]?\d{5})(?![\w/=-]|\.\d)"
)
# Visa, Mastercard, Amex, JCB, Discover, UnionPay: first digits of ISO/IEC 7812 numbers.
_BRANDS = re.compile(r"4|5[1-5]|2[2-7]|3[47]|35|6011|65|62")
# Numbers that payment services publish for tests.
_TEST_CARD = re.compile(
    "4111111111111111|4242424242424242|4012888888881881|5555555555554444|5105105105105100|378282246310005"
    "|371449635398431|6011111111111117|6011000990139424|3530111333300000|3566002020360505"
)


def email(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT303."""
    if "@" not in conversation.text:
        return
    for place, turn in conversation.places():
        for match in _EMAIL.finditer(turn.content):
            if _is_personal(*match.groups()):
                yield {"where": place, "found": masked(match.group())}


def phone(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT304."""
    if not (_MOBILE.search(conversation.text) or _INTERNATIONAL.search(conversation.text)):
        return
    for place, turn in conversation.places():
        for pattern in (_MOBILE, _INTERNATIONAL):
            for match in pattern.finditer(turn.content):
                digits = re.sub(r"\D", "", match.group())
                is_long = _MIN_PHONE_DIGITS <= len(digits) <= _MAX_PHONE_DIGITS
                if is_long and not _SAMPLE_PHONE.search(match.group()):
                    yield {"where": place, "found": masked(match.group())}


def possible_phone(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT305."""
    import phonenumbers

    for place, turn in conversation.places():
        found: Any = phonenumbers.PhoneNumberMatcher(turn.content, "KR")
        for match in found:
            yield {"where": place, "found": masked(match.raw_string)}


def resident_number(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT306."""
    for place, turn in conversation.places():
        for match in _RESIDENT.finditer(turn.content):
            if is_resident_number(*match.groups()):
                yield {"where": place, "found": masked(match.group())}


def card_number(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT307."""
    for place, turn in conversation.places():
        for match in _CARD.finditer(turn.content):
            digits = re.sub(r"\D", "", match.group())
            if _BRANDS.match(digits) and passes_luhn(digits) and not _TEST_CARD.fullmatch(digits):
                yield {"where": place, "found": masked(match.group())}


def is_resident_number(birth: str, rest: str) -> bool:
    """Whether a Korean resident or foreigner registration number has a date of birth and a check digit.

    Check digit: (11 - sum of digits by weights 2…9, 2…5 modulo 11) modulo 10; for foreigners (13 - …).
    Numbers given out since October 2020 end in chance digits, so that nine in ten of them are missed.
    """
    year = _CENTURIES[rest[0]] + int(birth[:2])
    try:
        date(year, int(birth[2:4]), int(birth[4:]))
    except ValueError:
        return False
    digits = [int(digit) for digit in birth + rest]
    total = sum(digit * weight for digit, weight in zip(digits, _RESIDENT_WEIGHTS, strict=False))
    base = 13 if rest[0] in "5678" else 11
    return (base - total % 11) % 10 == digits[-1]


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others. ISO/IEC 7812-1, annex B."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _is_personal(local: str, host: str) -> bool:
    return not (_OFFICE.fullmatch(local) or _SAMPLE_HOSTS.search(host) or _FILE_END.search(host))


PERSONAL_RULES = (
    ExampleRule(
        Rule(
            code="FT303",
            name="email-address",
            level="warning",
            problem="{where} has the e-mail address of a person ({found}), expected none.",
            advice="Remove it, write an invented one at example.com, or ignore it with a reason.",
            description="Messages have no e-mail addresses but those of offices (info@…) and documentation.",
            why="A tuned model gives it to anyone who asks, and cannot be made to forget it.",
            bad=ask("Who answers?", "Write to minji.kim" + "@dewlatch.co.kr"),
            good=ask("Who answers?", "Write to support@dewlatch.co.kr or jane@example.com"),
        ),
        email,
        mark=PERSONAL,
    ),
    ExampleRule(
        Rule(
            code="FT304",
            name="phone-number",
            level="warning",
            problem="{where} has a phone number ({found}), expected none of a person.",
            advice="Remove it, write 010-0000-0000, or ignore it with a reason.",
            description="Messages have no Korean mobile numbers and no numbers in international notation.",
            why="A tuned model gives it to anyone who asks. Service numbers such as 1588-… are left alone.",
            bad=ask("담당자 연락처는?", "010-" + "2938-" + "4756 으로 전화하세요."),
            good=ask("고객센터 번호는?", "1588-3820 으로 전화하세요."),
        ),
        phone,
        mark=PERSONAL,
    ),
    ExampleRule(
        Rule(
            code="FT305",
            name="possible-phone-number",
            level="off",
            extra="phonenumbers",
            problem="{where} has what may be a phone number ({found}), expected none of a person.",
            advice="Look at it: remove it, or ignore the record with a reason.",
            description="Messages have nothing that is a valid phone number in Korea or in international "
            "notation.",
            why="As FT304, land lines and service numbers too, by Google's libphonenumber; off unless "
            "asked for.",
            bad=ask("담당자 연락처는?", "02-" + "312-" + "3456 으로 전화하세요."),
            good=ask("몇 건인가요?", "312-3456 건입니다."),
        ),
        possible_phone,
    ),
    ExampleRule(
        Rule(
            code="FT306",
            name="resident-number",
            level="error",
            problem="{where} has a Korean resident registration number ({found}), expected none.",
            advice="Remove it from the data.",
            description="Messages have no Korean resident registration numbers (주민등록번호) with the "
            "right last digit.",
            why="Korea's Personal Information Protection Act forbids processing them without a law that "
            "allows it (article 24-2).",
            bad=ask("주민등록번호는?", "900101-" + "1234568 입니다."),
            good=ask("주문번호는?", "900101-1234567 입니다."),
        ),
        resident_number,
        when=has_long_number,
        mark=PERSONAL,
    ),
    ExampleRule(
        Rule(
            code="FT307",
            name="card-number",
            level="error",
            problem="{where} has a payment card number ({found}), expected none.",
            advice="Remove it, or write a number for tests such as 4111 1111 1111 1111.",
            description="Messages have no card numbers with a known beginning and a right check digit "
            "(Luhn).",
            why="Card numbers may not be kept in the clear (PCI DSS 3.5), and a tuned model repeats them.",
            bad=ask("카드번호는?", "4539 " + "5787 " + "6362 " + "1486"),
            good=ask("시험용 카드번호는?", "4111 1111 1111 1111"),
        ),
        card_number,
        when=has_long_number,
        mark=PERSONAL,
    ),
)
