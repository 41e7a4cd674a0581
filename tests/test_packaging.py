"""The wheel and the sdist, built without network by the hatchling of the dev dependencies, and what
npm would publish."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from harness.cluster import INSTALL_SQL, ROOT, UNINSTALL_SQL


def build(source: Path, target: str, folder: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (built,) = folder.iterdir()
    return built


@pytest.fixture
def sdist(tmp_path: Path) -> Path:
    return build(ROOT, "sdist", tmp_path / "sdist")


def test_a_wheel_built_from_the_sdist_carries_the_sql(sdist: Path, tmp_path: Path):
    shutil.unpack_archive(sdist, tmp_path)
    wheel = build(tmp_path / sdist.name.removesuffix(".tar.gz"), "wheel", tmp_path / "wheel")
    with zipfile.ZipFile(wheel) as contents:
        for file in (INSTALL_SQL, UNINSTALL_SQL):
            assert contents.read(f"pg_auth_state/sql/{file.name}") == file.read_bytes()
        assert "pg_auth_state/py.typed" in contents.namelist()


def test_the_sdist_holds_no_tests_and_no_environment(sdist: Path):
    with tarfile.open(sdist) as contents:
        folders = {name.split("/")[1] for name in contents.getnames()}
    assert {name for name in folders if "." not in name} == {
        *("LICENSE", "PKG-INFO", "dist", "functions", "python", "sql")
    }


def test_the_npm_package_holds_its_sources_types_readme_and_licence_and_nothing_else():
    node = ROOT / "node"
    packed = subprocess.run(
        ["npm", "pack", "--dry-run", "--json", "--offline"],
        cwd=node,
        check=True,
        capture_output=True,
        text=True,
    )
    sources = {f"src/{file.name}" for file in (node / "src").iterdir()}
    (package,) = json.loads(packed.stdout)
    assert {file["path"] for file in package["files"]} == {
        *("LICENSE", "README.md", "index.d.ts", "package.json"),
        *sources,
    }
    assert (node / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
