"""Sentences of the NFS host's side, by key. They are data: texts.yaml."""

from __future__ import annotations

from berth.texts.sentences import Sentences

SENTENCES = Sentences("berth.nfsserver", "texts.yaml")
say = SENTENCES.say
