"""The script of a text, as a reader would name it."""

import pytest

from runner.dataset.checks.scripts import script_of


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("반품은 7일 안에 신청하세요.", "Hangul"),
        ("REST API 의 OAuth 인증은 client credentials 로 합니다.", "Hangul"),
        ("\u1109\u1165\u110b\u116e\u11af\u110b\u1175\u1108\u1175\u1103\u1161.", "Hangul"),
        ("返品は七日以内に申請してください。", "Kana"),
        ("请在七天内，提出退货申请。", "Han"),
        ("Return it within seven days.", "Latin"),
        ("Où est l'école ? À côté de la forêt.", "Latin"),
        ("Ştefan işi bitirdi, çok güzel oldu ğ.", "Latin"),
        ("Верните товар в течение недели.", "Cyrillic"),
        ("يرجى إعادة المنتج خلال سبعة أيام.", "Arabic"),
        ("```python\nprint('a long line of code here')\n```\n이 코드를 실행하세요.", "Hangul"),
        ("https://example.com/a/very/long/address/of/a/page 를 보세요.", "Hangul"),
        ("네.", ""),
        ("12,000 + 3 = 12,003", ""),
        ("", ""),
        ("\ud83d 😀😀😀😀😀😀", ""),
    ],
)
def test_the_script_of_a_text(text: str, script: str) -> None:
    assert script == script_of(text)
