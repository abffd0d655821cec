"""Simulators of DigiD, eHerkenning and a staff directory: OpenID providers, as a broker would be, whose people are all
invented.

Only for demo and tests. Every page says so, and so does the issuer: a node in production refuses it, in its settings and
when a token comes.
"""

from sluis_demo.simulators.app import Simulators, make_simulators
from sluis_demo.simulators.model import Client, Simulator
from sluis_demo.simulators.personas import ALL, DIGID, EHERKENNING, STAFF

__all__ = ["ALL", "DIGID", "EHERKENNING", "STAFF", "Client", "Simulator", "Simulators", "make_simulators"]
