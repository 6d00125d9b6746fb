"""PEP 517 hooks that generate the gRPC stubs from the protos and then delegate to maturin.

The directory of a proto is its Python package, so the generated imports need no rewriting. The stubs live beside the
services and are never committed; `[tool.maturin] include` adds them to wheels and sdists.
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
    """Regenerates `services/quanyu/api/**`. Raises SystemExit if protoc rejects a proto."""
    import grpc_tools
    from grpc_tools import protoc

    out = STUBS / "quanyu" / "api"
    shutil.rmtree(out, ignore_errors=True)
    sources = sorted(str(path) for path in (PROTOS / "quanyu").rglob("*.proto"))
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    arguments = [f"-I{PROTOS}", f"-I{well_known}", f"--python_out={STUBS}", f"--pyi_out={STUBS}"]
    if protoc.main(["protoc", *arguments, f"--grpc_python_out={STUBS}", *sources]) != 0:
        raise SystemExit("protoc rejected the protos; its message is above")
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
