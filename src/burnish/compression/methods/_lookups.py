"""Tables of vectors that stay int8 in memory: a row is looked up first and only then multiplied by its scale.

NNCF rounds an embedding table and has it multiplied before the look-up; OpenVINO computes what is constant when it
loads a model, so that the whole table lay in memory as float32: four times its size, 35 MB of minilm's.
"""

from __future__ import annotations

from typing import Any

from burnish.core.telemetry import need_silent


def look_up_first(model: Any) -> None:
    """Turn gather(scale * table, rows) into scale * gather(table, rows) in an `openvino.Model`: the same numbers."""
    ops = need_silent("openvino", "openvino").opset13
    for gather in model.get_ordered_ops():
        found = _table_and_scale(gather)
        if found is None:
            continue
        table, scale = found
        rows, axis = gather.input_value(1), gather.input_value(2)
        looked_up = ops.convert(ops.gather(table, rows, axis), scale.get_output_element_type(0))
        product = ops.multiply(looked_up, ops.gather(scale, rows, axis))
        product.set_friendly_name(gather.get_friendly_name())
        gather.output(0).replace(product.output(0))
    model.validate_nodes_and_infer_types()


def _table_and_scale(gather: Any) -> tuple[Any, Any] | None:
    """[V, H] the rounded table of which a node looks up rows, and [V, 1] what these are multiplied by before; None for
    any other node.
    """
    product = _source(gather, 0, "Gather", "Multiply")
    converted = _source(product, 0, "Multiply", "Convert")
    table, scale = _source(converted, 0, "Convert", "Constant"), _source(product, 1, "Multiply", "Constant")
    axis = _source(gather, 2, "Gather", "Constant")
    if table is None or scale is None or axis is None:
        return None
    n_rows, *width = table.get_output_shape(0)
    is_by_rows = int(axis.data) == 0 and len(width) == 1 and list(scale.get_output_shape(0)) == [n_rows, 1]
    return (table, scale) if is_by_rows else None


def _source(node: Any, number: int, kind: str, source: str) -> Any:
    """Where an input of a node of one kind comes from, if that is of another; None where it is not."""
    if node is None or node.get_type_name() != kind:
        return None
    found = node.input_value(number).get_node()
    return found if found.get_type_name() == source else None
