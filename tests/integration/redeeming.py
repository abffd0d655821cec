"""A process that trades one code when it is told to, and says what came of it. For `test_provider_on_postgres`.

Arguments: URL of the database, folder with the keys, code. Everybody is fictitious.
"""

import asyncio
import sys
from pathlib import Path

from sluis.crypto import FileKeyStore
from sluis.identity.provider.faults import OAuthProblem
from sluis.identity.provider.grants import Grants
from sluis.kernel import Problem, utc_now
from sluis.store import open_store


async def main(url: str, keys: str, code: str) -> str:
    store = open_store(url)
    grants = Grants(store, FileKeyStore(Path(keys)), utc_now)
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        await grants.redeem(code, f"jti-{id(store)}", 2**40, lambda grant, made: None)
        return "redeemed"
    except OAuthProblem as problem:
        return problem.error
    except Problem as problem:
        return problem.code
    finally:
        store.close()


if __name__ == "__main__":
    print(asyncio.run(main(*sys.argv[1:])))
