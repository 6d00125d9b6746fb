"""LintRule warns about a text with the names and published rules of the workspace."""

from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from tests.integration.server_process import Quanyu
from tests.integration.shop import SCHEMA
from tests.waiting import PATIENCE


def lint(quanyu: Quanyu, text: str, offset: int = 0) -> pb.LintRuleResponse:
    request = pb.LintRuleRequest(workspace=quanyu.workspace, text=text, min_raw_offset=offset)
    answer: pb.LintRuleResponse = quanyu.tagging.LintRule(request, timeout=PATIENCE)
    return answer


def test_warnings_have_a_place_and_suggestions(quanyu: Quanyu) -> None:
    declare = ingestion_pb2.PutSchemaRequest(workspace=quanyu.workspace, schema=SCHEMA)
    offset = quanyu.ingestion.PutSchema(declare).raw_offset
    (redundant,) = lint(quanyu, "did order in last 7d\nand did order in last 30d", offset).findings
    assert (redundant.code, redundant.line, redundant.column) == ("REDUNDANT_CLAUSE", 2, 5)
    assert list(redundant.suggestions) == ["did order in last 7d"]
    assert "did order in last 7d" in redundant.message
    assert lint(quanyu, "did order in last 7d") == pb.LintRuleResponse()

    publish = pb.PublishRuleRequest(workspace=quanyu.workspace, text="segment buyers: did order ever")
    quanyu.tagging.PublishRule(publish, timeout=PATIENCE)
    (never,) = lint(quanyu, "segment lost among buyers: not in segment buyers").findings
    assert (never.code, never.column) == ("NEVER_TRUE", 28)


def test_an_invalid_text_has_errors_instead_of_warnings(quanyu: Quanyu) -> None:
    declare = ingestion_pb2.PutSchemaRequest(workspace=quanyu.workspace, schema=SCHEMA)
    offset = quanyu.ingestion.PutSchema(declare).raw_offset
    answer = lint(quanyu, "did ordr and did ordr", offset)
    (diagnostic,) = answer.diagnostics
    assert (diagnostic.reason, diagnostic.column, list(diagnostic.suggestions)) == ("RULE_NAME", 5, ["order"])
    assert not answer.findings
