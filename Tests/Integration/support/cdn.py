"""CDNs to purge: the strict one beside this file, and CloudFront as moto plays it."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from .ports import free_port

#: What the strict one knows; see `strict_cdn.py`.
ACCESS_KEY, SECRET_KEY, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "s3cret"


class StrictCDN:
    """The vendors' APIs, each on a port of its own, until it is stopped."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", Path(__file__).parent / "strict_cdn.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self.ports: dict[str, int] = json.loads(self._process.stdout.readline())

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def address(self, kind: str) -> str:
        return f"http://127.0.0.1:{self.ports[kind]}"

    def _ask(self, path: str, body: bytes | None = None) -> bytes:
        with urllib.request.urlopen(self.address("http") + path, body, timeout=30) as answer:
            return answer.read()

    def fail(self, *faults: dict[str, Any]) -> None:
        """How calls fail: `match` in the body or path, `count` of them, `status` or `hang`."""
        self._ask("/_/script", json.dumps(faults).encode())

    def calls(self) -> list[dict[str, Any]]:
        return json.loads(self._ask("/_/log"))

    def done(self) -> list[str]:
        """All that was purged, in order."""
        return [each for call in self.calls() for each in call["done"]]

    def settings(self, kind: str) -> dict[str, str]:
        """What a node needs to purge one of them, impatient enough for tests."""
        shared = {
            "WEDLIVE_CDN_PROVIDER": kind,
            "WEDLIVE_CDN_TIMEOUT": "2s",
            "WEDLIVE_CDN_HOLD": "4s",
            "WEDLIVE_CDN_FIRST_PAUSE": "100ms",
            "WEDLIVE_CDN_LONGEST_PAUSE": "1s",
        }
        own = {
            "cloudfront": {
                "WEDLIVE_CDN_CLOUDFRONT_DISTRIBUTION": "EDFDVBD6EXAMPLE",
                "WEDLIVE_CDN_CLOUDFRONT_ACCESS_KEY": ACCESS_KEY,
                "WEDLIVE_CDN_CLOUDFRONT_SECRET_KEY": SECRET_KEY,
                "WEDLIVE_CDN_CLOUDFRONT_ENDPOINT": self.address("cloudfront"),
            },
            "cloudflare": {
                "WEDLIVE_CDN_DOMAIN": "live.example",
                "WEDLIVE_CDN_CLOUDFLARE_ZONE": "023e105f4ecef8ad9ca31a8372d0c353",
                "WEDLIVE_CDN_CLOUDFLARE_TOKEN": TOKEN,
                "WEDLIVE_CDN_CLOUDFLARE_ENDPOINT": self.address("cloudflare") + "/client/v4",
            },
            "fastly": {
                "WEDLIVE_CDN_DOMAIN": "live.example",
                "WEDLIVE_CDN_FASTLY_SERVICE": "SU1Z0isxPaozGVKXdv0eY",
                "WEDLIVE_CDN_FASTLY_TOKEN": TOKEN,
                "WEDLIVE_CDN_FASTLY_ENDPOINT": self.address("fastly"),
            },
            "http": {
                "WEDLIVE_CDN_HTTP_PATH": f"PURGE {self.address('http')}{{path}}",
                "WEDLIVE_CDN_HTTP_PREFIX": f"BAN {self.address('http')}{{prefix}}",
                "WEDLIVE_CDN_HTTP_TAG": f"PURGE {self.address('http')}/tags/{{tag}}",
                "WEDLIVE_CDN_HTTP_TAG_HEADER": "X-Key: {tag}",
                "WEDLIVE_CDN_HTTP_SOFT_HEADER": "X-Soft: 1",
                "WEDLIVE_CDN_HTTP_HEADER": f"X-Purge-Token: {TOKEN}",
            },
        }
        return {**shared, **own[kind]}


class Moto:
    """CloudFront with one distribution, as moto plays it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
        self.server.start()
        self.client = boto3.client(
            "cloudfront",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )
        origin = {
            "Id": "o",
            "DomainName": "origin.example",
            "CustomOriginConfig": {
                "HTTPPort": 80,
                "HTTPSPort": 443,
                "OriginProtocolPolicy": "https-only",
            },
        }
        made = self.client.create_distribution(
            DistributionConfig={
                "CallerReference": "r",
                "Comment": "c",
                "Enabled": True,
                "Origins": {"Quantity": 1, "Items": [origin]},
                "DefaultCacheBehavior": {
                    "TargetOriginId": "o",
                    "ViewerProtocolPolicy": "allow-all",
                },
            }
        )
        self.distribution: str = made["Distribution"]["Id"]

    def stop(self) -> None:
        self.server.stop()

    @property
    def settings(self) -> dict[str, str]:
        return {
            "WEDLIVE_CDN_PROVIDER": "cloudfront",
            "WEDLIVE_CDN_CLOUDFRONT_DISTRIBUTION": self.distribution,
            "WEDLIVE_CDN_CLOUDFRONT_ACCESS_KEY": "a",
            "WEDLIVE_CDN_CLOUDFRONT_SECRET_KEY": "b",
            "WEDLIVE_CDN_CLOUDFRONT_ENDPOINT": f"http://127.0.0.1:{self.port}",
        }

    def paths(self) -> list[str]:
        """The paths of all invalidations."""
        listed = self.client.list_invalidations(DistributionId=self.distribution)
        found: list[str] = []
        for item in listed["InvalidationList"].get("Items", []):
            whole = self.client.get_invalidation(DistributionId=self.distribution, Id=item["Id"])
            found += whole["Invalidation"]["InvalidationBatch"]["Paths"]["Items"]
        return found
