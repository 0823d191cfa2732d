"""What spoils a file spoils it in every way that it claims, and leaves the good one as it was."""

import json
import struct
import tomllib
from random import Random

import onnx
import pytest
from onnx import TensorProto

from neuralamp.capture.formats.onnx import CONFIG
from tests.fuzz.cases import workplace
from tests.fuzz.mutate_bytes import cut_everywhere, spoil_bytes
from tests.fuzz.mutate_json import JSON_SPOILERS, Raw, spoil_json, spoil_tree, write_json
from tests.fuzz.mutate_onnx import spoil_onnx
from tests.fuzz.mutate_sound import riff_chunks, spoil_sound, write_riff
from tests.fuzz.mutate_toml import spoil_toml, write_toml
from tests.fuzz.protobuf import nested, read_message, write_message
from tests.fuzz.readers import READERS

DOCUMENT = {
    "version": "0.5.4",
    "metadata": {"name": "plexi", "loudness": -18.5, "gear": None},
    "config": {"layers": [{"channels": 16, "dilations": [1, 2, 4], "gated": False}], "head": None},
    "weights": [0.1 * k for k in range(50)],
}
GOOD = json.dumps(DOCUMENT).encode()


def spoiled_documents(count: int) -> list[bytes]:
    return [spoil_json(GOOD, Random(k), ["/etc/passwd"]) for k in range(count)]


def readable(data: bytes):
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def test_json_is_spoiled_in_every_way():
    documents = [found for data in spoiled_documents(3000) if isinstance(found := readable(data), dict)]
    weights = [found["weights"] for found in documents if isinstance(found.get("weights"), list)]
    assert any(len(found) == 49 for found in weights)  # off by one, both ways
    assert any(len(found) == 51 for found in weights)
    assert any(len(found) > 500 for found in weights)
    assert any(value != value for found in weights for value in found if isinstance(value, float))  # NaN
    assert any("weights" not in found for found in documents)  # missing
    assert any(set(found) - set(DOCUMENT) for found in documents)  # extra
    channels = [layer.get("channels") for found in documents for layer in layers(found)]
    assert {type(value) for value in channels} >= {int, float, str, bool, type(None), list, dict}
    assert any(type(value) is int and value < 0 for value in channels)
    assert any(type(value) is int and value > 2**62 for value in channels)
    assert any(value == 1e308 for value in channels if isinstance(value, float))
    assert any(found.get("version") == "/etc/passwd" for found in documents)


def layers(document: dict) -> list[dict]:
    config = document.get("config")
    found = config.get("layers") if isinstance(config, dict) else None
    return [layer for layer in found if isinstance(layer, dict)] if isinstance(found, list) else []


def test_json_is_nested_deeper_than_python_can_read_it():
    with pytest.raises(RecursionError):
        for data in spoiled_documents(500):
            if b"[" * 20_000 in data:
                json.loads(data)


def test_a_spoiler_takes_any_document():
    for document in (DOCUMENT, [], {}, 3, None, "text", [1, 2.5, [None]], {"a": {}}):
        for number in range(100):
            for spoiler in JSON_SPOILERS:
                whole = [json.loads(json.dumps(document))]
                spoil_tree(whole, Random(number), [], [spoiler])
                assert isinstance(write_json(whole[0]), str)


def test_raw_text_stands_as_it_is():
    assert write_json({"a": [1, Raw("NaN")]}) == '{"a": [1, NaN]}'


def test_toml_is_written_as_it_was_read():
    table = tomllib.loads(
        "name = 'a \"b\" \\\\'\nlevel = -3.5\n[[chain]]\nbox = 'eq'\n[[chain]]\n[[chain.lanes]]\nlist = [[1, 2], [{a = 1}]]\n"
    )
    assert tomllib.loads(write_toml(table)) == table


def test_a_capture_is_spoiled_in_every_way():
    with workplace() as place:
        good = next(path for path in place.seeds(READERS["onnx"]) if "wavenet" in path.name).read_bytes()
    config = next(entry.value for entry in onnx.ModelProto.FromString(good).metadata_props if entry.key == CONFIG)
    models = []
    for k in range(1000):
        data = spoil_onnx(good, Random(k), ["../secret.bin"])
        if len(data) > 10**6:
            continue  # a flood, which takes its time to be read
        try:
            models.append(onnx.ModelProto.FromString(data))
        except Exception:  # noqa: BLE001  protobuf's error depends on how it was built; many cases are meant to be none
            continue
    tensors = [tensor for model in models for tensor in model.graph.initializer]
    assert len(models) > 600
    assert any(
        tensor.data_location == TensorProto.EXTERNAL and tensor.external_data[0].value == "../secret.bin" for tensor in tensors
    )
    assert any(min(tensor.dims, default=0) < 0 for tensor in tensors)
    assert any(max(tensor.dims, default=0) > 2**60 for tensor in tensors)
    assert any(len(tensor.raw_data) % 4 for tensor in tensors)
    configs = {entry.value for model in models for entry in model.metadata_props if entry.key == CONFIG}
    assert len(configs - {config}) > 100


def test_protobuf_is_taken_apart_and_put_together():
    with workplace() as place:
        for path in place.seeds(READERS["onnx"]):
            data = path.read_bytes()
            fields = read_message(data)
            assert fields
            assert onnx.ModelProto.FromString(write_message(fields)) == onnx.ModelProto.FromString(data)
    assert nested(1, 2) == b"\x0a\x02\x0a\x00"


def test_a_wave_is_taken_apart_and_put_together_and_spoiled_in_its_head():
    with workplace() as place:
        good = next(path for path in place.seeds(READERS["sound"]) if "WAV-FLOAT" in path.name).read_bytes()
    assert write_riff(good, riff_chunks(good)) == good
    heads = [
        chunk[2]
        for k in range(2000)
        for chunk in riff_chunks(spoil_sound(good, Random(k)))
        if chunk[0] == b"fmt " and len(chunk[2]) >= 16
    ]
    assert {0, 3, 1024, 0xFFFF} <= {struct.unpack_from("<H", head, 2)[0] for head in heads}  # channels
    assert {0, 1, 2**31, 2**32 - 1} <= {struct.unpack_from("<I", head, 4)[0] for head in heads}  # sample rates


def test_the_same_chance_spoils_alike():
    rig = b'[[chain]]\nbox = "level"\n'
    for spoil in (spoil_bytes, spoil_toml, spoil_json):
        good = GOOD if spoil is spoil_json else rig
        assert [spoil(good, Random(k)) for k in range(50)] == [spoil(good, Random(k)) for k in range(50)]


def test_a_file_is_cut_at_every_64_bytes_and_a_long_one_in_20_places():
    assert [len(part) for part in cut_everywhere(bytes(200))] == [0, 64, 128, 192]
    assert [len(part) for part in cut_everywhere(bytes(10_000))] == list(range(0, 10_000, 500))
