"""The client as an npm package: what is in it, and that TypeScript finds its types."""

import json
import posixpath
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CLIENT = ROOT / "client"
TSC = ROOT / "node_modules" / ".bin" / "tsc"
ALSO = {"package.json", "README.md", "LICENSE"}
USE_OF_THE_ELEMENT = """
import { GazeFilm, GazeError } from 'gaze-client/gaze-film.js';
const film = document.querySelector('gaze-film') as GazeFilm;
film.effects = [{ name: 'blur', strength: { follow: 'pupil.relative' } }];
film.start().catch((error: GazeError) => console.log(error.status.toFixed()));
// @ts-expect-error there is no such source of gaze
film.gaze = 'nose';
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has installed the package, as `npm pack` makes it."""
    project = tmp_path_factory.mktemp("project")
    packed = subprocess.run(
        ["npm", "pack", "--json", "--pack-destination", str(project)],
        cwd=CLIENT,
        capture_output=True,
        check=True,
    )
    [made] = json.loads(packed.stdout)
    with tarfile.open(project / made["filename"]) as archive:
        archive.extractall(project / "node_modules", filter="data")
    return (project / "node_modules" / "package").rename(project / "node_modules" / made["name"])


def imported(entry: str) -> set[str]:
    """A module of the client and all that it imports, as paths inside `client/`."""
    found: set[str] = set()
    waiting = {entry}
    while waiting:
        name = waiting.pop()
        found.add(name)
        paths = re.findall(r"(?:from |import\()'(\.[^']+)'", (CLIENT / name).read_text())
        folder = posixpath.dirname(name)
        waiting |= {posixpath.normpath(posixpath.join(folder, path)) for path in paths} - found
    return found


def test_the_package_holds_the_sdk_with_its_types_and_no_more(package: Path) -> None:
    inside = {str(file.relative_to(package)) for file in package.rglob("*") if file.is_file()}
    modules = imported("gaze-client.js") | imported("gaze-film.js")
    types = {f"types/{name.removesuffix('.js')}.d.ts" for name in modules}
    assert inside == modules | types | ALSO
    assert (package / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


@pytest.mark.parametrize(
    ("module", "resolution"), [("nodenext", "nodenext"), ("esnext", "bundler")]
)
def test_typescript_finds_the_types(package: Path, module: str, resolution: str) -> None:
    project = package.parent.parent
    documented = (ROOT / "docs" / "sdk.md").read_text().partition("```ts\n")[2].partition("```")[0]
    (project / "use.mts").write_text(documented)
    (project / "element.mts").write_text(USE_OF_THE_ELEMENT)
    options = {
        "strict": True,
        "noEmit": True,
        "target": "es2022",
        "lib": ["es2023", "dom", "dom.iterable"],
        "types": [],
        "module": module,
        "moduleResolution": resolution,
    }
    settings = {"compilerOptions": options, "files": ["use.mts", "element.mts"]}
    (project / "tsconfig.json").write_text(json.dumps(settings))
    checked = subprocess.run(
        [TSC, "--project", "tsconfig.json"],
        cwd=project,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout
