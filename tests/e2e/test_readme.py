"""Makes the calls of the README: runs its Python block and checks its grpcurl line by reflection."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from quanyu.api.ingestion.v1 import ingestion_pb2, ingestion_pb2_grpc
from quanyu.api.tagging.v1 import tagging_pb2, tagging_pb2_grpc
from quanyu.runtime.rpc.channels import open_channel
from tests.integration.server_process import ALL, address_of, serve
from tests.integration.shop import SCHEMA, batch, order
from tests.waiting import PATIENCE

README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = serve(tmp_path_factory.mktemp("readme") / "data", *ALL)
    address = address_of(server)
    with open_channel(address) as channel:
        ingestion = ingestion_pb2_grpc.IngestionServiceStub(channel)
        ingestion.PutSchema(ingestion_pb2.PutSchemaRequest(workspace="shop", schema=SCHEMA))
        offset = ingestion.Ingest(batch("shop", order("1", "card:ann", 40))).raw_offset
        # Waits until the first events are visible, as for a reader of the README.
        visible = tagging_pb2.AsOf(min_raw_offset=offset)
        preview = tagging_pb2.PreviewRuleRequest(workspace="shop", text="did order", as_of=visible)
        tagging_pb2_grpc.TaggingServiceStub(channel).PreviewRule(preview, timeout=PATIENCE)
    yield address
    server.kill()
    server.communicate()


def test_the_python_block_counts_people(address: str) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert "127.0.0.1:7400" in block
    code = block.replace("127.0.0.1:7400", address)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert run.returncode == 0, run.stderr
    assert re.fullmatch(r"\d+ of \d+ people\n", run.stdout)


def test_the_grpcurl_line_names_an_existing_call(address: str) -> None:
    data, service, method = re.search(r"grpcurl -plaintext -d '(.*?)' \\\n\s+\S+ (\S+)/(\S+)", README).groups()  # type: ignore[union-attr]
    with open_channel(address) as channel:
        pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        described = pool.FindServiceByName(service).FindMethodByName(method)
        request = json_format.ParseDict(json.loads(data), message_factory.GetMessageClass(described.input_type)())
        call: grpc.UnaryUnaryMultiCallable = channel.unary_unary(
            f"/{service}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=message_factory.GetMessageClass(described.output_type).FromString,
        )
        assert call(request, timeout=PATIENCE).sets[0].matched in (0, 1)
