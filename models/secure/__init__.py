"""The cheapest plan that keeps the service level under every single outage.

The mathematics stands in models/secure.md.
"""

from models.secure.check import Terms, Threat, breaches
from models.secure.solving import solve_secure

__all__ = ["Terms", "Threat", "breaches", "solve_secure"]
