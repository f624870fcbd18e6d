"""Images of messages, in the forms of LangChain and of providers."""

import pytest

from forkbook.face.images import MOST, images

PNG = "iVBORw0KGgo="
URL = f"data:image/png;base64,{PNG}"


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image_url", "image_url": {"url": URL}},
        {"type": "image_url", "image_url": URL},
        {"type": "input_image", "image_url": URL},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {"type": "image", "source_type": "base64", "mime_type": "image/png", "data": PNG},
        {"type": "image", "base64": PNG, "mime_type": "image/png"},
        {"type": "media", "mime_type": "image/png", "data": PNG},
        {"type": "image", "url": URL},
    ],
)
def test_every_form_becomes_a_data_url(block):
    assert list(images([{"type": "text", "text": "see"}, block], 10_000)) == [URL]
    assert list(images(block, 10_000)) == [URL]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://example.org/cat.png", "an image at https://example.org/cat.png, which is not loaded from here"),
        ("data:image/svg+xml;base64,PHN2Zz4=", "an image of another kind than PNG, JPEG, GIF and WebP"),
        ("data:image/png;base64,<script>", "an image of another kind than PNG, JPEG, GIF and WebP"),
        (URL + "\n", "an image of another kind than PNG, JPEG, GIF and WebP"),
        ("data:image/png;base64," + "A" * MOST, "an image of 500,022 characters, too large to show here"),
    ],
)
def test_what_is_not_shown_is_said(url, why):
    assert list(images([{"type": "image_url", "image_url": {"url": url}}], 10**6)) == [why]


def test_a_page_has_room_for_so_many():
    block = {"type": "image_url", "image_url": {"url": URL}}
    assert list(images([block] * 3, 2 * len(URL))) == [URL, URL, "an image: there are too many to show here"]


@pytest.mark.parametrize("content", ["text", None, 5, [None, 5, "x"], {"type": "image"}, [{"type": "audio"}, {}]])
def test_other_content_has_no_images(content):
    assert [url for url in images(content, 10**6) if url.startswith("data:")] == []
