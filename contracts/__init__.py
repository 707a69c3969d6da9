"""What the data must be: contracts, the rule catalogue, and the forward model that gives patterns their meaning."""

from .catalogue import Level, Rule, reasons, rules
from .loader import from_document, load, schema, shipped
from .model import (
    ArraySpec,
    Contract,
    ContractError,
    Dimension,
    Legacy,
    Metadata,
    Quantity,
    Scan,
    Storage,
    Values,
    expand_dtypes,
    pointer,
    preferred_dtype,
)

DEFAULT = "ptychopinn/canonical"

__all__ = [
    "DEFAULT",
    "ArraySpec",
    "Contract",
    "ContractError",
    "Dimension",
    "Legacy",
    "Level",
    "Metadata",
    "Quantity",
    "Rule",
    "Scan",
    "Storage",
    "Values",
    "expand_dtypes",
    "from_document",
    "load",
    "pointer",
    "preferred_dtype",
    "reasons",
    "rules",
    "schema",
    "shipped",
]
