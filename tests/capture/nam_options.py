"""Which options of the .nam format a file uses, and which there are: so that a test can say what its files have covered."""

from collections.abc import Iterator
from typing import Any

from tests.capture.nam_activations import BENT, PLAIN
from tests.capture.nam_files import METADATA, NESTED, SAMPLE_RATES, VERSIONS
from tests.capture.nam_wavenets import FILMS, GATINGS, Json

ANY_FILE = {
    *(f"version '{version}'" for version in VERSIONS),
    *(f"sample_rate {rate}" for rate in SAMPLE_RATES),
    *(f"metadata {k}" for k in range(len(METADATA))),
    "a key of nobody's",
}
"""What has nothing to do with the architecture."""
OUTPUTS = {"one output", "several outputs", "in_channels said", "in_channels left out"}
ACTIVATION = {
    *(f"activation {name} as {form}" for name in PLAIN + BENT for form in ("a string", "an object")),
    *(f"activation {name} without a parameter" for name in BENT),
    *(f"activation {name} with all it can say" for name in ("LeakyReLU", "LeakyHardtanh", "LeakyHardTanh")),
    *(f"activation PReLU with {key}" for key in ("negative_slope", "negative_slopes")),
}
WAVENET = {
    *OUTPUTS,
    *ACTIVATION,
    *(option.replace("activation", "secondary") for option in ACTIVATION),
    *(f"{name} {how}" for name in ("activation", "secondary") for how in ("for all layers", "by layer")),
    *("secondary left out", "no secondary for a layer without"),
    *(f"{count} arrays" for count in (1, 2, 3)),
    *(f"{count} layers" for count in (1, 2, 3, 4)),
    *("kernel_size", "kernel_sizes"),
    *(f"gating {mode} said {how}" for mode in GATINGS for how in ("once", "by layer")),
    *("gatings mixed", "gated true", "gated false", "gating left out"),
    *(f"bottleneck {how}" for how in ("left out", "equal", "narrower", "wider")),
    *(f"{name} {how}" for name in ("layer1x1", "head1x1") for how in ("active", "inactive", "left out", "in groups")),
    *(f"{name} {how}" for name in ("groups_input", "groups_input_mixin") for how in ("left out", "1", "several")),
    *(f"{name}_film {how}" for name in FILMS for how in ("shifts", "only scales", "left out", "false", "inactive", "in groups")),
    *(f"layer1x1_post_film in {where} layer" for where in ("a blended", "another")),
    "a film with its defaults left out",
    *("head_size", "head null", "head object", "head with taps", "head_dilation", "head with bias", "head without bias"),
    *(f"post head{how}" for how in ("", " null", " left out", " of several maps", " in_channels said")),
    *(f"condition_dsp {how}" for how in (*NESTED, "null", "left out")),
    *("several conditions", "a slimmable condition", "a condition's condition"),
    *(f"slimmable {how}" for how in ("null", "with allowed_channels", "without allowed_channels", "without kwargs")),
    *(
        f"slimmable and {what}"
        for what in ("a fixed array", "gates", "films that shift", "head1x1", "a condition", "a bottleneck")
    ),
}
OPTIONS: dict[str, set[str]] = {
    "WaveNet": WAVENET,
    "LSTM": OUTPUTS | {f"{count} layers" for count in (1, 2, 3)},
    "ConvNet": {
        *OUTPUTS,
        *ACTIVATION,
        *(f"{count} layers" for count in (1, 2, 3, 4)),
        *("batchnorm", "no batchnorm", "groups said", "groups left out"),
    },
    "Linear": {
        *OUTPUTS,
        *(f"implementation {word}" for word in ("auto", "direct", "fft", "left out")),
        *("bias", "no bias", "longer than 256", "one tap"),
    },
    "SlimmableContainer": {
        *(f"{count} submodels" for count in (1, 2, 3, 4)),
        *(f"a {architecture} inside" for architecture in NESTED),
        *("a slimmable net inside", "a net without its rate", "a last bound beyond 1"),
    },
}
"""By architecture, every option in the words that `covered_options` has for it."""


def covered_options(model: Json) -> set[str]:
    """The options that this file uses, without those of the files inside it."""
    config, architecture = model["config"], model["architecture"]
    covered = {f"version '{model['version']}'", f"sample_rate {model.get('sample_rate')}"}
    covered.add(f"metadata {METADATA.index({'metadata': model['metadata']} if 'metadata' in model else {})}")
    covered |= {"a key of nobody's"} if "notes" in model else set()
    parts = {"WaveNet": of_wavenet, "LSTM": of_lstm, "ConvNet": of_convnet, "Linear": of_linear}
    covered |= set(parts.get(architecture, of_container)(config)) - {""}
    if unlisted := covered - ANY_FILE - OPTIONS[architecture]:
        raise ValueError(f"not among the options of a {architecture}: {sorted(unlisted)}")
    return covered


def of_channels(config: Json, outputs: int) -> Iterator[str]:
    yield "several outputs" if outputs > 1 else "one output"
    yield f"in_channels {'said' if 'in_channels' in config else 'left out'}"


def of_activation(word: str, said: Any) -> Iterator[str]:
    name = said if isinstance(said, str) else said["type"]
    parameters = set() if isinstance(said, str) else set(said) - {"type"}
    yield f"{word} {name} as {'a string' if isinstance(said, str) else 'an object'}"
    yield from (f"{word} PReLU with {key}" for key in parameters if name == "PReLU")
    if not parameters and name in BENT:
        yield f"{word} {name} without a parameter"
    if len(parameters) == {"LeakyReLU": 1, "LeakyHardtanh": 4, "LeakyHardTanh": 4}.get(name, -1):
        yield f"{word} {name} with all it can say"


def of_wavenet(config: Json) -> Iterator[str]:
    arrays, head = config["layers"], config.get("head")
    last = arrays[-1].get("head") or {"out_channels": arrays[-1].get("head_size")}
    yield from of_channels(config, head["out_channels"] if head else last["out_channels"])
    yield f"{len(arrays)} arrays"
    yield "post head" if head else "post head null" if "head" in config else "post head left out"
    if head:
        yield "post head of several maps" if len(head["kernel_sizes"]) > 1 else ""
        yield "post head in_channels said" if head.get("in_channels") else ""
    condition = config.get("condition_dsp")
    if condition:
        yield f"condition_dsp {condition['architecture']}"
        yield "several conditions" if arrays[0]["condition_size"] > 1 else ""
        yield "a condition's condition" if condition["config"].get("condition_dsp") else ""
        yield "a slimmable condition" if is_slimmable(condition) else ""
    else:
        yield "condition_dsp null" if "condition_dsp" in config else "condition_dsp left out"
    for array in arrays:
        yield from of_array(array)
    if is_slimmable({"config": config}):
        used = {option for array in arrays for option in of_array(array)}
        yield "slimmable and a condition" if condition else ""
        yield "slimmable and a fixed array" if not all(array.get("slimmable") for array in arrays) else ""
        yield "slimmable and head1x1" if "head1x1 active" in used else ""
        yield "slimmable and gates" if any("gated true" in word or "blended said" in word for word in used) else ""
        yield "slimmable and films that shift" if any("film shifts" in word for word in used) else ""
        yield "slimmable and a bottleneck" if used & {"bottleneck narrower", "bottleneck wider"} else ""


def is_slimmable(model: Json) -> bool:
    return any(array.get("slimmable") for array in model["config"].get("layers", []))


def of_array(array: Json) -> Iterator[str]:
    layers = len(array["dilations"])
    yield f"{layers} layers"
    yield "kernel_sizes" if "kernel_sizes" in array else "kernel_size"
    difference = array.get("bottleneck", 0) - array["channels"]
    how = "equal" if difference == 0 else "wider" if difference > 0 else "narrower"
    yield f"bottleneck {how if 'bottleneck' in array else 'left out'}"
    for name in ("layer1x1", "head1x1"):
        said = array.get(name)
        yield f"{name} {'left out' if said is None else 'active' if said['active'] else 'inactive'}"
        yield f"{name} in groups" if said and said["groups"] > 1 else ""
    for name in ("groups_input", "groups_input_mixin"):
        groups = array.get(name)
        yield f"{name} {'left out' if groups is None else 'several' if groups > 1 else '1'}"
    yield from of_head(array)
    yield from of_gates(array)
    yield from of_films(array)
    slimmable = array.get("slimmable")
    if slimmable:
        kwargs = slimmable.get("kwargs")
        how = "without kwargs" if kwargs is None else "with allowed_channels" if kwargs else "without allowed_channels"
        yield f"slimmable {how}"
    elif "slimmable" in array:
        yield "slimmable null"


def of_head(array: Json) -> Iterator[str]:
    head = array.get("head")
    if head:
        yield "head object"
        yield "head with taps" if head["kernel_size"] > 1 else ""
        yield "head_dilation" if head.get("head_dilation", 1) > 1 and head["kernel_size"] > 1 else ""
    else:
        yield "head_size"
        yield "head null" if "head" in array else ""
    yield f"head {'with' if (head['bias'] if head else array['head_bias']) else 'without'} bias"


def of_gates(array: Json) -> Iterator[str]:
    layers = len(array["dilations"])
    activations, modes = array["activation"], array.get("gating_mode")
    yield f"activation {'by layer' if isinstance(activations, list) else 'for all layers'}"
    for activation in activations if isinstance(activations, list) else [activations]:
        yield from of_activation("activation", activation)
    if modes is None:
        yield f"gated {str(array['gated']).lower()}" if "gated" in array else "gating left out"
        return
    by_layer = isinstance(modes, list)
    yield from (f"gating {mode} said {'by layer' if by_layer else 'once'}" for mode in (modes if by_layer else [modes]))
    modes = modes if by_layer else [modes] * layers
    yield "gatings mixed" if len(set(modes)) > 1 else ""
    if set(modes) == {"none"}:
        return
    if "secondary_activation" not in array:
        yield "secondary left out"
        return
    said = array["secondary_activation"]
    yield f"secondary {'by layer' if isinstance(said, list) else 'for all layers'}"
    for mode, secondary in zip(modes, said if isinstance(said, list) else [said] * layers, strict=True):
        if mode != "none":
            yield from of_activation("secondary", secondary)
        elif secondary is None:
            yield "no secondary for a layer without"


def of_films(array: Json) -> Iterator[str]:
    blended = array.get("gating_mode", "none")
    modes = blended if isinstance(blended, list) else [blended]
    for name in FILMS:
        said = array.get(f"{name}_film")
        if said is None or said is False:
            yield f"{name}_film {'left out' if said is None else 'false'}"
            continue
        if not said["active"]:
            yield f"{name}_film inactive"
            continue
        yield f"{name}_film {'shifts' if said.get('shift', True) else 'only scales'}"
        yield f"{name}_film in groups" if said.get("groups", 1) > 1 else ""
        yield "a film with its defaults left out" if set(said) == {"active"} else ""
        if name == "layer1x1_post":
            yield from (f"layer1x1_post_film in {'a blended' if mode == 'blended' else 'another'} layer" for mode in modes)


def of_lstm(config: Json) -> Iterator[str]:
    yield from of_channels(config, config.get("out_channels", 1))
    yield f"{config['num_layers']} layers"


def of_convnet(config: Json) -> Iterator[str]:
    yield from of_channels(config, config.get("out_channels", 1))
    yield f"{len(config['dilations'])} layers"
    yield "batchnorm" if config["batchnorm"] else "no batchnorm"
    yield f"groups {'said' if 'groups' in config else 'left out'}"
    yield from of_activation("activation", config["activation"])


def of_linear(config: Json) -> Iterator[str]:
    yield from of_channels(config, config.get("out_channels", 1))
    yield "bias" if config["bias"] else "no bias"
    yield f"implementation {config.get('implementation', 'left out')}"
    yield "longer than 256" if config["receptive_field"] > 256 else "one tap" if config["receptive_field"] == 1 else ""


def of_container(config: Json) -> Iterator[str]:
    rows = config["submodels"]
    rates = {row["model"].get("sample_rate") for row in rows}
    yield f"{len(rows)} submodels"
    yield "a last bound beyond 1" if rows[-1]["max_value"] > 1 else ""
    yield "a net without its rate" if len(rates) > 1 else ""
    for row in rows:
        yield f"a {row['model']['architecture']} inside"
        yield "a slimmable net inside" if is_slimmable(row["model"]) else ""
