"""Sentences about images, by key. They are data: texts.yaml."""

from __future__ import annotations

from berth.texts.sentences import Sentences

SENTENCES = Sentences("berth.images", "texts.yaml")
say = SENTENCES.say
