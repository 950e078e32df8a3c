"""`python3 -m deploy`: writes the generated files."""

from __future__ import annotations

from deploy.generated import HERE, generated

for path, content in generated().items():
    (HERE / path).parent.mkdir(parents=True, exist_ok=True)
    (HERE / path).write_text(content)
    print(path)
