"""Makes a component of a rule in Python: `build.py PROJECT WORK OUT TOOL`.

For `dvsync rules build`, which has put the contract into `WORK/wit` and installed
`TOOL` (componentize-py). Imports the rule natively to see which hooks it has, makes
the world of these hooks and the entry module, and prints what it built as JSON.
Exit code 2: the rule cannot be loaded; 3: `TOOL` has failed. What is wrong stands on
stderr.
"""

import json
import os
import subprocess
import sys
import traceback
from pathlib import Path

ENTRY = """\
# Written by `dvsync rules build`.
import sys

sys.dont_write_bytecode = True

import {module}
from dvsync_rules import component
from dvsync_rules.rule import find

component.load(find(sys.modules["{module}"]), {name!r}, {version!r})
Plugin = component.Plugin
"""


def manifest(project: Path) -> dict:
    try:
        import tomllib
    except ImportError:  # Python 3.10
        from pip._vendor import tomli as tomllib
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))


def fail(code: int, words: str) -> None:
    print(words.strip(), file=sys.stderr)
    sys.exit(code)


def loaded(module: str) -> type:
    """The rule; what is wrong is told without the lines of this file."""
    try:
        rule_of = __import__("dvsync_rules.rule", fromlist=["find"]).find
        __import__(module)
        return rule_of(sys.modules[module])
    except LookupError as error:
        fail(2, str(error))
    except BaseException as error:  # also `sys.exit` in a rule
        frames = traceback.TracebackException.from_exception(error)
        frames.stack = traceback.StackSummary.from_list(
            [frame for frame in frames.stack
             if frame.filename != __file__ and "importlib" not in frame.filename]
        )
        fail(2, "".join(frames.format()))
    raise AssertionError


def main() -> None:
    project, work, out, tool = (Path(argument).absolute() for argument in sys.argv[1:])
    try:
        config = manifest(project)
        about = config["project"]
        name, version = about["name"], about["version"]
        ours = config.get("tool", {}).get("dvsync", {})
    except (OSError, ValueError, KeyError) as error:
        fail(2, f"cannot read `pyproject.toml`: {type(error).__name__}: {error}")
    module = ours.get("module", "rule")
    folders = [project, *(project / folder for folder in ours.get("path", ["sdk"]))]
    packages = work / "packages" / "lib" / "site-packages"
    packages.mkdir(parents=True, exist_ok=True)
    folders += [packages]
    folders = [folder.resolve() for folder in folders if folder.is_dir()]
    sys.path[:0] = [str(folder) for folder in folders]
    sys.dont_write_bytecode = True
    rule = loaded(module)
    hooks = [hook for hook in ("transform", "matching", "state", "owner") if hook in rule.hooks]

    exports = "".join(f"    export {hook};\n" for hook in hooks)
    (work / "wit" / "authored.wit").write_text(
        f"package dvsync:rules@0.1.0;\n\nworld authored {{\n    include rule;\n{exports}}}\n",
        encoding="utf-8",
    )
    entry = work / "entry"
    entry.mkdir(exist_ok=True)
    text = ENTRY.format(module=module, name=name, version=version)
    text += "".join(f"{hook.title()} = component.{hook.title()}\n" for hook in hooks)
    (entry / "dvsync_entry.py").write_text(text, encoding="utf-8")

    command = [tool, "-d", work / "wit", "-w", "authored", "componentize", "--stub-wasi"]
    for folder in [entry, *folders]:
        command += ["-p", folder]
    # Nothing of the machine's own packages gets in.
    environment = {**os.environ, "VIRTUAL_ENV": str(work / "packages"), "RUST_BACKTRACE": "0"}
    ended = subprocess.run(
        [*command, "-o", out, "dvsync_entry"], capture_output=True, text=True, env=environment,
        cwd=work, errors="replace",
    )
    if ended.returncode != 0:
        fail(3, (ended.stderr or ended.stdout).split("Stack backtrace:")[0])
    outside = [folder for folder in folders if project.resolve() not in (folder, *folder.parents)]
    print(json.dumps({"name": rule.name or name, "folders": [str(folder) for folder in outside]}))


main()
