"""Simulators of DigiD and eHerkenning: OpenID providers, as a broker would be, whose people are all invented.

Only for demo and tests. Every page says so, and so does the issuer: a node in production refuses it, in its settings and
when a token comes.
"""

from sluis_demo.simulators.app import Simulators, make_simulators
from sluis_demo.simulators.model import Client, Simulator
from sluis_demo.simulators.personas import DIGID, EHERKENNING

__all__ = ["DIGID", "EHERKENNING", "Client", "Simulator", "Simulators", "make_simulators"]
