"""Pins images by digest: writes `name:tag@sha256:...` in place of `name:tag` into the files of `deploy`.

Run it where a registry can be reached, with `docker buildx`, `skopeo` or `crane` installed; `--check` changes nothing
and exits with 1 where an image has no digest. What a tag names today is asked anew each time: look at the difference.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "deploy"
FILES = ("compose.yaml", "Dockerfile")
IMAGE = re.compile(
    r"^(\s*(?:image:|FROM)\s+)([a-z0-9][\w./-]*:[\w.-]+)(@sha256:[0-9a-f]{64})?(?=\s|$)", re.MULTILINE
)
TOOLS = {
    "docker": ["docker", "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}"],
    "skopeo": ["skopeo", "inspect", "--format", "{{.Digest}}"],
    "crane": ["crane", "digest"],
}


def digest_of(image: str) -> str:
    """The digest that the registry has for the image today."""
    tool = next((name for name in TOOLS if shutil.which(name)), None)
    if tool is None:
        sys.exit(f"install one of {', '.join(TOOLS)}: it asks the registry")
    name = f"docker://{image}" if tool == "skopeo" else image
    done = subprocess.run([*TOOLS[tool], name], capture_output=True, text=True, check=False)  # noqa: S603
    digest = done.stdout.strip()
    if done.returncode or not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        sys.exit(f"{image}: {done.stderr.strip() or 'the registry gave no digest'}; nothing was changed")
    return digest


def main() -> None:
    """Pin, or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit with 1 where a digest is missing"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where compose.yaml and Dockerfile are")
    given = parser.parse_args()
    texts = {file: (given.folder / file).read_text(encoding="utf-8") for file in FILES}
    found = [match for text in texts.values() for match in IMAGE.finditer(text)]
    if given.check:
        missing = sorted({match[2] for match in found if not match[3]})
        sys.exit("\n".join(f"{image} has no digest" for image in missing) or None)
    digests = {image: digest_of(image) for image in sorted({match[2] for match in found})}
    for file, text in texts.items():
        pinned = IMAGE.sub(lambda match: f"{match[1]}{match[2]}@{digests[match[2]]}", text)
        (given.folder / file).write_text(pinned, encoding="utf-8")
    for image, digest in digests.items():
        sys.stdout.write(f"{image} {digest}\n")


if __name__ == "__main__":
    main()
