"""Nothing in the source turns a file into code: no pickle, no eval, no import of what a file names, no torch.load of objects."""

import ast
from pathlib import Path

import pytest

import neuralamp

PACKAGE = Path(neuralamp.__file__).parent
UNSAFE_MODULES = {
    "pickle",
    "_pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "marshal",
    "shelve",
    "jsonpickle",
    "code",
    "codeop",
    "runpy",
}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}
REGISTRIES = {"nets/__init__.py", "blocks/__init__.py", "capture/formats/__init__.py"}
"""They alone import by a computed name: of files in their own folder."""


def unsafe(source: str, file: str = "made-up.py") -> list[str]:
    """What a source does that a stranger's file could misuse, with its lines."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [f"imports {name.name}" for name in node.names if name.name.split(".")[0] in UNSAFE_MODULES]
        elif isinstance(node, ast.ImportFrom):
            module = (node.module or "").split(".")[0]
            found += [f"imports {node.module}"] if module in UNSAFE_MODULES and not node.level else []
            found += [
                f"imports {name.name} from importlib"
                for name in node.names
                if module == "importlib" and name.name == "import_module"
            ]
        elif isinstance(node, ast.Call) and (fault := _fault_of_call(node, file)):
            found.append(f"line {node.lineno}: {fault}")
    return found


def _fault_of_call(call: ast.Call, file: str) -> str:
    called = ast.unparse(call.func)
    owner, _, name = called.rpartition(".")
    named = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    constant = bool(call.args) and isinstance(call.args[0], ast.Constant)
    if not owner and name in UNSAFE_CALLS:
        return f"{called}(...) runs what it is given"
    if owner == "importlib" and name == "import_module" and not constant and file not in REGISTRIES:
        return "importlib.import_module of a computed name"
    if owner == "torch" and name == "load" and named.get("weights_only") != "True":
        return "torch.load without weights_only=True"
    if named.get("allow_pickle", "False") != "False":
        return f"{called} with allow_pickle"
    if owner == "torch.jit" and name == "load":
        return "torch.jit.load runs the program in a file"
    if owner == "yaml" and name != "safe_load":
        return f"{called} makes objects of what it reads"
    if owner == "onnx" and name.startswith("load"):
        return f"{called} follows a model's paths to other files"
    if named.get("shell", "False") != "False" or called in ("os.system", "os.popen"):
        return f"{called} asks a shell"
    return ""


FILES = sorted(PACKAGE.rglob("*.py"))


def test_nothing_in_the_source_turns_a_file_into_code():
    files = {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in FILES}
    assert len(files) > 50
    faults = {file: found for file, source in files.items() if (found := unsafe(source, file))}
    assert not faults


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import marshal as m",
        "import shelve",
        "eval(text)",
        "exec(text)",
        "__import__(name)",
        "importlib.import_module(name)",
        "importlib.import_module(f'neuralamp.{name}')",
        "from importlib import import_module",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "torch.jit.load(path)",
        "np.load(path, allow_pickle=True)",
        "numpy.load(path, allow_pickle=wanted)",
        "yaml.load(text)",
        "onnx.load(path)",
        "onnx.load_model(path)",
        "subprocess.run(line, shell=True)",
        "os.system(line)",
    ],
)
def test_a_planted_fault_is_found(source):
    assert unsafe(source)


@pytest.mark.parametrize(
    "source",
    [
        "json.loads(text)",
        "np.load(path)",
        "np.load(path, allow_pickle=False)",
        "torch.load(path, weights_only=True)",
        "importlib.import_module('json')",
        "re.compile(text)",
        "from .code import word",
        "net.eval()",
        "subprocess.run([word])",
    ],
)
def test_what_is_safe_is_let_through(source):
    assert not unsafe(source)


@pytest.mark.parametrize("file", sorted(REGISTRIES))
def test_a_registry_imports_only_what_lies_in_its_own_folder(file):
    source = (PACKAGE / file).read_text(encoding="utf-8")
    calls = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "importlib.import_module"
    ]
    assert calls
    assert all(
        isinstance(call.args[0], ast.JoinedStr) and ast.unparse(call.args[0]).startswith("f'{__name__}.") for call in calls
    )
