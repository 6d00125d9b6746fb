"""PEP 517 hooks: generate the gRPC stubs from the protos, then let maturin build.

A proto's directory is its Python package, so the generated imports need no rewriting. The stubs are written beside the
services, never committed, and `[tool.maturin] include` puts them into wheels and sdists.
"""

import shutil
from pathlib import Path
from typing import Any

import maturin
from maturin import (  # noqa: F401  (re-exported hooks)
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

PROTOS = Path(__file__).resolve().parent
STUBS = PROTOS.parent / "services"


def generate() -> None:
    """Writes `services/quanyu/api/**` anew. Raises SystemExit with protoc's message if a proto is wrong."""
    import grpc_tools
    from grpc_tools import protoc

    out = STUBS / "quanyu" / "api"
    shutil.rmtree(out, ignore_errors=True)
    sources = sorted(str(path) for path in (PROTOS / "quanyu").rglob("*.proto"))
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    arguments = [f"-I{PROTOS}", f"-I{well_known}", f"--python_out={STUBS}", f"--pyi_out={STUBS}"]
    if protoc.main(["protoc", *arguments, f"--grpc_python_out={STUBS}", *sources]) != 0:
        raise SystemExit("protoc refused the protos; its message is above")
    for folder in {out, *(path.parent for path in out.rglob("*_pb2.py")), *(p for p in out.rglob("*") if p.is_dir())}:
        (folder / "__init__.py").touch()


def build_wheel(*args: Any, **kwargs: Any) -> str:
    generate()
    return str(maturin.build_wheel(*args, **kwargs))


def build_sdist(*args: Any, **kwargs: Any) -> str:
    generate()
    return str(maturin.build_sdist(*args, **kwargs))


def build_editable(*args: Any, **kwargs: Any) -> str:
    generate()
    return str(maturin.build_editable(*args, **kwargs))
